"""Languages: texts that an English vocabulary was not made for are named, by ``check`` and before a training."""

import random
from pathlib import Path

import pytest

from pretune.configs import RunConfig
from pretune.diagnose.texts import check_language
from pretune.errors import ModelLoadError
from pretune.records import Evidence, Severity
from pretune.run.trace import Trace
from pretune.tasks.classify.check import check_data
from pretune.tasks.classify.language import fit_vocabulary, warn_of_language
from pretune.tokens import train_tokenizer

ENGLISH = [f"the train was late again and nobody told us why number {index}" for index in range(200)]
GERMAN = [f"der Zug verspätete sich wiederum und niemand erklärte irgendwem weshalb Nummer {index}" for index in range(200)]
CHINESE = [f"今天火车又晚点了没有人告诉我们原因 {index}" for index in range(200)]


@pytest.fixture(scope="module")
def english(tmp_path_factory) -> Path:
    """A folder with a vocabulary of English."""
    folder = tmp_path_factory.mktemp("english")
    train_tokenizer(ENGLISH, kind="wordpiece", vocab_size=512).save_pretrained(folder)
    return folder


def finding_of(folder: Path, texts: list[str]):
    return check_language(Evidence(vocabulary=fit_vocabulary(str(folder), texts)))


def test_texts_of_its_language_are_fine(english):
    assert finding_of(english, ENGLISH).severity is Severity.OK
    assert warn_of_language(str(english), ENGLISH) == ""


@pytest.mark.parametrize(("texts", "says"), [(GERMAN, "breaks a word into"), (CHINESE, "lacks")])
def test_texts_of_another_language_are_named(english, texts, says):
    finding = finding_of(english, texts)
    assert finding.severity is Severity.WARNING
    assert says in finding.summary
    assert "another language" in warn_of_language(str(english), texts)


def test_what_is_not_on_this_machine_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "empty"))
    assert fit_vocabulary("minilm", ENGLISH) is None
    assert fit_vocabulary("some/model", ENGLISH) is None
    assert finding_of(tmp_path, ENGLISH).severity is Severity.UNKNOWN
    assert not (tmp_path / "empty").exists()


def test_a_few_words_say_nothing(english):
    assert finding_of(english, GERMAN[:3]).severity is Severity.UNKNOWN


def test_a_damaged_tokenizer_is_one_message(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelLoadError, match="damaged"):
        fit_vocabulary(str(tmp_path), ENGLISH)


def test_check_names_the_language(english, write_csv):
    words, draws = " ".join(GERMAN[:1]).split()[:-2], random.Random(0)
    path = write_csv([(" ".join(draws.choices(words, k=9)), "ab"[index % 2]) for index in range(90)])
    _, findings = check_data(str(path), RunConfig(model=str(english)), Trace())
    [finding] = [finding for finding in findings if finding.check == "texts.language"]
    assert finding.severity is Severity.WARNING

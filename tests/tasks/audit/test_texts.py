"""Auditing generated text: from the table to the verdict, and hostile tables."""

import importlib.util

import pytest
from running import call, read_strictly

from pretune.configs import AuditConfig, ReadConfig
from pretune.data.foreign.generated import looks_generated, read_generated
from pretune.data.read.path import read_raw
from pretune.errors import DataError
from pretune.tasks.audit import Question, audit
from tiny import make_rows

needs_sacrebleu = pytest.mark.skipif(
    importlib.util.find_spec("sacrebleu") is None, reason='sacrebleu is not installed: pip install "pretune[text-metrics]"'
)
TEXTS = [text for text, _ in make_rows(60)]


def rows_of(change=lambda text: text):
    return [{"id": number, "reference": text, "hypothesis": change(text)} for number, text in enumerate(TEXTS)]


def shorter(text):
    return " ".join(text.split()[:-3])


def read(rows, **config):
    return read_generated(read_raw(rows), AuditConfig(**config), source="audited")


@pytest.mark.parametrize(
    ("columns", "config", "expected"),
    [
        (("id", "reference", "hypothesis"), {}, True),
        (("Ref", "Hyp"), {}, True),
        (("label", "predicted"), {}, False),
        (("label", "predicted"), {"task": "generate"}, True),
        (("reference", "hypothesis"), {"task": "classify"}, False),
        (("wanted", "written"), {"reference": "wanted"}, True),
    ],
)
def test_the_columns_or_the_flags_tell_the_task(columns, config, expected):
    raw = read_raw([dict.fromkeys(columns, "x")])
    assert looks_generated(raw, AuditConfig(**config)) is expected


def test_a_row_is_an_id_a_reference_and_a_hypothesis():
    found = read(rows_of(shorter)).predictions
    assert found.task == "generate"
    assert found.labels == tuple(TEXTS)
    assert found.predicted[0] == shorter(TEXTS[0])


def test_an_empty_hypothesis_counts_and_an_empty_reference_is_rejected():
    rows = [{"ref": "a b", "hyp": ""}] + [{"ref": "a b", "hyp": "a"}] * 199
    found = read(rows)
    assert found.predictions.predicted[0] == ""
    assert any("1 hypothesis is empty" in note for note in found.notes)
    found = read([{"ref": "", "hyp": "a"}, *rows[1:]])
    assert (found.files[0].num_used, found.files[0].rejected[0].reason) == (199, "the reference is empty")


@pytest.mark.parametrize(
    ("rows", "config", "says"),
    [
        ([], {"task": "generate"}, ""),
        ([{"reference": "a", "words": "b"}], {"task": "generate"}, "looks like the hypothesis"),
        ([{"hypothesis": "a", "words": "b"}], {"task": "generate"}, "looks like the reference"),
        ([{"id": 1, "ref": "a", "hyp": "b"}] * 3, {}, "the id '1' was there before"),
        ([{"ref": ["a", "b"], "hyp": "b"}], {}, "is a list, not text"),
        ([{"reference": "a", "hypothesis": "b"}], {"hypothesis": "hypthesis"}, "did you mean --hypothesis 'hypothesis'?"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_message(rows, config, says):
    with pytest.raises(DataError) as caught:
        read(rows, **config)
    assert says in str(caught.value)


def test_flags_of_classes_do_not_fit(capsys, write_csv):
    path = write_csv([("a b c", "a b d")] * 30, columns=("reference", "hypothesis"))
    assert call("audit", path, "--min-recall", "0.8", "--sealed") == 2
    assert "--sealed, --min-recall with generated text" in capsys.readouterr().err


@needs_sacrebleu
def test_a_table_goes_to_its_figures_and_says_how_they_were_counted(tmp_path, capsys, write_csv):
    rows = [(row["id"], row["reference"], row["hypothesis"]) for row in rows_of(shorter)]
    path = write_csv(rows, name="a.csv", columns=("id", "reference", "hypothesis"))
    assert call("audit", path, "--report", tmp_path / "r.html") == 3
    out = capsys.readouterr().out
    assert "tok:13a" in out
    assert "--train FILE with prompts" in " ".join(out.replace("│", " ").split())
    assert "tok:13a" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert call("audit", path, "--json", "--quiet", "--min-chrf", "40") == 3
    shown = read_strictly(capsys.readouterr().out)
    assert {score["metric"] for score in shown["scores"]} == {"bleu", "chrf"}
    assert call("audit", path, "--json", "--quiet", "--min-chrf", "95") == 1


@needs_sacrebleu
def test_two_systems_are_compared_on_the_same_rows():
    record = audit(rows_of(), Question(against=rows_of(shorter)[::-1]))
    assert [item.b for item in record.comparisons] == ["predictions", "predictions", "constant"]
    assert {score.source for score in record.scores} == {"audited", "predictions", "constant"}
    assert record.scores[0].confidence == 0.975


# Rivals, and what was asked

SUBJECTS = [
    f"{first}{last}"
    for first in ("bra", "klo", "mip", "nur", "sev", "tax", "vul", "wen")
    for last in ("dasia", "gosis", "lemia", "mitis", "phoria", "rrhea", "topia", "zyme")
]
ASKED = ("What are the signs of {}?", "How is {} treated?", "Who gets {} most often?")
GIVEN = (
    "{} shows in a rash and fever that come and go.",
    "Doctors treat {} by rest, water and a mild drug.",
    "Older people get {} more often than the young.",
)


def answers(subjects, answer):
    rows = [
        (f"{name}-{kind}", ASKED[kind].format(name), GIVEN[kind].format(name), answer(name, kind))
        for name in subjects
        for kind in range(3)
    ]
    return [dict(zip(("id", "question", "reference", "hypothesis"), row, strict=True)) for row in rows]


@pytest.fixture
def train(write_csv):
    rows = [(ASKED[kind].format(name), GIVEN[kind].format(name)) for name in SUBJECTS[:24] for kind in range(3)]
    return write_csv(rows, name="train.csv", columns=("question", "answer"))


@needs_sacrebleu
def test_a_system_that_answers_of_the_right_subject_better_than_retrieval_ships(train):
    record = audit(answers(SUBJECTS[24:], lambda name, kind: GIVEN[kind].format(name)), Question(train=train))
    assert record.verdict.outcome == "ship"
    assert [item.b for item in record.comparisons] == ["constant", "retrieval", "reference"]
    assert {score.source for score in record.scores if score.metric == "subject"} == {
        "audited",
        "constant",
        "retrieval",
        "reference",
    }
    assert record.receipt.files[-1].num_used == 72


@needs_sacrebleu
@pytest.mark.parametrize("with_train", [True, False])
def test_a_retrieval_system_that_beats_one_constant_reply_is_not_shipped(train, with_train):
    """It answers the right question about the wrong subject."""
    rows = answers(SUBJECTS[24:], lambda _, kind: GIVEN[kind].format(SUBJECTS[kind]))
    one = answers(SUBJECTS[24:], lambda *_: "Ask a doctor.")
    record = audit(rows, Question(against=one, train=train if with_train else None))
    assert all(item.difference > 0 for item in record.comparisons if item.b == "predictions")
    assert record.verdict.outcome != "ship"
    assert any("name the subject" in reason.text and reason.holds is None for reason in record.verdict.reasons)


@needs_sacrebleu
def test_another_systems_rows_in_another_order_are_asked_about_their_own_subjects(train):
    rows = answers(SUBJECTS[24:], lambda name, kind: GIVEN[kind].format(name))
    record = audit(rows, Question(against=rows[::-1], train=train))
    named = {score.source: score.value for score in record.scores if score.metric == "subject"}
    assert named["predictions"] == named["audited"] == named["reference"] == 1.0


@needs_sacrebleu
def test_perfect_answers_of_under_four_tokens_have_no_bleu_and_chrf_decides(write_csv):
    names = SUBJECTS[24:]
    rows = [
        {"question": ASKED[kind].format(name), "reference": f"{name} {kind}", "hypothesis": f"{name} {kind}"}
        for name in names
        for kind in range(3)
    ]
    pairs = write_csv(
        [(ASKED[kind].format(name), f"{name} {kind}") for name in SUBJECTS[:24] for kind in range(3)],
        name="short.csv",
        columns=("question", "answer"),
    )
    record = audit(rows, Question(train=pairs, against=[row | {"hypothesis": "no idea"} for row in rows]))
    bleu = next(score for score in record.scores if score.metric == "bleu")
    assert bleu.value is None
    assert "undefined: no text has the 4 tokens in a row that BLEU counts; chrF decides" in bleu.method
    assert record.verdict.outcome == "ship"
    assert "bleu" not in {item.metric for item in record.comparisons}


def test_a_training_table_without_prompts_is_one_message(write_csv):
    path = write_csv([("a b c", "x")] * 30, name="train.csv", columns=("body", "kind"))
    with pytest.raises(DataError, match="looks like the prompts"):
        audit(answers(SUBJECTS[24:], lambda name, _: name), Question(train=path))


def test_the_column_of_prompts_can_be_named():
    rows = [{"was asked": "what is it", "ref": "a b", "hyp": "a"}] * 4
    found = read(rows, read=ReadConfig(text=("was asked",)))
    assert (found.prompt, found.prompts[0]) == ("was asked", "what is it")
    assert read(rows).prompt is None


@needs_sacrebleu
def test_each_system_is_counted_once_however_often_it_is_compared(monkeypatch):
    from sacrebleu.metrics import CHRF

    counted, count = [], CHRF._extract_corpus_statistics

    def spy(metric, hypotheses, references):
        counted.append(tuple(hypotheses))
        return count(metric, hypotheses, references)

    monkeypatch.setattr(CHRF, "_extract_corpus_statistics", spy)
    rows = [{**row, "prompt": row["reference"]} for row in rows_of(shorter)]
    train = [{"prompt": text, "reference": text[::-1]} for text in TEXTS]
    record = audit(rows, Question(config=AuditConfig(task="generate"), against=rows_of(str.upper), train=train))
    assert len({score.source for score in record.scores if score.metric == "chrf"}) == 4
    assert len(counted) == len(set(counted))  # the four, and the candidates for the constant reply

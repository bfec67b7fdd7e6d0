"""Auditing generated text: from the table to the verdict, and hostile tables."""

import importlib.util

import pytest

from pretune.auditing import Question, audit
from pretune.configs import AuditConfig
from pretune.data.generated import looks_generated, read_generated
from pretune.data.read import read_raw
from pretune.errors import DataError
from running import call, read_strictly
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
    assert any("1 hypotheses are empty" in note for note in found.notes)
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
    assert "no gate was set" in out
    assert "tok:13a" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert call("audit", path, "--json", "--quiet", "--min-chrf", "40") == 0
    shown = read_strictly(capsys.readouterr().out)
    assert {score["metric"] for score in shown["scores"]} == {"bleu", "chrf"}


@needs_sacrebleu
def test_two_systems_are_compared_on_the_same_rows():
    record = audit(rows_of(), Question(against=rows_of(shorter)[::-1]))
    assert record.verdict.outcome == "ship"
    assert [item.b for item in record.comparisons] == ["predictions", "predictions"]
    assert {score.source for score in record.scores} == {"audited", "predictions"}
    assert record.scores[0].confidence == 0.975

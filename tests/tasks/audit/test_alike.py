"""Further files of an audit: another model's predictions and training rows whose labels are spelled otherwise."""

import csv

import pytest

from pretune.configs import AuditConfig, JudgeConfig, ReadConfig
from pretune.errors import DataError
from pretune.records import Severity
from pretune.tasks.audit import Question, audit
from tiny import make_rows


@pytest.fixture
def write(tmp_path):
    """Return ``write(name, header, rows)``."""

    def write(name, header, rows):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return tmp_path / name

    return write


@pytest.fixture
def judged(write):
    """Predictions of 200 rows, nine of ten right, labels ``1`` and ``0``."""
    rows = [(at, str(at % 2), str((at % 2) ^ (at % 10 == 0))) for at in range(200)]
    return write("judged.csv", ("id", "label", "predicted"), rows)


def test_another_models_labels_of_equal_numbers_are_the_same_classes(judged, write):
    other = write(
        "other.csv", ("id", "label", "p:0.0", "p:1.0"), [(at, f"{at % 2}.0", 1 - at % 2, at % 2) for at in range(200)]
    )
    record = audit(judged, Question(against=other))
    pair = next(item for item in record.comparisons if item.b == "other" and item.metric == "accuracy")
    assert (pair.value_a, pair.value_b) == (0.9, 1.0)
    assert record.classes == ("0", "1")
    assert any("label '1.0' (200) is read as '1'" in note for note in record.receipt.notes)


def test_another_models_labels_in_another_case_are_one_message(write):
    rows = [(at, ("spam", "ham")[at % 2], "ham") for at in range(60)]
    judged = write("judged.csv", ("id", "label", "predicted"), rows)
    other = write("other.csv", ("id", "label", "predicted"), [(at, label.title(), said) for at, label, said in rows])
    with pytest.raises(DataError, match="'Spam', and the judged table has 'spam': they differ only in case or spacing"):
        audit(judged, Question(against=other))


def test_training_labels_of_equal_numbers_are_the_same_classes(write):
    rows = [(text, "10"[label == "good"]) for text, label in make_rows(300)]
    train = write("train.csv", ("text", "label"), [(text, f"{label}.0") for text, label in rows[:200]])
    judged = write("judged.csv", ("text", "label", "predicted"), [(*row, row[1]) for row in rows[200:]])
    record = audit(judged, Question(train=train))
    assert record.classes == ("0", "1")
    assert any("label '1.0'" in note for note in record.receipt.notes)
    linear = next(score for score in record.scores if (score.source, score.metric) == ("linear", "accuracy"))
    assert linear.value > 0.9


def test_training_labels_in_another_case_are_named(write):
    rows = make_rows(300)
    train = write(
        "train.csv",
        ("text", "label"),
        [(text, label.title() if at < 50 else label) for at, (text, label) in enumerate(rows[:200])],
    )
    judged = write("judged.csv", ("text", "label", "predicted"), [(*row, row[1]) for row in rows[200:]])
    record = audit(judged, Question(train=train))
    finding = next(item for item in record.findings if item.check == "labels.spelling")
    assert finding.severity is Severity.WARNING
    assert "'Bad'" in finding.summary
    assert any("training: labels 'Bad'" in note for note in record.receipt.notes)


def test_a_positive_class_may_be_named_in_another_spelling(judged):
    assert audit(judged, Question(config=AuditConfig(judge=JudgeConfig(positive="1.0")))).positive == "1"


def test_spellings_that_turn_the_verdict_stand_in_its_one_sentence(write):
    rows = [(at, "Spam" if at % 4 == 1 else ("ham", "spam")[at % 2], ("ham", "spam")[at % 2]) for at in range(400)]
    record = audit(write("judged.csv", ("id", "label", "predicted"), rows))
    assert "as one class, accuracy is 1.000, not 0.750" in record.verdict.summary


@pytest.mark.parametrize("is_there", [True, False], ids=["with the column", "without it"])
def test_conditions_hold_for_training_rows_that_have_their_column(is_there, write):
    rows = [(text, label, ("accept", "reject")[at % 4 == 3]) for at, (text, label) in enumerate(make_rows(300))]
    columns = ("text", "label", "answer") if is_there else ("text", "label")
    train = write("train.csv", columns, [row[: len(columns)] for row in rows[:200]])
    judged = write("judged.csv", ("text", "label", "answer", "predicted"), [(*row, row[1]) for row in rows[200:]])
    config = AuditConfig(read=ReadConfig(where=("answer=accept",)))
    receipt = audit(judged, Question(config=config, train=train)).receipt
    training = next(file for file in receipt.files if file.role == "train")
    assert (training.num_used, training.num_filtered) == ((150, 50) if is_there else (200, 0))
    assert any("--where answer=accept leaves out no rows" in note for note in receipt.notes) is not is_there

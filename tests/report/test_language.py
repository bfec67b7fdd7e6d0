"""What the language model was before and is after pre-training: nothing is compared that cannot be."""

from pretune.records import Score
from pretune.report.language import language_rows


def score(metric, split, source, value):
    return Score(
        metric=metric, label=None, split=split, source=source, value=value, low=None, high=None, confidence=0.95,
        method="held-out text", num_examples=100,
    )  # fmt: skip


def test_a_loss_changes_by_its_share_and_an_accuracy_by_points():
    scores = [score("loss", "domain", "before", 4.0), score("masked_accuracy", "domain", "before", 0.25),
              score("loss", "domain", "pretrained", 3.0), score("masked_accuracy", "domain", "pretrained", 0.30)]  # fmt: skip
    assert [(row.metric, row.before, row.after, row.change) for row in language_rows(scores)] == [
        ("loss", "4.000", "3.000", "-25.0%"), ("masked accuracy", "0.250", "0.300", "+5.0 points"),
    ]  # fmt: skip


def test_without_a_head_there_is_no_before():
    (row,) = language_rows([score("loss", "general", "pretrained", 3.0)])
    assert (row.before, row.change) == ("—", "—")
    assert "no head for words" in row.method


def test_figures_of_a_task_are_passed_over():
    assert language_rows([score("accuracy", "test", "finetuned", 0.9), score("accuracy", "test", "before", 0.8)]) == []

"""Which of two, and why: with pairs, and with figures alone."""

import numpy as np
import pytest
from judging import CLASSES

from pretune.errors import UsageError
from pretune.evaluate import compare_metrics
from pretune.evaluate.prefer import prefer, prefer_compared
from pretune.records import Predictions, Preference


def test_the_worked_example_without_pairs():
    """A: loss 0.25, accuracy 0.90. B: loss 0.20, accuracy 0.85. The same 200 rows, 180 and 170 of them right.

    If B's 170 are among A's 180, ten rows part them: p = 1 / 2**10. If as many as possible are not, 30 against 20: p = 0.16.
    """
    found = prefer({"loss": 0.25, "accuracy": 0.90}, {"loss": 0.20, "accuracy": 0.85}, 200)
    assert (found.preferred, found.metric, found.is_proven, found.p_value) == ("A", "accuracy", False, None)
    assert found.summary == ("A is better: accuracy 0.900 against 0.850 on the same 200 rows, but that is not proven.")
    decides, loss, sure = found.reasons
    assert "a classifier is used for its decisions" in decides
    assert loss.startswith("B has the lower loss (0.200 against 0.250), but that does not decide")
    assert sure.startswith("Not proven: without the rows that only one gets right, p lies between 0.00098 and 0.16,")


def worked_example(only_a: int, only_b: int) -> tuple[Predictions, Predictions]:
    """200 rows, A right on 180 with a loss of 0.25, B on 170 with 0.20, parted by these rows."""
    right = {
        "A": [True] * only_a + [False] * only_b + [True] * (180 - only_a) + [False] * (20 - only_b),
        "B": [False] * only_a + [True] * only_b + [True] * (170 - only_b) + [False] * (30 - only_a),
    }
    models = []
    for name, loss in (("A", 0.25), ("B", 0.20)):
        hits = np.array(right[name])
        sure = 0.9 if name == "A" else 0.95
        # the right rows lose -log(sure) each, the wrong ones what is left of the mean
        wrong = np.exp(-(loss * 200 + np.log(sure) * hits.sum()) / (~hits).sum())
        own = np.where(hits, sure, wrong)
        positive = np.arange(200) % 2 == 0
        shares = np.where(positive, own, 1 - own)
        models.append(
            Predictions(
                source=name, split="test", classes=CLASSES, ids=tuple(map(str, range(200))),
                labels=tuple(CLASSES[int(item)] for item in positive),
                predicted=tuple(CLASSES[int(item)] for item in positive == hits),
                probabilities=tuple((1 - item, item) for item in shares.tolist()),
            )
        )  # fmt: skip
    return models[0], models[1]


@pytest.mark.parametrize(("only_a", "only_b", "is_proven"), [(10, 0, True), (30, 20, False)])
def test_the_worked_example_with_pairs(only_a, only_b, is_proven):
    comparisons = compare_metrics(*worked_example(only_a, only_b))
    values = {item.metric: (item.value_a, item.value_b) for item in comparisons}
    assert (values["accuracy"], values["loss"]) == ((0.90, 0.85), pytest.approx((0.25, 0.20)))
    found = prefer_compared(comparisons)
    assert (found.preferred, found.metric, found.is_proven, found.num_examples) == ("A", "accuracy", is_proven, 200)
    assert any("lower loss (0.200 against 0.250), but that does not decide" in reason for reason in found.reasons)
    assert found.reasons[-1].startswith("Proven (difference +0.050" if is_proven else "Not proven: the rows do not show")
    assert ("not proven" in found.summary) is not is_proven
    assert Preference.from_json(found.to_json()) == found


def test_exchanged_figures_give_the_other_name():
    a, b = {"loss": 0.25, "accuracy": 0.90}, {"loss": 0.20, "accuracy": 0.85}
    assert prefer(b, a, 200).preferred == "B"
    assert prefer(b, a, 200, names=("new", "old")).preferred == "old"


def test_where_all_speaks_for_one_there_is_nothing_to_explain():
    found = prefer({"loss": 0.1, "accuracy": 0.9}, {"loss": 0.2, "accuracy": 0.8}, 100)
    assert len(found.reasons) == 2
    assert not any("lower loss" in reason for reason in found.reasons)


def test_a_difference_that_no_overlap_could_undo_is_proven_without_pairs():
    """990 against 600 of 1,000: at most 10 rows that only B has right, against 400."""
    found = prefer({"accuracy": 0.99}, {"accuracy": 0.60}, 1000)
    assert found.is_proven
    assert found.reasons[-1].startswith("Proven all the same")


def test_equal_figures_prefer_neither():
    found = prefer({"accuracy": 0.9, "loss": 0.2}, {"accuracy": 0.9, "loss": 0.3}, 100)
    assert (found.preferred, found.is_proven) == (None, False)
    assert found.summary == "Neither is better: accuracy is 0.900 for both on the same 100 rows."


def test_loss_decides_only_where_there_is_nothing_else():
    found = prefer({"loss": 0.25}, {"loss": 0.20})
    assert (found.preferred, found.metric) == ("B", "loss")
    assert found.reasons[0] == "Loss decides, since no figure about decisions is known for both: it scores the probabilities."
    assert prefer({"roc_area": 0.9}, {"roc_area": 0.8}).reasons[0].startswith("ROC area decides")
    assert "the number of rows is unknown" in found.reasons[-1]


def test_another_figure_can_be_asked_for():
    a, b = {"accuracy": 0.95, "f1": 0.40}, {"accuracy": 0.93, "f1": 0.60}
    assert (prefer(a, b, 500).preferred, prefer(a, b, 500, metric="f1").preferred) == ("A", "B")
    assert "In favour of A: accuracy (0.950 against 0.930)." in prefer(a, b, 500, metric="f1").reasons


@pytest.mark.parametrize(
    ("a", "b", "rows", "message"),
    [
        ({"loss": 0.1}, {"accuracy": 0.9}, 10, "accuracy of both"),
        ({"accuracy": 90}, {"accuracy": 0.9}, 10, "90 % is 0.9"),
        ({"accuracy": float("nan")}, {"accuracy": 0.9}, 10, "accuracy of nan"),
        ({"loss": float("inf")}, {"loss": 0.9}, 10, "a finite number"),
        ({"accuracy": 0.8}, {"accuracy": 0.9}, 0, "0 rows"),
    ],
)
def test_figures_that_cannot_be_are_refused(a, b, rows, message):
    with pytest.raises(UsageError, match=message):
        prefer(a, b, rows)


def test_a_metric_that_only_one_has_cannot_decide():
    with pytest.raises(UsageError, match="'mcc' of both"):
        prefer({"accuracy": 0.8}, {"accuracy": 0.9}, 10, metric="mcc")

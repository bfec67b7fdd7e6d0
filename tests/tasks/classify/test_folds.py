"""``--thorough``: training rows judged by models that did not see them."""

import numpy as np
import pytest

from pretune.configs import JudgeConfig
from pretune.data.seal.seal import TrainingData
from pretune.errors import DataError
from pretune.records import Example, Predictions
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.folds import blend, deal, predict_out_of_fold
from pretune.tasks.classify.path import judge_run
from pretune.tasks.classify.recompute import recompute
from tiny import make_rows


def rows_of(pairs, group=None):
    return tuple(Example(id=f"row-{n}", text=text, label=label, group=group) for n, (text, label) in enumerate(pairs))


def test_parts_are_alike_in_size_and_labels_and_the_same_each_time():
    rows = rows_of(make_rows(num_rows=90))
    parts = deal(rows, threshold=0.8, seed=0)
    labels = np.array([row.label for row in rows])
    for label in np.unique(labels):
        sizes = np.bincount(parts[labels == label], minlength=3)
        assert sizes.max() - sizes.min() <= 1
    assert parts.tolist() == deal(rows, threshold=0.8, seed=0).tolist()
    assert parts.tolist() != deal(rows, threshold=0.8, seed=1).tolist()


def test_near_copies_and_groups_are_in_one_part():
    long = "the story of a king who lost his crown in the river and found it in a fish"
    pairs = [(f"word{n} other{n} third{n}", "good" if n % 2 else "bad") for n in range(30)]
    copy = long.upper() + " again"
    rows = (*rows_of(pairs), Example(id="a", text=long, label="good"), Example(id="b", text=copy, label="good"))
    rows = (*rows, *(Example(id=f"g{n}", text=f"film{n} alone{n}", label="bad", group="one film") for n in range(5)))
    parts = dict(zip([row.id for row in rows], deal(rows, threshold=0.8, seed=0).tolist(), strict=True))
    assert parts["a"] == parts["b"]
    assert len({parts[f"g{n}"] for n in range(5)}) == 1


def test_a_class_of_one_group_is_refused():
    pairs = [(f"word{n} other{n}", "bad") for n in range(9)]
    rows = (*rows_of(pairs), *(Example(id=f"g{n}", text=f"film{n} alone{n}", label="good", group="one") for n in range(5)))
    with pytest.raises(DataError, match="training rows of good"):
        deal(rows, threshold=0.8, seed=0)


class Recorder:
    """A model that says what it was fitted on: it is sure of the label of a row that it has seen, and of nothing else."""

    def __init__(self):
        self.seen, self.seed = None, 0

    def __sklearn_clone__(self):
        return Recorder()

    def fit(self, training, **_trace):
        self.seen = {row.id for row in training.train}
        return self

    def predictions(self, rows, split, **_trace):
        sure = tuple((1.0, 0.0) if row.id in self.seen else (0.0, 1.0) for row in rows)  # "bad" for a row it was shown
        ids, labels = tuple(row.id for row in rows), tuple(row.label for row in rows)
        return Predictions(source="finetuned", split=split, classes=("bad", "good"), ids=ids, labels=labels,
                           predicted=labels, probabilities=sure)  # fmt: skip


def test_no_row_is_judged_by_a_model_that_saw_it():
    rows = rows_of(make_rows(num_rows=30))
    training = TrainingData(train=rows, validation=rows[:5], classes=("bad", "good"))
    found = predict_out_of_fold(Recorder(), training, deal(rows, threshold=0.8, seed=0), trace=Trace())
    assert found.ids == tuple(row.id for row in rows)
    assert (found.source, found.split) == ("out_of_fold", "train")
    assert all(shares[1] > 0.9 for shares in found.probabilities)
    assert set(found.predicted) == {"good"}


def test_the_linear_model_has_a_say_where_the_other_is_in_doubt():
    def says(*shares):
        return Predictions(source="x", split="train", classes=("bad", "good"), ids=("1",), labels=("bad",),
                           predicted=("bad",), probabilities=(shares,))  # fmt: skip

    assert blend(says(0.5, 0.5), says(0.2, 0.8))[0] == pytest.approx((1 / 3, 2 / 3))  # odds of 4, their root
    assert blend(says(1.0, 0.0), says(0.2, 0.8))[0, 0] > 0.99


def test_a_thorough_judgement_reads_labels_and_comes_out_the_same_when_recomputed(finetuned):
    folder = RunFolder(finetuned)
    record = judge_run(folder, JudgeConfig(thorough=True), Trace())
    known = {finding.check: str(finding.severity) for finding in record.findings}
    assert known["labels.errors"] != "not_applicable"
    rows = folder.read_examples("train")
    assert folder.read_predictions("train", "out_of_fold").ids == tuple(row.id for row in rows)
    assert recompute(folder).differences == ()


def test_what_was_predicted_before_is_not_trained_again(finetuned, monkeypatch):
    folder = RunFolder(finetuned)
    first = judge_run(folder, JudgeConfig(thorough=True), Trace())
    monkeypatch.setattr(TextClassifier, "fit", lambda *_args, **_options: pytest.fail("trained again"))
    again = judge_run(folder, JudgeConfig(thorough=True), Trace())
    found = [next(f for f in record.findings if f.check == "labels.errors") for record in (first, again)]
    assert found[0] == found[1]


def test_without_the_flag_nothing_more_is_trained(finetuned):
    record = judge_run(RunFolder(finetuned), JudgeConfig(), Trace())
    assert next(str(f.severity) for f in record.findings if f.check == "labels.errors") == "not_applicable"

"""Rows that come in groups: intervals and tests of whole groups, not of rows that repeat each other."""

from dataclasses import replace

import numpy as np
import pytest
from judging import CLASSES, from_counts, from_pairs, noisy

from pretune.evaluate import compare_metrics, groups_of, score_predictions, tables
from pretune.evaluate.averages import _pulls_of_mcc, margins_of
from pretune.evaluate.codes import rows_of, units_of
from pretune.evaluate.shares import effective_share
from pretune.intervals import skewed_mean_interval, unit_means
from pretune.records import Example, Predictions, Terms


def ranked(labels, shares):
    return Predictions(
        source="finetuned", split="test", classes=CLASSES, ids=tuple(map(str, range(len(shares)))),
        labels=tuple(CLASSES[int(item)] for item in labels), predicted=tuple(CLASSES[int(item > 0.5)] for item in shares),
        probabilities=tuple((1 - item, item) for item in shares.tolist()),
    )  # fmt: skip


@pytest.fixture
def alone() -> Predictions:
    """200 independent rows."""
    generator = np.random.default_rng(0)
    labels = generator.random(200) < 0.4
    return ranked(labels, 1 / (1 + np.exp(-(generator.normal(size=200) + 1.5 * labels - 0.7))))


def repeated(predictions: Predictions, times: int) -> tuple[Predictions, dict[str, str]]:
    """Every row ``times`` times, and which rows are the same one."""
    ids = tuple(f"{name}.{copy}" for copy in range(times) for name in predictions.ids)
    copied = replace(
        predictions, ids=ids, labels=predictions.labels * times, predicted=predictions.predicted * times,
        probabilities=(predictions.probabilities or ()) * times or None,
    )  # fmt: skip
    return copied, {name: name.split(".")[0] for name in ids}


def test_a_row_repeated_five_times_is_still_one_row(alone):
    """Five copies of each row, kept together, leave every interval as wide as it was; apart they would halve it."""
    copied, groups = repeated(alone, 5)
    apart = score_predictions(copied)
    for before, together, cheated in zip(
        score_predictions(alone), score_predictions(copied, Terms(groups=groups)), apart, strict=True
    ):
        assert together.value == pytest.approx(before.value, abs=0.05 if before.metric == "calibration_error" else 1e-9)
        if before.metric != "calibration_error":  # it has more bins with more rows
            assert together.high - together.low == pytest.approx(before.high - before.low, rel=0.12), before.name
        assert cheated.high - cheated.low < 0.6 * (before.high - before.low), before.name


def test_a_comparison_of_repeated_rows_is_that_of_the_rows(alone):
    generator = np.random.default_rng(1)
    other = ranked([label == "pos" for label in alone.labels], generator.random(200))
    other = replace(other, source="linear")
    (copied, groups), (copied_other, _) = repeated(alone, 4), repeated(other, 4)
    before, together = compare_metrics(alone, other), compare_metrics(copied, copied_other, Terms(groups=groups))
    for old, new in zip(before, together, strict=True):
        assert new.difference == pytest.approx(old.difference)
        assert new.high - new.low == pytest.approx(old.high - old.low, rel=0.12), old.metric
        assert new.p_value == pytest.approx(old.p_value, abs=0.02), old.metric
        assert new.num_examples == 4 * old.num_examples


def test_groups_of_unlike_sizes_do_not_shrink_the_interval_of_a_mean():
    """1,000 draws of 30 groups with 1 to 20 rows that share half of their variance; the mean is 0."""
    generator, covered, naive = np.random.default_rng(0), [], []
    for _ in range(400):
        units = np.repeat(np.arange(30), generator.integers(1, 21, size=30))
        values = generator.normal(size=30)[units] + generator.normal(size=len(units))
        ends = [skewed_mean_interval(item, 0.95) for item in (unit_means(values, units), values)]
        covered.append(ends[0][0] <= 0 <= ends[0][1])
        naive.append(ends[1][0] <= 0 <= ends[1][1])
    assert np.mean(covered) > 0.92
    assert np.mean(naive) < 0.7


def test_an_accuracy_over_groups_covers_the_truth():
    """40 groups of 10 rows, of which all or none are right in half of them; the truth is 0.8."""
    generator, covered = np.random.default_rng(0), []
    for _ in range(150):
        right = np.where(generator.random(40) < 0.5, generator.random(40) < 0.8, -1)
        rows = np.where(right[:, None] >= 0, right[:, None], generator.random((40, 10)) < 0.8).astype(bool).ravel()
        labels = generator.random(400) < 0.5
        made = ranked(labels, np.where(rows == labels, 0.9, 0.1))
        groups = {str(number): str(number // 10) for number in range(400)}
        score = next(item for item in score_predictions(made, Terms(groups=groups)) if item.metric == "accuracy")
        covered.append(score.low <= 0.8 <= score.high)
    assert np.mean(covered) > 0.91


@pytest.mark.parametrize(("hits", "worth"), [((1, 1, 1, 1), 0.5), ((1, 1, 0, 0), 0.25), ((1, 0, 1, 0), 1.0)])
def test_what_a_row_of_a_pair_is_worth(hits, worth):
    """All right: a group counts as one row. Pairs that agree: a quarter of a row, by 2 groups. Pairs that differ: all."""
    assert effective_share(np.array(hits, bool), np.array([0, 0, 1, 1])) == pytest.approx(worth)


def test_few_groups_give_no_interval_however_many_rows():
    made = from_counts(200, 50, 50, 200)
    groups = {name: f"group {number % 10}" for number, name in enumerate(made.ids)}
    scores = {score.name: score for score in score_predictions(made, Terms(groups=groups))}
    assert scores["mcc"].low is None
    assert "10 groups, 20 are needed" in scores["mcc"].method
    found = compare_metrics(made, noisy(made, 0.6), Terms(groups=groups))
    assert all(item.low is None and "10 groups, 20 are needed" in item.method for item in found)


def test_groups_of_one_row_change_nothing(alone):
    groups = {name: f"only {name}" for name in alone.ids}
    assert score_predictions(alone, Terms(groups=groups)) == score_predictions(alone)


def test_rows_without_a_group_stand_alone_and_a_group_named_like_a_row_is_another():
    rows = (Example(id="a", text="", group="x"), Example(id="b", text="", group="x"), Example(id="x", text=""))
    assert groups_of(rows) == {"a": "x", "b": "x"}
    units = units_of(["a", "b", "x"], groups_of(rows))
    assert units[0] == units[1] != units[2]
    assert units_of(["a", "x"], groups_of(rows[::2])) is None


def in_copies(rights: tuple[int, int]):
    """Rows of neg that stand alone, and of pos in 20 texts, two of which come 20 times; so many of each are right."""
    sizes = [1] * 400 + [1] * 18 + [20] * 2
    labels = ["neg"] * 400 + ["pos"] * 20
    right = [number < rights[0] for number in range(400)] + [number >= 20 - rights[1] for number in range(20)]
    answers = [
        (label, label if is_right else {"neg": "pos", "pos": "neg"}[label])
        for label, is_right in zip(labels, right, strict=True)
    ]
    rows = [(answer, number) for number, (answer, size) in enumerate(zip(answers, sizes, strict=True)) for _ in range(size)]
    model = from_pairs([answer for answer, _ in rows])
    return model, {row: str(number) for row, (_, number) in zip(model.ids, rows, strict=True)}


def test_a_class_in_copies_widens_what_hangs_on_it_although_none_of_its_large_texts_is_wrong():
    """Precision of neg falls with each pos that is missed; 6 small ones are, and a text of 20 copies might be."""
    model, groups = in_copies((390, 14))
    by_units, by_rules_2 = (
        {score.name: score for score in score_predictions(model, Terms(positive="pos", groups=groups, rules=rules))}
        for rules in (3, 2)
    )
    for name in ("precision[neg]", "recall[macro]", "mcc"):
        new, old = by_units[name], by_rules_2[name]
        assert new.value == old.value
        assert new.high - new.low > 1.3 * (old.high - old.low), name
    assert by_units["recall[neg]"].low == pytest.approx(by_rules_2["recall[neg]"].low)  # of rows that stand alone


def test_rows_that_stand_alone_are_as_crowded_as_one_row():
    model, groups = in_copies((390, 14))
    rows = rows_of(model, Terms(groups=groups))
    assert set(rows.crowding[rows.labels == 0]) == {1.0}
    assert set(rows.crowding[rows.labels == 1]) == {(18 + 2 * 400) / 58}
    assert rows_of(model, Terms()).crowding is None
    assert rows_of(model, Terms(groups=groups, rules=2)).crowding is None


def test_the_pull_on_the_matthews_correlation_is_its_derivative():
    model, groups = in_copies((390, 14))
    rows = rows_of(model, Terms(groups=groups))
    pulls, found = _pulls_of_mcc(rows), {}
    for cell in set(zip(rows.labels.tolist(), rows.predicted.tolist(), strict=True)):
        moved = []
        for step in (0.0, 1e-4):
            counts = rows.counts.astype(float)
            counts[cell] += step
            moved.append(float(tables.mcc(margins_of(counts[None]))[0]))
        found[cell] = moved[1] - moved[0]
    mine = np.array([pulls[(rows.labels == label) & (rows.predicted == said)][0] for label, said in found])
    theirs = np.array(list(found.values()))
    assert mine / np.abs(mine).max() == pytest.approx(theirs / np.abs(theirs).max(), abs=1e-3)

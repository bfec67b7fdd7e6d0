"""Planted: wrong labels, sought by the opinion of models that did not train on them."""

import random
from dataclasses import replace

import numpy as np
import pytest
from generated import make_predictions

from pretune.diagnose.label_errors import check_label_errors, estimate_error_share, rank_label_errors
from pretune.evaluate.baselines import fit_linear
from pretune.records import Evidence, Example, Predictions, Severity

WORDS = [f"word{number}" for number in range(600)]


def opinions(count: int, seed: int) -> tuple[Example, ...]:
    """Return texts of which a fifth of the words speak for the label."""
    generator = random.Random(seed)

    def row(number: int) -> Example:
        side = number % 2
        words = [generator.choice(WORDS[:60][side::2] if generator.random() < 0.2 else WORDS) for _ in range(15)]
        return Example(id=f"train-{number}", text=" ".join(words), label=("neg", "pos")[side])

    return tuple(map(row, range(count)))


def spoil(rows, share, seed=0):
    """Return the rows with this share of labels turned round, and their ids."""
    generator, other = random.Random(seed), {"neg": "pos", "pos": "neg"}
    wrong = {row.id for row in rows if generator.random() < share}
    return tuple(replace(row, label=other[row.label]) if row.id in wrong else row for row in rows), wrong


def out_of_fold(rows, num_folds=4) -> Predictions:
    """Return what TF-IDF + logistic regression says of each row without having seen it."""
    folds = np.random.default_rng(0).permutation(len(rows)) % num_folds
    shares = np.zeros((len(rows), 2))
    for number in range(num_folds):
        asked = np.flatnonzero(folds == number)
        model = fit_linear([rows[index] for index in np.flatnonzero(folds != number)])
        shares[asked] = model.probabilities([rows[index].text for index in asked])
    return Predictions(
        source="out_of_fold", split="train", classes=("neg", "pos"), ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows), predicted=tuple(("neg", "pos")[column] for column in shares.argmax(axis=1)),
        probabilities=tuple(map(tuple, shares.tolist())),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_five_percent_of_wrong_labels_are_found_and_ranked_first(seed):
    rows, wrong = spoil(opinions(1500, seed), 0.05, seed)
    predictions = out_of_fold(rows)
    finding = check_label_errors(Evidence(train=rows, predictions=(predictions,)))
    assert finding.severity is Severity.WARNING
    assert finding.measured == pytest.approx(0.05, abs=0.04)
    assert "no model can score over" in finding.summary
    first = rank_label_errors(predictions)[: len(wrong)]
    assert len(wrong & set(first)) / len(wrong) >= 0.5


@pytest.mark.parametrize("seed", range(3))
def test_the_clean_twin_of_those_rows_raises_no_alarm(seed):
    rows = opinions(1500, seed)
    assert check_label_errors(Evidence(train=rows, predictions=(out_of_fold(rows),))).severity is Severity.OK


def test_a_model_that_knows_little_is_no_proof_of_wrong_labels():
    rows = opinions(1000, 0)
    findings = []
    for seed in range(20):
        predictions = make_predictions(rows, 0.65 + 0.3 * seed / 20, source="out_of_fold", seed=seed)
        findings.append(check_label_errors(Evidence(predictions=(replace(predictions, split="train"),))))
    assert sum(finding.severity is not Severity.OK for finding in findings) <= 1


def test_three_classes_are_estimated_too():
    """Two thirds of the rows are easy: only where a model is sure can it know better than the label."""
    generator, classes = np.random.default_rng(5), ("a", "b", "c")  # not the seed of the predictions
    rows = tuple(Example(id=f"train-{n}", text="t", label=classes[n % 3]) for n in range(1500))
    easy, hard = (make_predictions(rows, share, source="out_of_fold", classes=classes) for share in (0.99, 0.75))
    shares = tuple(e if n % 9 < 6 else h for n, (e, h) in enumerate(zip(easy.probabilities, hard.probabilities, strict=True)))
    known = replace(easy, probabilities=shares)
    wrong = generator.random(1500) < 0.1
    labels = tuple(classes[(n + 1 + n // 3 % 2) % 3] if wrong[n] else classes[n % 3] for n in range(1500))
    found = estimate_error_share(replace(known, labels=labels))
    assert found.low < 0.1 < found.high
    assert found.high - found.low < 0.08


def test_few_rows_leave_the_question_open():
    rows = opinions(100, 0)
    predictions = make_predictions(rows, 0.9, source="out_of_fold")
    assert check_label_errors(Evidence(predictions=(predictions,))).severity is Severity.UNKNOWN


def test_without_out_of_fold_predictions_the_question_does_not_arise():
    assert check_label_errors(Evidence()).severity is Severity.NOT_APPLICABLE

"""The plain reading looks at point values only."""

import pytest
from judging import evaluation_of, from_counts, from_pairs

from pretune.evaluate import evaluate_sources
from pretune.verdict import load_policy, plain_reading


@pytest.mark.parametrize(
    ("counts", "reading"),
    [
        ((90, 15, 10, 85), "good: accuracy 0.875, precision 0.857, recall 0.900"),
        ((85, 10, 15, 90), "good: accuracy 0.875, precision 0.895, recall 0.850"),
        ((80, 10, 20, 90), "between: accuracy is not above 0.85 (accuracy 0.850, precision 0.889, recall 0.800)"),
        ((3, 2, 22, 973), "bad: recall is below 0.50 (accuracy 0.976, precision 0.600, recall 0.120)"),
        ((0, 0, 25, 975), "bad: recall is below 0.50 (accuracy 0.975, recall 0.000)"),
        (
            (54, 46, 46, 54),
            "bad: accuracy is near the 0.50 of guessing among 2 classes (accuracy 0.540, precision 0.540, recall 0.540)",
        ),
        ((0, 0, 0, 200), "between: precision of pos is undefined (accuracy 1.000)"),
    ],
)
def test_point_values_are_good_bad_or_between(counts, reading):
    evaluation = evaluation_of(from_counts(*counts))
    assert plain_reading(evaluation, load_policy().plain, positive="pos", num_classes=2) == reading


def test_guessing_among_four_classes_reaches_a_quarter():
    pairs = [(label, label if n < 27 else "abcd"[("abcd".index(label) + 1) % 4]) for label in "abcd" for n in range(100)]
    evaluation = evaluate_sources([from_pairs(pairs, tuple("abcd"))], main="finetuned")
    reading = plain_reading(evaluation, load_policy().plain, positive=None, num_classes=4)
    assert reading.startswith("bad: accuracy is near the 0.25 of guessing among 4 classes")

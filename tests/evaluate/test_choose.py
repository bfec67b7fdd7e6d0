"""Which class is the positive one, and when accuracy misleads."""

import pytest

from pretune.errors import UsageError
from pretune.evaluate import choose_positive, is_unbalanced


@pytest.mark.parametrize(
    ("counts", "positive"),
    [({"ham": 87, "spam": 13}, "spam"), ({"a": 60, "b": 40}, "b"), ({"a": 59, "b": 41}, None), ({"a": 50, "b": 50}, None)],
)
def test_the_rarer_of_two_classes_is_positive_up_to_forty_percent(counts, positive):
    assert choose_positive([label for label, count in counts.items() for _ in range(count)]) == positive


def test_of_three_classes_none_is_positive_unless_named():
    labels = ["a"] * 80 + ["b"] * 15 + ["c"] * 5
    assert choose_positive(labels) is None
    assert choose_positive(labels, "b") == "b"


def test_a_positive_class_that_no_row_has_is_an_error():
    with pytest.raises(UsageError, match="'Spam', which no row has"):
        choose_positive(["ham", "spam"], "Spam")


@pytest.mark.parametrize(("size", "unbalanced"), [(60, False), (61, True)])
def test_more_than_sixty_percent_in_one_class_is_unbalanced(size, unbalanced):
    assert is_unbalanced(["a"] * size + ["b"] * (100 - size)) is unbalanced

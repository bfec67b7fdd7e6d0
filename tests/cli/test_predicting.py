"""Answers on the terminal: one line each, of many classes the likeliest."""

from types import SimpleNamespace

import pytest

from pretune.cli.predicting import MOST_CLASSES, _draw


def drawn(number):
    shares = [1.0 + place for place in range(number)]
    answering = SimpleNamespace(classes=tuple(f"class {place}" for place in range(number)))
    answer = SimpleNamespace(shares=[share / sum(shares) for share in shares], text="a text", reason="", predicted="class 9")
    return _draw(answer, answering).split("\t")


@pytest.mark.parametrize("number", [2, MOST_CLASSES])
def test_few_classes_stand_in_their_order(number):
    predicted, shares, text = drawn(number)
    assert (predicted, text) == ("class 9", "a text")
    assert [item.rpartition(" ")[0] for item in shares.split("  ")] == [f"class {place}" for place in range(number)]


def test_of_many_classes_the_likeliest_are_shown_and_the_others_counted():
    shares = drawn(150)[1].split("  ")
    assert [item.rpartition(" ")[0] for item in shares[:-1]] == [
        f"class {place}" for place in range(149, 149 - MOST_CLASSES, -1)
    ]
    assert shares[-1] == f"… {150 - MOST_CLASSES} more"

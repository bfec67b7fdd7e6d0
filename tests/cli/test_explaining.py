"""Explaining: does a command end with the terms of what it has shown, where that was asked for?"""

import pytest

from pretune.cli.app import _run
from pretune.cli.explaining import explaining
from pretune.cli.show import show, show_json


def test_terms_of_what_was_shown_are_explained_in_the_end(capsys):
    with explaining(is_asked=True):
        show("The logits and the\nRecall of spam")
        show("again: a logit")
        assert "Terms" not in capsys.readouterr().out
    said = capsys.readouterr().out
    assert said.count("logit") == 1
    assert "recall" in said
    assert "accuracy" not in said


@pytest.mark.parametrize("is_asked", [True, False])
def test_nothing_is_added_without_terms_or_unasked(is_asked, capsys):
    with explaining(is_asked=is_asked):
        show("hello" if is_asked else "recall")
        show_json({"recall": 1})
    assert "Terms" not in capsys.readouterr().out


def test_a_check_of_rows_explains_its_words(write_csv, separable_rows, capsys):
    assert _run(["check", str(write_csv(separable_rows())), "--explain"]) == 0
    assert "The result of one check" in capsys.readouterr().out.partition("Terms")[2]

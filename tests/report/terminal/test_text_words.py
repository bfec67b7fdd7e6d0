"""The guesses of every layer on a terminal: told as they are, whatever the tokens hold."""

from dataclasses import replace

import pytest

from pretune.records import Guess, LayerGuesses, WordPlace, WordTrace
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.words import draw_words


def make_place(place, *words):
    """Return a place whose layers guess these words, ever surer."""
    layers = tuple(
        LayerGuesses(
            name="embeddings" if index == 0 else f"layer {index}",
            guesses=(Guess(token=word, probability=0.3 + 0.2 * index), Guess(token="the", probability=0.1)),
            final_probability=0.05 + 0.3 * index,
        )
        for index, word in enumerate(words)
    )
    return WordPlace(place=place, layers=layers)


@pytest.fixture
def found():
    return WordTrace(
        model="runs/my-lm", prompt="the sun rises in the [MASK] .", objective="masked",
        tokens=("[CLS]", "the", "[MASK]", "[SEP]"),
        ids=(2, 90, 4, 3), places=(make_place(2, "house", "sky", "east"),),
    )  # fmt: skip


def test_the_guesses_of_every_layer_and_the_answer_are_shown(found):
    shown = to_text(draw_words(found), width=100)
    for words in ("runs/my-lm", "house 0.30 · the 0.10", "layer 2", "east 0.70", "p(east)", "0.650", "The hidden word",
                  "Guess   the sun rises in the east ."):  # fmt: skip
        assert words in shown


def test_each_hidden_word_has_its_table_and_its_guess(found):
    two = replace(found, prompt="the [MASK] rises in the [MASK]", places=(make_place(1, "sun"), make_place(5, "east")))
    shown = to_text(draw_words(two), width=100)
    assert "Hidden word 1, token 1" in shown
    assert "Hidden word 2, token 5" in shown
    assert "Guess   the sun rises in the east" in shown


def test_a_causal_model_goes_on_after_the_text(found):
    causal = replace(found, prompt="the sun rises in the", objective="causal")
    assert "Guess   the sun rises in the east" in to_text(draw_words(causal), width=100)
    assert "The next word" in to_text(draw_words(causal), width=100)


def test_what_the_user_should_know_is_said(found):
    assert "! its head starts from nothing" in to_text(
        draw_words(replace(found, note="its head starts from nothing")), width=100
    )


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "[bold]x[/bold]", "W" * 300, "\u202eback", "a\nb"])
def test_tokens_and_texts_of_others_are_shown_and_not_obeyed(found, hostile):
    place = make_place(2, hostile, hostile)
    shown = to_text(draw_words(replace(found, prompt=f"{hostile} [MASK]", places=(place,), tokens=(hostile,) * 4)), width=80)
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.split("\n"))) <= 80

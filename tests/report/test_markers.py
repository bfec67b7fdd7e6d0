"""Markers: does nobody who reads a report, a page or a terminal meet the signs that a vocabulary puts into its tokens?"""

import json
from dataclasses import replace

import pytest

from pretune.records import Guess, PromptGuesses
from pretune.report.live.feed import Feed, legible
from pretune.report.page.html import render_chat, render_html
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.pretraining import draw_guesses, draw_tokenizer
from pretune.report.terminal.traces import draw_pipeline

MARKERS = ("Ġ", "Ċ", "▁", "##")
EXAMPLES = {
    "tokenize": ("[CLS]=0 wit=181 ##ty=55", "wit=181 …ty=55"),
    "train tokenizer": ("Ġthe Ġsun Ċ", "␣the ␣sun ⏎"),
}


def stage_of(name):
    return {
        "event": "stage", "stage": name, "shape_in": "1 text", "shape_out": "", "done": "", "notes": [], "seconds": 0.1,
        "example": EXAMPLES[name][0],
    }  # fmt: skip


def marked(pretrained):
    """Return a pre-trained run whose guesses and split words have markers."""
    guesses = (
        PromptGuesses(prompt="the sun", guesses=(Guess(token="##ty", probability=0.5), Guess(token="Ġof", probability=0.2))),
    )
    milestones = tuple(replace(item, guesses=guesses) for item in pretrained.pretraining.milestones)
    fits = tuple(replace(fit, examples=("wit ##ty", "▁the ▁sun")) for fit in pretrained.tokenizer.fits)
    return replace(
        pretrained,
        pretraining=replace(pretrained.pretraining, milestones=milestones),
        tokenizer=replace(pretrained.tokenizer, fits=fits),
    )


def body_of(page):
    """Return what is read of a page, without style and script, and without the question that asks about markers."""
    return page.partition("<main>")[2].partition('id="practice"')[0]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_stage_is_shown_as_what_it_means(name, record, talked):
    shown = EXAMPLES[name][1]
    feed = Feed()
    feed.hear(stage_of(name))
    said = [
        body_of(render_html(record, [stage_of(name)])),
        body_of(render_chat(talked, [stage_of(name)])),
        to_text(draw_pipeline([stage_of(name)])),
        json.dumps(feed.after(0, 0)[0], ensure_ascii=False),
    ]
    for text in said:
        assert shown in text
        assert not any(marker in text for marker in MARKERS)
    assert all("word before it" in text or "a line ends" in text for text in said)


def test_guesses_and_split_words_are_shown_as_what_they_mean(pretrained):
    record = marked(pretrained)
    said = (
        body_of(render_pretraining(record)),
        to_text(draw_guesses(record.pretraining)),
        to_text(draw_tokenizer(record.tokenizer)),
        render_pretraining_card(record).replace("\n## ", "\n"),
    )
    for text in said:
        assert not any(marker in text for marker in MARKERS)
    assert "…ty" in said[0]
    assert "…ty" in said[1]
    assert "wit …ty" in said[2]


def test_tokens_of_an_answer_for_the_live_page_are_legible():
    found = legible({"tokens": ["Ġa", "fÃ¼r"], "places": [{"guesses": [{"token": "##s"}]}], "text": "## a", "num": 3})
    assert found == {"tokens": ("␣a", "für"), "places": [{"guesses": [{"token": "…s"}]}], "text": "## a", "num": 3}

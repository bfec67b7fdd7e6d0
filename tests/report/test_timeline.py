"""One plot and one table from raw text to the task, on the terminal and in the report."""

import re
from dataclasses import replace

import pytest

from pretune.records import Step
from pretune.report.card.card import render_card
from pretune.report.corpus import describe_corpus, draw_corpus
from pretune.report.page.html import render_html
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.report.terminal.drawing import to_text
from pretune.report.terminal.pretraining import draw_guesses, draw_timeline, draw_tokenizer
from pretune.report.timeline import (
    MAX_ROWS,
    describe_change,
    guess_rows,
    pretraining_curve,
    short_count,
    thin,
    timeline_rows,
)


def many(pretraining, number):
    """Return a history of so many milestones."""
    first = pretraining.milestones[0]
    return replace(
        pretraining, milestones=tuple(replace(first, step=i, num_tokens=1000 * i, loss=9 / i) for i in range(1, number + 1))
    )


def steps(number, loss=5.0):
    return [Step(index=i, loss=loss, num_targets=9, gradient_norm=1.0, learning_rate=1e-3) for i in range(number)]


def test_milestones_come_before_epochs_and_the_kept_epoch_is_marked(pretraining, history):
    rows = timeline_rows(pretraining, history)
    assert [row.phase for row in rows] == ["pre-training"] * 6 + ["fine-tuning"] * len(history.validations)
    assert [row.place for row in rows][:7] == ["800K tokens", "1.6M tokens", "2.4M tokens", "3.2M tokens", "4M tokens",
                                               "4.8M tokens", "epoch 1"]  # fmt: skip
    assert [row.place for row in rows if row.is_kept] == [f"epoch {history.best_epoch}"]


def test_every_update_is_drawn_where_it_is_known(pretraining):
    assert not pretraining_curve(pretraining).by_step
    curve = pretraining_curve(pretraining, steps(600))
    assert curve.by_step
    assert len(curve.training) == 600


def test_many_milestones_are_thinned_and_that_is_said(pretraining):
    rows = timeline_rows(many(pretraining, 200), None)
    assert len(rows) == MAX_ROWS
    assert (rows[0].place, rows[-1].place) == ("1K tokens", "200K tokens")
    assert "12 of 200 milestones shown" in to_text(draw_timeline(many(pretraining, 200), None))
    assert "milestones shown" not in to_text(draw_timeline(pretraining, None))


@pytest.mark.parametrize(("items", "limit", "kept"), [(range(3), 5, [0, 1, 2]), (range(9), 3, [0, 4, 8]), ([], 2, [])])
def test_thinning_keeps_the_ends(items, limit, kept):
    assert thin(items, limit) == kept


@pytest.mark.parametrize(("count", "shown"), [(999, "999"), (999_600, "1M"), (9_960_000, "10M"), (0, "0")])
def test_counts_are_short_and_rounded_upwards_to_the_next_unit(count, shown):
    assert short_count(count) == shown


def test_what_changed_is_said_with_its_figures(pretraining):
    said = describe_change(pretraining)
    assert "loss 2.000 nats on held-out text after 4,800,000 tokens, from 7.000 after 800,000" in said
    assert "masked words: 30.0 % guessed right" in said
    assert "bits" not in said
    begun = replace(pretraining, milestones=(replace(pretraining.milestones[0], step=0, num_tokens=0), *pretraining.milestones))
    assert "from 7.000 before the first step" in describe_change(begun)
    causal = replace(pretraining, objective="causal", milestones=(replace(pretraining.milestones[0], bits_per_byte=1.5),))
    assert describe_change(causal).endswith("the next word: 5.0 % guessed right, 1.500 bits per byte")


def test_guesses_are_followed_prompt_by_prompt(pretraining):
    ((prompt, rows),) = guess_rows(pretraining)
    assert prompt == "the sun rises in the [MASK]"
    assert rows[0] == ("800K tokens", "the 0.12 · a 0.05")
    assert rows[-1] == ("4.8M tokens", "east 0.31 · sky 0.22")


def test_a_loss_that_is_not_finite_breaks_nothing(pretraining, history):
    broken = replace(pretraining.milestones[2], loss=None, training_loss=float("nan"), perplexity=float("inf"))
    changed = replace(pretraining, milestones=(*pretraining.milestones[:2], broken, *pretraining.milestones[3:]))
    assert "—" in to_text(draw_timeline(changed, history))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_terminal_shows_both_within_its_width(width, pretraining, history):
    shown = to_text(draw_timeline(pretraining, history), width=width)
    assert max(map(len, shown.split("\n"))) <= width
    for words in ("loss of masked words", "loss of the task", "4.8M tokens", "★ epoch", "the budget was used"):
        assert words in shown.replace("\n", " ") or width == 60


def test_the_terminal_shows_one_of_them_alone(pretraining, history):
    alone = to_text(draw_timeline(pretraining, None))
    assert "perplexity" in alone
    assert "epoch" not in alone
    assert "epoch 1" in to_text(draw_timeline(None, history))


def test_the_terminal_shows_guesses_and_vocabulary(pretraining, tokenizer_quality):
    shown = to_text(draw_guesses(pretraining), draw_tokenizer(tokenizer_quality), width=100)
    assert "east 0.31 · sky 0.22" in shown
    assert re.search(r"domain +4\.20 +1\.25 +< 0\.1 % +4\.5 %", shown)
    assert "! the vocabulary does not fit the domain" in shown


def test_the_report_of_a_fine_tuned_model_shows_the_way_up_to_it(record, events, pretraining):
    without, html = render_html(record, events), render_html(replace(record, pretraining=pretraining), events)
    assert "From raw text to the task" in html
    assert "From raw text to the task" not in without
    assert "4.8M tokens" in html
    assert "| pre-trained | loss 2.000 nats" in render_card(replace(record, pretraining=pretraining))


def test_the_report_of_a_pretraining_says_where_the_model_is(pretrained, events):
    html = render_pretraining(pretrained, events)
    for words in ("Pre-trained", "model/ in this folder", "4,800,000 tokens in 3 min 00 s", "Guesses over time", "east 0.31",
                  "does not fit the domain", "Settings and versions", "A language model that guesses masked"):  # fmt: skip
        assert words in html
    assert html.count("<svg") == 2


def test_the_card_of_a_pretraining_can_be_followed(pretrained):
    card = render_pretraining_card(pretrained)
    for words in ("# my-lm", "from scratch", "wikitext-2", "| 4.8M tokens | 2.100 | 2.000 | 0.300 |", 'pipeline("fill-mask"',
                  "after 800K tokens: the 0.12", "Warning: the vocabulary", "licence: CC BY-SA 3.0",
                  "- taken out: 60 documents (6 %): empty"):  # fmt: skip
        assert words in card
    assert "continued from minilm" in render_pretraining_card(
        replace(pretrained, pretraining=replace(pretrained.pretraining, started_from="minilm"))
    )


def test_a_pretraining_without_a_milestone_has_a_report_too(pretrained):
    nothing = replace(pretrained, pretraining=replace(pretrained.pretraining, milestones=()), tokenizer=None)
    assert "Not trained yet" in render_pretraining(nothing)
    assert render_pretraining_card(replace(nothing, pretraining=None))


def test_every_document_of_a_corpus_is_accounted_for(corpus_receipt, pretrained, events):
    for shown in (
        to_text(draw_corpus(corpus_receipt), width=110),
        re.sub("<[^>]*>", "", render_pretraining(pretrained, events)),
    ):
        for words in ("1,000 documents = 900 kept + 100 taken out", "39 documents (3.9 %): near duplicate", "similarity ≥ 0.8",
                      "9 documents (1 % of those kept), chosen by hash of the text", "train.raw.gz line 17: not UTF-8",
                      "340 documents (34 %): white space", "a document ends at a blank line", "CC BY-SA 3.0"):  # fmt: skip
            assert words in shown
    assert "near duplicates" not in dict(describe_corpus(replace(corpus_receipt, near_duplicate_threshold=None)))

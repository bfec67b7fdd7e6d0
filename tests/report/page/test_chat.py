"""The report of a run on conversations: the same first screen and folds, with figures of replies."""

import re

from pretune.report.page.html import render_chat


def test_what_decided_links_to_the_gains_and_the_replies(talked):
    page = render_chat(talked)
    first = page.partition("<nav")[0]
    assert 'href="#samples"' in first, "a review rests on replies"
    assert 'href="#gains"' in first
    assert "<code>pretune review RUN</code>" in first


def test_less_loss_is_drawn_as_what_holds(talked):
    first = render_chat(talked).partition("<nav")[0]
    assert "-0.700" in first
    assert 'class="bar clear"' in first


def test_the_parts_of_a_chat_model_come_before_its_training(talked):
    titles = re.findall(r'<details class="part[^"]*">\s*<summary><h2>([^<]+)', render_chat(talked))
    assert titles == ["Figures", "Against each rival, on the same questions", "Why fine-tune, and at what price",
                      "What each source replied", "Questions that need care", "Findings", "Training", "Data",
                      "Settings and versions", "Practice", "Glossary"]  # fmt: skip


def test_replies_of_an_attacker_are_text(hostile_talked):
    page = render_chat(hostile_talked)
    assert "<script>alert" not in page
    assert page.count("<script") == 1

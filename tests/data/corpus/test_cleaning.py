"""Cleaning of corpora: what markup leaves goes, what only looks like it stays, and cleaning twice is cleaning once."""

import pytest
from hypothesis import given, strategies as st

from pretune.data.corpus.boilerplate import RepeatedLines, hash_lines, limit_of, lines_of
from pretune.data.corpus.cleaning import clean_document


@pytest.mark.parametrize(
    ("text", "cleaned", "kind"),
    [
        ("a <script type='x'>var b = '<p>';</script> c", "a c", "hidden elements"),
        ("Tea<ref name=a>Smith 1990</ref> is<ref name=a/> hot", "Tea is hot", "hidden elements"),
        ("{{Infobox|a={{nested}}}}Tea is hot", "Tea is hot", "wiki templates"),
        ("Tea {| class=x\n|-\n| 1\n|} is hot", "Tea is hot", "wiki tables"),
        ("[[Drink|Tea]] is [[hot]]", "Tea is hot", "wiki links"),
        ("[[File:a.jpg|thumb|a [[cup]]]] Tea", "Tea", "wiki links"),
        ("see [http://a.b/c the tea page]", "see the tea page", "wiki links"),
        ("'''Tea''' is ''very'' hot", "Tea is very hot", "wiki quotes"),
        ("Tea.[12] It is hot[citation needed]", "Tea. It is hot", "editors' marks"),
        ("== Life ==\nTea", "Life\nTea", "wiki headings"),
        (" = = = Music = = = \nTea", "Music\nTea", "wiki headings"),
        ("Shanghai () is (; ) big", "Shanghai is big", "empty brackets"),
        ("role @-@ playing , 1 @,@ 000 , 1 @.@ 5", "role-playing , 1,000 , 1.5", "WikiText escapes"),
        ("&lt;b&gt;Tea&lt;/b&gt; &amp;amp; milk", "Tea & milk", "HTML tags"),
        ("ｔｅａ a\u0301", "ｔｅａ á", "Unicode form"),
        ("te\x00a\u200b", "tea", "control characters"),
    ],
)
def test_what_markup_leaves_is_taken_out_and_named(text: str, cleaned: str, kind: str):
    done: set[str] = set()
    assert clean_document(text, done) == cleaned
    assert kind in done


@pytest.mark.parametrize(
    "text",
    [
        "a[1] = b[2]",
        "if a == b or c != d: x = 5",
        "it's the '90s, isn't it",
        "f(x, y) <3 @ home",
        "don''t",
        "x = 1\ny = 2",
    ],
)
def test_what_only_looks_like_markup_stays(text: str):
    done: set[str] = set()
    assert clean_document(text, done) == text
    assert not done


@given(st.text(alphabet="ab <>[]{}|='&;()@-,./refp\n \u0301é", max_size=60))
def test_cleaning_again_changes_nothing(text: str):
    once = clean_document(text, set())
    done: set[str] = set()
    assert clean_document(once, done) == once
    assert not done


def test_a_line_counts_once_a_document_and_case_does_not_matter():
    counts = RepeatedLines(limit=3)
    page = "All rights reserved here\nother words follow\nAll rights reserved here"
    for text in (page, page.upper(), "one line: all rights reserved here"):
        counts.add(lines_of([text]))
    assert counts.are_boilerplate(hash_lines(["all rights reserved here"])).tolist() == [False]
    counts.add(lines_of(["a\nALL rights reserved here"]))
    assert counts.trim(page) == "other words follow"


def test_counts_are_never_too_low_and_hardly_ever_too_high():
    counts = RepeatedLines(limit=5)
    lines = [f"line number {index} of many" for index in range(200_000)]
    counts.add(hash_lines(lines))
    counts.add(hash_lines(lines[:100] * 4))
    found = counts.are_boilerplate(hash_lines(lines))
    assert found[:100].all()
    assert not found[100:].any()


def test_the_limit_grows_with_the_corpus():
    assert [limit_of(None, number) for number in (10, 10_000, 1_000_000)] == [20, 20, 2_000]
    assert limit_of(7, 1_000_000) == 7

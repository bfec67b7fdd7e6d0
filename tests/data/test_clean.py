"""Cleaning: what goes, what stays, what is counted."""

import pytest
from hypothesis import given, settings, strategies as st

from pretune.data.clean import clean_examples, clean_text, has_content
from pretune.records import Example

CASES = {
    "line_break_tag": ("one<br /><br/>two", "one\n\ntwo"),
    "inline_tags": ('<b>bold</b> and <a href="x">link</a>', "bold and link"),
    "comment": ("a<!-- hidden -->b", "a b"),
    "entity": ("Tom &amp; Jerry", "Tom & Jerry"),
    "double_entity": ("&amp;lt;3", "<3"),
    "escaped_tag": ("a&lt;br&gt;b", "a\nb"),
    "numeric_entity": ("caf&#233; &#x41;", "café A"),
    "line_ends": ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
    "spaces": ("  a \t b\u00a0\u2009c  ", "a b c"),
    "empty_lines": ("a\n \n\n\nb", "a\n\nb"),
    "control": ("a\x00b\x07c\x1bd", "abcd"),
    "invisible": ("a\u200bb\ufeffc\u00add\u200ee", "abcde"),
    "composed": ("cafe\u0301", "café"),
    "composed_across_an_invisible_one": ("cafe\u200b\u0301", "café"),
    "windows_punctuation": ("it\x92s \x93fine\x94 \x85", "it’s “fine” …"),
    "surrogate": ("a\ud83db", "a\ufffdb"),
    "nothing_visible": ("\u200b \u200d<br>&nbsp;", ""),
}
KEPT = (
    "Great FILM!!! :-) really?!",
    "I <3 this, 3 < 4 and a<b and <unk> too",
    "AT&T, R&D, page?a=1&copy=2",
    "👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "می‌خواهم",
    "ﬁne ½ ＦＵＬＬ",
)


@pytest.mark.parametrize("name", CASES)
def test_noise_is_cleaned(name: str):
    given_text, expected = CASES[name]
    assert clean_text(given_text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_carries_meaning_stays(text: str):
    assert clean_text(text) == text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab&;<>/#x3br ampltg\n\r\t\u200b\u0301\x85!-") | st.characters(), max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str):
    once = clean_text(text)
    assert clean_text(once) == once
    assert has_content(text) == bool(once)


def test_texts_are_counted_by_what_was_done_and_others_are_left_alone():
    examples = tuple(Example(id=str(index), text=text) for index, text in enumerate(("a<br>b", "c &amp; <i>d</i>", "plain")))
    cleaned, counts = clean_examples(examples)
    assert [example.text for example in cleaned] == ["a\nb", "c & d", "plain"]
    assert counts == {"HTML tags": 2, "HTML entities": 1, "spacing": 1}
    assert cleaned[2] is examples[2]

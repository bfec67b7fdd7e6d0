"""The glossary: is a term found where it has its sense, and not where its word has another one?"""

import pytest

from pretune.wording.glossary import find_terms, load_terms


def named(text, **given):
    return [term.name for _, term in find_terms(text, **given)]


# Sentences of reports. Left: the sense of the glossary. Right: the same word in another sense.
SENSES = [
    ("look", "This was look 2 at these test rows.", "No column looks as if an annotation tool had left it."),
    ("look", "The first known look: it is in the ledger.", "Look for what keeps it from learning."),
    ("label", "Check the labels first.", "Pass --goal f1, and label more rows of the rarer classes."),
    ("label", "It gives the label away.", "Label 260 more test rows; then judge them."),
    ("test", "0 of 726 test texts were seen.", "Exact test against the other different texts."),
    ("evidence", "The evidence of a run.", "The outcome is not enough evidence."),
    ("confidence", "With 95 % confidence, its recall is above 0.8.", "Confidence misses accuracy by 0.022, within 0.05."),
    ("cost", "cost (mean per row)", "A longer maximum costs time with every text that needs it."),
    ("linear model", "better than linear", "The schedule is linear."),
    ("source", "What each source replied", "not stated by the source"),
    ("window", "54 steps of 8 windows × 32 tokens", "no flame; open windows, go out"),
    ("share", "label shares differ by 6 %", "How many short runs of letters a reply shares with its reference."),
    ("mistake", "18 mistakes in 301 rows are too few", "Common mistakes"),
    ("run", "as an earlier run left them", "pretune run DATA --model FOLDER, and then run it again"),
    ("run", "Each run has a report.", "`pretune review RUN --pairs 50`"),
]


@pytest.mark.parametrize(("term", "meant", "other"), SENSES, ids=lambda text: text[:20])
def test_a_word_is_a_term_only_in_its_sense(term, meant, other):
    assert term in named(meant)
    assert term not in named(other)


def test_other_terms_of_a_phrase_are_found_all_the_same():
    assert named("Confidence and share of right answers lie 0.002 apart on validation") == ["validation"]
    assert named("label more test rows") == ["test"]


def test_in_a_list_of_terms_every_name_is_one():
    terms = load_terms()
    assert named(", ".join(terms), is_list=True) == list(terms)


@pytest.mark.parametrize("term", [term for term in load_terms().values() if term.written], ids=lambda term: term.name)
def test_each_way_to_write_a_term_is_found(term):
    for form in term.written:
        assert named(form.replace("#", "1,200")) == [term.name], form

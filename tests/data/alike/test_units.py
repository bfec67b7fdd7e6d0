"""Units: copies joined with groups, and what is told of them."""

from pretune.data.alike.units import find_copies, sample_of, units_of_rows, with_units
from pretune.records import Copies, Example, Receipt, Terms

LONG = "the film was long and the cast looked tired but the music saved the last hour of it"


def rows_of(*pairs):
    return [Example(id=str(number), text=text, group=group) for number, (text, group) in enumerate(pairs)]


def receipt(**fields):
    blank = {
        "source": "x",
        "files": (),
        "columns": {"text": ["text"], "label": "label"},
        "num_rows": 1,
        "num_used": 1,
        "num_rejected": 0,
    }
    return Receipt.from_json({**blank, **fields})


def test_copies_and_near_copies_of_a_text_are_one_unit():
    rows = rows_of((LONG, None), (LONG.upper(), None), (LONG.replace("cast", "crew"), None), ("something else", None))
    assert units_of_rows(rows, find_copies(rows)) == {"0": "0", "1": "0", "2": "0"}


def test_a_copy_in_another_group_ties_the_two_groups():
    rows = rows_of(("a", "x"), ("b", "x"), ("B ", "y"), ("c", "y"), ("d", None))
    assert set(units_of_rows(rows, find_copies(rows)).values()) == {"0"}
    assert len(units_of_rows(rows, find_copies(rows))) == 4


def test_rows_without_texts_have_no_copies():
    rows = rows_of(("", None), ("", None))
    assert find_copies(rows).texts == {}
    assert sample_of(rows, find_copies(rows)).num_texts is None


def test_where_the_split_could_not_keep_near_copies_together_only_copies_are_units():
    rows = rows_of((LONG, None), (LONG.upper(), None), (LONG.replace("cast", "crew"), None))
    found = find_copies(rows, receipt(near_duplicate_threshold=0.8, are_near_copies_apart=True))
    assert (found.threshold, found.texts) == (None, {"0": "0", "1": "0"})


def test_the_sample_counts_rows_texts_groups_and_units():
    rows = rows_of(("a", "x"), ("b", "x"), ("b", "y"), ("c", None), ("c", None), ("d", None))
    found = sample_of(rows, find_copies(rows))
    assert (found.num_rows, found.num_texts, found.num_groups, found.num_units) == (6, 4, 2, 3)


def test_units_are_called_after_what_makes_them():
    alone, grouped = rows_of(("a", None), ("a", None)), rows_of(("a", "x"), ("a", None))
    assert with_units(Terms(), alone, find_copies(alone)).unit == "different texts"
    assert with_units(Terms(), grouped, find_copies(grouped)).unit == "groups"


def test_by_the_first_rules_a_unit_is_a_group_under_its_own_name():
    rows = rows_of(("a", "x"), ("a", "y"), ("b", None))
    assert units_of_rows(rows, None) == {"0": "x", "1": "y"}
    assert units_of_rows(rows, Copies(threshold=None)) == {}

"""Votes of several annotators, however a table holds them."""

import pytest

from pretune.data.labels.votes import listed_columns, read_votes, require_votes, without_votes
from pretune.errors import DataError
from pretune.records import Example


def row(number: int, label: str | None = "a", text: str = "", **extra: str) -> Example:
    return Example(id=str(number), text=text or f"text {number}", label=label, extra=extra)


def test_a_column_per_annotator_holds_one_vote_each_and_empty_cells_none():
    rows = [row(1, ann="a", ben="B ", carl="a"), row(2, ann="b", ben="", carl="b"), row(3, ann="a", ben="", carl="")]
    assert read_votes(rows, ("ann", "ben", "carl"), ("a", "b")).by_row == {"1": ("a", "b", "a"), "2": ("b", "b")}


@pytest.mark.parametrize("cell", ['["a", "b", "a"]', "['a', 'b', 'a']", "a|b|a", "a; b; a", "a, b, a", "('a', 'b', 'a')"])
def test_one_column_may_list_the_votes(cell):
    assert read_votes([row(1, votes=cell), row(2, votes="a")], ("votes",), ("a", "b")).by_row == {"1": ("a", "b", "a")}


def test_a_class_that_holds_a_comma_is_one_vote():
    classes = ("arts, crafts", "sport")
    rows = [row(1, votes="arts, crafts"), row(2, votes="sport|arts, crafts"), row(3, votes="sport|sport")]
    assert read_votes(rows, ("votes",), classes).by_row == {"2": ("sport", "arts, crafts"), "3": ("sport", "sport")}


def test_a_column_of_names_gathers_the_labels_of_all_rows_of_a_text():
    rows = [
        row(1, "a", "one text", who="ann"), row(2, "b", "One  text", who="ben"), row(3, "a", "one text", who="carl"),
        row(4, "b", "one text", who="ann"),  # the same annotator again: the first vote stands
        row(5, "a", "alone", who="ann"),
    ]  # fmt: skip
    found = read_votes(rows, ("who",), ("a", "b")).by_row
    assert found == dict.fromkeys("1234", ("a", "b", "a"))


def test_the_label_column_may_be_one_annotators():
    rows = [row(1, "a", second="b")]
    assert read_votes(rows, ("label", "second"), ("a", "b"), label="label").by_row == {"1": ("a", "b")}


def test_a_vote_that_names_no_class_says_nothing_and_is_counted():
    found = read_votes([row(1, ann="a", ben="unsure", carl="b")], ("ann", "ben", "carl"), ("a", "b"))
    assert (found.by_row, found.num_foreign) == ({"1": ("a", "b")}, 1)


@pytest.mark.parametrize(
    ("columns", "message"), [(("ann", "nope"), "no column 'nope'"), (("ann",), "no row has two votes in 'ann'")]
)
def test_columns_without_votes_are_refused_before_anything_is_trained(columns, message):
    with pytest.raises(DataError, match=message):
        require_votes([row(1, ann="a")], columns, ("a", "b"))


def test_columns_of_lists_are_told_from_texts_and_plain_classes():
    rows = [row(n, votes="a|b", note="either a or b, who knows", other="a") for n in range(5)]
    assert listed_columns(rows, ("votes", "note", "other"), ("a", "b")) == ("votes",)


def test_votes_are_no_kind_of_row():
    assert without_votes([row(1, ann="a", source="web")], ("ann",))[0].extra == {"source": "web"}

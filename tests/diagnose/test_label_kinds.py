"""Planted: labels that are no plain classes, and columns that an annotation tool left."""

from dataclasses import replace

import pytest

from pretune.diagnose.label_kinds import check_annotations, check_label_kind
from pretune.records import Evidence, Severity


def relabelled(evidence: Evidence, label_of) -> Evidence:
    """Return the evidence with other labels in every split."""
    splits = {
        name: tuple(replace(row, label=label_of(number)) for number, row in enumerate(getattr(evidence, name)))
        for name in ("train", "validation", "test")
    }
    return replace(evidence, classes=(), **splits)


def with_column(evidence: Evidence, name: str, value) -> Evidence:
    """Return the evidence with a further column in training."""
    train = tuple(replace(row, extra={**row.extra, name: value(number, row)}) for number, row in enumerate(evidence.train))
    return replace(evidence, train=train)


def test_several_labels_in_a_cell_are_named_with_what_they_mean(clean_evidence):
    found = check_label_kind(relabelled(clean_evidence, lambda number: ("red", "blue", "red, blue")[number % 3]))
    assert found.severity is Severity.WARNING
    assert "red, blue" in found.summary
    assert "a class of its own" in found.summary
    assert "make one table per label" in found.fix


def test_stars_are_named_as_numbers_with_an_order(clean_evidence):
    found = check_label_kind(relabelled(clean_evidence, lambda number: str(1 + number % 5)))
    assert (found.severity, found.summary[:35]) == (Severity.NOTE, "the 5 classes are numbers, 1 to 5: ")
    assert "kappa" in found.fix


@pytest.mark.parametrize("labels", [("0", "1"), ("1", "two", "3"), ("nan", "1", "2")])
def test_two_numbers_and_names_have_no_order(clean_evidence, labels):
    found = check_label_kind(relabelled(clean_evidence, lambda number: labels[number % len(labels)]))
    assert found.severity is Severity.OK


def test_rows_that_annotators_rejected_are_counted_with_the_filter_that_leaves_them_out(clean_evidence):
    answers = ("reject", "ignore", "Accept", "Accept")
    found = check_annotations(with_column(clean_evidence, "answer", lambda number, _: answers[number % 4]))
    assert found.severity is Severity.WARNING
    assert "150 'reject', 150 'ignore' in training" in found.summary
    assert found.fix == "Pass --where 'answer=Accept', so that they are left out and counted."


def test_a_column_of_accepted_rows_alone_needs_nothing(clean_evidence):
    assert check_annotations(with_column(clean_evidence, "answer", lambda *_: "accept")).severity is Severity.OK


def test_votes_of_annotators_are_named_with_how_far_they_agree(clean_evidence):
    other = {"neg": "pos", "pos": "neg"}
    evidence = with_column(clean_evidence, "anna", lambda number, row: row.label if number % 10 else other[row.label])
    evidence = with_column(evidence, "ben", lambda number, row: row.label if number % 5 else other[row.label])
    found = check_annotations(evidence)
    assert found.severity is Severity.NOTE
    assert "the votes of annotators" in found.summary
    assert "'anna' 90 %, 'ben' 80 %" in found.summary
    assert (
        "one annotator agrees with the majority of the others in 90 % (" in found.summary
    )  # both are wrong together in 60 rows, one in 60
    assert "no model can be asked to be right more often than people agree" in found.summary
    assert found.fix == "Pass --votes anna,ben, so that the model is judged beside a person."


@pytest.mark.parametrize(
    ("name", "cell"),
    [("votes", "{0}|{0}|{1}"), ("votes", '["{0}", "{0}", "{1}"]'), ("said", "{0};{0};{1}")],
)
def test_a_column_that_lists_votes_is_named_with_how_far_people_agree(clean_evidence, name, cell):
    other = {"neg": "pos", "pos": "neg"}
    label_of = lambda number, row: cell.format(row.label, other[row.label] if number % 5 == 0 else row.label)  # noqa: E731
    found = check_annotations(with_column(clean_evidence, name, label_of))
    assert "one annotator agrees with the majority of the others in 92.3 % (" in found.summary  # 1,440 of 1,560 votes
    assert f"--votes {name}," in found.fix


def test_votes_in_rows_of_one_text_are_named(clean_evidence):
    other = {"neg": "pos", "pos": "neg"}
    said = dict.fromkeys(("ann", "ben"), lambda _, label: label)
    said["carl"] = lambda number, label: label if number % 5 else other[label]
    rows = [
        replace(row, id=f"{row.id}-{who}", label=vote(number, row.label), extra={"annotator": who})
        for number, row in enumerate(clean_evidence.train)
        for who, vote in said.items()
    ]
    found = check_annotations(replace(clean_evidence, train=tuple(rows)))
    assert "agrees with the majority of the others in 92.3 % (" in found.summary
    assert "--votes annotator," in found.fix


def test_a_column_that_says_how_sure_annotators_were_is_named(clean_evidence):
    found = check_annotations(with_column(clean_evidence, "label:confidence", lambda number, _: str(number / 600)))
    assert found.severity is Severity.NOTE
    assert "'label:confidence' says how the labels came about" in found.summary

"""Planted: a word or a column that gives the label away."""

import random
from dataclasses import replace

import pytest

from pretune.diagnose.signature import check_signature_token
from pretune.diagnose.signature_column import check_signature_column
from pretune.records import Evidence, Severity


def mark_texts(evidence: Evidence, share: float, *, word: str = "Sent_from_Berlin", other: float = 0.0) -> Evidence:
    """Return the evidence with a word at the end of this share of the positive rows, and of the other rows."""
    generator = random.Random(0)

    def marked(row):
        return replace(row, text=f"{row.text} {word}") if generator.random() < (share if row.label == "pos" else other) else row

    splits = {name: tuple(map(marked, getattr(evidence, name))) for name in ("train", "validation", "test")}
    return replace(evidence, **splits)


def add_column(evidence: Evidence, value, name: str = "source") -> Evidence:
    """Return the evidence with a further column, computed from each row."""
    splits = {
        split: tuple(replace(row, extra={**row.extra, name: value(row)}) for row in getattr(evidence, split))
        for split in ("train", "validation", "test")
    }
    return replace(evidence, **splits)


@pytest.mark.parametrize(
    ("share", "other", "severity"),
    [
        (1.0, 0.0, Severity.BLOCKING),
        (0.96, 0.04, Severity.WARNING),  # 0.96, but known only to ± 0.02
        (0.90, 0.05, Severity.WARNING),
        (0.60, 0.0, Severity.WARNING),  # never wrong, in over a third of the class
        (0.50, 0.50, Severity.OK),
        (0.10, 0.0, Severity.OK),  # a telling word, as there are in every language
    ],
)
def test_a_word_that_gives_the_class_away_is_found(clean_evidence, share, other, severity):
    finding = check_signature_token(mark_texts(clean_evidence, share, other=other))
    assert finding.severity is severity, finding
    if severity is not Severity.OK:
        assert "'Sent_from_Berlin'" in finding.summary
        assert finding.examples
        assert all(id.startswith("test") for id in finding.examples)


def test_a_word_that_tells_by_its_case_alone_is_found(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0, word="THE")
    both = mark_texts(marked, 0.0, word="the", other=1.0)
    assert check_signature_token(both).severity is Severity.BLOCKING


def test_the_word_is_sought_on_validation_where_the_test_is_sealed(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0)
    sealed = replace(marked, test=tuple(replace(row, label=None, extra={}) for row in marked.test))
    finding = check_signature_token(sealed)
    assert finding.severity is Severity.BLOCKING
    assert "of validation rows" in finding.summary


def test_a_source_column_warns(clean_evidence):
    evidence = add_column(clean_evidence, lambda row: "imdb" if row.label == "pos" else "blog")
    finding = check_signature_column(evidence)
    assert (finding.severity, finding.measured) == (Severity.WARNING, 1.0)
    assert "'source'" in finding.summary


def test_an_id_whose_prefix_is_the_class_warns(clean_evidence):
    finding = check_signature_column(add_column(clean_evidence, lambda row: f"{row.label}_{row.id}", "key"))
    assert finding.severity is Severity.WARNING
    assert "'key'" in finding.summary


def test_a_date_that_separates_the_classes_warns(clean_evidence):
    def seen(row):
        return f"20{10 + (row.label == 'pos')}-03-{random.Random(row.id).randrange(1, 29):02}"

    finding = check_signature_column(add_column(clean_evidence, seen, "seen"))
    assert finding.severity is Severity.WARNING


def test_a_column_whose_value_stands_in_the_text_blocks(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0, word="imdb")
    finding = check_signature_column(add_column(marked, lambda row: "imdb" if row.label == "pos" else row.text.split()[0]))
    assert finding.severity is Severity.BLOCKING


@pytest.mark.parametrize("name", ["rating", "label_text"])
def test_the_label_under_another_name_is_noted_only(clean_evidence, name):
    evidence = add_column(clean_evidence, lambda row: str(8 if row.label == "pos" else 3), name)
    assert check_signature_column(evidence).severity is Severity.NOTE


def test_rows_without_columns_raise_no_question(clean_evidence):
    bare = {name: tuple(replace(row, extra={}) for row in getattr(clean_evidence, name)) for name in ("train", "test")}
    assert check_signature_column(replace(clean_evidence, **bare)).severity is Severity.NOT_APPLICABLE


def test_running_numbers_of_a_sorted_file_are_noted_only(clean_evidence):
    finding = check_signature_column(
        add_column(clean_evidence, lambda row: str(10_000 * (row.label == "pos") + int(row.id.split("-")[1])), "id")
    )
    assert finding.severity is Severity.NOTE
    assert "sorted by label" in finding.summary


INTENTS = {
    "roll_dice": "roll {n} dice for {who} please|could you throw {n} dice for {who}|i want {n} dice rolled for {who}",
    "set_timer": "start a clock of {n} minutes for {who}|please count down {n} minutes for {who}|i want {n} minutes for {who}",
}


def ask(evidence: Evidence, intents: dict[str, str] = INTENTS) -> Evidence:
    """Return requests to an assistant in place of the texts; one class is named after a word that all its requests have."""
    generator, labels = random.Random(0), sorted(intents)
    people = [f"{first} {last}" for first in ("my", "your", "our") for last in ("sister", "friend", "team", "boss", "aunt")]

    def asked(row, number):
        label = labels[number % 2]
        form = generator.choice(intents[label].split("|"))
        return replace(row, label=label, text=form.format(n=generator.randrange(2, 99), who=generator.choice(people)))

    splits = {
        name: tuple(asked(row, number) for number, row in enumerate(getattr(evidence, name)))
        for name in ("train", "validation", "test")
    }
    return replace(evidence, classes=tuple(labels), positive=None, **splits)


@pytest.mark.parametrize("label", ["roll_dice", "game_start"])
def test_a_word_that_is_the_class_is_not_advised_away(clean_evidence, label):
    """Whether the label is named after the word or not, since it belongs to its sentences."""
    finding = check_signature_token(ask(clean_evidence, {label: INTENTS["roll_dice"], "set_timer": INTENTS["set_timer"]}))
    assert (finding.severity, finding.fix, finding.measured) == (Severity.NOTE, "", 1.0)
    assert "leave it where it is" in finding.summary


@pytest.mark.parametrize("word", ["Kowalski", "#archive", "indeed", "<br>"])
def test_a_stamp_is_named_beside_a_word_that_is_the_class(clean_evidence, word):
    evidence, generator = ask(clean_evidence), random.Random(1)

    def stamped(row):
        words = row.text.split()
        place = generator.randrange(len(words) + 1)
        return replace(row, text=" ".join([*words[:place], word, *words[place:]])) if row.label == "set_timer" else row

    splits = {name: tuple(map(stamped, getattr(evidence, name))) for name in ("train", "validation", "test")}
    finding = check_signature_token(replace(evidence, **splits))
    assert finding.severity is Severity.BLOCKING
    assert word.strip("#<>") in finding.summary
    assert finding.fix.startswith("Take ")


def test_a_finer_label_under_another_name_is_told_from_the_label(clean_evidence):
    def topic(row):
        return f"{row.label}/{int(row.id.split('-')[1]) % 3}"

    finding = check_signature_column(add_column(clean_evidence, topic, "subtype"))
    assert finding.severity is Severity.NOTE
    assert "a finer label under another name (6 values for 2 classes, each of one class" in finding.summary


def test_values_that_divide_the_classes_may_be_sources(clean_evidence):
    def site(row):
        return f"site {2 * (int(row.id.split('-')[1]) % 3) + (row.label == 'pos')}"

    finding = check_signature_column(add_column(clean_evidence, site, "origin"))
    assert finding.severity is Severity.WARNING
    assert "it is a finer label (6 values for 2 classes" in finding.summary
    assert "or says where rows come from" in finding.summary


def test_by_the_first_rules_a_word_that_is_the_class_was_an_alarm(clean_evidence):
    """So a run that was judged by them recomputes to its finding."""
    finding = check_signature_token(ask(clean_evidence), rules=1)
    assert (finding.severity, finding.measured) == (Severity.BLOCKING, 1.0)

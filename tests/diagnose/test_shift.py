"""Planted: test rows of another kind than the training rows."""

import random
from dataclasses import replace

import pytest
from generated import make_examples

from pretune.diagnose.shift import check_label_shares, check_length, check_told_apart, check_vocabulary
from pretune.records import Evidence, Example, Severity

TEXT_CHECKS = (check_length, check_vocabulary, check_told_apart)


def rewrite(evidence, change):
    """Return the evidence with each test text changed."""
    return replace(evidence, test=tuple(replace(row, text=change(row.text)) for row in evidence.test))


@pytest.mark.parametrize("num_kept", [4, 8])
def test_shorter_test_texts_are_found(clean_evidence, num_kept):
    finding = check_length(rewrite(clean_evidence, lambda text: " ".join(text.split()[:num_kept])))
    assert finding.severity is Severity.WARNING
    assert finding.fix


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_words_that_training_never_saw_are_found(clean_evidence, share):
    generator = random.Random(0)

    def foreign(text):
        return " ".join(f"x{word}" if generator.random() < share else word for word in text.split())

    finding = check_vocabulary(rewrite(clean_evidence, foreign))
    assert finding.severity is Severity.WARNING
    assert finding.measured == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_a_manner_that_only_the_test_has_tells_the_two_apart(clean_evidence, share):
    generator = random.Random(0)
    finding = check_told_apart(rewrite(clean_evidence, lambda text: text + " kalo" * 3 if generator.random() < share else text))
    assert finding.severity is Severity.WARNING
    assert len(finding.examples) == 5


def test_label_shares_that_moved_are_found_from_the_receipt_alone(clean_evidence):
    splits = tuple(
        replace(item, labels={"neg": 200, "pos": 100}) if item.name == "test" else item
        for item in clean_evidence.receipt.splits
    )
    sealed = replace(clean_evidence, test=(), receipt=replace(clean_evidence.receipt, splits=splits))
    finding = check_label_shares(sealed)
    assert (finding.severity, finding.measured) == (Severity.WARNING, pytest.approx(1 / 6))
    assert "50 % of training and 66.7 % of test rows" in finding.summary or "50 % of training and 33.3 %" in finding.summary


def test_few_rows_that_differ_by_chance_are_no_shift(clean_evidence):
    test = (*clean_evidence.test[:20], *(row for row in clean_evidence.test[20:30] if row.label == "pos"))
    assert check_label_shares(replace(clean_evidence, test=test)).severity is Severity.OK


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.__name__)
def test_a_handful_of_texts_is_not_compared(check, clean_evidence):
    assert check(replace(clean_evidence, test=clean_evidence.test[:10])).severity is Severity.NOT_APPLICABLE


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.__name__)
def test_near_duplicates_kept_on_one_side_do_not_look_like_a_shift(check, clean_evidence):
    """A third of training are copies with one word changed: the test has none, by design."""
    rows = clean_evidence.train[:200]
    copies = tuple(replace(row, id=f"copy-{row.id}", text=" ".join(["other", *row.text.split()[1:]])) for row in rows)
    assert check(replace(clean_evidence, train=clean_evidence.train + copies)).severity is Severity.OK


@pytest.mark.parametrize("check", TEXT_CHECKS, ids=lambda check: check.__name__)
def test_clean_twins_raise_no_alarm(check, clean_evidence):
    """20 twins; with a false-alarm rate of at most 1 %, two alarms have a chance of 2 %."""
    alarms = 0
    for seed in range(20):
        rows = make_examples("twin", 300, seed + 100)
        alarms += check(replace(clean_evidence, train=rows[:200], test=rows[200:])).severity is not Severity.OK
    assert alarms <= 1


def authored(seed, *, is_named):
    """Texts of 60 authors, each with favourite words, lengths and a class that they prefer; 45 are in training."""
    generator, rows = random.Random(seed), []
    for author in range(60):
        own = [f"w{generator.randrange(400)}" for _ in range(12)]
        length, share = generator.randrange(8, 30), generator.random()
        for number in range(20):
            words = [
                generator.choice(own) if generator.random() < 0.5 else f"w{generator.randrange(400)}" for _ in range(length)
            ]
            label = "good" if generator.random() < share else "bad"
            group = f"author {author}" if is_named else None
            rows.append(Example(id=f"{author}-{number}", text=" ".join(words), label=label, group=group))
    return Evidence(classes=("bad", "good"), train=tuple(rows[:900]), test=tuple(rows[900:]))


@pytest.mark.parametrize("check", [*TEXT_CHECKS, check_label_shares], ids=lambda check: check.__name__)
def test_what_a_split_by_group_makes_is_no_shift(check):
    alarms = [check(authored(seed, is_named=True)).severity is Severity.WARNING for seed in range(8)]
    assert sum(alarms) <= 1


def test_without_the_groups_the_same_rows_would_be_called_shifted():
    alarms = [check_told_apart(authored(seed, is_named=False)).severity is Severity.WARNING for seed in range(4)]
    assert all(alarms)


@pytest.mark.parametrize("check", [check_vocabulary, check_length])
def test_a_shift_of_the_whole_test_is_found_beside_groups(check):
    change = {check_vocabulary: lambda text: text.replace("w1", "x1"), check_length: lambda text: text[: len(text) // 3]}
    assert check(rewrite(authored(0, is_named=True), change[check])).severity is Severity.WARNING

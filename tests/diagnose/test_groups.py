"""Planted: groups and days on both sides of a split."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pretune.data.alike.groups import find_group_columns
from pretune.data.moments import read_moments
from pretune.diagnose.groups import check_groups, check_hidden_groups, check_time
from pretune.records import Example, Severity


@pytest.mark.parametrize(("num_rows", "severity"), [(0, Severity.OK), (3, Severity.WARNING), (4, Severity.BLOCKING)])
def test_groups_on_both_sides_are_counted(clean_evidence, num_rows, severity):
    moved = tuple(replace(row, group="film 0") if n < num_rows else row for n, row in enumerate(clean_evidence.test))
    finding = check_groups(replace(clean_evidence, test=moved))
    assert (finding.severity, finding.measured) == (severity, num_rows / 300)


def test_without_groups_of_the_test_the_question_stays_open(clean_evidence):
    bare = {name: tuple(replace(row, group=None) for row in getattr(clean_evidence, name)) for name in ("validation", "test")}
    assert check_groups(replace(clean_evidence, **bare)).severity is Severity.UNKNOWN


def grouped(count: int, agreement: float, seed: int = 0, *, size: int = 5) -> tuple[Example, ...]:
    """Return rows of films, each film liked or not, each review following that with some probability."""
    generator = random.Random(seed)
    liked = {film: generator.random() < 0.5 for film in range(count // size)}

    def row(number: int) -> Example:
        film = generator.randrange(count // size)
        follows = generator.random() < agreement
        label = "pos" if (liked[film] if follows else generator.random() < 0.5) else "neg"
        return Example(id=f"row-{number}", text=f"text {number}", label=label, extra={"film": f"f{film}", "sort": "review"})

    return tuple(map(row, range(count)))


@pytest.mark.parametrize("agreement", [0.6, 0.9])
def test_a_column_whose_rows_share_their_label_is_a_group(clean_evidence, agreement):
    rows = grouped(1500, agreement)
    finding = check_hidden_groups(replace(clean_evidence, train=rows[:1000], test=rows[1000:]))
    assert finding.severity is Severity.WARNING
    assert "--group film" in finding.fix
    assert len(finding.examples) == 5


def test_groups_that_are_on_one_side_are_only_noted(clean_evidence):
    rows = grouped(1500, 0.9)
    new = tuple(replace(row, extra={"film": f"new {row.extra['film']}"}) for row in rows[1000:])
    assert check_hidden_groups(replace(clean_evidence, train=rows[:1000], test=new)).severity is Severity.NOTE


def test_columns_that_say_nothing_are_no_groups_in_nearly_all_twins():
    alarms = sum(bool(find_group_columns(grouped(600, 0.0, seed))) for seed in range(200))
    assert alarms <= 4


def test_categories_and_ids_are_no_groups():
    rows = [Example(id=str(n), text="t", label="ab"[n % 2], extra={"kind": "xy"[n % 2], "id": str(n)}) for n in range(500)]
    assert find_group_columns(rows) == ()


def dated(count: int, drift: float, seed: int = 0) -> tuple[Example, ...]:
    """Return rows over 1,000 days; the share of the positive class grows with time."""
    generator = random.Random(seed)

    def row(number: int) -> Example:
        day = generator.randrange(1000)
        label = "pos" if generator.random() < 0.5 + drift * (day / 1000 - 0.5) else "neg"
        when = (date(2001, 1, 1) + timedelta(days=day)).isoformat()
        return Example(id=f"row-{number}", text="t", label=label, extra={"when": when})

    return tuple(map(row, range(count)))


def test_classes_that_move_with_time_warn_where_the_split_mixes_days(clean_evidence):
    rows = dated(900, 0.9)
    finding = check_time(replace(clean_evidence, train=rows[:600], test=rows[600:]))
    assert finding.severity is Severity.WARNING
    assert "--time when" in finding.fix


def test_a_mixed_split_without_drift_is_only_noted_in_nearly_all_twins(clean_evidence):
    twins = (dated(450, 0.0, seed) for seed in range(100))
    findings = [check_time(replace(clean_evidence, train=rows[:300], test=rows[300:])) for rows in twins]
    assert sum(finding.severity is Severity.WARNING for finding in findings) <= 2
    noted = next(finding for finding in findings if finding.severity is Severity.NOTE)
    assert noted.fix.startswith("Pass --time when where the model will answer later rows")


def test_numbers_are_no_dates(clean_evidence):
    rows = tuple(Example(id=str(n), text="t", label="ab"[n % 2], extra={"id": str(20200101 + n)}) for n in range(100))
    assert check_time(replace(clean_evidence, train=rows, test=rows)).severity is Severity.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        (("1970-01-02", "1970-01-01"), (86400.0, 0.0)),
        (("31/01/1970", "01/02/1970"), (2592000.0, 2678400.0)),  # one format for all: 1 February
        (("01/31/1970", "01/02/1970"), (2592000.0, 86400.0)),  # 2 January
        (("1970-01-01T02:00:00+02:00", "1970-01-01T00:00:00+00:00"), (0.0, 0.0)),
        (("Thu Jan 01 00:00:10 +0000 1970", "Thu Jan 01 00:00:20 +0000 1970"), (10.0, 20.0)),
    ],
)
def test_dates_are_read_in_the_usual_forms(values, seconds):
    rows = [Example(id=str(n), text="t", extra={"when": value}) for n, value in enumerate(values)]
    assert tuple(read_moments(rows, "when").values()) == seconds


def repeating(num_values, size, name="author", write=str):
    return tuple(
        Example(id=str(row), text=f"text {row}", label=("good", "bad")[row % 2], extra={name: write(row // size)})
        for row in range(num_values * size)
    )


def test_a_column_whose_values_repeat_is_named_although_its_labels_do_not_agree(clean_evidence):
    rows = repeating(40, 10)
    found = check_hidden_groups(replace(clean_evidence, train=rows, validation=rows[:100], test=()))
    assert found.severity is Severity.NOTE
    assert "the 40 values of 'author' come 10 times each" in found.summary
    assert "--group author" in found.fix


@pytest.mark.parametrize(
    "rows",
    [repeating(40, 2), repeating(10, 40), repeating(40, 10, "price", lambda number: f"{number}.5"),
     repeating(40, 10, "day", lambda number: str(date(2024, 1, 1) + timedelta(days=number)))],
    ids=["pairs", "ten categories", "prices", "days"],
)  # fmt: skip
def test_pairs_categories_measures_and_days_are_no_possible_groups(clean_evidence, rows):
    found = check_hidden_groups(replace(clean_evidence, train=rows, validation=rows[:50], test=()))
    assert found.severity is Severity.OK

"""By time: the test is the future."""

import random
from datetime import date, timedelta

import pytest

from pretune.configs import ReadConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.data.split.by_time import split_by_time
from pretune.errors import DataError, UsageError
from pretune.records import Example

TIME = SplitConfig(time="day")


def dated(count=200, *, days=1_000, seed=0):
    """Return unlike texts, two classes, in no order of their days."""
    generator = random.Random(seed)
    words = [f"w{number}" for number in range(500)]

    def row(number):
        day = (date(2020, 1, 1) + timedelta(days=generator.randrange(days))).isoformat()
        return Example(
            id=f"r:{number}", text=" ".join(generator.choices(words, k=12)), label="ab"[number % 2], extra={"day": day}
        )

    return tuple(row(number) for number in range(count))


def test_training_is_older_than_validation_and_the_test_is_newest():
    rows = dated()
    found = split_by_time(rows, TIME)
    train, validation, test = ([row.extra["day"] for row in part] for part in (found.train, found.validation, found.test))
    assert max(train) < min(validation)
    assert max(validation) < min(test)
    assert [len(part) / len(rows) for part in (validation, test)] == pytest.approx([0.15, 0.15], abs=0.02)
    assert len(train) + len(validation) + len(test) == len(rows)
    assert found.seed is None
    assert (
        found.notes[0]
        == f"divided by 'day': training to {max(train)!r}, validation to {max(validation)!r}, test to {max(test)!r}"
    )


def test_rows_of_one_day_stay_together():
    found = split_by_time(dated(days=10), TIME)
    days = [{row.extra["day"] for row in part} for part in (found.train, found.validation, found.test)]
    assert len(set.union(*days)) == sum(map(len, days))


def test_a_text_that_comes_again_later_is_taken_out_of_training():
    rows = sorted(dated(), key=lambda row: row.extra["day"])
    rows[-1] = Example(id="again", text=rows[0].text.upper(), label=rows[0].label, extra=rows[-1].extra)
    found = split_by_time(rows, TIME)
    assert found.removed == (rows[0].id,)
    assert "again" in {row.id for row in found.test}


def test_a_group_that_comes_again_later_is_taken_out_of_training():
    rows = [Example(id=row.id, text=row.text, label=row.label, extra=row.extra, group="one") if number in (0, 199) else row
            for number, row in enumerate(sorted(dated(), key=lambda row: row.extra["day"]))]  # fmt: skip
    assert split_by_time(rows, TIME).removed == (rows[0].id,)


def test_years_and_running_numbers_are_moments_where_the_column_is_named():
    rows = [
        Example(id=row.id, text=row.text, label=row.label, extra={"day": str(number)}) for number, row in enumerate(dated())
    ]
    assert min(int(row.extra["day"]) for row in split_by_time(rows, TIME).test) == 170


def test_rows_without_a_date_are_left_out_and_counted():
    rows = [*dated(), Example(id="undated", text="some other words here", label="a", extra={"day": ""})]
    found = split_by_time(rows, TIME)
    assert found.removed == ("undated",)
    assert "1 rows without a date are left out" in found.notes


@pytest.mark.parametrize(
    ("column", "said"), [("when", "is not there; the others are 'day'"), ("day", "holds no dates, such as 'noon'")]
)  # fmt: skip
def test_a_column_without_dates_is_refused(column, said):
    rows = [Example(id=row.id, text=row.text, label=row.label, extra={"day": "noon"}) for row in dated()]
    with pytest.raises(DataError, match=said):
        split_by_time(rows, SplitConfig(time=column))


def test_too_few_moments_are_refused():
    with pytest.raises(DataError, match="2 different moments"):
        split_by_time(dated(days=2), TIME)


def test_a_class_that_comes_only_later_is_named():
    rows = sorted(dated(), key=lambda row: row.extra["day"])
    rows[-1] = Example(id="new", text="something new", label="c", extra=rows[-1].extra)
    with pytest.raises(DataError, match="the class 'c' comes first in validation or test"):
        split_by_time(rows, TIME)


def test_time_does_not_go_with_given_splits_or_repair(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label,day\n" + "".join(f"{row.text},{row.label},{row.extra['day']}\n" for row in dated()))
    with pytest.raises(UsageError, match="--time with --validation or --test"):
        prepare(str(path), ReadConfig(), TIME, given={"test": str(path)})
    with pytest.raises(UsageError, match="--repair and --time"):
        SplitConfig(time="day", repair=True)
    assert "divided by 'day'" in " ".join(prepare(str(path), ReadConfig(), TIME).receipt.notes)

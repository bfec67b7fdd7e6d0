"""Repair: is what it changes right, on record with ids, and counted?"""

import random
from dataclasses import replace

import pytest

from pretune.configs import ReadConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.data.split.divide import split_examples
from pretune.data.split.repair import divide_repaired, drop_conflicts
from pretune.errors import UsageError
from pretune.records import Example

WORDS = [f"w{number}" for number in range(500)]


def rows(count=400, *, films=0, seed=0):
    """Return unlike texts; with films, the reviews of each film share their label nine times out of ten."""
    generator = random.Random(seed)
    liked = [generator.random() < 0.5 for _ in range(films)]

    def row(number):
        film = generator.randrange(films) if films else 0
        good = (liked[film] if generator.random() < 0.9 else generator.random() < 0.5) if films else number % 2 == 0
        extra = {"film": f"film {film}"} if films else {}
        text = " ".join(generator.choices(WORDS, k=15))
        return Example(id=f"r:{number}", text=text, label="good" if good else "bad", extra=extra)

    return [row(number) for number in range(count)]


def divide(parts):
    return split_examples(parts["data"], SplitConfig())


def ids_of(splits):
    return {name: [row.id for row in getattr(splits, name)] for name in ("train", "validation", "test")}


def test_rows_of_a_hidden_group_end_on_one_side_and_none_is_lost():
    given = tuple(rows(600, films=120))
    splits, repairs = divide_repaired({"data": given}, divide)
    assert [repair.what for repair in repairs] == ["regrouped"]
    films = [{row.extra["film"] for row in getattr(splits, name)} for name in ("train", "validation", "test")]
    assert not films[0] & films[1]
    assert not films[0] & films[2]
    assert not films[1] & films[2]
    assert sorted(id for ids in ids_of(splits).values() for id in ids) == sorted(row.id for row in given)
    before = ids_of(divide({"data": given}))
    after = ids_of(splits)
    moved = {id for name in after for id in set(after[name]) - set(before[name])}
    assert set(repairs[0].ids) == moved


def test_groups_that_say_nothing_of_the_label_leave_the_split_as_it_was():
    generator = random.Random(0)
    given = tuple(replace(row, extra={"film": f"film {generator.randrange(120)}"}) for row in rows(600))
    splits, repairs = divide_repaired({"data": given}, divide)
    assert repairs == ()
    assert ids_of(splits) == ids_of(divide({"data": given}))


def test_a_declared_group_is_not_replaced():
    given = tuple(replace(row, group=f"author {n // 2}") for n, row in enumerate(rows(600, films=120)))
    _, repairs = divide_repaired({"data": given}, divide)
    assert repairs == ()


def conflicting(labels, *, first="r:1000"):
    """Return one text under these labels."""
    number = int(first.split(":")[1])
    return [
        Example(id=f"r:{number + n}", text="The same WORDS" if n % 2 else "the same words", label=x)
        for n, x in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "dropped"),
    [(("good", "good", "bad"), {"r:1002"}), (("good", "bad"), {"r:1000", "r:1001"}), (("good",) * 3, set())],
)
def test_the_minority_label_of_a_text_is_dropped_and_both_on_a_tie(labels, dropped):
    given = (*rows(400), *conflicting(labels))
    splits = split_examples(given, SplitConfig())
    where = next(name for name in ("train", "validation", "test") if any(row.id == "r:1000" for row in getattr(splits, name)))
    assert where != "test", "choose another seed: this test is about training and validation"
    repaired, repair = drop_conflicts(splits)
    assert set(repair.ids if repair else ()) == dropped
    left = [row.id for name in ("train", "validation", "test") for row in getattr(repaired, name)]
    assert sorted([*left, *repaired.removed]) == sorted(row.id for row in given)
    sizes = {item.name: item.num_rows for item in repaired.receipts}
    assert sizes == {name: len(ids) for name, ids in ids_of(repaired).items()}
    assert [item.labels for item in repaired.conflicts] == []


def test_the_test_keeps_its_conflicts():
    given = rows(400)
    splits = split_examples(given, SplitConfig())
    pair = tuple(conflicting(("good", "bad")))
    spoiled = replace(splits, test=(*splits.test, *pair))
    repaired, repair = drop_conflicts(spoiled)
    assert (repaired.test, repair) == (spoiled.test, None)


def test_a_repair_that_would_lose_a_class_is_not_made():
    splits = split_examples(rows(400), SplitConfig())
    pair = (Example(id="x:1", text="so", label="rare"), Example(id="x:2", text="SO", label="good"))
    spoiled = replace(splits, train=(*splits.train, *pair))
    assert drop_conflicts(spoiled) == (spoiled, None)


def test_the_receipt_accounts_for_every_row():
    given = [*rows(400), *conflicting(("good", "bad", "good"))]
    table = [{"text": row.text, "label": row.label} for row in given]
    data = prepare(table, ReadConfig(text=("text",), label="label"), SplitConfig(repair=True))
    receipt = data.receipt
    assert receipt.num_used == 403
    assert sum(item.num_rows for item in receipt.splits) + receipt.num_removed == 403
    assert sum(len(repair.ids) for repair in receipt.repairs if repair.what == "conflicts dropped") == receipt.num_removed == 1
    assert receipt.conflicts == ()


def test_leaks_cannot_be_kept_and_repaired():
    with pytest.raises(UsageError, match="--repair and --keep-leaks"):
        SplitConfig(repair=True, keep_leaks=True)

"""Splits: stratified, seeded, and nothing that belongs together on two sides."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pretune.configs import SplitConfig
from pretune.data.alike.duplicates import find_duplicates
from pretune.data.split.divide import NAMES, Splits, keep_given, split_examples, split_validation
from pretune.errors import DataError
from pretune.hashing import fold
from pretune.records import Example

SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"


def make_rows(num_rows: int, *, seed: int = 0, name: str = "rows", share: float = 0.5) -> list[Example]:
    """Return rows of 12 words, of which none is near another; ``share`` of them are ``good``."""
    rng = random.Random(f"{name} {seed}")
    texts = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(12)) for _ in range(num_rows)]
    labels = ["good" if row < share * num_rows else "bad" for row in range(num_rows)]
    return [
        Example(id=f"{name}:{row}", text=text, label=label) for row, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]


def parts_of(splits: Splits) -> dict[str, tuple[Example, ...]]:
    return {name: getattr(splits, name) for name in NAMES}


def names_of(splits: Splits) -> dict[str, str]:
    """Return the split of each text."""
    return {row.text: name for name, rows in parts_of(splits).items() for row in rows}


def assert_apart(splits: Splits) -> None:
    """No cluster of (near-)duplicates and no group is in two splits."""
    rows = [(name, row) for name, part in parts_of(splits).items() for row in part]
    component = find_duplicates([row.text for _, row in rows], threshold=0.8).component.tolist()
    for keys in (component, [row.group or row.id for _, row in rows]):
        owners: dict[object, set[str]] = {}
        for key, (name, _) in zip(keys, rows, strict=True):
            owners.setdefault(key, set()).add(name)
        assert all(len(names) == 1 for names in owners.values())


def with_copies(rows: Sequence[Example], rng: random.Random) -> list[Example]:
    """Add, for every fourth row, a copy in capitals and one with a word more."""
    exact = [replace(row, id=f"{row.id}-exact", text=row.text.upper()) for row in rows[::4]]
    near = [replace(row, id=f"{row.id}-near", text=f"{row.text} more") for row in rows[::4]]
    return rng.sample([*rows, *exact, *near], len(rows) + len(exact) + len(near))


@pytest.mark.parametrize("share", [0.5, 0.12])
def test_each_class_is_divided_70_15_15(share: float) -> None:
    splits = split_examples(make_rows(1_000, share=share))
    for name, part in (("train", 0.7), ("validation", 0.15), ("test", 0.15)):
        counts = Counter(row.label for row in getattr(splits, name))
        assert counts["good"] == pytest.approx(part * share * 1_000, abs=1)
        assert counts["bad"] == pytest.approx(part * (1 - share) * 1_000, abs=1)


def test_every_row_is_in_one_split() -> None:
    rows = with_copies(make_rows(300), random.Random(0))
    splits = split_examples(rows)
    assert sorted(row.id for part in parts_of(splits).values() for row in part) == sorted(row.id for row in rows)


def test_duplicates_and_near_duplicates_stay_on_one_side() -> None:
    splits = split_examples(with_copies(make_rows(300), random.Random(0)))
    assert (splits.num_exact_duplicates, splits.num_near_duplicates) == (75, 75)
    assert_apart(splits)


def test_groups_stay_on_one_side_and_sizes_stay_near() -> None:
    rows = [replace(row, group=f"film {number % 60}") for number, row in enumerate(make_rows(600))]
    splits = split_examples(rows)
    assert_apart(splits)
    assert [len(part) for part in parts_of(splits).values()] == pytest.approx([420, 90, 90], abs=15)


def test_a_group_ties_the_duplicates_of_its_rows() -> None:
    rows = make_rows(60)
    rows[0], rows[1] = replace(rows[0], group="g"), replace(rows[1], group="g")
    rows.append(replace(rows[1], id="copy", group="h"))
    rows[2] = replace(rows[2], group="h")
    names = names_of(split_examples(rows))
    assert len({names[row.text] for row in rows[:3]}) == 1


def test_large_groups_leave_every_class_in_every_split() -> None:
    """Each class has one group of 98 % of its rows, and two small ones."""
    rows = [replace(row, group=f"{row.label}-{max(number % 100 - 97, 0)}") for number, row in enumerate(make_rows(200))]
    splits = split_examples(rows)
    assert all({row.label for row in part} == {"good", "bad"} for part in parts_of(splits).values())
    assert_apart(splits)
    assert any("instead of 15.0%" in note for note in splits.notes)


def test_three_rows_of_a_class_are_enough() -> None:
    splits = split_examples(make_rows(103, share=3 / 103))
    assert [Counter(row.label for row in part)["good"] for part in parts_of(splits).values()] == [1, 1, 1]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_data_and_seed_give_the_same_split(seed: int) -> None:
    rows = with_copies(make_rows(200), random.Random(0))
    assert split_examples(rows, SplitConfig(seed=seed)) == split_examples(rows, SplitConfig(seed=seed))


def test_the_split_depends_on_texts_not_on_their_order_or_ids() -> None:
    rows = with_copies(make_rows(200), random.Random(0))
    moved = [replace(row, id=f"other:{number}") for number, row in enumerate(reversed(rows))]
    assert names_of(split_examples(moved)) == names_of(split_examples(rows))


def test_another_seed_gives_another_split() -> None:
    rows = make_rows(200)
    assert names_of(split_examples(rows, SplitConfig(seed=1))) != names_of(split_examples(rows))


def test_a_few_added_rows_move_few_others() -> None:
    rows = make_rows(1_000)
    before, after = names_of(split_examples(rows)), names_of(split_examples([*rows, *make_rows(20, name="added")]))
    assert sum(before[row.text] != after[row.text] for row in rows) < 20


def test_one_text_under_two_labels_is_counted_and_shown() -> None:
    rows = make_rows(60)
    rows.append(replace(rows[0], id="again", text=rows[0].text.upper(), label="bad"))
    (conflict,) = split_examples(rows).conflicts
    assert (conflict.text, conflict.ids, conflict.labels) == (rows[0].text, ("rows:0", "again"), ("bad", "good"))


@pytest.mark.parametrize("num_rare", [1, 2])
def test_a_class_too_small_to_divide_is_an_error_that_names_it(num_rare: int) -> None:
    rows = make_rows(60) + [replace(row, label="rare") for row in make_rows(num_rare, name="rare")]
    with pytest.raises(DataError, match=f"'rare' \\({num_rare} rows, {num_rare} that can be separated\\)"):
        split_examples(rows)


def test_repeats_do_not_make_a_class_large_enough() -> None:
    rows = make_rows(60) + [replace(make_rows(1)[0], id=f"r{number}", text="the same", label="rare") for number in range(9)]
    with pytest.raises(DataError, match="9 rows, 1 that can be separated"):
        split_examples(rows)


def test_one_class_only_is_an_error() -> None:
    with pytest.raises(DataError, match="all 20 rows have the label 'good'"):
        split_examples(make_rows(20, share=1))


def test_texts_without_labels_are_divided_too() -> None:
    splits = split_examples([replace(row, label=None) for row in make_rows(100)])
    assert [len(part) for part in parts_of(splits).values()] == [70, 15, 15]


def test_receipts_say_what_each_split_holds() -> None:
    splits = split_examples(make_rows(200))
    assert [receipt.name for receipt in splits.receipts] == list(NAMES)
    assert splits.receipts[2].labels == {"bad": 15, "good": 15}
    assert len({receipt.digest for receipt in splits.receipts}) == 3


def given_with_leaks() -> tuple[list[Example], list[Example], list[Example]]:
    """Return three splits: train has 3 rows of test (one twice) and a near one, validation has 1 of train and 1 of test."""
    train, validation, test = make_rows(100, name="train"), make_rows(40, name="validation"), make_rows(40, name="test")
    train += [replace(test[row], id=f"train:t{row}", text=test[row].text.upper()) for row in (0, 1, 39)]
    train += [replace(test[0], id="train:t0-again"), replace(test[5], id="train:near", text=f"{test[5].text} more")]
    validation += [replace(train[9], id="validation:9"), replace(test[20], id="validation:t20")]
    return train, validation, test


def test_what_given_splits_share_is_counted() -> None:
    shared = {(item.first, item.second): item for item in keep_given(*given_with_leaks()).shared}
    assert list(shared) == [("train", "validation"), ("train", "test"), ("validation", "test")]
    counts = {pair: (item.num_exact, item.num_exact_rows, item.num_near_rows) for pair, item in shared.items()}
    assert list(counts.values()) == [(1, 1, 0), (3, 4, 1), (1, 1, 0)]
    assert shared["train", "test"].removed == ("train:t0", "train:t1", "train:t39", "train:t0-again", "train:near")


def test_shared_rows_are_taken_out_of_training_and_validation_never_out_of_the_test() -> None:
    train, validation, test = given_with_leaks()
    splits = keep_given(train, validation, test)
    assert splits.test == tuple(test)
    assert {row.id for row in validation} - {row.id for row in splits.validation} == {"validation:t20"}
    assert len(splits.train) == 105 - 6
    assert len(splits.removed) == 7
    assert_apart(splits)


def test_shared_rows_are_kept_when_asked_and_still_counted() -> None:
    train, validation, test = given_with_leaks()
    splits = keep_given(train, validation, test, SplitConfig(keep_leaks=True))
    assert (splits.train, splits.validation) == (tuple(train), tuple(validation))
    assert [item.num_exact for item in splits.shared] == [1, 3, 1]
    assert splits.removed == splits.shared[1].removed == ()


def test_a_group_on_two_given_sides_is_a_leak() -> None:
    """Films 58 and 59 are on both sides; rows shared as a text too count once."""
    train = [replace(row, group=f"film {number}") for number, row in enumerate(make_rows(60, name="train"))]
    test = [replace(row, group=f"film {number + 58}") for number, row in enumerate(make_rows(40, name="test"))]
    train.append(replace(test[3], id="train:copy", group="film 58"))
    train.append(replace(test[4], id="train:near", text=f"{test[4].text} more", group="film 59"))
    (shared,) = keep_given(train, None, test).shared
    assert (shared.num_exact_rows, shared.num_near_rows, shared.num_group_rows) == (1, 1, 2)
    assert shared.removed == ("train:58", "train:59", "train:copy", "train:near")


def test_a_missing_validation_is_carved_out_of_training() -> None:
    train, _, test = given_with_leaks()
    splits = keep_given(train, None, test)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (84, 16, 40)  # 7.5 of each class, rounded up
    assert splits.seed == 0
    assert_apart(splits)


def test_a_missing_test_is_carved_out_of_training() -> None:
    splits = keep_given(make_rows(100, name="train"), make_rows(20, name="validation"), None)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (84, 20, 16)  # 7.5 of each class, rounded up


def test_validation_alone_can_be_held_out() -> None:
    rows = with_copies(make_rows(200), random.Random(0))
    train, validation, _ = split_validation(rows)
    assert sorted(row.id for row in train + validation) == sorted(row.id for row in rows)
    assert len(validation) == pytest.approx(45, abs=2)
    assert not {fold(row.text) for row in train} & {fold(row.text) for row in validation}


def test_splits_all_given_have_no_seed() -> None:
    assert keep_given(*given_with_leaks()).seed is None


def test_the_same_file_given_twice_is_an_error() -> None:
    rows = make_rows(60)
    with pytest.raises(DataError, match="nothing is left of train: 60 rows were given"):
        keep_given(rows, None, rows)


def test_a_class_that_training_lacks_is_an_error() -> None:
    test = [replace(row, label="Good") for row in make_rows(30, name="test")]
    with pytest.raises(DataError, match="test has the class 'Good', which training does not have"):
        keep_given(make_rows(60), None, test)


def test_a_class_that_the_test_lacks_is_noted() -> None:
    splits = keep_given(make_rows(60), None, make_rows(30, name="test", share=0))
    assert "test has no row of 'good'" in splits.notes


@pytest.mark.shared
def test_the_official_imdb_halves_share_123_texts() -> None:
    """All texts, exact part only: near-duplicates of 50,000 reviews take 15 seconds."""
    halves = [SHARED_DATA / f"imdb_{name}.jsonl.gz" for name in ("train", "test")]
    if not all(path.exists() for path in halves):
        pytest.skip(f"needs {SHARED_DATA}/imdb_*.jsonl.gz, which is not part of the repository")
    train, test = (read_labels(path) for path in halves)
    common = train.keys() & test.keys()
    assert len(common) == 123
    sample = [make_half(half, {*common, *list(half)[::50]}) for half in (train, test)]
    assert keep_given(sample[0], None, sample[1]).shared[0].num_exact == 123


def read_labels(path: Path) -> dict[str, str]:
    """Return the label of each folded text."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return {fold(row["text"]): row["label"] for row in map(json.loads, file)}


def make_half(labels: dict[str, str], texts: set[str]) -> list[Example]:
    return [Example(id=str(number), text=text, label=labels[text]) for number, text in enumerate(sorted(texts))]


def templated(num_groups=None):
    """Rows of two templates that differ in a number only; dealt into groups where asked for."""
    words = {"app": "app", "bill": "bill"}
    return tuple(
        Example(
            id=f"{label} {number}",
            text=f"Ticket number {number} is about the {word} and it is still open with us",
            label=label,
            group=None if num_groups is None else f"{number % num_groups}",
        )
        for label, word in words.items()
        for number in range(60)
    )


def test_texts_that_differ_in_a_number_only_are_refused_with_the_ways_out():
    with pytest.raises(DataError, match=r"--group COL.*--keep-leaks"):
        split_examples(templated())


def test_rows_that_choose_an_epoch_are_held_out_of_templated_texts_too_and_that_is_said():
    train, validation, notes = split_validation(templated())
    assert (len(train), len(validation)) == (102, 18)
    assert len(notes) == 1
    assert "validation holds near copies of training rows" in notes[0]


@pytest.mark.parametrize(
    ("rows", "config", "why"),
    [(templated(), SplitConfig(keep_leaks=True), "--keep-leaks"), (templated(12), SplitConfig(), "the groups")],
)
def test_both_ways_out_divide_near_copies_and_say_so(rows, config, why):
    found = split_examples(rows, config)
    assert len(found.train) + len(found.validation) + len(found.test) == 120
    assert any(f"split by {why}" in note and "may flatter" in note for note in found.notes)
    groups = [{row.group for row in part} for part in (found.train, found.validation, found.test)]
    assert rows[0].group is None or not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])


def test_a_given_test_of_the_same_template_leaves_validation_to_be_carved_out_when_leaks_are_kept():
    rows = templated()
    found = keep_given(rows[::2], None, rows[1::2], SplitConfig(keep_leaks=True))
    assert len(found.test) == 60
    assert len(found.validation) > 0


def test_keeping_leaks_divides_rows_that_can_be_separated_as_ever(separable_rows):
    rows = tuple(Example(id=str(index), text=text, label=label) for index, (text, label) in enumerate(separable_rows(120)))
    assert split_examples(rows, SplitConfig(keep_leaks=True)).receipts == split_examples(rows).receipts

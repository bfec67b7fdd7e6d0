"""The trainings of a proof: which rows they see, and where a model came from."""

from collections import Counter

import pytest

from pretune.records import Example
from pretune.run.origin import origin_of, stages_before
from pretune.tasks.classify.prove import choose_rows


def rows(number=1_000, share=0.1):
    return [Example(id=str(n), text=f"text {n}", label="rare" if n % 10 < 10 * share else "usual") for n in range(number)]


@pytest.mark.parametrize("number", [10, 100, 500])
def test_classes_keep_their_shares(number):
    found = Counter(row.label for row in choose_rows(rows(), number, 0))
    assert found["rare"] == pytest.approx(0.1 * number, abs=1)
    assert sum(found.values()) == number


def test_the_first_row_of_a_rare_class_is_always_there():
    few = [Example(id=str(n), text="t", label="rare" if n == 700 else "usual") for n in range(1_000)]
    assert "rare" in {row.label for row in choose_rows(few, 100, 3)}


def test_fewer_rows_lie_in_more_rows_and_another_seed_takes_others():
    small, large, other = (
        {row.id for row in choose_rows(rows(), number, seed)} for number, seed in ((100, 1), (500, 1), (100, 2))
    )
    assert small < large
    assert small != other


def test_all_rows_are_all_rows_in_their_order():
    assert choose_rows(rows(30), 30, 5) == tuple(rows(30))


def test_a_folder_of_no_run_has_no_origin(tmp_path):
    assert origin_of(str(tmp_path)) is None
    assert origin_of("minilm") is None
    assert stages_before("minilm") == []

"""Places: a run, a model and data are told apart, and whoever mixes them up hears which is which."""

import pytest

from pretune.errors import DataError, ModelLoadError, UsageError
from pretune.models.names import check_name
from pretune.tasks.places import require_data, require_order, require_run


def test_a_run_or_a_model_is_not_taken_for_data(finetuned):
    with pytest.raises(DataError, match="is a run, not data"):
        require_data(str(finetuned))
    with pytest.raises(DataError, match="is a model folder, not data"):
        require_data(str(finetuned / "model"))


def test_data_of_any_kind_is_let_through(tmp_path, write_csv):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "trace.jsonl").write_text('{"text": "a"}\n')  # the name of a run's file alone makes no run
    require_data(str(write_csv([("a", "b")])), str(tmp_path / "texts"), "movie-reviews", None)


def test_a_run_and_data_in_the_wrong_order_are_told_apart(finetuned, write_csv):
    path = write_csv([("a", "b")])
    require_order(str(finetuned), str(path))
    with pytest.raises(UsageError, match="RUN first, then DATA") as caught:
        require_order(str(path), str(finetuned))
    assert caught.value.fix == f"`pretune evaluate {finetuned} {path}`"


def test_of_a_folder_of_runs_its_runs_are_named(finetuned):
    with pytest.raises(UsageError, match="a folder of runs") as caught:
        require_run(finetuned.parent)
    assert str(finetuned) in caught.value.fix


@pytest.mark.parametrize("name", ["./nosuch", "/no/such", "~/nosuch", "runs/nosuch", "a/b/c", "minlm"])
def test_a_name_that_no_model_has_is_refused_without_asking_a_hub(name):
    with pytest.raises(ModelLoadError):
        check_name(name)


@pytest.mark.parametrize("name", ["minilm", "smollm2", "org/name"])
def test_a_name_that_a_model_may_have_is_let_through(name):
    check_name(name)

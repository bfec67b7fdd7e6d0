"""Places: a run, a model and data are told apart, and whoever mixes them up hears which is which."""

import subprocess
from dataclasses import replace

import pytest
from running import python

from pretune.errors import DataError, ModelLoadError, UsageError
from pretune.models.names import check_name
from pretune.run import RunFolder
from pretune.tasks.places import require_data, require_order, require_run, require_start


def test_a_run_or_a_model_is_not_taken_for_data(finetuned):
    with pytest.raises(DataError, match="is a run, not data"):
        require_data(str(finetuned))
    with pytest.raises(DataError, match="is a model folder, not data"):
        require_data(str(finetuned / "model"))


def test_data_of_any_kind_is_let_through(tmp_path, write_csv):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "trace.jsonl").write_text('{"text": "a"}\n')  # the name of a run's file alone makes no run
    assert require_data(str(write_csv([("a", "b")])), str(tmp_path / "texts"), "movie-reviews", None) is None


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


def test_beside_a_mistyped_run_the_near_one_is_named(finetuned):
    with pytest.raises(UsageError) as caught:
        require_run(f"{finetuned}s")
    assert caught.value.got == f"{finetuned}s is not there"
    assert caught.value.fix == f"did you mean {finetuned}?"


@pytest.mark.parametrize("name", ["./nosuch", "/no/such", "~/nosuch", "runs/nosuch", "a/b/c", "minlm"])
def test_a_name_that_no_model_has_is_refused_without_asking_a_hub(name):
    with pytest.raises(ModelLoadError):
        check_name(name)


@pytest.mark.parametrize("name", ["minilm", "smollm2", "org/name"])
def test_a_name_that_a_model_may_have_is_let_through(name):
    assert check_name(name) is None


@pytest.fixture
def begun(finetuned):
    """A run that was cut off."""
    folder = RunFolder(finetuned)
    folder.write_record(replace(folder.read_record(), status="started"))
    return finetuned


def test_a_run_that_was_cut_off_is_no_model_to_start_from(begun):
    with pytest.raises(ModelLoadError, match="was cut off before training ended") as caught:
        require_start(str(begun))
    assert "run its command again" in caught.value.fix


def test_a_causal_model_is_refused_where_a_classifier_is_to_be_made_and_before_anything_is_read():
    require_start("smollm2")
    require_start("minilm", for_classes=True)
    with pytest.raises(ModelLoadError, match="causal"):
        require_start("smollm2", for_classes=True)


def test_a_run_that_another_process_is_training_was_not_cut_off(begun):
    hold = f"import sys; from pathlib import Path; from pretune.run import RunFolder; run = RunFolder(Path({str(begun)!r}))"
    code = f"{hold}; run.hold(); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(python("-c", code), stdin=-1, stdout=-1, text=True) as process:
        process.stdout.readline()
        with pytest.raises(UsageError, match="another process is at its training") as caught:
            require_run(begun)
        process.stdin.close()
    assert caught.value.fix == "wait until it ends"
    with pytest.raises(UsageError, match="was cut off"):
        require_run(begun)


def test_looking_at_a_run_writes_no_lock(begun, monkeypatch, tmp_path):
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="was cut off"):
        require_run(begun)
    assert not (tmp_path / "nowhere").exists()

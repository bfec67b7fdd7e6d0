"""Imports: does ``import pretune`` stay light, and does the command line answer at once?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"numpy", "scipy", "sklearn", "torch", "transformers", "tokenizers", "safetensors", "rich", "typer", "jinja2", "pandas"}
MAX_IMPORT_SECONDS = 0.15  # the promise of the README; the interpreter's own start is not counted
MAX_HELP_SECONDS = 0.4  # the whole process, of a processor: the wall clock of a busy machine measures the others' work
NUM_TRIES = 5  # the best of them

MEASURE_IMPORT = """
import json, sys, time
start = time.process_time()
import pretune
print(json.dumps([time.process_time() - start, pretune.__file__, *sys.modules]))
"""


def test_import_pretune_loads_no_heavy_package():
    _, _, *modules = json.loads(run_python("-c", MEASURE_IMPORT))
    assert HEAVY & set(modules) == set()


def test_import_pretune_is_fast():
    seconds = min(json.loads(run_python("-c", MEASURE_IMPORT))[0] for _ in range(NUM_TRIES))
    assert seconds < MAX_IMPORT_SECONDS


def test_help_is_fast():
    assert min(time_help() for _ in range(NUM_TRIES)) < MAX_HELP_SECONDS


def test_help_loads_no_torch():
    code = "import sys; sys.argv[1:] = ['--help']; import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    shown = run_python("-c", f"{code}\nfrom pretune.cli.app import main; main()", stderr=True)
    assert {"torch", "transformers", "sklearn"} & set(shown.split()) == set()


MISTYPED = [
    ["check", "nosuch.csv"],
    ["review", "runs/nosuch"],
    ["check", "there.csv", "--test", "nosuch.csv"],
    ["run", "nosuch.csv"],
    ["run", "there.csv", "--model", "runs/nosuch"],
    ["run", "there.csv", "--model", "minlm"],
    ["run", "there.csv", "--policy", "nosuch.toml"],
    ["run", "there.csv", "--config", "nosuch.toml"],
    ["run", "there.csv", "--pretrain", "nosuch.txt"],
    ["finetune", "nosuch.csv"],
    ["finetune", "there.csv", "--validation", "nosuch.csv"],
    ["judge", "nosuch"],
    ["judge", "nosuch", "--recompute"],
    ["evaluate", "nosuch", "there.csv"],
    ["predict", "nosuch", "a text"],
    ["predict", "nosuch", "--file", "there.csv"],
    ["chat", "runs/nosuch"],
    ["serve", "runs/nosuch"],
    ["export", "runs/nosuch"],
    ["trace", "nosuch", "a text"],
    ["trace", "runs/nosuch", "--mask", "a [MASK]"],
    ["compare", "nosuch", "other"],
    ["audit", "nosuch.csv"],
    ["audit", "there.csv", "--against", "nosuch.csv"],
    ["audit", "there.csv", "--policy", "nosuch.toml"],
    ["pretrain", "nosuch.txt"],
    ["pretrain", "there.csv", "--keep-out", "nosuch.csv"],
    ["pretrain", "there.csv", "--model", "./nosuch"],
    ["models", "nosuch"],
    ["datasets", "nosuch"],
    ["plan", "--accuracy", "0.9", "--policy", "nosuch"],
    ["report", "nosuch"],
    ["watch", "nosuch", "there.csv"],
    ["learn", "nosuch"],
    ["practice", "nosuch"],
    ["explain", "recall", "nosuch"],
    ["verify", "nosuch"],
    ["view", "runs/nosuch"],
    ["push", "runs/nosuch", "me/model"],
    ["dossier", "runs/nosuch"],
]
TYPE = """
import sys, atexit
atexit.register(lambda: print(*sys.modules))
from pretune.cli.app import main
main()
"""


@pytest.mark.parametrize("words", MISTYPED, ids=" ".join)
def test_a_mistyped_name_is_refused_before_anything_heavy_is_loaded(words, tmp_path):
    """Nine seconds of loading torch before "there is no such file" are nine seconds of the user."""
    (tmp_path / "there.csv").write_text("text,label\na,b\n")
    ended = subprocess.run([sys.executable, "-c", TYPE, *words], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 2
    assert {"torch", "transformers", "sklearn"} & set(ended.stdout.split()) == set()
    assert "nosuch" in ended.stderr or "minlm" in ended.stderr


NAMED = {
    "column": ["--text", "nosuch"],
    "label column": ["--label", "nosuch"],
    "positive class": ["--positive", "nosuch"],
    "model of the hub": ["--model", "nosuch/name"],
}


@pytest.mark.parametrize("flags", NAMED.values(), ids=list(NAMED))
def test_what_the_data_or_the_hub_lacks_is_refused_before_torch_is_loaded(flags, tmp_path):
    (tmp_path / "there.csv").write_text("text,label\n" + "".join(f"text {index},{'ab'[index % 2]}\n" for index in range(60)))
    words = ["finetune", "there.csv", *flags]
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    ended = subprocess.run(
        [sys.executable, "-c", TYPE, *words], capture_output=True, text=True, cwd=tmp_path, check=False, env=offline
    )
    assert ended.returncode == 2
    assert "nosuch" in ended.stderr
    assert {"torch", "transformers"} & set(ended.stdout.split()) == set()
    assert not (tmp_path / "runs").exists()


def test_every_command_is_tried_with_a_mistyped_name():
    from pretune.cli.commands import COMMANDS

    assert {words[0] for words in MISTYPED} == {command.__name__ for command in COMMANDS} - {"selftest"}  # it takes no name


def test_verifying_loads_no_torch(tmp_path):
    (tmp_path / "digests.txt").write_text("")
    ended = subprocess.run([sys.executable, "-c", TYPE, "verify", str(tmp_path)], capture_output=True, text=True, check=False)
    assert "1 file, everything as written" in ended.stdout
    assert {"torch", "transformers"} & set(ended.stdout.split()) == set()


def test_practising_loads_no_torch(judged):
    ended = subprocess.run(
        [sys.executable, "-c", TYPE, "practice", str(judged), "--json"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0
    assert {"torch", "transformers", "sklearn"} & set(ended.stdout.split()) == set()


def test_checking_loads_no_torch(write_csv):
    path = write_csv([(f"text {index} {'ab'[index % 2]}", "ab"[index % 2]) for index in range(60)])
    ended = subprocess.run(
        [sys.executable, "-c", TYPE, "check", str(path), "--quiet"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0
    assert {"torch", "transformers"} & set(ended.stdout.split()) == set()


@pytest.mark.parametrize("name", ["load_data", "load_pretrained_model", "load_model", "TextClassifier", "judge"])
def test_a_public_name_is_there_before_anything_heavy_is_loaded(name):
    code = f"import sys, pretune; assert {name!r} in dir(pretune); print('torch' in sys.modules)"
    assert run_python("-c", code).strip() == "False"


def test_a_name_that_does_not_exist_is_an_attribute_error_as_everywhere():
    code = "import pretune\ntry: pretune.load_dta\nexcept AttributeError as error: print(error)"
    assert "load_dta" in run_python("-c", code)


def time_help() -> float:
    """Return the processor seconds that ``pretune --help`` takes, start to end."""
    command = Path(sys.executable).with_name("pretune")
    if not command.exists():
        pytest.skip("pretune is not installed in this environment (make setup does)")
    start = os.times()
    subprocess.run([command, "--help"], check=True, capture_output=True)
    end = os.times()
    return end.children_user + end.children_system - start.children_user - start.children_system


def run_python(*arguments: str, stderr: bool = False) -> str:
    """Run this Python on the arguments and return what it printed."""
    # Where pytest got the package by PYTHONPATH or a coverage hook, the child gets it too.
    result = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=dict(os.environ))
    return result.stderr if stderr else result.stdout


def test_checking_conversations_loads_no_torch(write_csv):
    path = write_csv([(f"what is {place * 7}?", f"it is {place}") for place in range(40)], columns=("prompt", "response"))
    shown = subprocess.run(
        [sys.executable, "-c", TYPE, "check", str(path), "--quiet"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert {"torch", "transformers"} & set(shown.stdout.splitlines()[-1].split()) == set()


def test_a_model_that_is_only_talked_with_loads_no_scikit_learn():
    assert run_python("-c", "import sys, pretune.tasks.converse.speaker; print('sklearn' in sys.modules)").strip() == "False"

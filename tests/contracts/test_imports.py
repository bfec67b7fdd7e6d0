"""Imports: does ``import pretune`` stay light, and does the command line answer at once?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"numpy", "scipy", "sklearn", "torch", "transformers", "tokenizers", "safetensors", "rich", "typer", "jinja2", "pandas"}
MAX_IMPORT_SECONDS = 0.15  # the promise of the README; the interpreter's own start is not counted
MAX_HELP_SECONDS = 0.3  # the whole process, of a processor: the wall clock of a busy machine measures the others' work
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

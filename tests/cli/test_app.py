"""The command line as a whole: exit codes, one message an error, what is loaded when."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import typer.main
from running import call, learning_flags, python, read_strictly

from pretune.cli import app
from pretune.cli.app import _run
from pretune.cli.commands import COMMANDS
from pretune.errors import CatalogError, DataError, DivergedError, PretuneError, StorageError, UsageError

NAMES = [command.__name__ for command in COMMANDS]
ENDS = [
    (UsageError("got it", expected="another", fix="do so"), 2),
    (DataError("got it", expected="another", fix="do so"), 2),
    (CatalogError("got it", expected="another", fix="do so"), 2),
    (StorageError("got it", expected="another", fix="do so"), 4),
    (DivergedError(step=3, rows=("a:1",), loss=float("nan"), norm=1.0), 5),
]


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """Return ``fail(error)``, after which ``pretune check`` ends with that error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").touch()

    def fail(error: BaseException) -> None:
        def check_data(*_arguments):
            raise error

        monkeypatch.setattr("pretune.tasks.classify.check.check_data", check_data)

    return fail


@pytest.mark.parametrize(("error", "code"), ENDS, ids=[type(error).__name__ for error, _ in ENDS])
def test_an_error_is_one_message_and_its_exit_code(error, code, failing, capsys):
    failing(error)
    assert call("check", "x.csv") == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"pretune: {error}\n"
    assert "Traceback" not in err


@pytest.mark.parametrize(("error", "code"), ENDS, ids=[type(error).__name__ for error, _ in ENDS])
def test_with_json_an_error_is_one_object(error, code, failing, capsys):
    failing(error)
    assert call("check", "x.csv", "--json") == code
    out, err = capsys.readouterr()
    assert read_strictly(out)["error"] == error.to_json()
    assert set(error.to_json()) == {"code", "got", "expected", "fix"}
    assert err == ""


def test_with_debug_the_traceback_is_shown_as_well(failing, capsys):
    failing(UsageError("got it"))
    assert call("check", "x.csv", "--debug") == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("pretune: got it\n")


def test_what_stands_behind_two_dashes_is_no_flag(capsys, monkeypatch):
    monkeypatch.setattr("pretune.tasks.classify.predict.open_answering", lambda *_: (_ for _ in ()).throw(UsageError("got it")))
    assert call("predict", "x", "--", "--json") == 2
    assert capsys.readouterr() == ("", "pretune: got it\n")


def test_an_interrupt_is_130_and_says_that_nothing_is_lost(failing, capsys):
    failing(KeyboardInterrupt())
    assert call("check", "x.csv") == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_error_of_the_system_is_a_storage_error(failing, capsys):
    failing(PermissionError(13, "Permission denied", "/there"))
    assert call("check", "x.csv") == 4
    assert "/there" in capsys.readouterr().err


def test_a_broken_pipe_to_another_place_than_a_standard_stream_is_a_storage_error(failing, capsys):
    """``typer`` would leave with 1, which is a verdict; so is 0."""
    failing(BrokenPipeError(32, "Broken pipe"))
    assert call("check", "x.csv") == 4
    assert "Broken pipe" in capsys.readouterr().err


class Panic(BaseException):
    """What libraries written in Rust raise: no ``Exception``."""


CRASHES = [
    (ZeroDivisionError("a bug"), "internal"),
    (RecursionError("too deep"), "internal"),
    (Panic("index out of bounds"), "internal"),
    (AssertionError(), "internal"),
    (SystemExit(1), "internal"),
    (StopIteration(), "internal"),
    (UnicodeEncodeError("ascii", "é", 0, 1, "no"), "internal"),
    (MemoryError(), "memory"),
    (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "memory"),
    (OSError(12, "Cannot allocate memory"), "memory"),
]


@pytest.mark.parametrize(("error", "code"), CRASHES, ids=lambda value: type(value).__name__)
def test_a_crash_is_one_message_with_a_code_of_its_own_and_never_the_code_of_a_verdict(error, code, failing, capsys):
    failing(error)
    assert call("check", "x.csv") == 70
    out, err = capsys.readouterr()
    assert (out, "Traceback" in err) == ("", False)
    assert err.startswith("pretune: ")
    assert call("check", "x.csv", "--json") == 70
    out, err = capsys.readouterr()
    assert (read_strictly(out)["error"]["code"], err) == (code, "")


def test_a_crash_names_its_kind_and_with_debug_shows_the_traceback(failing, capsys):
    failing(ZeroDivisionError("a bug"))
    assert call("check", "x.csv", "--debug") == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ZeroDivisionError: a bug" in err.partition("pretune: ")[2]


def test_a_full_standard_output_is_a_storage_error():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(python("-m", "pretune", "datasets"), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 4
    assert ended.stderr.startswith("pretune: ")
    assert "No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_number_of_processes_that_is_none_is_wrong_usage(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "many")
    assert call("check", "x.csv") == 2
    assert "WORLD_SIZE" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["rnu"],
        ["run"],
        ["run", "x.csv", "--bogus"],
        ["run", "x.csv", "--epochs", "many"],
        ["run", "x.csv", "y.csv"],
        ["trace", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_with_one_message(arguments, capsys):
    assert _run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pretune: ")
    assert "--help" in err
    assert _run([*arguments, "--json"]) == 2
    assert read_strictly(capsys.readouterr().out)["error"]["code"] == "usage"


def test_an_unknown_command_suggests_the_near_one(capsys):
    _run(["rnu"])
    assert "'run'" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys):
    assert _run([]) == 2
    assert "Commands" in "".join(capsys.readouterr())


def test_help_lists_every_command(capsys):
    assert _run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in NAMES if f" {name} " not in shown] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_json_and_debug(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert _run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert "--debug" in shown


def test_main_leaves_with_the_exit_code(monkeypatch):
    monkeypatch.setattr("sys.argv", ["pretune", "models", "--json"])
    with pytest.raises(SystemExit) as caught:
        app.main()
    assert caught.value.code == 0


def test_help_loads_no_torch():
    script = "import sys; from pretune.cli.app import _run; _run(['run', '--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run(python("-c", script), capture_output=True, check=False).returncode == 0


def test_every_error_of_pretune_has_an_exit_code_of_the_documentation():
    kinds, waiting = [], [PretuneError]
    while waiting:
        kinds.append(waiting.pop())
        waiting += kinds[-1].__subclasses__()
    assert {kind.exit_code for kind in kinds} == {2, 4, 5, 6, 70, 130}


LOADING = """
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "pretune.cli.settings":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from pretune.__main__ import main
main()
"""


def test_ctrl_c_while_the_command_line_is_loading_is_one_line():
    ended = subprocess.run(python("-c", LOADING), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "pretune: interrupted\n")


def test_ctrl_c_in_training_leaves_a_run_that_the_same_command_takes_up(tiny_checkpoint, workplace):
    command = ["-m", "pretune", "run", "reviews.csv", *learning_flags(tiny_checkpoint("bert"), epochs=10_000)]
    command += ["--set", "finetune.patience=10000", "--json"]
    with subprocess.Popen(python(*command), stdout=-1, stderr=-1, text=True, cwd=workplace) as process:
        run = workplace / "runs"
        while process.poll() is None and not any('"step"' in file.read_text() for file in run.glob("*/trace.jsonl")):
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert read_strictly(out)["error"]["code"] == "interrupted"
    (folder,) = run.iterdir()
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["verdict"]) == ("started", None)
    assert not (folder / "model").exists()


def test_the_documentation_lists_every_command_and_flag_and_no_other():
    found = typer.main.get_command(app.app).commands
    flags = {name for command in found.values() for option in command.params for name in option.opts if name[:2] == "--"}
    root = Path(__file__).parents[2]
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`pretune ([a-z]+)", text)) == set(found)
    assert (
        set(re.findall(r"--[a-z][a-z0-9-]+", text)) - {"--help", "--nproc-per-node", "--version"} == flags
    )  # the last but one is torchrun's
    assert set(re.findall(r"--[a-z][a-z-]+", (root / "README.md").read_text(encoding="utf-8"))) <= flags


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "5000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_threads_that_wait_soon_sleep_unless_the_user_says_otherwise(given, expected):
    script = "import os, sys\nfrom pretune import __main__\nsys.argv = ['pretune', '--version']\ntry: __main__.main()\n"
    script += "except SystemExit: print(os.environ.get('GOMP_SPINCOUNT'))"
    bare = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(python("-c", script), env=bare | given, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == expected


def test_an_unknown_encoding_is_refused_where_columns_are_named_as_well(write_csv, capsys):
    assert call("check", write_csv([("a film", "good")]), "--encoding", "cost", "--label", "1e308") == 2
    assert "there is no text encoding 'cost'" in capsys.readouterr().err

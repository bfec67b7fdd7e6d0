"""A home that may not be written: what only reads the ledger works, what has to write there says where and what to do."""

import json
from pathlib import Path

import pytest
from running import call

from pretune.data.seal.ledger import record_opening, verify
from pretune.errors import StorageError
from pretune.storage.room import refused

ROWS = [f"text number {row}" for row in range(40)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A ledger of one opening whose folder refuses new files and every writing handle."""
    record_opening(ROWS, run="runs/a", purpose="judge")
    opened = Path.open

    def refuse(path, mode="r", *arguments, **options):
        if path.is_relative_to(tmp_path / "pretune-home") and set(mode) & set("wax+"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    return tmp_path / "pretune-home"


@pytest.mark.usefixtures("home")
def test_the_ledger_is_read_where_it_may_not_be_written():
    assert [entry.run for entry in verify()] == ["runs/a"]


@pytest.mark.usefixtures("home")
def test_an_opening_that_cannot_be_counted_is_refused_and_the_fix_names_the_variable():
    with pytest.raises(StorageError, match="PRETUNE_HOME=FOLDER"):
        record_opening(ROWS, run="runs/a", purpose="judge")


def test_a_place_of_the_users_own_gets_no_such_advice(tmp_path):
    assert "PRETUNE" not in refused(PermissionError(13, "Permission denied"), tmp_path / "runs").fix


@pytest.mark.usefixtures("home")
def test_an_audit_works_beside_a_home_that_may_not_be_written(write_csv, capsys):
    path = write_csv(
        [(text, "ab"[row % 2], "ab"[row % 2]) for row, text in enumerate(ROWS)], columns=("text", "label", "predicted")
    )
    assert call("audit", path, "--json") in (0, 1, 3)
    assert json.loads(capsys.readouterr().out)["verdict"]["outcome"]


@pytest.mark.usefixtures("home")
def test_an_audit_that_has_to_be_counted_does_not(write_csv, capsys):
    path = write_csv(
        [(text, "ab"[row % 2], "ab"[row % 2]) for row, text in enumerate(ROWS)], columns=("text", "label", "predicted")
    )
    assert call("audit", path, "--sealed", "--json") == 4
    assert "PRETUNE_HOME" in json.loads(capsys.readouterr().out)["error"]["fix"]

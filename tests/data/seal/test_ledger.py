"""The ledger: every opening counts, whoever opens and whatever happens in between."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from pretune.data.seal.chain import LedgerEntry
from pretune.data.seal.ledger import acknowledge, count_earlier, record_opening, verify
from pretune.errors import DataError, LedgerError, StorageError
from pretune.hashing import fingerprint
from pretune.intervals import confidence_at

ROWS = [f"text number {row}" for row in range(200)]
OTHERS = [f"other row {row}" for row in range(200)]


def open_rows(texts: list[str], run: str = "run", copy: Path | None = None) -> int:
    """Return the look."""
    return record_opening(texts, run=run, purpose="test", copy=copy).look


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "pretune-home"  # where conftest puts PRETUNE_HOME


def test_the_second_opening_of_the_same_rows_is_the_second_look() -> None:
    assert [open_rows(ROWS), open_rows(ROWS), open_rows(ROWS)] == [1, 2, 3]


@pytest.mark.parametrize(
    "texts",
    [
        ROWS[1:],  # one dropped
        [*ROWS, *OTHERS[:100]],  # a hundred added
        ROWS[::-1],  # another order, as another seed gives
        [text.upper() + " " for text in ROWS],  # case and spacing
        [*ROWS[:10], *OTHERS[:190]],  # exactly 5 %
        ROWS[:3],  # a few of them
    ],
    ids=["dropped", "added", "order", "case", "share", "few"],
)
def test_nearly_the_same_rows_are_counted_in_another_run(texts: list[str]) -> None:
    open_rows(ROWS, run="runs/one")
    assert open_rows(texts, run="elsewhere/two") == 2


@pytest.mark.parametrize("texts", [OTHERS, [*ROWS[:9], *OTHERS[:191]]], ids=["others", "4.5 %"])
def test_other_rows_are_a_first_look(texts: list[str]) -> None:
    open_rows(ROWS)
    assert open_rows(texts) == 1


def test_only_the_openings_that_share_rows_count() -> None:
    looks = [open_rows(ROWS[:100]), open_rows(ROWS[100:]), open_rows(OTHERS), open_rows(ROWS), open_rows(ROWS[:100])]
    assert looks == [1, 1, 1, 3, 3]


def test_rows_opened_in_small_pieces_add_up() -> None:
    for start in range(0, 200, 8):  # 4 % each
        assert open_rows(ROWS[start : start + 8], run=f"piece {start}") == 1
    assert open_rows(ROWS) == 2
    for start in range(0, 200, 8):
        open_rows(ROWS[start : start + 8])
    assert open_rows(ROWS) == 4  # the pieces twice, and once as a whole


def test_pieces_of_less_than_five_per_cent_together_are_no_look() -> None:
    open_rows([*ROWS[:5], *OTHERS[:100]])
    open_rows(ROWS[3:9])
    assert open_rows(ROWS) == 1  # 9 of 200
    open_rows(OTHERS[:1] + ROWS[9:10])
    assert count_earlier(of(ROWS), [of(ROWS[:5]), of(ROWS[3:9]), of(ROWS[9:10])]) == 1  # 10 of 200


def of(texts: list[str]) -> NDArray[np.uint64]:
    return np.unique(np.array([int(fingerprint(text), 16) for text in texts], dtype=np.uint64))


@given(st.lists(st.sets(st.integers(0, 59), min_size=1), max_size=12), st.integers(1, 60))
def test_no_opening_makes_the_looks_fewer_and_the_union_always_counts(pieces: list[set[int]], num_rows: int) -> None:
    rows = np.arange(num_rows, dtype=np.uint64)
    earlier = [np.array(sorted(piece), dtype=np.uint64) for piece in pieces]
    counts = [count_earlier(rows, earlier[:end]) for end in range(len(earlier) + 1)]
    assert counts == sorted(counts)
    alone = sum(np.isin(rows, piece).mean() >= 0.05 for piece in earlier)  # what counted before pieces did
    times = sum((np.isin(rows, piece).astype(int) for piece in earlier), np.zeros(num_rows, int))
    often = max((k for k in range(1, 13) if (times >= k).mean() >= 0.05), default=0)
    assert counts[-1] >= max(alone, often)


def test_the_entry_says_who_when_why_and_what() -> None:
    entry = record_opening([*ROWS, ROWS[0]], run="runs/a", purpose="judge", num_models=2)
    assert (entry.index, entry.run, entry.purpose, entry.num_rows, entry.num_models) == (1, "runs/a", "judge", 201, 2)
    assert entry.time.endswith("+00:00")
    assert verify() == (entry,)


def test_only_an_opening_that_nothing_vouches_for_is_the_first_known() -> None:
    first, other = (record_opening(texts, run="r", purpose="p") for texts in (ROWS, OTHERS))
    assert (first.first_known, other.first_known) == (True, False)


def test_the_side_file_holds_eight_bytes_a_row(home: Path) -> None:
    open_rows(ROWS)
    (side,) = (home / "ledger.rows").iterdir()
    assert side.stat().st_size == 8 * 200


def test_confidence_tightens_with_looks_and_models() -> None:
    assert confidence_at(1) == 0.95
    assert confidence_at(2) == pytest.approx(1 - 0.05 / 4)
    assert confidence_at(3, num_models=2) == pytest.approx(1 - 0.05 / 18)


@pytest.mark.parametrize(("texts", "num_models"), [([], 1), (ROWS, 0)])
def test_nothing_to_open_is_an_error(texts: list[str], num_models: int) -> None:
    with pytest.raises(DataError):
        record_opening(texts, run="r", purpose="p", num_models=num_models)


def edit(home: Path, change: Callable[[list[str]], list[str]]) -> None:
    path = home / "ledger.jsonl"
    path.write_text("".join(line + "\n" for line in change(path.read_text().splitlines())))


def rewrite_second(lines: list[str]) -> list[str]:
    """Change the second entry and give it the hash that fits; the third still names the old one."""
    entry = replace(LedgerEntry.from_json(json.loads(lines[1])), purpose="changed").sealed()
    return [lines[0], json.dumps(entry.to_json()), lines[2]]


DAMAGES = {
    "rewritten": (lambda home: edit(home, rewrite_second), "line 3 .* does not follow line 2"),
    "edited": (
        lambda home: edit(home, lambda x: [x[0], x[1].replace('"num_models": 1', '"num_models": 2'), x[2]]),
        "line 2 .* was edited",
    ),
    "not json": (lambda home: edit(home, lambda x: [x[0], "{", x[2]]), "line 2 .* was edited"),
    "bytes": (lambda home: (home / "ledger.jsonl").write_bytes(b"\xff\xfe\n"), "line 1 .* was edited"),
    "gap": (lambda home: edit(home, lambda x: [x[0], x[2]]), "line 2 .* does not follow line 1"),
    "order": (lambda home: edit(home, lambda x: [x[0], x[2], x[1]]), "does not follow"),
    "head of file cut": (lambda home: edit(home, lambda x: x[1:]), "line 1 .* does not follow"),
    "tail cut": (lambda home: edit(home, lambda x: x[:2]), "has 2 entries"),
    "tail torn": (lambda home: (home / "ledger.jsonl").write_text((home / "ledger.jsonl").read_text()[:-9]), "has 2 entries"),
    "file lost": (lambda home: (home / "ledger.jsonl").unlink(), "has 0 entries"),
    "head lost": (lambda home: (home / "ledger.head.json").unlink(), "head.json is missing"),
    "file and head lost": (
        lambda home: ((home / "ledger.head.json").unlink(), (home / "ledger.jsonl").unlink()),
        "head.json is missing",
    ),
    "head edited": (lambda home: (home / "ledger.head.json").write_text('{"num_entries": 1, "hash": "0"}'), "its head names"),
    "head garbled": (lambda home: (home / "ledger.head.json").write_text("[]"), "head.json was edited"),
    "rows lost": (lambda home: next((home / "ledger.rows").iterdir()).unlink(), "is missing"),
    "rows changed": (lambda home: next((home / "ledger.rows").iterdir()).write_bytes(b"12345678"), "was changed"),
}


@pytest.fixture(params=DAMAGES)
def damaged(request: pytest.FixtureRequest, home: Path) -> str:
    """Make three openings, damage the ledger, return what the error must say."""
    for run in "abc":
        open_rows(ROWS, run=run)
    damage, message = DAMAGES[request.param]
    damage(home)
    return message


def test_damage_is_an_error_that_says_what_and_where_and_nothing_is_opened(damaged: str, home: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with pytest.raises(LedgerError, match=damaged):
        verify()
    with pytest.raises(LedgerError, match=damaged) as caught:
        open_rows(ROWS)
    assert "acknowledge" in caught.value.fix
    assert caught.value.exit_code == 4
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("damaged")
def test_acknowledging_damage_buys_no_look_unless_all_is_gone(request: pytest.FixtureRequest) -> None:
    acknowledge("disk failure")
    entry = record_opening(ROWS, run="d", purpose="after")
    is_gone = request.node.callspec.params["damaged"] == "file and head lost"
    assert (entry.look, entry.first_known) == ((1, True) if is_gone else (4, False))


def test_acknowledging_keeps_the_old_file_and_says_why(home: Path) -> None:
    open_rows(ROWS)
    old = (home / "ledger.jsonl").read_bytes()
    edit(home, lambda lines: [lines[0].replace("test", "best")])
    damaged = (home / "ledger.jsonl").read_bytes()
    acknowledge("moved disks")
    (aside,) = home.glob("ledger.aside-*.jsonl")
    assert aside.read_bytes() == damaged != old
    assert [entry.purpose for entry in verify()] == ["acknowledged: moved disks", "best"]


def test_a_run_remembers_openings_that_the_ledger_was_made_to_forget(home: Path, tmp_path: Path) -> None:
    """The whole chain is thrown away, consistently; the run's own list still counts."""
    copy = tmp_path / "run" / "data" / "openings.jsonl"
    assert [open_rows(ROWS, copy=copy), open_rows(ROWS, copy=copy)] == [1, 2]
    home.rename(tmp_path / "gone")
    third = record_opening(ROWS, run="r", purpose="p", copy=copy)
    assert (third.look, third.first_known) == (3, False)
    assert open_rows(ROWS, copy=copy) == 4


def test_an_opening_in_both_the_ledger_and_the_run_counts_once(tmp_path: Path) -> None:
    copy = tmp_path / "openings.jsonl"
    open_rows(ROWS, copy=copy)
    acknowledge("chained anew, with other hashes")
    assert open_rows(ROWS, copy=copy) == 2


def test_heads_that_runs_remember_reveal_a_ledger_cut_short_with_its_head(home: Path) -> None:
    heads = [record_opening(ROWS, run=run, purpose="p").hash for run in "ab"]
    edit(home, lambda lines: lines[:1])
    (home / "ledger.head.json").write_text(json.dumps({"num_entries": 1, "hash": heads[0]}))
    assert len(verify(heads[:1])) == 1
    with pytest.raises(LedgerError, match=f"lacks 1 openings that runs remember, such as {heads[1][:12]}"):
        verify(heads)


def test_an_acknowledged_loss_is_no_error_again_and_still_counts(home: Path) -> None:
    lost = record_opening(ROWS, run="a", purpose="p").hash
    home.rename(home.with_name("gone"))
    acknowledge("wiped", lost=[lost])
    assert [entry.lost for entry in verify([lost])] == [(lost,)]
    assert open_rows(ROWS) == 2


OPEN = """
import os, signal, sys, time
from pathlib import Path
from pretune.data.seal import seal
from pretune.records import Example
real = seal.record_opening
def record(*args, **options):
    entry = real(*args, **options)
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return entry
seal.record_opening = record
rows = [Example(id=str(row), text=f"text number {row}", label="a") for row in range(200)]
sealed = seal.Seal(rows)
Path(sys.argv[2]).touch()
while not Path(sys.argv[3]).exists():
    time.sleep(0.005)
for _ in range(3 if sys.argv[1] == "race" else 1):
    print(sealed.open(run=sys.argv[2], purpose="race").look)
"""


def start(mode: str, ready: Path, go: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN, mode, str(ready), str(go)]
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True)


def test_killing_the_process_before_it_gets_the_rows_does_not_buy_a_look(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.touch()
    process = start("kill", tmp_path / "ready", go)
    printed, _ = process.communicate(timeout=30)
    assert (process.returncode, printed) == (-signal.SIGKILL, "")
    assert open_rows(ROWS) == 2


@pytest.mark.parametrize("stop_at", ["write_head", "storage.append"])
def test_dying_in_between_leaves_a_ledger_that_goes_on(stop_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the entry the look is used up; before it nothing was opened."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    open_rows(ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(f"pretune.data.seal.ledger.{stop_at}", die)
        with pytest.raises(KeyboardInterrupt):
            open_rows(ROWS)
    assert open_rows(ROWS) == (3 if stop_at == "write_head" else 2)


def test_dying_before_the_first_entry_of_all_is_not_taken_for_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pretune.data.seal.ledger.storage.append", lambda *_: sys.exit(1))
        with pytest.raises(SystemExit):
            open_rows(ROWS)
    assert open_rows(ROWS) == 1


def test_two_processes_that_open_at_once_are_both_counted(tmp_path: Path) -> None:
    go, ready = tmp_path / "go", [tmp_path / "one", tmp_path / "two"]
    processes = [start("race", path, go) for path in ready]
    deadline = time.monotonic() + 30
    while not all(path.exists() for path in ready) and time.monotonic() < deadline:
        time.sleep(0.01)
    go.touch()
    looks = [int(look) for process in processes for look in process.communicate(timeout=30)[0].split()]
    assert sorted(looks) == [1, 2, 3, 4, 5, 6]
    assert len(verify()) == 6


def test_a_folder_that_cannot_be_written_is_a_storage_error(home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="pretune-home"):
        open_rows(ROWS)


def test_ten_large_openings_are_compared_in_no_time() -> None:
    texts = [f"row {row}" for row in range(25_000)]
    for _ in range(10):
        open_rows(texts)
    begin = time.process_time()
    assert open_rows(texts) == 11
    assert time.process_time() - begin < 2


def test_the_way_out_that_an_error_names_is_there(home: Path) -> None:
    open_rows(ROWS)
    (home / "ledger.head.json").unlink()
    with pytest.raises(LedgerError) as caught:
        verify()
    assert "from pretune.data.seal import ledger" in caught.value.fix
    exec(caught.value.fix.split('python -c "')[1].rstrip('"'), {})
    assert open_rows(ROWS) == 2

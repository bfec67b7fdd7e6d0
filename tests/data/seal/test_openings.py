"""A run's list of openings is read strictly: what is no entry as it was written is an error, but a torn last line is not."""

from contextlib import suppress

import pytest

from pretune.data.seal.ledger import record_opening
from pretune.data.seal.openings import read_openings
from pretune.errors import StorageError


@pytest.fixture
def path(tmp_path):
    for text in ("one film", "another film"):
        record_opening([text], run="x", purpose="judge", copy=tmp_path / "openings.jsonl")
    return tmp_path / "openings.jsonl"


def test_every_flipped_bit_of_every_line_is_found(path):
    data = path.read_bytes()
    known = read_openings(path)
    assert len(known) == 2
    for at in range(0, len(data), 7):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            path.write_bytes(changed)
            with suppress(StorageError):
                assert read_openings(path) == known, f"bit {bit} of byte {at} changes what is read"


def test_a_torn_last_line_is_dropped_and_a_shortened_list_is_found_by_its_head(path):
    known = read_openings(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert read_openings(path) == known[:1]
    with pytest.raises(StorageError, match="is missing"):
        read_openings(path, head=known[1].hash)
    path.unlink()
    assert read_openings(path) == ()
    with pytest.raises(StorageError):
        read_openings(path, head=known[0].hash)


def test_what_a_killed_opening_left_aside_is_swept_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "home"))
    left = tmp_path / "home" / "ledger.rows" / ".0123.u64.0a1b2c3d.aside"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    (tmp_path / "home" / "ledger.head.json").write_text('{"schema": 1, "num_entries": 0, "hash": "' + "0" * 64 + '"}')
    record_opening(["one film"], run="x", purpose="judge")
    assert not left.exists()

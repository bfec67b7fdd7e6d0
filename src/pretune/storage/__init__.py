"""All durable writing: ``replace`` is whole or absent, ``append`` is locked and flushed, a ``GrowingFile`` is resumed."""

from contextlib import AbstractContextManager
from pathlib import Path

from pretune.storage.asides import ASIDE, aside_folder, discard, remove, settle, sweep, sweep_tree
from pretune.storage.chained import append_chained, head_of, read_chained
from pretune.storage.digests import DIGESTS, check_digests, digests_of, is_sealed, is_signed, list_digests, sealed, sign
from pretune.storage.growing import GrowingFile
from pretune.storage.locks import is_locked, locked, locked_to_read, try_lock
from pretune.storage.reading import read_json, read_lines
from pretune.storage.room import cache_folder, check_room, data_folder, refused, say_bytes, storage_errors
from pretune.storage.writing import append, append_with, check_writable, make_folder, replace, replace_json

__all__ = [
    "ASIDE", "DIGESTS", "GrowingFile", "append", "append_chained", "append_with", "cache_folder", "check_digests",
    "check_room", "check_writable", "data_folder", "digests_of", "discard", "head_of", "is_locked", "is_sealed",
    "is_signed", "locked",
    "locked_to_read", "make_folder", "read_chained", "read_json",
    "read_lines", "refused", "remove", "replace", "replace_json", "say_bytes", "scratch", "sealed", "settle", "sign",
    "storage_errors", "sweep", "sweep_tree", "try_lock", "write_digests",
]  # fmt: skip


def write_digests(folder: Path) -> None:
    """List the SHA-256 of every file in the folder beside them, in ``digests.txt``."""
    replace(folder / DIGESTS, list_digests(folder))


def scratch(path: Path) -> AbstractContextManager[Path]:
    """Make an empty folder beside ``path`` for as long as the block runs; what a killed process leaves of it can be swept."""
    return aside_folder(path)

"""A GGUF file taken apart once: its plain weights and its tokenizer are kept on disk, and every later use reads these.

An entry is a folder, named by a digest of the file and of all that takes it apart. It is there whole or not at all, and is
compared with its digests whenever it is read. Deleting it costs half a minute and nothing else.
"""

import contextlib
import logging
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pretune import storage
from pretune.errors import ModelLoadError, StorageError
from pretune.hashing import digest_of, digest_of_file
from pretune.models.checkpoint import load_errors
from pretune.models.formats import gguf
from pretune.models.formats.splitting import SPLITTINGS
from pretune.models.quiet import quiet_transformers
from pretune.tokens.encode import uncut

logger = logging.getLogger(__name__)

FORM = 1  # counts the changes of how a file is taken apart which the versions below do not tell apart
ABOUT = "about.json"
MAX_ENTRIES = 3  # the one in use, and what other versions in use beside it have made


def read(file: Path, name: str) -> tuple[Any, Any]:
    """Return model and tokenizer, as ``gguf.read`` does and bit for bit the same.

    Args:
        file: The GGUF file.
        name: What the user called it, for messages.

    Raises:
        MissingPackageError: It was not taken apart before, and the ``gguf`` extra is not installed.
        ModelLoadError: transformers does not read it, or it splits text in a way that is not known.
        UsageError: pretune does not know this architecture.
    """
    entry = entry_of(file)
    found = _load(entry, name)
    if found is not None:
        return found
    try:
        with storage.locked(entry.parent / f".{entry.name}.lock"):
            return _load(entry, name) or _make(entry, file, name)
    except StorageError as error:  # a cache that cannot be written: then without
        logger.warning("%s is taken apart for this process alone: %s", name, error.got)
    return gguf.read(file, name)


def entry_of(file: Path) -> Path:
    """Return the folder in which a file's parts are kept."""
    ways = [[splitting.names, splitting.patterns, splitting.takes_words_whole] for splitting in SPLITTINGS]
    versions = [_version(package) for package in ("pretune", "transformers", "tokenizers", "gguf")]
    return storage.cache_folder() / "unpacked" / digest_of([FORM, digest_of_file(file), versions, ways])[:32]


def _make(entry: Path, file: Path, name: str) -> tuple[Any, Any]:
    """Take a file apart and keep it; return what was kept, or, where the disk refuses that, what was taken apart."""
    model, tokenizer = gguf.read(file, name)

    def fill(aside: Path) -> None:
        with quiet_transformers(), uncut(tokenizer.backend_tokenizer):
            model.save_pretrained(aside, max_shard_size="1000GB")
            tokenizer.save_pretrained(aside)
        about = {"model": model.config.name_or_path, "tokenizer": tokenizer.name_or_path}
        storage.replace_json(aside / ABOUT, about)
        storage.write_digests(aside)

    try:
        storage.replace(entry, fill)
    except StorageError as error:
        logger.warning("%s is taken apart, which the next command has to do again: %s", name, error.got)
        return model, tokenizer
    _trim(entry)
    return _load(entry, name) or (model, tokenizer)


def _load(entry: Path, name: str) -> tuple[Any, Any] | None:
    """Return what an entry holds, mapped into memory; ``None`` where there is none, or where it is not what was written."""
    if not entry.is_dir():
        return None
    try:
        storage.check_digests(entry)
        about = storage.read_json(entry / ABOUT)
        with load_errors(f"{name}: its plain form cannot be loaded", "what was written"):
            local = {"local_files_only": True, "trust_remote_code": False}
            model = AutoModelForCausalLM.from_pretrained(entry, dtype=torch.float32, use_safetensors=True, **local)
            tokenizer = AutoTokenizer.from_pretrained(entry, **local)
    except (StorageError, ModelLoadError) as error:
        logger.info("%s is taken apart again: %s", name, error.got)
        return None
    model.config.name_or_path, tokenizer.name_or_path = about["model"], about["tokenizer"]
    with contextlib.suppress(OSError):  # for ``_trim``; a cache that may only be read is fine
        os.utime(entry)
    return model, tokenizer


def _trim(kept: Path) -> None:
    """Drop the entries that were not used for longest."""
    others = [item for item in kept.parent.iterdir() if item.is_dir() and item != kept]
    for item in sorted(others, key=lambda item: item.stat().st_mtime, reverse=True)[MAX_ENTRIES - 1 :]:
        storage.remove(item)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

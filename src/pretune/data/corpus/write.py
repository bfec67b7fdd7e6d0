"""Write the kept documents, the sketch and the receipt into a folder that is put in place whole."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pretune import storage
from pretune.configs import CorpusConfig
from pretune.data.corpus.contamination import window_hashes
from pretune.data.corpus.corpus import RECEIPT, SKETCH
from pretune.data.corpus.draft import KEPT, Draft
from pretune.data.corpus.sketch import write_sketch
from pretune.data.corpus.spool import STARTS, TEXTS, SpoolWriter
from pretune.hashing import digest_of, digest_of_file
from pretune.records import CorpusReceipt

_ROWS = 4_096  # documents that are in memory at once


def write_corpus(draft: Draft, config: CorpusConfig, folder: Path) -> None:
    """Fill an empty folder with a corpus."""
    num_characters = _write_texts(draft, folder)
    sorting = draft.scratch / "sorting"
    sorting.mkdir()
    is_learned = (draft.fate == KEPT) & ~draft.is_held
    write_sketch(folder / SKETCH, window_hashes(draft.words(), is_learned), sorting)
    storage.replace_json(folder / RECEIPT, _receipt(draft, config, num_characters, folder).to_json())
    storage.write_digests(folder)


def _write_texts(draft: Draft, folder: Path) -> int:
    """Write the kept texts; return their characters."""
    num_characters = 0
    with SpoolWriter(folder / "train") as train, SpoolWriter(folder / "validation") as validation:
        for first in range(0, len(draft.spool), _ROWS):
            rows = slice(first, min(first + _ROWS, len(draft.spool)))
            data, sizes = _trimmed_block(draft, rows)
            is_kept, is_held = draft.fate[rows] == KEPT, draft.is_held[rows]
            for writer, wanted in ((train, is_kept & ~is_held), (validation, is_kept & is_held)):
                chosen = data[np.repeat(wanted, sizes)]
                writer.write_block(chosen.tobytes(), sizes[wanted].astype(np.uint64))
                num_characters += int(np.count_nonzero((chosen & 0xC0) != 0x80))  # bytes that begin a character
    return num_characters


def _trimmed_block(draft: Draft, rows: slice) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of documents without their boilerplate lines, end to end, and the length of each."""
    if not draft.is_trimmed[rows].any():
        data = np.frombuffer(draft.spool.block(rows.start, rows.stop), dtype=np.uint8)
        return data, np.diff(draft.spool.starts[rows.start : rows.stop + 1])
    parts = [
        (draft.lines.trim(text) if is_trimmed else text).encode("utf-8")
        for text, is_trimmed in zip(draft.spool.texts(rows.start, rows.stop), draft.is_trimmed[rows].tolist(), strict=True)
    ]
    return np.frombuffer(b"".join(parts), dtype=np.uint8), np.array(list(map(len, parts)), dtype=np.int64)


def _receipt(draft: Draft, config: CorpusConfig, num_characters: int, folder: Path) -> CorpusReceipt:
    names = [f"{split}{end}" for split in ("train", "validation") for end in (TEXTS, STARTS)]
    given = [file.file for file in draft.files if file.role == "validation"]
    return CorpusReceipt(
        name=draft.name,
        licence=draft.licence,
        files=draft.files,
        num_documents=draft.num_documents,
        num_characters=num_characters,
        num_words=int(draft.sizes[draft.fate == KEPT].sum(dtype=np.int64)),
        num_kept=draft.num_kept,
        num_validation=int(draft.is_held.sum()),
        dropped=draft.dropped(),
        changed=dict(draft.changed.most_common()),
        near_duplicates=draft.near,
        near_duplicate_threshold=config.near_duplicate_threshold,
        validation_from=", ".join(given) if given else "hash of the text",
        digest=digest_of([digest_of_file(folder / name) for name in names]),
        notes=tuple(draft.notes),
    )

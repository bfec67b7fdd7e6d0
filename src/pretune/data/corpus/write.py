"""Write: the kept documents, the sketch and the receipt, into a folder that is put in place whole."""

from pathlib import Path

import numpy as np

from pretune import storage
from pretune.configs import CorpusConfig
from pretune.data.corpus.contamination import window_hashes
from pretune.data.corpus.corpus import RECEIPT, SKETCH
from pretune.data.corpus.draft import KEPT, Draft
from pretune.data.corpus.spool import STARTS, TEXTS, SpoolWriter
from pretune.data.sketch import write_sketch
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
    num_characters = 0
    with SpoolWriter(folder / "train") as train, SpoolWriter(folder / "validation") as validation:
        for first in range(0, len(draft.spool), _ROWS):
            rows = range(first, min(first + _ROWS, len(draft.spool)))
            kept = draft.fate[rows.start : rows.stop] == KEPT
            texts = [
                draft.text(row, text)
                for row, text, is_kept in zip(rows, draft.spool.texts(rows.start, rows.stop), kept.tolist(), strict=True)
                if is_kept
            ]
            held = draft.is_held[rows.start : rows.stop][kept].tolist()
            train.write(text for text, is_held in zip(texts, held, strict=True) if not is_held)
            validation.write(text for text, is_held in zip(texts, held, strict=True) if is_held)
            num_characters += sum(map(len, texts))
    return num_characters


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

"""The receipt: what became of every row of every file."""

from pretune.configs import SplitConfig
from pretune.data.read.table import Table
from pretune.data.split.divide import Splits
from pretune.records import FileReceipt, Receipt


def receipt_of_splits(
    tables: dict[str, Table], files: tuple[FileReceipt, ...], divided: Splits, cleaned: dict[str, int], config: SplitConfig
) -> Receipt:
    """Return what became of every row of all files.

    Args:
        tables: By role, as they were read; their examples are not looked at.
        files: Their receipts.
        divided: The splits.
        cleaned: How many texts each kind of cleaning changed.
        config: How they were divided.
    """
    first = next(iter(tables.values()))
    return Receipt(
        source=first.source,
        files=files,
        columns=first.columns,
        licence=first.licence,
        num_rows=sum(file.num_rows for file in files),
        num_used=sum(file.num_used for file in files),
        num_rejected=sum(len(file.rejected) for file in files),
        num_filtered=sum(file.num_filtered for file in files),
        num_removed=len(divided.removed),
        num_cleaned=cleaned,
        num_exact_duplicates=divided.num_exact_duplicates,
        num_near_duplicates=divided.num_near_duplicates,
        near_duplicate_threshold=config.near_duplicate_threshold,
        are_near_copies_apart=divided.are_near_copies_apart,
        conflicts=divided.conflicts,
        shared=divided.shared,
        splits=divided.receipts,
        split_seed=divided.seed,
        notes=tuple(dict.fromkeys([note for table in tables.values() for note in table.notes] + list(divided.notes))),
    )

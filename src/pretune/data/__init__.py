"""Data: read, clean, find duplicates, split, seal."""

from pretune.data.alike.duplicates import Duplicates, find_duplicates
from pretune.data.arrays import as_texts, to_examples, to_training_data
from pretune.data.catalogue.entries import ENTRIES, Entry
from pretune.data.catalogue.fetch import fetch, find_entry, is_fetched, list_names, require_entry
from pretune.data.clean import clean_examples, clean_text
from pretune.data.dataset import Dataset, load_data, prepare
from pretune.data.labels.classes import align_labels, check_known
from pretune.data.labels.labels import check_labels
from pretune.data.read.path import read_table
from pretune.data.read.table import Table
from pretune.data.seal.chain import LedgerEntry
from pretune.data.seal.ledger import acknowledge, record_opening, verify
from pretune.data.seal.seal import Opening, Seal, TrainingData, seal_splits
from pretune.data.split.divide import Splits, keep_given, split_examples, split_validation

__all__ = [
    "ENTRIES",
    "Dataset",
    "Duplicates",
    "Entry",
    "LedgerEntry",
    "Opening",
    "Seal",
    "Splits",
    "Table",
    "TrainingData",
    "acknowledge",
    "align_labels",
    "as_texts",
    "check_known",
    "check_labels",
    "clean_examples",
    "clean_text",
    "fetch",
    "find_duplicates",
    "find_entry",
    "is_fetched",
    "keep_given",
    "list_names",
    "load_data",
    "prepare",
    "read_table",
    "record_opening",
    "require_entry",
    "seal_splits",
    "split_examples",
    "split_validation",
    "to_examples",
    "to_training_data",
    "verify",
]

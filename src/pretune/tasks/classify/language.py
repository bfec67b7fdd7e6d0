"""Language: was the vocabulary of a model made for the language of the texts?"""

from collections.abc import Iterable
from pathlib import Path

from pretune.data.catalogue.fetch import entry_folder, find_entry, is_fetched
from pretune.diagnose.texts import check_language
from pretune.records import Evidence, Severity, TokenizerFit
from pretune.tokens import fit_of_file

TOKENIZER = "tokenizer.json"


def fit_vocabulary(model: str, texts: Iterable[str]) -> TokenizerFit | None:
    """Return how a model's vocabulary takes texts; ``None`` where its files are not on this machine."""
    entry = find_entry(model)
    folder = Path(model)
    if not folder.is_dir():
        if entry is None or not is_fetched(entry):
            return None
        folder = entry_folder(entry)
    file = next((place for place in (folder / "model" / TOKENIZER, *sorted(folder.rglob(TOKENIZER))) if place.is_file()), None)
    return None if file is None else fit_of_file(file, texts)


def warn_of_language(model: str, texts: Iterable[str]) -> str:
    """Return what is wrong with a model's vocabulary for these texts, in words; empty where nothing is, or is known."""
    finding = check_language(Evidence(vocabulary=fit_vocabulary(model, texts)))
    return finding.summary if finding.severity is Severity.WARNING else ""

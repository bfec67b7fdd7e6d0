"""Verifying: is every file of a run, a model folder, a pre-training or a corpus as pretune wrote it? Changes nothing."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pretune import storage
from pretune.data.seal import ledger
from pretune.data.seal.chain import entries_file
from pretune.data.seal.openings import read_openings
from pretune.data.seal.seal import Seal
from pretune.errors import PretuneError, StorageError, UsageError
from pretune.evaluate.baselines import load_linear
from pretune.evaluate.encoder_linear import load_encoder_linear
from pretune.models.card import CARD, check_folder
from pretune.models.exported import read_export_card
from pretune.records import RunRecord, Verification
from pretune.run import UNFINISHED, RunFolder, compare_run
from pretune.run.exports import JUDGED
from pretune.tasks.classify.baselines import describe_void
from pretune.tasks.places import require_there

# What is no part of a run's answers, and what other checks of this file look at.
_OTHER = ("run.json", "trace.jsonl", "report.html", "README.md", "data/openings.jsonl")
SHOWN = ("judged", "pretrained")  # status of runs that have a report and a card
_STORES = re.compile(r"data/tokens\.\w+")


def verify(place: Path) -> Verification:
    """Compare every file of a place with the digest that pretune keeps of it.

    Args:
        place: A run folder, a model folder, a folder with a prepared corpus, or a folder with ``digests.txt``.

    Raises:
        UsageError: It is none of these.
    """
    require_there(place)
    if (place / "run.json").exists() or any((place / name).exists() for name in ("trace.jsonl", "predictions")):
        return _of_run(RunFolder(place))
    wrong, kind = list[str](), ""
    for kind_of, mark, check in _FOLDERS:
        if (place / mark).exists():
            kind = kind_of
            wrong += _told(place.name, lambda: check(place))  # noqa: B023
            break
    if not kind:
        raise UsageError(
            f"{place} is not a folder whose digests pretune keeps",
            expected="a run, a model folder or a corpus that pretune wrote",
            fix="name the folder that has run.json or pretune.json",
        )
    files = [file for file in place.rglob("*") if file.is_file()]
    return Verification(place=str(place), kind=kind, num_files=len(files), differences=tuple(wrong))


def _of_run(folder: RunFolder) -> Verification:
    wrong, notes = list[str](), list[str]()
    record = None
    try:
        record = folder.read_record()
    except StorageError as error:
        wrong.append(error.got.replace("\n", "; "))
    if record is not None:
        wrong += compare_run(folder, record)
        wrong += _of_parts(folder, record)
        wrong += _of_ledger(folder, record, notes)
        void = describe_void(folder) if not wrong else None
        notes += [void] if void else []
        notes += ["this run has not ended: files still to come have no digest yet"] if record.status in UNFINISHED else []
    files = [file.relative_to(folder.path).as_posix() for file in sorted(folder.path.rglob("*")) if file.is_file()]
    files = [name for name in files if not name.endswith(storage.ASIDE) and f"{storage.ASIDE}/" not in name]
    return Verification(
        place=str(folder.path),
        kind=record.task if record is not None else "damaged run",
        num_files=len(files),
        differences=tuple(dict.fromkeys(wrong)),
        notes=tuple(notes),
        no_digest=tuple(_without_digest(folder, record, files)) if record is not None else (),
    )


def _of_parts(folder: RunFolder, record: RunRecord) -> Iterator[str]:
    """Check what has a digest of its own."""
    heads = record.heads
    yield from _told("data/openings.jsonl", lambda: read_openings(folder.openings, head=heads.get("data/openings.jsonl", "")))
    for page in (folder.report, folder.card):
        is_signed = storage.is_signed(page.read_bytes()) if page.is_file() else None
        how = "was changed" if page.is_file() else "is missing"
        if is_signed is False or (is_signed is None and heads and record.status in SHOWN):
            yield f"{page.name} {how}: `pretune report {folder.path}` writes it again"
    if folder.model_card.is_file() and storage.is_signed(folder.model_card.read_bytes()) is False:
        yield f"model/{folder.model_card.name} was changed: `pretune report {folder.path}` writes it again"
    if folder.model.is_dir():
        is_vouched_for = any((folder.model / name).is_file() for name in (CARD, storage.DIGESTS))
        none = [f"model has no {CARD} and no {storage.DIGESTS}"]
        yield from _told("model", lambda: check_folder(folder.model)) if is_vouched_for else none
    elif record.status not in UNFINISHED:
        yield "model is missing: nothing can be predicted or judged; repeat the run"
    if folder.linear.is_dir():
        yield from _told("linear", lambda: load_linear(folder.linear, order="C"))
    if folder.encoder_linear.is_dir():
        yield from _told("encoder_linear", lambda: load_encoder_linear(folder.encoder_linear, order="C"))
    yield from _told("watch", lambda: storage.read_chained(folder.path / "watch" / "looks.jsonl"))
    if folder.sealed.is_file():
        yield from _told("data/test.sealed.jsonl", lambda: Seal.load(folder.sealed))
    for place in _exports(folder):
        yield from _told(f"export/{place.name}", lambda: read_export_card(place))  # noqa: B023
    for place in sorted(folder.path.glob("checkpoints/step-*")):
        yield from _told(f"checkpoints/{place.name}", lambda: storage.check_digests(place))  # noqa: B023
    if (folder.data / "corpus").is_dir():
        yield from _told("data/corpus", lambda: storage.check_digests(folder.data / "corpus"))
    for place in sorted(folder.data.glob("tokens.*")):
        yield from _told(f"data/{place.name}", lambda: _open_store(place))  # noqa: B023


def _of_ledger(folder: RunFolder, record: RunRecord, notes: list[str]) -> Iterator[str]:
    """Ask the ledger whether it has every opening that the run remembers."""
    try:
        known = [entry.hash for entry in read_openings(folder.openings)]
    except StorageError:
        return  # told above
    known += [record.ledger_head] if record.ledger_head else []
    if not entries_file().exists():
        notes += ["there is no ledger here to compare the run's openings with"] if known else []
        return
    yield from _told("the ledger", lambda: ledger.verify(known))


def _without_digest(folder: RunFolder, record: RunRecord, files: list[str]) -> Iterator[str]:
    """Yield the files that nothing vouches for: runs of earlier versions have some, and notes of the user."""
    pages = [page for page in (folder.report, folder.card, folder.model_card) if page.is_file()]
    signed = {page.relative_to(folder.path).as_posix() for page in pages if storage.is_signed(page.read_bytes())}
    is_sealed = json.loads((folder.path / "run.json").read_bytes()).get("schema") != 1
    own = {"data/openings.jsonl", *signed, *(["run.json"] if is_sealed else [])}
    own |= {"trace.jsonl"} if storage.head_of(folder.trace) else set()
    exports = (f"export/{place.name}/" for place in _exports(folder))
    vouched = ("checkpoints/step-", "data/corpus/", "watch/", *exports)  # of watch/, its chained looks; the rest follows
    for name in files:
        of_its_own = name.startswith(vouched) or _STORES.match(name)
        if name not in record.digests and name not in own and not of_its_own:
            yield name


def _exports(folder: RunFolder) -> list[Path]:
    """Return the folders of exported classifiers; those of chat models have no digests."""
    found = sorted(file.parent for file in folder.path.glob("export/*/export.json"))
    return [place for place in found if (place / JUDGED).is_file()]


def _open_store(place: Path) -> object:
    """Open packed tokens, which loads their library: few places have any."""
    from pretune.tokens import TokenStore

    return TokenStore.open(place)


def _told(name: str, check: Callable[[], object]) -> list[str]:
    try:
        check()
    except PretuneError as error:
        got = error.got.replace("\n", "; ")
        return [got if name in got else f"{name}: {got}"]
    return []


_FOLDERS: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    ("model", "pretune.json", check_folder),
    ("export", "export.json", read_export_card),
    ("linear model", "model.json", load_linear),
    ("linear model", "features.json", load_encoder_linear),
    ("files", storage.DIGESTS, storage.check_digests),
    ("corpus", "corpus", lambda place: storage.check_digests(place / "corpus")),
    ("tokens", "store.json", _open_store),
)

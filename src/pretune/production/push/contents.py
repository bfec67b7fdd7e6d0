"""Contents: which files of a run are shared, under which names, and what stays here unless it is asked for."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pretune import storage
from pretune.data.seal.learned import ABOUT, TEXTS
from pretune.errors import UsageError
from pretune.models.card import CARD, read_card
from pretune.records import RunRecord
from pretune.report.card.hub import render_model_card
from pretune.report.card.metadata import Origin
from pretune.run import RunFolder
from pretune.storage.digests import PAGE

# What is sent only if it is asked for → the files, and what they hold.
KINDS = {
    "report": (("report.html",), "texts of the test among its figures"),
    "predictions": (("predictions/*",), "ids, labels and answers of every row; of a chat model, texts"),
    "data": (("data/train.jsonl", "data/validation.jsonl"), "the rows that it learned from; never the sealed test"),
    "exports": (("export/**/*",), "other forms of the model, as `pretune export` wrote them"),
    "fingerprints": (
        (f"model/{TEXTS}", f"model/{ABOUT}"),
        "by which anyone who has a text can ask whether it was learned from",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One file that is sent.

    Args:
        name: In the repository.
        size: Bytes.
        file: Where it lies; ``None`` where ``content`` is all of it.
        content: Of a file that is made for sharing.
    """

    name: str
    size: int
    file: Path | None = None
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What is shared.

    Args:
        items: The files, by name.
        left_out: What stays here: its name in ``KINDS``, and what it holds.
    """

    items: tuple[Item, ...]
    left_out: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(item.size for item in self.items)


def choose_items(folder: RunFolder, record: RunRecord, origin: Origin, *, include: Iterable[str] = (), place: str) -> Shared:
    """Return what is shared of a run: the model, its card, and what is asked for besides.

    Args:
        folder: The run's.
        record: The run's.
        origin: What the metadata of the card say besides the record.
        include: Names in ``KINDS``.
        place: Id of the repository, for the examples of the card.

    Raises:
        UsageError: There is no such kind.
    """
    asked = tuple(dict.fromkeys(include))
    for name in asked:
        if name not in KINDS:
            raise UsageError(f"--include {name!r}", expected=f"one of {', '.join(KINDS)}, or several with commas")
    found = {item.name: item for item in _of_model(folder, with_fingerprints="fingerprints" in asked)}
    card = render_model_card(record, origin, place=place).encode()
    found[PAGE] = Item(name=PAGE, size=len(card), content=card)
    for name in asked:
        for pattern in KINDS[name][0]:
            if name != "fingerprints":
                files = (file for file in sorted(folder.path.glob(pattern)) if file.is_file())
                found |= {item.name: item for item in map(_item(folder.path), files)}
    left_out = {name: words for name, (patterns, words) in KINDS.items() if name not in asked and _has(folder, patterns)}
    return Shared(items=tuple(found[name] for name in sorted(found)), left_out=left_out)


def _has(folder: RunFolder, patterns: Iterable[str]) -> bool:
    return any(True for pattern in patterns for _ in folder.path.glob(pattern))


def _item(base: Path) -> Callable[[Path], Item]:
    return lambda file: Item(name=file.relative_to(base).as_posix(), size=file.stat().st_size, file=file)


def _of_model(folder: RunFolder, *, with_fingerprints: bool) -> Iterator[Item]:
    """Yield the files of the model folder; its lists of digests name no file that stays here."""
    left_out = () if with_fingerprints else (TEXTS, ABOUT)
    for file in sorted(item for item in folder.model.rglob("*") if item.is_file()):
        name = file.relative_to(folder.model).as_posix()
        if name in (*left_out, PAGE) or any(part.endswith(storage.ASIDE) for part in file.parts):
            continue
        content = None
        if name == CARD:
            content = _card_without(folder.model, left_out)
        elif name == storage.DIGESTS:
            content = _digests_without(file, left_out)
        yield Item(name=name, size=file.stat().st_size, file=file) if content is None else _made(name, content)


def _made(name: str, content: bytes) -> Item:
    return Item(name=name, size=len(content), content=content)


def _card_without(model: Path, names: Iterable[str]) -> bytes:
    """Return ``pretune.json`` without the digests of some files, and without a path of this machine."""
    card = read_card(model)
    base = Path(card.base_model).name if Path(card.base_model).is_dir() else card.base_model
    shown = replace(card, base_model=base, digests={name: value for name, value in card.digests.items() if name not in names})
    return (json.dumps(storage.sealed(shown.to_json()), indent=1, ensure_ascii=False) + "\n").encode()


def _digests_without(file: Path, names: Iterable[str]) -> bytes:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if line[66:].rstrip("\n") not in names).encode()

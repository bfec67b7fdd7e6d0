"""Control tokens: what a template writes is one, what a user writes is text, whatever it spells."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pretune.errors import ModelLoadError

# Stands inside control tokens that a content spells out while a template is applied; the first that no content has is taken.
# Characters of private use: no text of a language has them.
_MARKS = [chr(code) for code in range(0xF8FF, 0xE000, -1)]
_NOTHING = re.compile("(?!)")


@dataclass(frozen=True, slots=True)
class Marked:
    """A conversation's contents whose spelled-out control tokens are broken by ``mark``; ``None`` where there are none."""

    contents: tuple[str, ...]
    mark: str | None = None


class ControlTokens:
    """The tokens that only a template may write.

    Args:
        ids: Each token as it is written, and its id.
        unknown_id: The id of what the vocabulary does not have: text may become it, so it parts nothing.
    """

    def __init__(self, ids: dict[str, int], *, unknown_id: int | None) -> None:
        self.ids = ids
        longest = sorted(ids, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest))) if ids else _NOTHING
        parting = [name for name in longest if ids[name] != unknown_id]
        self._parting = re.compile("|".join(map(re.escape, parting))) if parting else _NOTHING
        self.parting_ids = frozenset(ids[name] for name in parting)

    def mark(self, contents: Sequence[str]) -> Marked:
        """Break the control tokens that contents spell out, so that a template's own can be told from them."""
        if not any(self._pattern.search(content) for content in contents):
            return Marked(tuple(contents))
        mark = _unused(contents)
        return Marked(tuple(self._pattern.sub(lambda found: mark.join(found[0]), content) for content in contents), mark)

    def parts(self, rendered: str) -> tuple[int, str]:
        """Return how many control tokens part a text, and what stands from the last of them on."""
        count, last = 0, 0
        for found in self._parting.finditer(rendered):
            count, last = count + 1, found.start()
        return count, rendered[last:]

    def replaced(self, rendered: str, names: dict[str, str]) -> str:
        """Return a text with other names for the control tokens in it."""
        return self._pattern.sub(lambda found: names[found[0]], rendered)


def _unused(contents: Sequence[str]) -> str:
    found = next((mark for mark in _MARKS if not any(mark in content for content in contents)), None)
    if found is None:  # all 6,399 of them: a text made to have them
        raise ModelLoadError(
            "a text holds control tokens, and every character of private use",
            expected="text",
            fix="leave out this row",
        )
    return found


class SpelledOut:
    """A second tokenizer that knows control tokens by secret names only, so that their usual spelling is text to it.

    Leaving them unmatched is not enough: the vocabulary may hold them as pieces that plain text can become.

    Args:
        backend: The tokenizer.
        control: Its control tokens.
    """

    def __init__(self, backend: Any, control: ControlTokens) -> None:
        secret = secrets.token_hex(8)  # what a text cannot know, it cannot spell
        self._control = control
        self._names = {name: f"\ue000{secret}{number}\ue000" for number, name in enumerate(control.ids)}
        self.backend = type(backend).from_str(json.dumps(_renamed(json.loads(backend.to_str()), self._names)))
        for name, number in control.ids.items():
            if self.backend.token_to_id(self._names[name]) != number:
                raise ModelLoadError(
                    f"the tokenizer's control token {name!r} cannot be told from text",
                    expected=f"the same id ({number}) under another name",
                    fix="use a model with another tokenizer, or leave out the rows that spell control tokens",
                )

    def written(self, rendered: str, mark: str) -> str:
        """Return a rendered text as this tokenizer reads it: the template's control tokens by their names."""
        return self._control.replaced(rendered, self._names).replace(mark, "")


def _renamed(about: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Rename tokens throughout a tokenizer's file; what would merge into one of them merges no longer."""
    added = [
        token | {"content": names[token["content"]], "normalized": False} if token["content"] in names else token
        for token in about["added_tokens"]
    ]
    model = about["model"]
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(name, name): number for name, number in vocabulary.items()}
    elif isinstance(vocabulary, list):  # a unigram model: pieces with their scores
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
    if isinstance(model.get("merges"), list):
        model["merges"] = [merge for merge in model["merges"] if _parts(merge).isdisjoint(names)]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    return about | {"added_tokens": added, "model": model, "post_processor": None, "truncation": None, "padding": None}


def _parts(merge: str | list[str]) -> set[str]:
    """Return both parts of a merge, and what they become."""
    first, second = merge.split(" ", 1) if isinstance(merge, str) else merge
    return {first, second, first + second}

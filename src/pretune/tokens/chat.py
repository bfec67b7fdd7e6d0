"""Conversations as token ids, by the model's own chat template, and where in them the replies are.

Templates need no marks of what is learned. The turns before a reply are rendered with the generation prompt, as they are when
the model is asked; these ids must be the beginning of those of the whole conversation, and the reply is what follows, up to
and with the token that ends it. So training and asking cannot differ.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pretune.errors import ModelLoadError
from pretune.records import Turn
from pretune.records.conversation import ASSISTANT
from pretune.tokens.chat_defaults import set_default
from pretune.tokens.chat_shape import FIX, Shape, find_shape, messages_of, not_a_prefix, renderer
from pretune.tokens.control import ControlTokens, SpelledOut
from pretune.tokens.encode import reading_control_tokens, uncut

Ids = npt.NDArray[np.int32]


class Reply(NamedTuple):
    """Where a reply is among the ids of its conversation."""

    start: int  # its first token: what follows the generation prompt
    end: int  # behind the token that ends it


@dataclass(frozen=True, slots=True)
class EncodedConversation:
    """Ids of one conversation, and its replies in their order."""

    ids: Ids  # (num_tokens,)
    replies: tuple[Reply, ...]


class _Rendered(NamedTuple):
    """Texts of one conversation; ``mark`` breaks the control tokens that its contents spell out."""

    whole: str
    prompts: tuple[str, ...]  # before each reply that is learned, with the generation prompt
    mark: str | None


class _Tail(NamedTuple):
    """The end of a prompt: how many control tokens part the prompt, and the ids from the last of them on."""

    num_parting: int
    ids: Ids


class ChatTemplate:
    """A tokenizer's chat template.

    For conversations that spell out no control token, ids are those of ``tokenizer.apply_chat_template``; where one is spelled
    out in a content, it is text. A tokenizer without a template is given one (``tokenizer.chat_template``).

    Args:
        tokenizer: A fast tokenizer of transformers.

    Attributes:
        stop_id: The token that ends a reply.
        stop_ids: All tokens at which generation should stop: ``stop_id``, and the end of a text if that is another token.
        padding_id: What fills batches.
        notes: What there is to say of the template.

    Raises:
        ModelLoadError: The template cannot be applied, leaves out contents, has a generation prompt that is not how replies
            begin, or ends replies with no token of its own.
        UsageError: There is no template, and no token that could end a reply.

    Example:
        >>> template = ChatTemplate(tokenizer)  # doctest: +SKIP
        >>> found = template.encode([Turn(role="user", text="Hi"), Turn(role="assistant", text="Hello!")])  # doctest: +SKIP
        >>> start, end = found.replies[-1]  # doctest: +SKIP
        >>> tokenizer.decode(found.ids[start:end])  # doctest: +SKIP
        'Hello!<|im_end|>'
    """

    def __init__(self, tokenizer: Any) -> None:
        note = set_default(tokenizer)
        self._tokenizer, self._backend = tokenizer, tokenizer.backend_tokenizer
        self._render = renderer(tokenizer)
        self._shape = find_shape(self._render)
        added = {name: number for name, number in tokenizer.get_added_vocab().items() if name.strip()}
        special = {str(name) for name in tokenizer.all_special_tokens}
        special |= {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        self.stop = _stop_of(self._shape, added)
        ids = {name: number for name, number in added.items() if name in special or name in self._shape.around}
        self._control = ControlTokens(ids, unknown_id=tokenizer.unk_token_id)
        self._is_parting = np.zeros(max(len(tokenizer), *added.values(), 0) + 1, dtype=bool)
        self._is_parting[list(self._control.parting_ids)] = True
        _check_head(self._shape, special)
        self.stop_id = added[self.stop]
        ending = tokenizer.eos_token_id
        self.stop_ids: tuple[int, ...] = (self.stop_id,) if ending in (None, self.stop_id) else (self.stop_id, int(ending))
        self.padding_id = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.stop_id)
        self._learns_all = self.stop in self._shape.after_others
        only_last = f"the chat template writes {self.stop} after the last reply only: earlier replies are not learned"
        self.notes: tuple[str, ...] = (*([note] if note else []), *([] if self._learns_all else [only_last]))

    @property
    def takes_system(self) -> bool:
        """Whether it shows a system turn to the model."""
        return self._shape.has_system

    def encode(self, turns: Sequence[Turn]) -> EncodedConversation:
        """Return the ids of a conversation, and where its replies are.

        Raises:
            ModelLoadError: The template refuses it, or a prompt in it is not the beginning of the whole.
        """
        found = self.encode_all([turns])[0]
        if isinstance(found, ModelLoadError):
            raise found
        return found

    def prompt(self, turns: Sequence[Turn]) -> Ids:
        """Return the ids with which a model is asked for the next reply: all turns, and the generation prompt.

        Raises:
            ModelLoadError: The template refuses the turns.
        """
        return self.prompts([turns])[0]

    def prompts(self, conversations: Sequence[Sequence[Turn]]) -> list[Ids]:
        """Return what ``prompt`` returns for each of several conversations."""
        texts = list[tuple[str, str | None]]()
        for turns in conversations:
            contents, mark = self._marked(turns)
            texts.append((self._render(messages_of(turns, contents), True), mark))
        return self._ids_of(texts)

    def text_of(self, ids: Sequence[int] | Ids) -> str:
        """Return the reply that some ids are, without the token that ends it, and without spaces around it."""
        return str(self._tokenizer.decode(list(map(int, ids)), skip_special_tokens=True)).strip()

    def shown(self, ids: Sequence[int] | Ids) -> str:
        """Return ids as tokens are written, each in quotes."""
        return " ".join(map(repr, self._tokenizer.convert_ids_to_tokens(list(map(int, ids)))))

    def encode_all(self, conversations: Sequence[Sequence[Turn]]) -> list[EncodedConversation | ModelLoadError]:
        """Return what ``encode`` returns or raises for each of several conversations."""
        rendered = [self._rendered(turns) for turns in conversations]
        sound = [item for item in rendered if isinstance(item, _Rendered)]
        wholes = iter(self._ids_of([(item.whole, item.mark) for item in sound]))
        tails = self._tails_of(sound)
        return [self._located(item, next(wholes), tails) if isinstance(item, _Rendered) else item for item in rendered]

    def _marked(self, turns: Sequence[Turn]) -> tuple[tuple[str, ...], str | None]:
        marked = self._control.mark([turn.text for turn in turns])
        return marked.contents, marked.mark

    def _rendered(self, turns: Sequence[Turn]) -> _Rendered | ModelLoadError:
        contents, mark = self._marked(turns)
        messages = messages_of(turns, contents)
        places = [place for place, turn in enumerate(turns) if turn.role == ASSISTANT]
        places = places if self._learns_all else places[-1:]
        try:
            whole = self._render(messages, False)
            prompts = tuple(self._render(messages[:place], True) for place in places)
        except ModelLoadError as error:
            return error
        wrong = next((prompt for prompt in prompts if not whole.startswith(prompt)), None)
        return _Rendered(whole, prompts, mark) if wrong is None else not_a_prefix(wrong, whole)

    def _ids_of(self, texts: Sequence[tuple[str, str | None]]) -> list[Ids]:
        """Return the ids of rendered texts, each with the mark that its contents have."""
        plain, marked = [text for text, mark in texts if mark is None], [item for item in texts if item[1] is not None]
        with _reading(self._backend):
            known = iter(self._backend.encode_batch_fast(plain, add_special_tokens=False))
        spelled = iter(())
        if marked:
            written = [self._spelled.written(text, mark or "") for text, mark in marked]
            with _reading(self._spelled.backend):
                spelled = iter(self._spelled.backend.encode_batch_fast(written, add_special_tokens=False))
        return [np.asarray(next(known if mark is None else spelled).ids, dtype=np.int32) for _, mark in texts]

    @cached_property
    def _spelled(self) -> SpelledOut:
        return SpelledOut(self._backend, self._control)

    def _tails_of(self, rendered: Sequence[_Rendered]) -> dict[str, _Tail]:
        """Return of each prompt how many control tokens part it, and its ids from the last of them on."""
        parts = {(prompt, item.mark): self._control.parts(prompt) for item in rendered for prompt in item.prompts}
        texts = {(tail, mark if mark is not None and mark in tail else None) for (_, mark), (_, tail) in parts.items()}
        ids = dict(zip(texts, self._ids_of(list(texts)), strict=True))
        return {
            prompt: _Tail(count, ids[tail, mark if mark is not None and mark in tail else None])
            for (prompt, mark), (count, tail) in parts.items()
        }

    def _located(self, item: _Rendered, ids: Ids, tails: dict[str, _Tail]) -> EncodedConversation | ModelLoadError:
        """Find the replies: each begins where its prompt's ids end, which must be those of the whole."""
        parting, stops = np.flatnonzero(self._is_parting[ids]), np.flatnonzero(ids == self.stop_id)
        replies = list[Reply]()
        for prompt in item.prompts:
            count, tail = tails[prompt]
            first = int(parting[count - 1]) if 0 < count <= len(parting) else 0
            start = first + len(tail)
            if count > len(parting) or not np.array_equal(ids[first:start], tail):
                return self._merged(tail, ids[first : start + 4])
            place = int(np.searchsorted(stops, start))
            if place == len(stops):
                return _endless(self.stop, item.whole)
            replies.append(Reply(start, int(stops[place]) + 1))
        return EncodedConversation(ids, tuple(replies))

    def _merged(self, prompt: Ids, whole: Ids) -> ModelLoadError:
        shown = [" ".join(map(repr, self._tokenizer.convert_ids_to_tokens(ids.tolist()[-12:]))) for ids in (prompt, whole)]
        return ModelLoadError(
            f"a reply's first token is one with the prompt's last\n  prompt: … {shown[0]}\n  whole:  … {shown[1]}",
            expected="the tokens of the prompt as the beginning of those of the whole conversation",
            fix="take away what the reply begins with (such as line ends), or correct the chat template",
        )


@contextmanager
def _reading(backend: Any) -> Iterator[None]:
    with uncut(backend), reading_control_tokens(backend, as_text=False):
        yield


def _stop_of(shape: Shape, added: dict[str, int]) -> str:
    """Return the token that ends a reply: the first of the vocabulary's own that the template writes after one."""
    names = "|".join(map(re.escape, sorted(added, key=len, reverse=True)))
    found = re.search(names, shape.after) if names else None
    if found is None:
        raise ModelLoadError(
            f"the chat template writes no token of its own after a reply: {shape.after[:60]!r}",
            expected="a token that ends it, which the model can learn to write",
            fix="write {{ eos_token }} after replies in the chat template",
        )
    return found[0]


def _check_head(shape: Shape, special: set[str]) -> None:
    found = next((name for name in special if name in shape.head), None)
    if found is not None:
        raise ModelLoadError(
            f"the chat template writes {found!r} between the prompt and the reply: {shape.head[:60]!r}",
            expected="a generation prompt that ends where the reply begins",
            fix="let the template write it where add_generation_prompt is set",
        )


def _endless(stop: str, whole: str) -> ModelLoadError:
    return ModelLoadError(
        f"the chat template writes no {stop} after a reply: … {whole[-80:]!r}", expected="one after each reply", fix=FIX
    )

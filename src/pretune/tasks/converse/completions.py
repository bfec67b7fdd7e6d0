"""``POST /v1/chat/completions`` in OpenAI's form: requests are read strictly, and any client of theirs reads the answers."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pretune.errors import UsageError
from pretune.records import Turn
from pretune.records.conversation import ASSISTANT, SYSTEM, USER
from pretune.report.live.loopback import as_event
from pretune.tasks.converse.cast import Part
from pretune.tasks.converse.speaker import Wishes

ROLES = {"system": SYSTEM, "developer": SYSTEM, "user": USER, "assistant": ASSISTANT}
MAX_TURNS, MAX_TEXT = 1_000, 200_000  # of one conversation; characters of all its texts
# What clients may send that would change the reply, and that pretune does not do.
REFUSED = ("tools", "functions", "stop", "logit_bias", "audio", "response_format")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was read.

    Args:
        model: Who is asked.
        turns: The conversation.
        wishes: How the reply is made.
        stream: Whether it is sent as it comes.
        logprobs: Whether the probability of each token is sent.
        usage: Whether a stream ends with the number of tokens.
    """

    model: str
    turns: tuple[Turn, ...]
    wishes: Wishes
    stream: bool
    logprobs: bool
    usage: bool


def read_request(body: bytes, names: Sequence[str]) -> Asked:
    """Return what is asked.

    Args:
        body: JSON.
        names: Who can be asked.

    Raises:
        UsageError: It cannot be read, or asks for what there is not.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not JSON", expected='{"model": …, "messages": […]}') from error
    if not isinstance(value, dict):
        raise UsageError("the body is not an object", expected='{"model": …, "messages": […]}')
    for name in REFUSED:
        if value.get(name) not in (None, [], {}, "", {"type": "text"}):
            raise UsageError(f"{name} was given", expected=f"no {name}: pretune does not do that", fix="leave it out")
    if value.get("n") not in (None, 1):
        raise UsageError("n was given", expected="1: one reply", fix="ask several times")
    model = value.get("model")
    if not isinstance(model, str) or model not in names:
        raise UsageError(f"there is no model {str(model)[:80]!r}", expected="one of " + ", ".join(names))
    options = value.get("stream_options")
    return Asked(
        model=model,
        turns=_read_turns(value.get("messages")),
        wishes=Wishes(
            temperature=_number(value, "temperature", 0, 2),
            top_p=_number(value, "top_p", 1e-6, 1),
            max_tokens=_count(value, "max_completion_tokens") or _count(value, "max_tokens"),
            seed=_count(value, "seed", least=-(2**63)),
        ),
        stream=value.get("stream") is True,
        logprobs=value.get("logprobs") is True,
        usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


class Completion:
    """The answer to one request, in OpenAI's form.

    Args:
        asked: The request.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked, self._id, self._created = asked, f"chatcmpl-{uuid.uuid4().hex}", int(time.time())

    def chunk(self, part: Part | None, *, further: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return one event of a stream; without a part, the first one, which names the role."""
        delta = {"role": ASSISTANT, "content": ""} if part is None else {"content": part.text}
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None if part is None else _reason(part)}
        if self.asked.logprobs and part is not None and part.logprob is not None:
            choice["logprobs"] = {"content": [_logprob(part)]}
        return self._about("chat.completion.chunk") | {"choices": [choice]} | dict(further or {})

    def last(self, num_asked: int, num_written: int) -> dict[str, Any]:
        """Return the event that says how many tokens there were."""
        return self._about("chat.completion.chunk") | {"choices": [], "usage": _usage(num_asked, num_written)}

    def whole(self, parts: Sequence[Part], num_asked: int, further: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reply that is sent at once."""
        text = "".join(part.text for part in parts)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": ASSISTANT, "content": text},
            "finish_reason": _reason(parts[-1]) if parts else "length",
        }
        if self.asked.logprobs:
            choice["logprobs"] = {"content": [_logprob(part) for part in parts if part.logprob is not None]}
        found = {"choices": [choice], "usage": _usage(num_asked, len(parts))}
        return self._about("chat.completion") | found | dict(further)

    def _about(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self.asked.model}


def models_of(names: Sequence[str]) -> dict[str, Any]:
    """Return the answer to ``GET /v1/models``."""
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "pretune"} for name in names],
    }


def error_of(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    """Return an error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def events(values: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a stream's lines as server-sent events."""
    for value in values:
        yield as_event(value)
    yield b"data: [DONE]\n\n"


def _read_turns(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_TURNS:
        raise UsageError("messages cannot be read", expected=f"a list of 1 to {MAX_TURNS} messages")
    turns = tuple(map(_read_turn, messages))
    if turns[-1].role != USER:
        raise UsageError(f"the last message is of the {turns[-1].role}", expected="one of the user: it is answered")
    if sum(len(turn.text) for turn in turns) > MAX_TEXT:
        raise UsageError("the messages are too long", expected=f"at most {MAX_TEXT:,} characters together")
    return turns


def _read_turn(message: Any) -> Turn:
    if not isinstance(message, dict) or message.get("role") not in list(ROLES):  # a list: what is sent may have no hash
        raise UsageError("a message cannot be read", expected="an object with role (system, user or assistant) and content")
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in content]
        content = None if None in parts else "".join(map(str, parts))
    if not isinstance(content, str):
        raise UsageError("the content of a message cannot be read", expected="text, or a list of parts of text")
    return Turn(role=ROLES[message["role"]], text=content.encode("utf-8", "replace").decode())


def _number(value: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    found = value.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not least <= found <= most:
        raise UsageError(f"{name} is {str(found)[:40]!r}", expected=f"a number from {least:g} to {most:g}")
    return float(found)


def _count(value: Mapping[str, Any], name: str, *, least: int = 1) -> int | None:
    found = value.get(name)
    if found is None:
        return None
    if type(found) is not int or not least <= found < 2**63:
        raise UsageError(f"{name} is {str(found)[:40]!r}", expected=f"a whole number of at least {least}")
    return found


def _reason(part: Part) -> str | None:
    return None if part.ended is None else "stop" if part.ended else "length"


def _logprob(part: Part) -> dict[str, Any]:
    return {"token": part.text, "logprob": part.logprob, "bytes": list(part.text.encode()), "top_logprobs": []}


def _usage(num_asked: int, num_written: int) -> dict[str, int]:
    return {"prompt_tokens": num_asked, "completion_tokens": num_written, "total_tokens": num_asked + num_written}

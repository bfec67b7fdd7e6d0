"""Talking in the terminal: questions are typed or piped in, replies are written as they come."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pretune.cli.show import show_json
from pretune.cli.streams import refusal_of
from pretune.errors import PretuneError, UsageError
from pretune.report.words import one_line

if TYPE_CHECKING:
    from pretune.tasks.converse.speaker import Speaker, Wishes
    from pretune.tasks.converse.talk import Said, Talk

HELP = """\
/reset        forget the conversation
/system TEXT  tell the model TEXT before everything else, and forget the conversation; without TEXT, the template's own
/help         show this
/quit         end (also: Ctrl-D)
Ctrl-C stops a reply. A line that begins with // asks what follows the first /."""
MAX_SHOWN = 100  # characters of the nearest question
YOU, IT = "you> ", ""


def wishes_of(flags: dict[str, Any]) -> "Wishes":
    """Return what the flags wish otherwise than the model has it.

    Raises:
        UsageError: Two precisions were named.
    """
    from pretune.tasks.converse.speaker import Wishes

    named = [name for name in ("int8", "int4") if flags[name]] + ([flags["precision"]] if flags["precision"] else [])
    if len(set(named)) > 1:
        raise UsageError(f"two precisions were given: {' and '.join(named)}", expected="one of them")
    return Wishes(
        precision=named[0] if named else None,
        temperature=flags["temperature"],
        top_p=flags["top_p"],
        max_tokens=flags["max_reply"],
        seed=flags["seed"],
    )


def talk(speaker: "Speaker", system: str | None, *, json: bool, quiet: bool) -> int:
    """Talk until there is no further question; return the exit code."""
    from pretune.tasks.converse.talk import Talk

    is_typed = sys.stdin.isatty() and not json
    conversation = Talk(speaker, system)
    if is_typed and not quiet:
        _tell(f"{speaker.name}: {_say_decoding(speaker)}. /help lists commands; Ctrl-C stops a reply, Ctrl-D ends.")
    for note in speaker.notes if not quiet else ():
        _tell(f"note: {note}")
    for line in _questions(is_typed=is_typed):
        if not line.strip():
            continue
        if line.startswith("/") and not line.startswith("//"):
            if _obey(line, conversation):
                break
            continue
        _answer(conversation, line.removeprefix("/") if line.startswith("//") else line, json=json, quiet=quiet)
        if refusal_of(sys.stdout) is not None:  # nobody reads on
            break
    return 0


def _answer(conversation: "Talk", question: str, *, json: bool, quiet: bool) -> None:
    """Write one reply as it comes, and what is known of it; a question that cannot be asked is told, and the talk goes on."""
    reply = conversation.ask(question)
    try:
        for piece in reply:
            if not json:
                print(piece.text, end="", flush=True)  # noqa: T201
    except KeyboardInterrupt:
        pass
    except PretuneError as error:
        if json:
            show_json({"schema": 1, "question": question, "error": error.to_json()})
        else:
            _tell(f"pretune: {error}")
        return
    finally:
        reply.close()  # type: ignore[attr-defined] # a generator
    said = conversation.said
    if json and said is not None:
        show_json(_as_json(question, said))
    elif said is not None:
        print(flush=True)  # noqa: T201
        if not quiet:
            _tell(_say(said))


def _obey(line: str, conversation: "Talk") -> bool:
    """Do what a line with a command says; return whether the talk is over."""
    word, _, rest = line.strip().partition(" ")
    if word == "/quit":
        return True
    if word == "/reset":
        conversation.reset()
        _tell("The conversation is forgotten.")
    elif word == "/system":
        conversation.system = rest.strip() or None
        conversation.reset()
        unseen = "" if conversation.speaker.template.takes_system else " Its template shows the model no such text."
        _tell(("The model is told this from now on." if rest.strip() else "The template's own text is used.") + unseen)
    else:
        if word != "/help":
            _tell(f"There is no command {word}.")
        _tell(HELP)
    return False


def _questions(*, is_typed: bool) -> Iterator[str]:
    """Yield lines; of typed ones Ctrl-C throws away what stands there, of piped ones it ends the command."""
    while True:
        if is_typed:
            print(YOU, end="", file=sys.stderr, flush=True)  # noqa: T201
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            if not is_typed:
                raise
            _tell("\n/quit or Ctrl-D ends.")
            continue
        if not line:
            break
        yield line.rstrip("\r\n")
    if is_typed:
        _tell("")


def _say_decoding(speaker: "Speaker") -> str:
    decoding = speaker.decoding
    drawn = f", temperature {decoding.temperature:g}" if decoding.temperature else ""
    return f"{decoding.precision}, at most {decoding.max_tokens} tokens per reply{drawn}"


def _say(said: "Said") -> str:
    """Return one line about a reply."""
    how = {True: "ended", False: "cut off at the most tokens", None: "stopped"}[said.ended]
    rate = "" if said.rate is None else f", {said.rate:.0f} tokens/s"
    parts = [f"{said.num_tokens} tokens{rate}", how]
    if said.nearest is not None:
        parts.append(f"nearest in training ({said.nearest.likeness:.2f}): {one_line(said.nearest.question, MAX_SHOWN)}")
    if said.copied is not None:
        parts.append(f"{said.copied:.0%} copied from training")
    if said.num_dropped:
        parts.append(f"the oldest {said.num_dropped} turns no longer fit")
    return f"[{' · '.join(parts)}]"


def _as_json(question: str, said: "Said") -> dict[str, Any]:
    nearest = said.nearest
    return {
        "schema": 1,
        "question": question,
        "reply": said.text,
        "ended": said.ended,
        "tokens": said.num_tokens,
        "prompt_tokens": said.num_asked,
        "seconds": round(said.seconds, 3),
        "nearest": None if nearest is None else {"question": nearest.question, "likeness": round(nearest.likeness, 4)},
        "copied": None if said.copied is None else round(said.copied, 4),
        "dropped_turns": said.num_dropped,
    }


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201

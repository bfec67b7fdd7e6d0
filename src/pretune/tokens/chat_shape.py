"""What a chat template writes around contents: found by applying it to a conversation whose contents are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from pretune.errors import ModelLoadError
from pretune.records import Turn
from pretune.records.conversation import ASSISTANT, SYSTEM, USER

Messages = list[dict[str, str]]
Render = Callable[[Messages, bool], str]  # messages, whether with the generation prompt

# What Python raises where a template does what it should not.
TEMPLATE_ERRORS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)

_SYSTEM, _USER, _REPLY = "Qsystemq", "Quserq", "Qreplyq"  # plain words, unlike anything that a template says
FIX = "correct the chat template (tokenizer.chat_template; chat_template.jinja in the model's folder)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a template writes around a reply.

    Args:
        around: All that it writes around contents, but for what begins a reply.
        head: What it writes between the generation prompt and the reply, such as empty thoughts.
        after: What follows the last reply.
        after_others: What follows a reply that another turn follows.
        has_system: Whether it takes a system turn.
    """

    around: str
    head: str
    after: str
    after_others: str
    has_system: bool


def messages_of(turns: Sequence[Turn], contents: Sequence[str] | None = None) -> Messages:
    """Return turns as templates take them."""
    texts = [turn.text for turn in turns] if contents is None else contents
    return [{"role": turn.role, "content": text} for turn, text in zip(turns, texts, strict=True)]


def renderer(tokenizer: Any) -> Render:
    """Return what applies the tokenizer's template, and has one message for what a template may do wrong."""

    def render(messages: Messages, with_prompt: bool) -> str:
        try:
            found = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=with_prompt)
        except TEMPLATE_ERRORS as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelLoadError(f"the chat template cannot be applied: {said}", expected="a text", fix=FIX) from error
        return str(found)

    return render


def find_shape(render: Render) -> Shape:
    """Apply a template to a small conversation, and tell what it writes.

    Raises:
        ModelLoadError: It leaves out a question or a reply, or its generation prompt is not how replies begin.
    """
    asked = [{"role": USER, "content": _USER}]
    whole, prompt = render([*asked, {"role": ASSISTANT, "content": _REPLY}], False), render(asked, True)
    for content, what in ((_USER, "question"), (_REPLY, "reply")):
        if content not in whole:
            raise ModelLoadError(f"the chat template leaves out the {what}: {whole[:200]!r}", expected=f"the {what}", fix=FIX)
    if not whole.startswith(prompt):
        raise not_a_prefix(prompt, whole)
    place = whole.index(_REPLY, len(prompt))
    head, after = whole[len(prompt) : place], whole[place + len(_REPLY) :]
    later = [*asked, {"role": ASSISTANT, "content": _REPLY}, {"role": USER, "content": _USER}]
    first = render(later, True)
    between = first[first.index(_REPLY) + len(_REPLY) : first.rindex(_USER)] if _REPLY in first else ""
    system = _around_system(render)
    around = "\0".join((prompt.replace(_USER, "\0"), after, between, system or ""))
    return Shape(around=around, head=head, after=after, after_others=between, has_system=system is not None)


def _around_system(render: Render) -> str | None:
    try:
        found = render([{"role": SYSTEM, "content": _SYSTEM}, {"role": USER, "content": _USER}], True)
    except ModelLoadError:
        return None
    return found.replace(_SYSTEM, "\0").replace(_USER, "\0") if _SYSTEM in found else None


def not_a_prefix(prompt: str, whole: str) -> ModelLoadError:
    """Return the error that shows a prompt and the conversation that should begin with it, from shortly before they part."""
    same = next(
        (place for place, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), min(len(prompt), len(whole))
    )
    shown = [repr(text[max(0, same - 40) : same + 60]) for text in (prompt, whole)]
    return ModelLoadError(
        f"the chat template's generation prompt is not how replies begin\n  prompt: … {shown[0]}\n  whole:  … {shown[1]}",
        expected="the turns so far with the generation prompt as the beginning of the whole conversation",
        fix=FIX,
    )

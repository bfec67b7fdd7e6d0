"""Forms: which kind of conversation table is it, and which column plays which role? As named, else as guessed and reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pretune.configs import ReadConfig
from pretune.data.catalogue.fetch import near_names
from pretune.data.conversations import names
from pretune.data.conversations.turns import TurnError, are_turns, turns_of, value_of
from pretune.data.read.columns import shown_columns
from pretune.data.read.table import RawTable, unusable
from pretune.errors import DataError
from pretune.records.conversation import ASSISTANT

MESSAGES, TRANSCRIPTS, PREFERENCE, INSTRUCTIONS, PAIRS, DIALOGUES = (
    "messages",
    "transcripts",
    "preference rows",
    "instructions",
    "pairs",
    "dialogue rows",
)
# Filled cells of a column by which it is told what it holds.
LOOKED_AT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a table of conversations is, and which of its columns play which role.

    Args:
        kind: One of the names above.
        prompt: Columns of what is asked, joined by an empty line.
        reply: Column of the reply, or of the whole conversation.
        rejected: Column of the reply that was not chosen.
        system: Column of the system's instructions.
        history: Column of earlier turns.
        dialogue: Column whose equal values are one conversation.
        turn: Column that orders its rows; ``None``: as they stand.
        speaker: Column of who speaks; ``None``: they take turns.
        guessed: Whether pretune chose the columns.
    """

    kind: str
    prompt: tuple[str, ...] = ()
    reply: str
    rejected: str | None = None
    system: str | None = None
    history: str | None = None
    dialogue: str | None = None
    turn: str | None = None
    speaker: str | None = None
    guessed: bool = True

    @property
    def taken(self) -> frozenset[str]:
        """All columns that have a role; the others are further columns."""
        singles = (self.reply, self.rejected, self.system, self.history, self.dialogue, self.turn, self.speaker)
        return frozenset([*self.prompt, *(name for name in singles if name is not None)])

    def __str__(self) -> str:
        roles = {
            "prompt": " + ".join(map(repr, self.prompt)),
            "turns" if self.kind == MESSAGES else "text" if self.kind in (DIALOGUES, TRANSCRIPTS) else "reply": repr(
                self.reply
            ),
            **{
                role: repr(name)
                for role, name in (
                    ("rejected reply", self.rejected),
                    ("system", self.system),
                    ("earlier turns", self.history),
                    ("dialogue", self.dialogue),
                    ("order", self.turn),
                    ("speaker", self.speaker),
                )
                if name is not None
            },
        }
        return f"{self.kind}: " + ", ".join(f"{role} {name}" for role, name in roles.items() if name)


def find_form(raw: RawTable, config: ReadConfig) -> Form:
    """Return what the table is: as its columns are named by the user, else by what people call them and what they hold.

    Raises:
        DataError: A named column is not there, or no form fits; the message lists the columns.
    """
    _check_named(raw, config)
    form = _as_named(raw, config) if config.text or config.label else guess_form(raw, exclude=config.group)
    if form is None and (named := find_column(raw.columns, names.MESSAGE_NAMES[:2])) is not None:
        form = Form(kind=MESSAGES, reply=named)  # what is wrong with its cells is said row by row
    if form is None:
        raise unusable(
            raw.origin,
            f"none of the usual forms of conversations fits its columns: {shown_columns(raw.columns)}",
            expected="columns such as prompt and response, messages, conversations, instruction and output, "
            "chosen and rejected, or conversation_id with role and content",
            fix="name the columns with --text PROMPT --label REPLY",
        )
    return form


def guess_form(raw: RawTable, *, exclude: str | None = None) -> Form | None:
    """Return what the table is by the names of its columns and what they hold, ``None`` where no form fits."""
    columns = [name for name in raw.columns if name != exclude]
    for guess in (_preference, _messages, _instructions, _dialogues, _pairs):
        if (form := guess(raw, columns)) is not None:
            return form
    return None


def holds_turns(raw: RawTable, column: str) -> bool:
    """Whether most cells of a column are lists of turns."""
    return _share(raw, column, lambda value: not isinstance(value, str) and are_turns(value)) > 0.5


def find_column(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Return the column with the first of the names that is there; case, blanks and hyphens aside."""
    folded = {name.strip().casefold().replace(" ", "_").replace("-", "_"): name for name in reversed(columns)}
    return next((folded[name] for name in wanted if name in folded), None)


def _share(raw: RawTable, column: str, is_so: Callable[[object], bool]) -> float:
    place = raw.columns.index(column)
    step = max(1, len(raw.rows) // (4 * LOOKED_AT))
    cells = [cell for row in raw.rows[::step] if (cell := row.cells[place]) is not None and cell != ""][:LOOKED_AT]
    return sum(is_so(value_of(cell)) for cell in cells) / max(1, len(cells))


def _is_transcript(value: object) -> bool:
    try:
        return isinstance(value, str) and turns_of(value)[-1].role == ASSISTANT
    except TurnError:
        return False


def _messages(raw: RawTable, columns: Sequence[str]) -> Form | None:
    named = [name for name in columns if name.strip().casefold() in names.MESSAGE_NAMES]
    nested = [name for name in (*named, *(name for name in columns if name not in named)) if holds_turns(raw, name)]
    prompt, reply = find_column(columns, names.PROMPT_NAMES), find_column(columns, names.REPLY_NAMES)
    if prompt in nested and reply is not None and prompt != reply:
        return Form(kind=PAIRS, prompt=(prompt,), reply=reply)
    if nested:
        return Form(kind=MESSAGES, reply=nested[0], system=find_column(columns, names.SYSTEM_NAMES))
    spoken = next((name for name in columns if _share(raw, name, _is_transcript) > 0.5), None)
    return None if spoken is None else Form(kind=TRANSCRIPTS, reply=spoken)


def _preference(raw: RawTable, columns: Sequence[str]) -> Form | None:
    chosen, rejected = (find_column(columns, (name,)) for name in (names.CHOSEN, names.REJECTED))
    if chosen is None or rejected is None:
        return None
    left = [name for name in columns if name not in (chosen, rejected)]
    is_whole = _share(raw, chosen, _is_transcript) > 0.5
    prompt = None if is_whole else find_column(left, names.PROMPT_NAMES)
    system = find_column(left, names.SYSTEM_NAMES)
    return Form(kind=PREFERENCE, prompt=() if prompt is None else (prompt,), reply=chosen, rejected=rejected, system=system)


def _instructions(raw: RawTable, columns: Sequence[str]) -> Form | None:
    del raw
    instruction = find_column(columns, names.INSTRUCTION_NAMES)
    left = [name for name in columns if name != instruction]
    reply = find_column(left, names.REPLY_NAMES)
    if instruction is None or reply is None:
        return None
    further = find_column([name for name in left if name != reply], names.INPUT_NAMES)
    return Form(
        kind=INSTRUCTIONS,
        prompt=(instruction,) if further is None else (instruction, further),
        reply=reply,
        system=find_column(left, names.SYSTEM_NAMES),
        history=find_column(left, names.HISTORY_NAMES),
    )


def _dialogues(raw: RawTable, columns: Sequence[str]) -> Form | None:
    del raw
    dialogue = find_column(columns, names.DIALOGUE_NAMES)
    left = [name for name in columns if name != dialogue]
    said, speaker = find_column(left, names.SAID_NAMES), find_column(left, names.SPEAKER_NAMES)
    turn = find_column(left, names.TURN_NAMES)
    if dialogue is None or said is None or (speaker is None and turn is None):
        return None
    return Form(kind=DIALOGUES, reply=said, dialogue=dialogue, turn=turn, speaker=speaker)


def _pairs(raw: RawTable, columns: Sequence[str]) -> Form | None:
    del raw
    prompt = find_column(columns, names.PROMPT_NAMES)
    left = [name for name in columns if name != prompt]
    reply = find_column(left, names.REPLY_NAMES)
    if prompt is None or reply is None:
        return None
    further = find_column([name for name in left if name != reply], ("context",)) if prompt.casefold() == "question" else None
    system, history = find_column(left, names.SYSTEM_NAMES), find_column(left, names.HISTORY_NAMES)
    asked = (prompt,) if further is None else (further, prompt)
    return Form(kind=PAIRS, prompt=asked, reply=reply, system=system, history=history)


def _as_named(raw: RawTable, config: ReadConfig) -> Form | None:
    """The form of the columns that the user named; what he did not name is guessed."""
    left = [name for name in raw.columns if name not in (*config.text, config.group)]
    if config.label is None and len(config.text) == 1 and (_of_turns(raw, config.text[0]) is not None):
        return _of_turns(raw, config.text[0])
    if config.text:
        reply = config.label or find_column(left, (names.CHOSEN, *names.REPLY_NAMES))
        if reply is None:
            raise unusable(
                raw.origin,
                f"none of its columns looks like the reply: {shown_columns(left)}",
                expected="a column of replies",
                fix="name it with --label COL",
            )
        prompt = config.text
    else:
        reply = str(config.label)
        if (of_turns := _of_turns(raw, reply)) is not None:
            return of_turns
        asked = find_column([name for name in left if name != reply], names.PROMPT_NAMES)
        if asked is None:
            raise unusable(
                raw.origin,
                f"none of its columns looks like the prompt: {shown_columns(left)}",
                expected="a column of prompts",
                fix="name it with --text COL",
            )
        prompt = (asked,)
    left = [name for name in left if name not in (*prompt, reply)]
    is_chosen = reply.casefold() == names.CHOSEN
    return Form(
        kind=PREFERENCE if is_chosen and find_column(left, (names.REJECTED,)) else PAIRS,
        prompt=prompt,
        reply=reply,
        rejected=find_column(left, (names.REJECTED,)) if is_chosen else None,
        system=find_column(left, names.SYSTEM_NAMES),
        history=find_column(left, names.HISTORY_NAMES),
        guessed=not (config.text and config.label),
    )


def _of_turns(raw: RawTable, column: str) -> Form | None:
    if holds_turns(raw, column):
        return Form(kind=MESSAGES, reply=column, guessed=False)
    return Form(kind=TRANSCRIPTS, reply=column, guessed=False) if _share(raw, column, _is_transcript) > 0.5 else None


def _check_named(raw: RawTable, config: ReadConfig) -> None:
    """Raise where a column that the user named is not there, or has two roles."""
    asked = [(name, "--text") for name in config.text]
    asked += [(name, flag) for name, flag in ((config.label, "--label"), (config.group, "--group")) if name is not None]
    for name, flag in asked:
        if name not in raw.columns:
            near = near_names(name, raw.columns)
            fix = f"did you mean {flag} {near[0]!r}?" if near else f"name another column with {flag}"
            raise unusable(raw.origin, f"has no column {name!r}", expected="one of " + shown_columns(raw.columns), fix=fix)
    named = [name for name, _ in asked]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise _twice(raw, twice, [flag for name, flag in asked if name == twice])


def _twice(raw: RawTable, name: str, flags: Sequence[str]) -> DataError:
    shown = " and ".join(dict.fromkeys(flags))
    return unusable(raw.origin, f"column {name!r} is asked for as {shown}", expected="one role per column", fix="change one")

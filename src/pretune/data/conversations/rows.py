"""Rows: each row of cells, or all rows of one dialogue, become a conversation or rejections with their reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pretune.configs import ReadConfig
from pretune.data.conversations.forms import DIALOGUES, Form
from pretune.data.conversations.texts import clean_turn, spells_control, without_control
from pretune.data.conversations.turns import Said, TurnError, are_objects, role_of, turns_of, value_of
from pretune.data.read.objects import SparseCells
from pretune.data.read.rows import RowError, check_rejected, checked_text, rejection_of, shown_cell
from pretune.data.read.table import Cell, Nested, RawTable, Row, receipt_of
from pretune.records import Conversation, FileReceipt, Turn
from pretune.records.conversation import ASSISTANT, SYSTEM, USER


@dataclass(slots=True, kw_only=True)
class Done:
    """What was done to the texts, and what they hold."""

    cleaned: Counter[str] = field(default_factory=Counter)
    control: Counter[str] = field(default_factory=Counter)  # control tokens taken away from replies
    num_stripped: int = 0  # replies that lost some
    num_spelled: int = 0  # conversations that still spell one, as text
    num_trailing: int = 0  # conversations whose last turns no reply followed; these turns are left out
    num_joined: int = 0  # rows of dialogues that are used


Table = tuple[tuple[Conversation, ...], FileReceipt]


def build_conversations(raw: RawTable, form: Form, config: ReadConfig, done: Done) -> Table:
    """Return the conversations, and the receipt of every row.

    Raises:
        DataError: No row is usable, or more than ``MAX_REJECTED_SHARE`` of the rows are not; it carries the receipt.
    """
    reader = _Reader(raw, form, config, done)
    rows = reader.dialogues() if form.kind == DIALOGUES else ([row] for row in raw.rows)
    found, rejected, num_used = list[Conversation](), list(raw.rejected), 0
    for together in rows:
        try:
            found.append(reader.conversation(together))
        except RowError as error:
            rejected.extend(rejection_of(raw, row, error) for row in together)
            continue
        num_used += len(together)
    done.num_joined += num_used if form.kind == DIALOGUES else 0
    rejected.sort(key=lambda rejection: rejection.row or 0)
    receipt = receipt_of(
        raw.origin,
        num_rows=len(raw.rows) + len(raw.rejected) + raw.num_filtered,
        num_used=num_used,
        rejected=tuple(rejected),
        num_filtered=raw.num_filtered,
        lines=raw.lines,
    )
    check_rejected(raw.origin.shown, (receipt,), config.allow_rejects)
    return tuple(found), receipt


class _Reader:
    """Reads the rows of one table.

    Args:
        raw: It.
        form: What its columns are.
        config: Longest cell, and the column of groups.
        done: Receives what is done to the texts.
    """

    def __init__(self, raw: RawTable, form: Form, config: ReadConfig, done: Done) -> None:
        self._raw, self._form, self._done, self._max_cell = raw, form, done, config.max_cell
        self._place = {name: number for number, name in enumerate(raw.columns)}
        self._group = None if config.group is None else self._place[config.group]
        taken = form.taken - {form.dialogue, form.turn}  # these stay at hand, such as to divide by time
        names = [name for name in raw.columns if name not in taken and name != config.group]
        self._extra = [(self._place[name], name) for name in names]
        self._names = frozenset(names)
        self._reply = self._place[form.reply]

    def dialogues(self) -> Iterator[list[Row]]:
        """Yield the rows of each dialogue, in the order in which they were said."""
        place = self._place[str(self._form.dialogue)]
        together: dict[str, list[Row]] = {}
        for row in self._raw.rows:
            name = shown_cell(row.cells[place]).strip()
            together.setdefault(name or f"\0{row.number}", []).append(row)
        for rows in together.values():
            yield self._ordered(rows)

    def conversation(self, rows: Sequence[Row]) -> Conversation:
        """Return what these rows are.

        Raises:
            RowError: They are no conversation.
        """
        first = rows[0]
        try:
            turns = self._turns(self._said_in(rows))
            rejected = None if self._form.rejected is None else self._rejected(first.cells)
        except TurnError as error:
            raise RowError(self._reply, str(error)) from error
        return Conversation(
            id=f"{self._raw.origin.name}:{min(row.number for row in rows)}",
            turns=turns,
            group=None if self._group is None else shown_cell(first.cells[self._group]).strip() or None,
            rejected=rejected,
            extra=self._extras(first.cells),
        )

    def _said_in(self, rows: Sequence[Row]) -> list[Said]:
        form, cells = self._form, rows[0].cells
        if form.kind == DIALOGUES:
            return self._said_by_rows(rows)
        replied = self._replied(cells, self._reply)
        if replied and replied[0].role != ASSISTANT:  # it has what was asked as well
            return replied if replied[0].role == SYSTEM else [*self._system(cells), *replied]
        return [*self._system(cells), *self._history(cells), *self._prompt(cells), *replied]

    def _prompt(self, cells: Sequence[Cell]) -> list[Said]:
        """What is asked: a list of turns, or texts that are joined."""
        parts = list[str]()
        for name in self._form.prompt:
            place = self._place[name]
            found = self._turns_in(cells[place], place)
            if found is not None:
                return found
            text = checked_text(_only(cells[place]), place, self._max_cell)
            parts += [text.strip()] if text and text.strip() else []
        if not parts and self._form.prompt:
            raise RowError(self._place[self._form.prompt[0]], "the prompt is empty")
        return [Said(USER, "\n\n".join(parts))] if parts else []

    def _replied(self, cells: Sequence[Cell], place: int) -> list[Said]:
        """The reply: a text, or a list of turns, which may begin with what was asked."""
        cell = cells[place]
        if self._form.prompt:
            found = self._turns_in(cell, place)
            return found if found is not None else [Said(ASSISTANT, checked_text(_only(cell), place, self._max_cell))]
        return turns_of(value_of(cell if isinstance(cell, Nested) else checked_text(cell, place, self._max_cell)))

    def _turns_in(self, cell: Cell, place: int) -> list[Said] | None:
        """The turns that a cell lists or spells, ``None`` where it is a text."""
        value = value_of(cell)
        if not isinstance(value, (list, dict)) or not are_objects(value):
            return None
        try:
            return turns_of(value)
        except TurnError as error:
            raise RowError(place, str(error)) from error

    def _rejected(self, cells: Sequence[Cell]) -> str:
        """The reply that was not chosen."""
        place = self._place[str(self._form.rejected)]
        other = self._replied(cells, place)
        if not other or other[-1].role != ASSISTANT:
            raise RowError(place, "does not end with a reply")
        return without_control(clean_turn(self._text(other[-1].text, place), Counter()), Counter())

    def _system(self, cells: Sequence[Cell]) -> list[Said]:
        cell = None if self._form.system is None else cells[self._place[self._form.system]]
        return [Said(SYSTEM, cell)] if isinstance(cell, str) and cell.strip() else []

    def _history(self, cells: Sequence[Cell]) -> list[Said]:
        """Earlier turns: pairs of a question and its reply, or turns."""
        value = None if self._form.history is None else value_of(cells[self._place[self._form.history]])
        if not value:
            return []
        if isinstance(value, (list, tuple)) and all(isinstance(item, (list, tuple)) and len(item) == 2 for item in value):
            return [Said(role, text) for pair in value for role, text in zip((USER, ASSISTANT), pair, strict=True)]
        return turns_of(value)

    def _said_by_rows(self, rows: Sequence[Row]) -> list[Said]:
        if self._form.speaker is None:
            return [Said((USER, ASSISTANT)[number % 2], row.cells[self._reply]) for number, row in enumerate(rows)]
        place = self._place[self._form.speaker]
        speakers = [shown_cell(row.cells[place]).strip() for row in rows]
        roles = _roles(speakers)
        return [Said(roles(speaker), row.cells[self._reply]) for speaker, row in zip(speakers, rows, strict=True)]

    def _ordered(self, rows: list[Row]) -> list[Row]:
        if self._form.turn is None or len(rows) == 1:
            return rows
        place = self._place[self._form.turn]
        keys = [shown_cell(row.cells[place]).strip() for row in rows]
        try:
            order = [float(key) for key in keys]
        except ValueError:
            return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0])]
        return [row for _, row in sorted(zip(order, rows, strict=True), key=lambda pair: pair[0])]

    def _turns(self, said: Sequence[Said]) -> tuple[Turn, ...]:
        """Clean the turns, and check their order."""
        last = next((place for place in range(len(said) - 1, -1, -1) if said[place].role == ASSISTANT), None)
        if last is None:
            raise TurnError("has no reply")
        self._done.num_trailing += last < len(said) - 1
        kept, done = said[: last + 1], Counter[str]()
        control = Counter[str]()
        turns = tuple(self._turn(turn, number, done, control) for number, turn in enumerate(kept, 1))
        _check_order(turns)
        self._done.cleaned.update(done.keys())
        self._done.control.update(control)
        self._done.num_stripped += bool(control)
        self._done.num_spelled += any(spells_control(turn.text) for turn in turns)
        return turns

    def _turn(self, said: Said, number: int, done: Counter[str], control: Counter[str]) -> Turn:
        text = clean_turn(self._text(said.text, self._reply), done)
        if said.role == ASSISTANT and text:
            found = Counter[str]()
            bare = without_control(text, found)
            control.update(found)
            if not bare:
                raise TurnError(f"a reply is only a control token ({next(iter(found))})")
            text = bare
        if not text:
            raise TurnError("the reply is empty" if said.role == ASSISTANT else f"turn {number} ({said.role}) is empty")
        return Turn(role=said.role, text=text)

    def _text(self, cell: Cell, place: int) -> str:
        return checked_text(cell, place, self._max_cell) or ""

    def _extras(self, cells: Sequence[Cell]) -> dict[str, str]:
        if isinstance(cells, SparseCells):
            return {name: shown_cell(cell) for name, cell in cells.values.items() if cell is not None and name in self._names}
        return {name: shown_cell(cell) for place, name in self._extra if (cell := cells[place]) is not None}


def _roles(speakers: Sequence[str]) -> Callable[[str], str]:
    """Return what tells the role of each speaker of a dialogue: by name, or, of two of other names, by who speaks first."""
    try:
        known = {speaker: role_of(speaker) for speaker in speakers}
    except TurnError:
        different = list(dict.fromkeys(speakers))
        if len(different) > 2:
            shown = ", ".join(repr(name[:40]) for name in different[:4])
            raise TurnError(f"has {len(different)} speakers ({shown}), of which none is the assistant by name") from None
        known = dict(zip(different, (USER, ASSISTANT), strict=False))
    return lambda speaker: known[speaker]


def _only(cell: Cell) -> Cell:
    """A cell; of a list of one text, that text."""
    value = cell.value if isinstance(cell, Nested) else None
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], str) else cell


def _check_order(turns: Sequence[Turn]) -> None:
    """Raise where turns do not alternate: the system at most once and first, then the user."""
    talk = turns[1:] if turns[0].role == SYSTEM else turns
    for turn in talk:
        if turn.role == SYSTEM:
            raise TurnError("has a system turn that is not the first")
    if talk[0].role == ASSISTANT:
        raise TurnError("begins with a reply, before anything is asked")
    for before, after in pairwise(talk):
        if before.role == after.role:
            raise TurnError(f"has two turns of the {after.role} in a row")

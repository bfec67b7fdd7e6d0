"""Records of watching: how the texts of a window differ from those of the test, and how figures stand on its labels."""

from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedWord(Record):
    """A word that is in more texts than it was, or in fewer."""

    word: str
    before: float  # share of the test's texts that have it
    now: float
    is_known: bool  # whether training had it


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Record):
    """One thing that is compared with the test."""

    name: str  # "length", "vocabulary", "classes", ...
    item: str = ""  # the class, or the value of a column; empty where there is but one
    column: str = ""  # of the file, where the signal is about one
    unit: str  # what ``before`` and ``now`` are: "characters at the median", "share of texts", ...
    before: float | None  # of the test
    now: float | None  # of the window
    change: float | None  # 0 where nothing changed; a share, or how far from 0.5 the chance of being larger is
    low: float | None  # interval of the change
    high: float | None
    level: float  # that a p value must not exceed, so that false alarms of all looks together stay as rare as promised
    p_value: float | None  # of "nothing changed"; the interval has the confidence 1 less ``level``
    least: float  # change below which it is no alarm, however sure
    num_texts: int
    num_windows: int = 1  # that were joined
    method: str
    note: str = ""  # why there is no figure

    @property
    def is_sure(self) -> bool:
        """Whether chance would hardly do it, in all looks together."""
        return self.p_value is not None and self.p_value <= self.level

    @property
    def is_alarm(self) -> bool:
        """Whether it is sure, and large enough to matter."""
        return self.is_sure and self.change is not None and abs(self.change) >= self.least


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFigure(Record):
    """One figure of the verdict, on the labels that came since."""

    metric: str
    label: str | None
    against: str  # "gate", or "test": what the sealed rows showed, at its lower end
    least: float  # the gate, or that lower end
    num_hits: int  # of all labels so far
    num_rows: int
    value: float | None
    low: float | None  # interval that holds at every look
    high: float | None
    confidence: float
    evidence: float | None  # natural logarithm of what bets against "at least ``least``" have won; None without labels
    threshold: float  # from which it is an alarm
    since: str = ""  # the window from which the bets that won most began
    is_alarm: bool = False

    @property
    def name(self) -> str:
        """How it is shown, such as ``recall[spam]``."""
        return f"{self.metric}[{self.label}]" if self.label is not None else self.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCount(Record):
    """How many rows of a label were given a class."""

    label: str
    predicted: str
    num_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedWindow(Record):
    """One look at some rows of production."""

    schema: int = SCHEMA
    number: int  # of the look, from 1
    key: str  # which window it is; a window that grew was looked at several times
    digest: str  # of all rows and labels of the window at this look
    window: str  # "2026-11-30", or "rows 1 to 2,000 of new.csv"
    source: str  # the file
    looked: str  # ISO 8601, UTC
    num_rows: int  # counted at this look
    num_repeated: int = 0  # that an earlier look had counted
    num_unread: int = 0  # without a text
    num_answered: int = 0  # that signals rest on: all, or a sample of very many
    labelled: tuple[LabelledCount, ...] = ()  # rows whose label is new
    signals: tuple[Signal, ...] = ()
    words: tuple[MovedWord, ...] = ()
    figures: tuple[WatchedFigure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def num_labels(self) -> int:
        """Rows whose label is new."""
        return sum(item.num_rows for item in self.labelled)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What moved, in the order of the signals: ``classes: spam``, ``column lang: de``, ``accuracy below its gate``."""
        said = [_say(signal) for signal in self.signals if signal.is_alarm]
        return tuple(dict.fromkeys([*said, *(_say_figure(figure) for figure in self.figures if figure.is_alarm)]))

    @property
    def is_alarm(self) -> bool:
        """Whether anything moved."""
        return bool(self.alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport(Record):
    """What one `pretune watch` found: the windows of its file, each looked at now or before."""

    schema: int = SCHEMA
    run: str
    source: str
    windows: tuple[WatchedWindow, ...]
    num_new: int  # windows that were looked at now
    num_looks: int  # in all, at this run
    num_reference: int  # texts of the test
    method: str
    notes: tuple[str, ...] = ()

    @property
    def is_alarm(self) -> bool:
        """Whether any window of the file has an alarm."""
        return any(window.is_alarm for window in self.windows)


def _say(signal: Signal) -> str:
    name = f"column {signal.column}" if signal.column else signal.name.replace("_", " ")
    return f"{name}: {signal.item}" if signal.item else name


def _say_figure(figure: WatchedFigure) -> str:
    return f"{figure.name} below {'its gate' if figure.against == 'gate' else 'what the test showed'}"

"""Score columns: in a table of predictions, which column is the id, the label, the prediction, the probabilities?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pretune.configs import AuditConfig
from pretune.data.catalogue.fetch import near_names
from pretune.data.foreign.notation import bare_number
from pretune.data.labels.naming import is_named
from pretune.data.labels.spelling import clean_label, near_key
from pretune.data.read.columns import LABEL_NAMES, TEXT_NAMES, shown_columns
from pretune.data.read.table import Cell, Nested, RawTable, unusable
from pretune.errors import DataError, MissingLabelsError
from pretune.run.prediction_tables import PROBABILITY

# What tools and people call these columns, folded; the first that is there is taken.
ID_NAMES = ("id", "example_id", "row_id", "uid", "guid", "idx", "index", "unnamed: 0")
# "label" comes last of the true and of the predicted ones: pipelines of transformers call their answer so.
TRUE_NAMES = ("true_label", "y_true", "gold", "gold_label", "truth", "true", "actual", "label", "target", "labels")
PREDICTED_NAMES = tuple("predicted prediction pred y_pred predicted_label pred_label predicted_class yhat y_hat label".split())
SCORE_NAMES = tuple("score probability prob proba y_score y_prob confidence p score_positive positive_score".split())
NESTED_NAMES = ("predictions", "prediction", "scores", "outputs", "output", "pipeline", "result", "results", "score", "pred")
REFERENCE_NAMES = ("reference", "ref", "gold", "target", "expected", "gold_text", "reference_text")
HYPOTHESIS_NAMES = ("hypothesis", "hyp", "generated", "generation", "output", "candidate", "prediction", "predicted", "system")
NUMBERED = "LABEL_"  # transformers' own name of a class that nobody named begins so; the number follows
# Before the name of a class: "p:spam" is ours, the others are what people write.
CLASS_PREFIXES = (PROBABILITY, "proba_", "prob_", "probability_", "p_", "score_", "logit_", "logits_", NUMBERED)
# The class of a score that stands alone, where labels are named by convention.
POSITIVE_NAMES = ("1", "true", "yes", "y", "t", "pos", "positive", "1.0")

# Each character has one place in it, so that a long run of digits is looked at once.
_NUMBER = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)", re.IGNORECASE)
_LONGEST_NUMBER = 400  # characters: the longest that Python writes for a float has 327
_LOOKED_AT = 200  # rows by which a column is told to hold numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column is what; at least one of ``predicted``, ``score``, ``nested`` and ``classes`` is there."""

    label: str
    id: str | None = None
    predicted: str | None = None
    score: str | None = None
    score_class: str | None = None  # the class that the name of the score's column tells, as in "p:spam"
    nested: str | None = None  # lists of {"label", "score"}, as pipelines of transformers return
    classes: tuple[tuple[str, str], ...] = ()  # column, class
    text: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()  # "label 'gold'", ...

    @property
    def taken(self) -> frozenset[str]:
        """All columns that have a role; the others are further columns."""
        named = (
            self.label,
            self.id,
            self.predicted,
            self.score,
            self.nested,
            *self.text,
            *(column for column, _ in self.classes),
        )
        return frozenset(name for name in named if name is not None)


def choose_roles(raw: RawTable, config: AuditConfig) -> Roles:
    """Return which column plays which role: as named, else by the names that tools write, else an error that lists the columns.

    Raises:
        DataError: A named column is not there, or nothing can be what the model said.
        MissingLabelsError: Nothing can be the label.
    """
    named = {
        "--id": config.id,
        "--label": config.read.label,
        "--predicted": config.predicted,
        "--score": config.score,
        **{"--text" + " " * number: name for number, name in enumerate(config.read.text)},
    }
    check_named(raw, named)
    guesses: list[str] = []
    asked = set(named.values())
    left = [name for name in raw.columns if name not in asked]

    def choose(what: str, wanted: str | None, names: Sequence[str]) -> str | None:
        if wanted is not None:
            return wanted
        found = find_named(left, names)
        if found is not None:
            left.remove(found)
            guesses.append(f"{what} {found!r}")
        return found

    row_id = choose("id", config.id, ID_NAMES) or _index_column(raw, left, guesses)
    label = choose("label", config.read.label, (*TRUE_NAMES, *LABEL_NAMES[1]))
    if label is None:
        raise _no_label(raw)
    nested = None if config.predicted or config.score else _nested_column(raw, left, guesses)
    predicted = choose("predicted", config.predicted, PREDICTED_NAMES)
    classes = () if nested or config.score else _class_columns(raw, left, label, guesses)
    score, score_class = (None, None) if nested or len(classes) > 1 else (choose("score", config.score, SCORE_NAMES), None)
    if len(classes) == 1:  # one of two classes is enough: the other has the rest
        (score, score_class), classes = classes[0], ()
    text = config.read.text or tuple(filter(None, [choose("text", None, (*TEXT_NAMES[0], *TEXT_NAMES[1]))]))
    if not (nested or predicted or classes or score):
        raise _no_prediction(raw)
    return Roles(
        label=label,
        id=row_id,
        predicted=predicted,
        score=score,
        score_class=score_class,
        nested=nested,
        classes=classes,
        text=text,
        guessed=tuple(guesses),
    )


def check_named(raw: RawTable, named: dict[str, str | None]) -> None:
    """Raise where a column that a flag names is not there, or has two roles."""
    wanted = [(flag.strip(), name) for flag, name in named.items() if name is not None]
    for flag, name in wanted:
        if name not in raw.columns:
            near = near_names(name, raw.columns)
            fix = f"did you mean {flag} {near[0]!r}?" if near else f"name another column with {flag}"
            raise unusable(raw.origin, f"has no column {name!r}", expected="one of " + shown_columns(raw.columns), fix=fix)
    names = [name for _, name in wanted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        flags = " and ".join(flag for flag, name in wanted if name == twice)
        raise unusable(
            raw.origin, f"column {twice!r} is asked for as {flags}", expected="one role per column", fix="change one"
        )


def find_named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with the first of the names that is there, case aside."""
    folded = {column.casefold(): column for column in reversed(columns)}
    return next((folded[name] for name in names if name in folded), None)


def _are_numbers(raw: RawTable, place: int) -> bool:
    cells = [row.cells[place] for row in raw.rows[:_LOOKED_AT]]
    filled = [shown for cell in cells if isinstance(cell, str) and (shown := cell.strip())]
    return bool(filled) and sum(map(_is_number, filled)) * 2 > len(filled)


def _is_number(shown: str) -> bool:
    return len(shown) <= _LONGEST_NUMBER and _NUMBER.fullmatch(bare_number(shown)) is not None


def _index_column(raw: RawTable, left: list[str], guesses: list[str]) -> str | None:
    """The nameless first column that data frames write: row numbers, each once."""
    if not raw.columns or raw.columns[0] != "column 1" or raw.columns[0] not in left:
        return None
    cells = [row.cells[0] for row in raw.rows]
    if len(set(cells)) < len(cells) or not _are_numbers(raw, 0):
        return None
    left.remove(raw.columns[0])
    guesses.append("id: the first column, which has no name")
    return raw.columns[0]


def _nested_column(raw: RawTable, left: list[str], guesses: list[str]) -> str | None:
    for name in left:
        if name.casefold() not in NESTED_NAMES:
            continue
        place = raw.columns.index(name)
        first = next((row.cells[place] for row in raw.rows if row.cells[place]), None)
        if _holds_scores(first):
            left.remove(name)
            guesses.append(f"labels and scores in {name!r}")
            return name
    return None


def _holds_scores(cell: Cell) -> bool:
    """Whether a cell holds labels with their scores, nested or as the text that a list becomes in a CSV."""
    text = cell.shown if isinstance(cell, Nested) else cell or ""
    return text.lstrip()[:1] in ("[", "{") and "label" in text and "score" in text


def _class_columns(raw: RawTable, left: list[str], label: str, guesses: list[str]) -> tuple[tuple[str, str], ...]:
    place = raw.columns.index(label)
    kinds = {cell for row in raw.rows if isinstance(cell := row.cells[place], str)}
    labels = frozenset(near_key(label) for cell in kinds if (label := clean_label(cell)))
    places = {name: index for index, name in enumerate(raw.columns)}
    numeric = {name: None for name in left if _are_numbers(raw, places[name])}
    found: tuple[tuple[str, str], ...] = ()
    for prefix in CLASS_PREFIXES:
        cut = 0 if prefix == NUMBERED else len(prefix)
        columns = tuple((name, name[cut:]) for name in left if name.startswith(prefix) and name != prefix)
        is_sure = prefix == PROBABILITY or (prefix == NUMBERED and len(columns) > 1)
        if columns and (is_sure or any(is_named(name, labels) for _, name in columns)):
            found = tuple((column, name) for column, name in columns if prefix == PROBABILITY or column in numeric)
            break
    else:
        bare = tuple((name, name) for name in numeric if is_named(name, labels))
        if len(bare) >= 2 and len({near_key(name) for name, _ in bare}) == len(labels):
            found = bare  # what predict_proba gives under classes_
    taken = {column for column, _ in found}
    left[:] = [name for name in left if name not in taken]
    if found:
        guesses.append("a probability per class in " + shown_columns([column for column, _ in found]))
    return found


def _no_label(raw: RawTable) -> DataError:
    error = unusable(
        raw.origin,
        f"none of its columns looks like the true label: {shown_columns(raw.columns)}",
        expected="a column with a name such as 'label' or 'y_true'",
        fix="name it with --label COL; predictions without labels cannot be judged",
    )
    return MissingLabelsError(error.got, expected=error.expected, fix=error.fix, files=error.files)


def _no_prediction(raw: RawTable) -> DataError:
    return unusable(
        raw.origin,
        f"none of its columns looks like the model's answer: {shown_columns(raw.columns)}",
        expected=f"{PREDICTED_NAMES[0]!r} (a class), {SCORE_NAMES[0]!r} (a probability), or a column 'p:CLASS' for each class",
        fix="name it with --predicted COL or --score COL",
    )

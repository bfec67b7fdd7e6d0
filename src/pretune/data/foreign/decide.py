"""Decide what the numbers of a foreign table mean: whose probability, which classes, which answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pretune.configs import AuditConfig
from pretune.configs.judge import MAX_POSITIVE_SHARE
from pretune.data.foreign.score_columns import POSITIVE_NAMES
from pretune.data.foreign.sums import bad_sums, bounds_of, step_of
from pretune.data.labels.naming import merges, named_as
from pretune.data.labels.spelling import near_index
from pretune.data.read.table import Origin, unusable
from pretune.wording.counts import counted, listed

DEFAULT_THRESHOLD = 0.5
# Rounding of a score that is as low as guessing.
EPSILON = 1e-9

Shares = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was predicted, in the words of the labels."""

    classes: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: Shares | None = None
    certainty: tuple[float, ...] | None = None
    positive: str | None = None
    notes: tuple[str, ...] = ()


def decide_classes(labels: Sequence[str], said: Sequence[str], shares: Sequence[dict[str, float]], origin: Origin) -> Answers:
    """Take the largest probability of each row, or what the table says was predicted, where it says so.

    Args:
        labels: True classes, shape (num_examples,).
        said: The predicted classes, or nothing.
        shares: Class → probability of each row, in the words of the labels; where rows list some classes only, that of the
            answer alone is kept.
        origin: The file, for messages.

    Raises:
        DataError: A label is none of the classes.
    """
    rows, notes = shares, tuple[str, ...]()
    classes = list(dict.fromkeys(name for row in rows for name in row))
    largest = [max(row, key=lambda name: row[name]) for row in rows]
    answers = tuple(said) or tuple(largest)
    if any(len(row) < len(classes) for row in rows) or len(classes) == 1:  # the best answer alone, or the best few
        classes = sorted({*classes, *labels})
        _check_known(labels, answers, classes, origin, listed=False)
        found = tuple(row.get(answer, 0.0) for row, answer in zip(rows, answers, strict=True))
        return _from_certainty(labels, answers, found, tuple(classes), notes)
    _check_known(labels, answers, classes, origin, listed=True)
    step = step_of(rows)
    num_off = sum(not low <= sum(row.values()) <= high for row in rows for low, high in [bounds_of(row, step)])
    if num_off:
        raise bad_sums(num_off, len(rows), origin)
    num_moved = sum(a != b for a, b in zip(answers, largest, strict=True))
    if num_moved:
        notes = (
            *notes,
            f"{counted(num_moved, 'prediction is', 'predictions are')} not the class of the largest probability; "
            "the predictions count",
        )
    table = tuple(tuple(row[name] for name in classes) for row in rows)
    return Answers(classes=tuple(classes), labels=tuple(labels), predicted=answers, probabilities=table, notes=notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One score per row, predicted classes, or both, as the table has them."""

    labels: Sequence[str]  # shape (num_examples,), like the next two
    said: Sequence[str] = ()  # predicted classes, or nothing
    scores: Sequence[float] = ()  # probabilities, or nothing
    score_class: str | None = None  # the class that the name of the score's column tells
    config: AuditConfig
    origin: Origin  # the file, for messages


def decide_score(given: Scored) -> Answers:
    """Make sense of predicted classes, of one score per row, or of both.

    A score beside a prediction may be of the predicted class (as pipelines of transformers have it) or of the positive
    one (as ``predict_proba(...)[:, 1]``); the numbers tell which, or ``score_of`` does. Alone it is of the positive
    class, which is predicted from the threshold on.

    Raises:
        DataError: Labels and predictions share no class, or it cannot be told what the score is of.
    """
    if given.said and given.config.threshold is not None:
        raise unusable(
            given.origin,
            "--threshold with a column of predictions",
            expected="a score alone, or the predictions as they were made",
            fix="leave out --threshold, or remove the column",
        )
    notes, answers = tuple[str, ...](), tuple(given.said)
    classes = tuple(sorted({*given.labels, *answers, *filter(None, [given.score_class])}))
    if not given.scores or answers:
        _check_known(given.labels, answers, classes, given.origin, listed=False)
    if not given.scores:
        return Answers(classes=classes, labels=tuple(given.labels), predicted=answers, notes=notes)
    if min(given.scores) == max(given.scores):
        notes = (*notes, f"the score is {given.scores[0]:g} in every row: it ranks nothing")
    if answers and _is_of_answer(given, answers, classes):
        notes = (*notes, "the score is read as that of the predicted class; --score-of positive changes that")
        return _from_certainty(given.labels, answers, tuple(given.scores), classes, notes)
    return _from_positive(given, answers, classes, notes)


def _from_positive(given: Scored, answers: tuple[str, ...], classes: tuple[str, ...], notes: tuple[str, ...]) -> Answers:
    asked, scores = given.config.judge.positive, given.scores
    wanted = asked if asked is None else named_as(asked, classes, merge=merges(given.config))
    classes = tuple(sorted({*classes, wanted})) if wanted is not None and len(classes) == 1 else classes
    if len(classes) != 2:
        raise unusable(
            given.origin,
            f"one score per row, and {len(classes)} class{'es' * (len(classes) > 1)}: {_shown(classes)}",
            expected="two classes, or a column 'p:CLASS' for each",
            fix="write a column per class, or the predicted class beside the score; with one class, name the other: --positive",
        )
    positive = given.score_class or wanted or _conventional(classes) or _rarer(given.labels)
    if positive is None or positive not in classes:
        raise unusable(
            given.origin,
            "it is unclear whose probability the score is" if positive is None else f"no row is {positive!r}",
            expected="the score of one of " + ", ".join(map(repr, classes)),
            fix="name it with --positive",
        )
    threshold = given.config.threshold if given.config.threshold is not None else DEFAULT_THRESHOLD
    other = next(name for name in classes if name != positive)
    how = "" if given.score_class or wanted else " (--positive names another)"
    read = f"the score is read as the probability of {positive!r}{how}"
    notes = (*notes, read, *_against_itself(given.labels, scores, positive))
    if not answers:
        answers = tuple(positive if score >= threshold else other for score in scores)
        notes = (*notes, f"{positive!r} is predicted at a score of {threshold:g} or more; --threshold changes that")
    table = tuple((1 - score, score) if classes[1] == positive else (score, 1 - score) for score in scores)
    labels = tuple(given.labels)
    return Answers(classes=classes, labels=labels, predicted=answers, probabilities=table, positive=positive, notes=notes)


def _from_certainty(
    labels: Sequence[str], answers: tuple[str, ...], found: tuple[float, ...], classes: tuple[str, ...], notes: tuple[str, ...]
) -> Answers:
    if len(classes) != 2:
        note = "only the answer has a probability: no loss, and no calibration of the other classes"
        return Answers(classes=classes, labels=tuple(labels), predicted=answers, certainty=found, notes=(*notes, note))
    table = tuple(
        (share, 1 - share) if answer == classes[0] else (1 - share, share) for answer, share in zip(answers, found, strict=True)
    )
    return Answers(classes=classes, labels=tuple(labels), predicted=answers, probabilities=table, notes=notes)


def _is_of_answer(given: Scored, answers: Sequence[str], classes: tuple[str, ...]) -> bool:
    scores = given.scores
    if given.config.score_of is not None:
        return given.config.score_of == "predicted"
    if min(scores) >= 1 / len(classes) - EPSILON:  # no answer is less likely than guessing: none was against the score
        return True
    sides = [[score for answer, score in zip(answers, scores, strict=True) if answer == name] for name in classes]
    if len(classes) != 2 or not any(not high or not low or min(high) >= max(low) for low, high in (sides, sides[::-1])):
        raise unusable(
            given.origin,
            "the predictions do not tell whose probability the score is",
            expected="the score of the predicted class (with two classes, never below 0.5), or of one class throughout",
            fix="say which: --score-of predicted, or --score-of positive",
        )
    return False


def _check_known(
    labels: Sequence[str], answers: Sequence[str], classes: Sequence[str], origin: Origin, *, listed: bool
) -> None:
    own, known = set(labels), set(classes if listed else answers)
    strangers = own - known if listed else set[str]()
    is_disjoint = bool(answers) and not own & known and len(set(answers)) > 1
    if strangers or is_disjoint:
        wanted = sorted(strangers or own)
        find = near_index(sorted(known))
        near = next(((label, name) for label in wanted if (name := find(label)) is not None), None)
        fix = "rename one of them (LABEL_0 to what it stands for), or leave out the rows that the model cannot know"
        if near is not None:
            fix = f"{near[0]!r} and {near[1]!r} differ by case or spacing only: --merge-labels makes them one"
        num_strange = counted(sum(label in strangers for label in labels), "row holds", "rows hold")
        said = f"{num_strange} the label {wanted[0]!r}" if strangers else f"the labels are {_shown(labels)}"
        raise unusable(
            origin,
            f"{said}, and the model knows {_shown(classes if listed else answers)}",
            expected="labels and predictions in the same words",
            fix=fix,
        )
    if len(set(classes)) < 2:
        raise unusable(
            origin,
            f"labels and predictions are {classes[0]!r} in all {len(labels):,} rows",
            expected="at least two classes",
            fix="add rows of another class",
        )


def _shown(names: Sequence[str]) -> str:
    kinds = sorted(set(names))
    return listed(kinds, 5)


def _conventional(classes: Sequence[str]) -> str | None:
    found = [name for name in classes if name.casefold() in POSITIVE_NAMES]
    return found[0] if len(found) == 1 else None


def _rarer(labels: Sequence[str]) -> str | None:
    counts = Counter(labels)
    name, count = min(counts.items(), key=lambda item: item[1])
    return name if len(counts) == 2 and count <= MAX_POSITIVE_SHARE * len(labels) else None


def _against_itself(labels: Sequence[str], scores: Sequence[float], positive: str) -> tuple[str, ...]:
    """Say so where the scores are lower on rows of their own class: they are of the other one, most likely."""
    own = [score for label, score in zip(labels, scores, strict=True) if label == positive]
    others = [score for label, score in zip(labels, scores, strict=True) if label != positive]
    if own and others and sum(own) / len(own) < sum(others) / len(others):
        return (
            f"the score is lower on rows of {positive!r} than on the others: does it belong to the other class? See --positive",
        )
    return ()

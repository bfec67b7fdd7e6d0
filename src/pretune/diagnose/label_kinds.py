"""Kinds of labels: is each label one plain class, or several, an ordered number, or one annotator's opinion among others?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from pretune.data.labels.several import CURE, note_joined
from pretune.data.labels.votes import listed_columns, read_votes
from pretune.diagnose.columns import filled_columns, is_annotation, spread
from pretune.diagnose.measures import percent
from pretune.evaluate.ordered import ordered_values
from pretune.evaluate.people import person_of
from pretune.hashing import fold
from pretune.records import Evaluation, Evidence, Example, Finding, Severity, Terms

# Share of a column's values that are classes from which it holds somebody's answers.
MIN_CLASSES_SHARE = 0.95
# What annotation tools write beside a row that is to be used, and beside one that is not.
USED = frozenset({"accept", "accepted", "approve", "approved", "submitted", "done", "completed", "golden"})
NOT_USED = frozenset({"reject", "rejected", "ignore", "ignored", "skip", "skipped", "discarded", "draft", "pending", "flagged"})
SHOWN = 5


def check_label_kind(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Name labels that are not plain classes: several in one cell, or numbers with an order, such as one to five stars."""
    check = "labels.kind"
    counts = Counter(row.label for row in (*evidence.train, *evidence.validation, *evidence.test) if row.label is not None)
    if not counts:
        return Finding.unknown(check, "needs labelled rows")
    joined, values = note_joined(counts), ordered_values(evidence.classes or tuple(sorted(counts)))
    if joined:
        means = "each combination is learned as a class of its own, and one right label of two counts as wrong"
        severity, summary, fix = Severity.WARNING, f"{'; '.join(joined)}: {means}", f"{CURE[0].upper()}{CURE[1:]}."
    elif values is not None:
        low, high = (f"{value:g}" for value in (min(values), max(values)))
        means = f"learned as names, so to take {low} for {high} counts as much as to take it for its neighbour"
        severity, summary = Severity.NOTE, f"the {len(values)} classes are numbers, {low} to {high}: {means}"
        fix = "If they have an order, look at the mean absolute error and quadratic kappa, which `pretune audit` gives."
    else:
        severity, summary, fix = Severity.OK, f"each of {len(counts)} classes is one name, without an order", ""
    return Finding(check=check, severity=severity, summary=summary, measured=float(len(joined)), limit=0.0, fix=fix)


def check_annotations(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Name columns that an annotation tool left: whether to use a row, what each annotator said, how sure they were."""
    check, rows = "labels.annotations", _labelled(evidence)
    if not any(row.extra for row in rows):
        return Finding.not_applicable(check, "the rows have no column besides text and label")
    unused, answers = list(_unused(rows)), _answers(rows, evidence.classes)
    voted, told = _votes(evidence, tuple(answers))
    said = [*(text for _, text in unused), *_say_answers(answers), *told, *_named(rows)]
    if not said:
        summary = "no column looks as if an annotation tool had left it"
        return Finding(check=check, severity=Severity.OK, summary=summary, measured=0.0)
    return Finding(
        check=check,
        severity=Severity.WARNING if unused else Severity.NOTE,
        summary="; ".join(said),
        measured=float(len(said)),
        limit=0.0,
        fix=_fix(unused, () if evidence.votes else voted),
    )


def _labelled(evidence: Evidence) -> tuple[Example, ...]:
    """Return the rows of training; of an audit, which may have none, those that are judged."""
    return evidence.train or tuple(row for row in evidence.test if row.label is not None)


def _unused(rows: Sequence[Example]) -> Iterator[tuple[str, str]]:
    """Yield, for each column that says which rows to use, a filter and a sentence."""
    for name in dict.fromkeys(chain.from_iterable(row.extra for row in rows)):
        values = Counter(row.extra.get(name, "").strip().casefold() for row in rows)
        values.pop("", None)
        against = {value: count for value, count in values.items() if value in NOT_USED}
        if against and set(values) <= USED | NOT_USED:
            kept = next((value for value, _ in values.most_common() if value in USED), "accept")
            spelled = next((row.extra[name] for row in rows if row.extra.get(name, "").strip().casefold() == kept), kept)
            counted = ", ".join(f"{count:,} {value!r}" for value, count in against.items())
            yield (
                f"{name}={spelled}",
                f"column {name!r} says that rows are not to be used ({counted} in training), and they are used",
            )


def _fix(unused: Sequence[tuple[str, str]], voted: Sequence[str]) -> str:
    kept = f"Pass --where '{unused[0][0]}', so that they are left out and counted." if unused else ""
    beside = f"Pass --votes {','.join(voted)}, so that the model is judged beside a person." if voted else ""
    return " ".join(filter(None, [kept, beside]))


def _votes(evidence: Evidence, answers: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the columns that hold votes, as named or as found, and a sentence on how far people agree."""
    rows = _labelled(evidence)
    classes = evidence.classes or tuple(sorted({str(row.label) for row in rows}))
    columns = evidence.votes or _voted(rows, classes, answers)
    if not columns:
        return (), []
    label = evidence.receipt.columns.label if evidence.receipt is not None else None
    votes = read_votes(rows, columns, classes, label=label)
    texts = Counter(fold(row.text) for row in rows)
    groups = {row.id: text for row in rows if texts[text := fold(row.text)] > 1}
    person = person_of(votes, [row.id for row in rows], classes, Terms(groups=groups, unit="different texts"))
    if person is None or person.value is None or person.low is None or person.high is None:
        return (columns, []) if votes.by_row else ((), [])
    share = f"{percent(person.value)} ({percent(person.low)} to {percent(person.high)}) of {person.num_examples:,} rows"
    foreign = f" ({votes.num_foreign:,} votes name no class)" if votes.num_foreign else ""
    agrees = f"one annotator agrees with the majority of the others in {share}{foreign}"
    return columns, [f"{agrees}: no model can be asked to be right more often than people agree"]


def _voted(rows: Sequence[Example], classes: Sequence[str], answers: Sequence[str]) -> tuple[str, ...]:
    """Return columns of votes: some that hold classes, one that holds lists of them, or one that says who labelled a row."""
    if len(answers) > 1:
        return tuple(answers)
    names = filled_columns(rows)
    listed = listed_columns(spread(rows), names, classes)
    if listed:
        return listed[:1]
    voters = (name for name in names if is_annotation(name) and read_votes(rows, (name,), classes).by_row)
    return tuple(islice(voters, 1))


def _answers(rows: Sequence[Example], classes: Sequence[str]) -> dict[str, float]:
    """Return columns that hold classes, with how often they agree with the label: what annotators, or a model, said."""
    known = {fold(label) for label in classes or {row.label for row in rows if row.label is not None}}
    found = {}
    for name in filled_columns(rows):
        pairs = [(fold(row.extra.get(name, "")), fold(str(row.label))) for row in rows if row.extra.get(name, "").strip()]
        if sum(value in known for value, _ in pairs) >= MIN_CLASSES_SHARE * len(pairs):
            found[name] = sum(value == label for value, label in pairs) / len(pairs)
    return {name: share for name, share in found.items() if share < 1}  # one that always agrees is another name of the label


def _say_answers(agreeing: Mapping[str, float]) -> Iterator[str]:
    if agreeing:
        shown = ", ".join(f"{name!r} {percent(share)}" for name, share in list(agreeing.items())[:SHOWN])
        whose = "one annotator's or model's answers" if len(agreeing) == 1 else "the votes of annotators"
        yield f"columns that hold classes, as {whose} do, agree with the label in: {shown}"


def _named(rows: Sequence[Example]) -> Iterator[str]:
    found = [name for name in filled_columns(rows) if is_annotation(name)]
    if found:
        shown = ", ".join(map(repr, found[:SHOWN]))
        says = "say" if len(found) > 1 else "says"
        yield f"{shown} {says} how the labels came about; rows that annotators doubted can be left out with --where"

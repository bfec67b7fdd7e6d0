"""People: how often does one annotator agree with the majority of the others, and is the model worse than such a person?

Each vote in turn is held against the majority of the other votes on its row. The model's answer is held against the same
majorities, so that both have the same target; against the label, to which each annotator has contributed, people would look
better than they are. A vote whose others are tied has no target and is left out. Each vote that is left counts once, not
each row: whether the others are tied does not depend on the vote, so a model that answers as a further annotator would is
neither better nor worse than one.

Source:
    Rajpurkar et al. (2016), SQuAD (a person against the other annotators); Calderon, Reichart and Dror (2025), The alternative
    annotator test (a model in the place of each annotator in turn).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pretune.evaluate.bootstrap import num_resamples
from pretune.evaluate.codes import MACRO, Counts, codes_of, units_of
from pretune.evaluate.paired import difference_interval
from pretune.evaluate.pairs import sign_flip_p_value
from pretune.evaluate.shares import Truth, too_few
from pretune.intervals import MIN_RARER_CLASS, MIN_UNITS, Floats, proportion_interval, skewed_mean_interval, unit_means
from pretune.records import AGREEMENT, PERSON, Comparison, Evaluation, Predictions, Score, Terms, Votes

HOW = "a person against the majority of the others (leave-one-out)"
METRICS = ("precision", "recall", "f1")
TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Votes held against the majority of the others; rows of which no vote has a target are left out.

    Args:
        ids: Of the rows, shape (num_rows,).
        row: Place in ``ids`` of each vote, shape (num_votes,).
        target: Position of the class that most of the others named.
        said: Position of the class that the vote named.
        weight: How many votes of the row are alike.
        units: Number of the unit of each row, from 0; ``None`` where each stands alone.
        unit: What units are called.
    """

    ids: tuple[str, ...]
    row: Counts
    target: Counts
    said: Counts
    weight: Floats
    units: Counts | None
    unit: str

    def per_row(self, values: Floats) -> Floats:
        """Add up values of votes to values of rows, each vote by its weight."""
        return np.bincount(self.row, self.weight * values, minlength=len(self.ids)).astype(float)

    def num_units(self, chosen: Truth) -> int:
        """How many units have a row among the chosen."""
        return int(chosen.sum()) if self.units is None else len(np.unique(self.units[chosen]))


def hold_votes(votes: Mapping[str, Sequence[str]], ids: Sequence[str], classes: Sequence[str], terms: Terms) -> Held:
    """Hold each vote against the majority of the others.

    Example:
        >>> held = hold_votes({"1": ("a", "a", "b")}, ["1"], ("a", "b"), Terms())
        >>> held.target.tolist(), held.said.tolist()  # the others of each a are an a and a b, a tie; those of the b say a
        ([0], [1])
    """
    place = {label: index for index, label in enumerate(classes)}
    kept, row, parts = list[str](), list[int](), list[tuple[int, int, float]]()
    for id in ids:
        found = list(_against_others(votes.get(id, ())))
        if found:
            parts += [(place[target], place[said], float(count)) for target, said, count in found]
            row += [len(kept)] * len(found)
            kept.append(id)
    table = np.array(parts, float).reshape(-1, 3)
    target, said = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    units = units_of(kept, terms.groups)
    return Held(tuple(kept), np.array(row, np.int64), target, said, table[:, 2], units, terms.unit)


def _against_others(named: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (what most of the others said, what this one said, how many said it), without ties."""
    counts = Counter(named)
    for said, count in counts.items():
        others = counts - Counter({said: 1})
        ranked = others.most_common(2)
        if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
            yield ranked[0][0], said, count


def score_people(votes: Votes, predictions: Predictions, terms: Terms) -> tuple[Score, ...]:
    """Return accuracy, precision, recall and F1 of a person, each with its interval.

    Precision, recall and F1 are of the positive class, or means over the classes that a majority named.

    Args:
        votes: Of the rows.
        predictions: Whose rows and classes they are.
        terms: By which intervals are computed.
    """
    held = hold_votes(votes.by_row, predictions.ids, predictions.classes, terms)
    make = partial(Score, split=predictions.split, source=PERSON, confidence=terms.confidence, look=terms.look)
    hit = (held.said == held.target).astype(float)
    everything = np.ones_like(hit)
    if not held.ids:
        why = "undefined: no row has votes with a majority of the others"
        return (make(metric="accuracy", label=None, value=None, low=None, high=None, method=why, num_examples=0),)
    positive = terms.positive
    chosen = np.unique(held.target) if positive is None else np.array([predictions.classes.index(positive)])
    label = MACRO if positive is None else positive
    found = [_ratio(make, ("accuracy", None), held, [(hit, everything)])]
    found += [_ratio(make, (metric, label), held, [_parts(held, metric, int(at)) for at in chosen]) for metric in METRICS]
    return tuple(found)


def person_of(votes: Votes, ids: Sequence[str], classes: Sequence[str], terms: Terms) -> Score | None:
    """Return how often a person agrees with the majority of the others on rows without answers of a model.

    Args:
        votes: Of the rows.
        ids: Of the rows.
        classes: All there are.
        terms: By which the interval is computed.
    """
    held = hold_votes(votes.by_row, ids, classes, terms)
    make = partial(Score, split="train", source=PERSON, confidence=terms.confidence, look=terms.look)
    hit = (held.said == held.target).astype(float)
    return _ratio(make, ("accuracy", None), held, [(hit, np.ones_like(hit))]) if held.ids else None


def _parts(held: Held, metric: str, index: int) -> tuple[Floats, Floats]:
    """Return what each vote adds to the hits and to what they are a share of."""
    is_target, is_said = (held.target == index).astype(float), (held.said == index).astype(float)
    whole = {"precision": is_said, "recall": is_target, "f1": (is_target + is_said) / 2}[metric]
    return is_target * is_said, whole


@dataclass(frozen=True, slots=True, eq=False)
class _Figure:
    """A ratio of hits to what they are a share of, or the mean of such ratios, one for each class.

    Args:
        value: The figure.
        pulls: What each row adds to it, shape (num_rows,); they add up to 0.
        weights: Votes of each row that it rests on.
        missed: Rows of which a vote is not a hit.
        fewest: Units that have rows of the rarest class.
        is_mean: Whether it is a mean over classes.
    """

    value: float
    pulls: Floats
    weights: Floats
    missed: Truth
    fewest: int
    is_mean: bool


def _ratio(make: partial[Score], name: tuple[str, str | None], held: Held, parts: Sequence[tuple[Floats, Floats]]) -> Score:
    found = _figure(held, parts)
    blank = partial(make, metric=name[0], label=name[1], num_examples=int((found.weights > 0).sum()))
    if not found.weights.any():
        return blank(value=None, low=None, high=None, method="undefined: no majority, and no vote, is of this class")
    interval, how = _interval(found, held, make.keywords["confidence"])
    low, high = (None, None) if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
    return blank(value=found.value, low=low, high=high, method=f"{HOW}; {how}")


def _figure(held: Held, parts: Sequence[tuple[Floats, Floats]]) -> _Figure:
    size = len(held.ids)
    value, pulls, missed, weights, fewest = 0.0, np.zeros(size), np.zeros(size, bool), np.zeros(size), size
    for of_votes in parts:
        hits, whole = map(held.per_row, of_votes)
        total = max(float(whole.sum()), TINY)
        ratio = float(hits.sum()) / total
        value += ratio / len(parts)
        pulls += (hits - ratio * whole) * size / total / len(parts)
        missed |= hits < whole - TINY
        weights += whole
        fewest = min(fewest, held.num_units(whole > 0))
    return _Figure(value, pulls, weights, missed, fewest, len(parts) > 1)


def _interval(figure: _Figure, held: Held, confidence: float) -> tuple[tuple[float, float] | None, str]:
    """Return the t interval of the pulls; with few disagreements, that of a share, in which a row varies more."""
    unit, num_missed = "rows" if held.units is None else held.unit, held.num_units(figure.missed)
    if figure.fewest < MIN_RARER_CLASS:
        return None, too_few("the rarest class" if figure.is_mean else "the data", figure.fewest, unit)
    if num_missed >= MIN_RARER_CLASS:
        over = "" if held.units is None else f", over {unit}"
        found = skewed_mean_interval(figure.value + unit_means(figure.pulls, held.units), confidence)
        return found, f"t interval, corrected for skewness (Hall){over}"
    if figure.is_mean:
        return None, too_few("what people disagree on", num_missed, unit)
    numbers = np.arange(len(held.ids)) if held.units is None else held.units
    sizes = np.bincount(numbers, figure.weights).astype(float)
    worth = float(sizes.sum() ** 2 / (sizes**2).sum())
    if held.units is not None and worth < MIN_UNITS:
        return None, f"no interval: {unit} count as {worth:.1f}, {MIN_UNITS} are needed"
    return proportion_interval(figure.value * worth, worth, confidence), "as a share of so many rows, which varies more"


def beside_people(evaluation: Evaluation, votes: Votes, predictions: Predictions, terms: Terms) -> Evaluation:
    """Return the evaluation with the figures of a person, and how the judged model compares with one.

    Args:
        evaluation: Of the judged model and its baselines.
        votes: On the rows.
        predictions: Of the judged model.
        terms: By which figures are computed.
    """
    if not votes.by_row:
        return evaluation
    scores, compared = score_people(votes, predictions, terms), compare_with_person(votes, predictions, terms)
    comparisons = (*evaluation.comparisons, *([compared] if compared is not None else []))
    return replace(evaluation, scores=(*evaluation.scores, *scores), comparisons=comparisons)


def compare_with_person(votes: Votes, predictions: Predictions, terms: Terms) -> Comparison | None:
    """Compare how often the model and a person agree with the majority of the other annotators, row by row.

    Args:
        votes: Of the rows.
        predictions: Of the judged model.
        terms: By which interval and test are computed.

    Returns:
        The comparison; ``None`` where no row has votes with a majority of the others.
    """
    held = hold_votes(votes.by_row, predictions.ids, predictions.classes, terms)
    if not held.ids:
        return None
    _, said = codes_of(predictions)
    of_model = dict(zip(predictions.ids, said.tolist(), strict=True))
    answers = np.array([of_model[id] for id in held.ids])[held.row]
    model, person = (held.per_row((codes == held.target).astype(float)) for codes in (answers, held.said))
    weights = held.per_row(np.ones_like(held.weight))
    confidence, draws, total = terms.confidence, num_resamples(terms.confidence), float(weights.sum())
    difference = float((model - person).sum()) / total
    gains = (model - person) * len(weights) / total  # of rows, with the difference as their mean
    pulls = gains - difference * (weights * len(weights) / total - 1)
    unit = "rows" if held.units is None else held.unit
    numbers = np.arange(len(weights)) if held.units is None else held.units
    sums, sizes = np.bincount(numbers, model - person), np.bincount(numbers, weights)
    interval: tuple[float, float] | None
    if len(sums) < MIN_RARER_CLASS:
        interval, how = None, too_few("the data", len(sums), unit)
    elif (np.abs(sums) > TINY).sum() >= MIN_RARER_CLASS:
        interval, how = skewed_mean_interval(unit_means(pulls, held.units), confidence), f"t interval over {unit}"
    else:  # as of so many rows of which only one is right, of the size of the largest
        ahead, behind = (float(np.maximum(sign * sums, 0).sum() / sizes.max()) for sign in (1, -1))
        interval = difference_interval(ahead, behind, float(sizes.sum() / sizes.max()), confidence)
        how = f"Bonett-Price interval, over {unit}"
    return Comparison(
        metric=AGREEMENT,
        split=predictions.split,
        a=predictions.source,
        b=PERSON,
        value_a=float(model.sum()) / total,
        value_b=float(person.sum()) / total,
        difference=difference,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        confidence=confidence,
        p_value=sign_flip_p_value(gains, held.units, draws, 0),
        method=f"both against the majority of the others (leave-one-out); {unit} exchanged at random, {draws:,} draws; {how}",
        num_examples=len(gains),
    )

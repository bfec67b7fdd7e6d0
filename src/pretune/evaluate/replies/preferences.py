"""Preferences: what people said of pairs of replies, as one sign test over conversations."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pretune.evaluate.paired import mcnemar_p_value
from pretune.intervals import proportion_interval
from pretune.records import Pick, Replies, Review, Score
from pretune.records.review import MODEL, RIVAL, SKIP, TIE

_POINTS = {MODEL: 1, RIVAL: -1, TIE: 0}


def best_rival(scores: Sequence[Score], main: str, held: Sequence[str]) -> str | None:
    """Return the source with the most chrF on the test among those held; of equals the first; ``None`` without one.

    Args:
        scores: Of the run.
        main: The judged source.
        held: Sources whose replies are there, the judged one's other precisions left out.
    """
    known = {s.source: s.value for s in scores if s.metric == "chrf" and s.split == "test" and s.value is not None}
    rivals = [source for source in held if source != main and source in known]
    return max(rivals, key=lambda source: known[source] or 0.0, default=None)


def draw_pairs(model: Replies, rival: Replies, units: Mapping[str, str], count: int, *, seed: int = 0) -> tuple[str, ...]:
    """Return ids of conversations to compare, in a drawn order: one of each unit, those with equal replies left out.

    Rows of one unit would say the same twice, and a sign test takes every pair as independent.

    Args:
        model: Replies of the judged source.
        rival: Those of its rival, of the same conversations.
        units: Unit of each row that shares one, by id.
        count: Pairs; fewer where there are fewer units.
        seed: Of the draw.
    """
    other = dict(zip(rival.ids, rival.texts, strict=True))
    differing = [
        id for id, text in zip(model.ids, model.texts, strict=True) if id in other and text.split() != other[id].split()
    ]
    chosen, seen = list[str](), set[tuple[bool, str]]()
    for id in random.Random(f"pairs {seed}").sample(sorted(differing), len(differing)):
        unit = (id in units, units.get(id, id))
        if unit not in seen and len(chosen) < count:
            chosen.append(id)
            seen.add(unit)
    return tuple(chosen)


def is_model_first(id: str, *, seed: int) -> bool:
    """Return whether the model's reply is shown as number 1, by a draw of the conversation's own."""
    return random.Random(f"order {seed} {id}").random() < 0.5


def review_of(picks: Mapping[str, Sequence[Pick]], source: str, rival: str, *, confidence: float = 0.95) -> Review | None:
    """Return what people said, each conversation counted once: of several people by the majority; ``None`` without a pick.

    Ties say nothing about which is better and are left out of the sign test, whose p value is McNemar's, mid-p.

    Args:
        picks: By the name of the reviewer.
        source: The judged source.
        rival: What it was compared with.
        confidence: Of the interval of the share that prefers the model.
    """
    votes, harmful = defaultdict[str, list[int]](list), {MODEL: set[str](), RIVAL: set[str]()}
    for given in picks.values():
        for pick in given:
            for side in pick.harmful:
                harmful[side].add(pick.id)
            if pick.picked != SKIP:
                votes[pick.id].append(_POINTS[pick.picked])
    if not votes and not any(harmful.values()):
        return None
    sums = [sum(found) for found in votes.values()]
    num_model, num_rival = sum(value > 0 for value in sums), sum(value < 0 for value in sums)
    decided = num_model + num_rival
    low, high = proportion_interval(num_model, decided, confidence) if decided else (None, None)
    return Review(
        source=source,
        rival=rival,
        reviewers=tuple(sorted(picks)),
        num_pairs=len(sums),
        num_model=num_model,
        num_rival=num_rival,
        num_ties=len(sums) - decided,
        num_harmful=len(harmful[MODEL]),
        num_rival_harmful=len(harmful[RIVAL]),
        share=num_model / decided if decided else None,
        low=low,
        high=high,
        p_value=mcnemar_p_value(num_model, num_rival),
        confidence=confidence,
    )

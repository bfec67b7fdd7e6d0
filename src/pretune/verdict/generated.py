"""The decision on generated text: gates on BLEU and chrF if the user sets them, and rivals to beat."""

from collections.abc import Mapping, Sequence

from pretune.records import Comparison, Outcome, Reason, Score, Verdict

NAMES = {"bleu": "BLEU", "chrf": "chrF"}
SUBJECT = "subject"
# How much less often than the references a system may name the subject, at most, for the rows to count as showing that it does.
MAX_SUBJECT_LOSS = 0.10


def decide_generated(
    scores: Sequence[Score],
    comparisons: Sequence[Comparison],
    gates: Mapping[str, float],
    *,
    rivals: Sequence[str],
    look: int = 1,
) -> Verdict:
    """Hold each gate against the interval of its figure, and ask whether the system is better than every rival.

    *Ship* needs each of ``rivals`` to be beaten on chrF. One trivial rival is never enough: where one of them could not be
    made, the outcome is *not enough evidence* at best, whatever the gates and the other system say. There is no default gate,
    because what BLEU is enough depends on the references.

    Args:
        scores: Of the judged system first, on the scale of 0 to 100; those of others are not held against gates.
        comparisons: With the other system, with the rivals, and with the references on naming the subject. All of them must
            hold, so none needs a correction.
        gates: Metric → the least that its whole interval must reach.
        rivals: What anyone could have answered, by name; those without a comparison could not be made.
        look: How often these rows have been opened, this time included.
    """
    found = {score.metric: score for score in scores if score.source == scores[0].source}
    reasons = [_weigh(found[metric], minimum) for metric, minimum in gates.items() if metric in found]
    reasons += [_compare_subject(item) if item.metric == SUBJECT else _compare(item) for item in comparisons]
    compared = {item.b for item in comparisons}
    reasons += [_missing(name) for name in rivals if name not in compared]
    holds = [reason.holds for reason in reasons]
    outcome = Outcome.DO_NOT_SHIP if False in holds else Outcome.SHIP if all(holds) else Outcome.NOT_ENOUGH_EVIDENCE
    said = {Outcome.SHIP: "Ship", Outcome.DO_NOT_SHIP: "Do not ship", Outcome.NOT_ENOUGH_EVIDENCE: "Not enough evidence"}
    deciding = [reason for reason in reasons if reason.holds is (None if None in holds and False not in holds else False)]
    note = "" if outcome is not Outcome.NOT_ENOUGH_EVIDENCE else "how many rows would decide is not computed for generated text"
    return Verdict(
        outcome=outcome,
        summary=f"{said[outcome]}: {(deciding or reasons)[0].text}.",
        reasons=tuple(sorted(reasons, key=lambda reason: (False, None, True).index(reason.holds))),
        rows_needed_note=note,
        look=look,
        policy={"name": "generated text", "gates": dict(gates), "better_than": list(rivals)},
    )


def _missing(rival: str) -> Reason:
    text = f"whether {rival} does as well is not known: that needs prompts, and --train FILE with prompts and replies"
    return Reason(kind="comparison", name=f"chrf[{rival}]", holds=None, text=text)


def _compare_subject(item: Comparison) -> Reason:
    """Ask that replies name what was asked about as often as references do; good ones may have other words: it never fails."""
    share, own = (f"{100 * value:.0f} %" for value in (item.value_a, item.value_b))
    figure = f"{share} of {item.num_examples} replies name the subject of their question, {own} of the references do"
    is_lower = item.high is not None and item.high < 0
    if is_lower:
        return Reason(
            kind="comparison", name=item.name, holds=None, text=f"{figure}: clearly less often; look whether they answer"
        )
    if item.low is None or item.low < -MAX_SUBJECT_LOSS:
        text = f"{figure}: the rows do not rule out {100 * MAX_SUBJECT_LOSS:.0f} points less"
        return Reason(kind="comparison", name=item.name, holds=None, text=text)
    return Reason(kind="comparison", name=item.name, holds=True, text=f"{figure}: not clearly less often")


def _weigh(score: Score, minimum: float) -> Reason:
    name, kind = NAMES.get(score.metric, score.metric), "score"
    if score.value is None or score.low is None or score.high is None:
        text = f"{name} has {score.method.split(';')[0]}; the gate of {minimum:g} is open"
        return Reason(kind=kind, name=score.name, holds=None, text=text)
    figure = f"{name} is {score.value:.1f} ({100 * score.confidence:.4g} % interval {score.low:.1f} to {score.high:.1f})"
    if score.is_clear_of(minimum):
        return Reason(
            kind=kind, name=score.name, holds=True, text=f"{figure}: the whole interval reaches the gate of {minimum:g}"
        )
    if score.is_short_of(minimum):
        text = f"{figure}: the whole interval lies below the gate of {minimum:g}"
        return Reason(kind=kind, name=score.name, holds=False, text=text)
    return Reason(kind=kind, name=score.name, holds=None, text=f"{figure}: the gate of {minimum:g} lies inside the interval")


def _compare(item: Comparison) -> Reason:
    name = NAMES.get(item.metric, item.metric)
    gain = f"the gain over {item.b} is {item.difference:+.1f} {name} (p = {item.p_value:.2g}, {item.num_examples} rows)"
    is_clear = item.p_value <= 1 - item.confidence + 1e-12
    holds, why = None, "the rows do not show which is better"
    if is_clear and item.difference > 0:
        holds, why = True, "it is better"
    elif is_clear and item.difference < 0:
        holds, why = False, f"{item.b} is better"
    return Reason(kind="comparison", name=item.name, holds=holds, text=f"{gain}: {why}")

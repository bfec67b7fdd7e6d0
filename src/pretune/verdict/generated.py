"""The decision on generated text: gates on BLEU and chrF where the user set some, and the other system where there is one."""

from collections.abc import Mapping, Sequence

from pretune.records import Comparison, Outcome, Reason, Score, Verdict

NAMES = {"bleu": "BLEU", "chrf": "chrF"}


def decide_generated(
    scores: Sequence[Score], comparisons: Sequence[Comparison], gates: Mapping[str, float], *, look: int = 1
) -> Verdict:
    """Hold each gate against the interval of its figure, and ask whether the system is better than the other one.

    There is no default gate: what BLEU is enough depends on the references, so that without a gate and without another
    system nothing was asked, and the outcome is *not enough evidence*. More rows would not change that.

    Args:
        scores: Of the judged system, on the scale of 0 to 100.
        comparisons: With the other system; all of them must show the gain, so none needs a correction.
        gates: Metric → the least that its whole interval must reach.
        look: How often these rows have been opened, this time included.
    """
    found = {score.metric: score for score in scores}
    reasons = [_weigh(found[metric], minimum) for metric, minimum in gates.items() if metric in found]
    reasons += [_compare(item) for item in comparisons]
    if not reasons:
        text = "no gate was set (--min-bleu, --min-chrf) and no other system given (--against): the figures stand alone"
        reasons = [Reason(kind="score", name=scores[0].name, holds=None, text=text)]
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
        policy={"name": "generated text", "gates": dict(gates)},
    )


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

"""Better: is another source of the run clearly better than the judged one? If so, the verdict names it first."""

from dataclasses import dataclass

from pretune.records import Comparison, Evaluation
from pretune.verdict.policy import Policy
from pretune.verdict.weigh import confusion_of_main, find_comparison, goal_metric, say_confidence, say_source

# Sources that a run keeps, and where each lies in its folder.
HELD = {"finetuned": "RUN/model", "linear": "RUN/linear", "encoder_linear": "RUN/encoder_linear"}
# By how much a source that is not proven better is so plainly ahead that it is named all the same, with its doubt.
PLAINLY = 0.10


@dataclass(frozen=True, slots=True)
class Better:
    """A source to take in place of the judged one.

    Args:
        source: Its name.
        text: Why, and the command that uses it.
    """

    source: str
    text: str


def find_better(evaluation: Evaluation, policy: Policy, positive: str | None) -> Better | None:
    """Return the held source that beats the judged one on the paired test, or is ahead by ten points; ``None`` without one.

    Each other source is a chance to look better by luck, so each test has its share of the error.

    Args:
        evaluation: Of the judged source beside the others.
        policy: Says by which figure sources are compared.
        positive: The class that is looked for.
    """
    if evaluation.main not in HELD:  # an audit keeps no model
        return None
    metric = goal_metric(confusion_of_main(evaluation), policy, positive)
    others = (find_comparison(evaluation, metric, source) for source in HELD if source != evaluation.main)
    known = [item for item in others if item is not None]
    behind = [item for item in known if item.difference < 0]
    proven = [item for item in behind if _is_proven(item, len(known))]
    chosen = proven or [item for item in behind if item.difference <= -PLAINLY and item.low is not None]
    best = max(chosen, key=lambda item: item.value_b, default=None)
    return None if best is None else Better(best.b, _say(best, is_proven=bool(proven)))


def _is_proven(comparison: Comparison, num_sources: int) -> bool:
    return comparison.p_value <= (1 - comparison.confidence) / num_sources + 1e-12


def _say(comparison: Comparison, *, is_proven: bool) -> str:
    figures = f"{comparison.metric} {comparison.value_b:.3f} against {comparison.value_a:.3f}"
    if comparison.low is not None and comparison.high is not None:
        figures += f" ({say_confidence(comparison.confidence)} interval of the gain {-comparison.high:+.3f} to "
        figures += f"{-comparison.low:+.3f}, p = {comparison.p_value:.2g})"
    else:
        figures += f" (p = {comparison.p_value:.2g})"
    doubt = "" if is_proven else "; these few rows do not prove it"
    return (
        f"{say_source(comparison.b)}, which is in the run, did better on the same {comparison.num_examples:,} rows: "
        f"{figures}{doubt}. Use it with `pretune predict {HELD[comparison.b]}`, and judge it with "
        "`pretune judge RUN --choose best`, which lets validation choose"
    )

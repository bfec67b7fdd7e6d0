"""The questions that everybody asks of fine-tuning a chat model, answered from a run's own figures."""

from pretune.records import Comparison, RunRecord, Score

# Tokens that a model wants for each of its weights when it is trained from nothing, for the best loss in a given computation.
TOKENS_PER_WEIGHT = 20
FORGETTING = "forgetting"
NAMES = {"chrf": "chrF", "loss": "nats per token"}


def answer_questions(record: RunRecord) -> tuple[tuple[str, str], ...]:
    """Return questions with their answers; none as long as nothing is judged.

    Source:
        Hoffmann et al. (2022), Training compute-optimal large language models, for tokens per weight.
    """
    if record.verdict is None or record.chat is None:
        return ()
    return (
        ("Why fine-tune, and not use the model as it came?", _against_before(record)),
        ("Why not train from scratch?", _from_scratch(record)),
        ("What was forgotten?", _forgotten(record)),
    )


def _against_before(record: RunRecord) -> str:
    compared = {item.metric: item for item in record.comparisons if item.b == "before"}
    found = [
        _gain(compared[metric], name) for metric, name in (("chrf", "chrF"), ("loss", "nats per token")) if metric in compared
    ]
    if not found:
        return "This run did not ask the model as it came."
    return f"On the same {compared[next(iter(compared))].num_examples:,} test questions, " + "; ".join(found) + "."


def _gain(item: Comparison, name: str) -> str:
    better = item.difference < 0 if item.metric == "loss" else item.difference > 0
    said = f"{name} {item.value_b:.2f} as it came, {item.value_a:.2f} fine-tuned"
    if item.low is None or item.high is None:
        return said
    is_clear = item.low > 0 or item.high < 0
    outcome = ("clearly better" if better else "clearly worse") if is_clear else "no clear difference"
    return f"{said}: {outcome} ({item.difference:+.2f}, {item.low:+.2f} to {item.high:+.2f})"


def _from_scratch(record: RunRecord) -> str:
    weights = None if record.history is None else record.history.num_weights
    counts = next((item for item in record.chat.counts if item.split == "train"), None) if record.chat else None
    if not weights or counts is None:
        return "How many weights and tokens there are is not known of this run."
    needed = TOKENS_PER_WEIGHT * weights
    return (
        f"A model of {weights / 1e6:,.0f} million weights wants about {needed / 1e9:,.1f} billion tokens to learn a language "
        f"from nothing ({TOKENS_PER_WEIGHT} a weight). These conversations have {counts.num_tokens / 1e6:,.2f} million, "
        f"{counts.num_tokens / needed:.2%} of that: enough to learn what to reply, in a language that the model knows."
    )


def _forgotten(record: RunRecord) -> str:
    measured = [score for score in record.scores if score.metric == FORGETTING]
    if not measured:
        return "Not measured. --general DATA compares the loss on general text or instructions before and after."
    return " ".join(map(_change, measured))


def _change(score: Score) -> str:
    what = "general text" if score.split == "general" else score.split
    if score.value is None:
        return f"Of {what} it is not known: {score.method}."
    reach = "" if score.low is None or score.high is None else f" ({score.low:+.1%} to {score.high:+.1%})"
    return f"The loss on {what} changed by {score.value:+.1%}{reach}; less is better."

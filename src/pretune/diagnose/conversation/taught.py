"""Taught: did training see what the saved model sees, and did the loss count whole replies, their end, and nothing else?"""

from pretune.diagnose.measures import percent
from pretune.records import ChatEvidence, Evaluation, Finding, Severity, TemplateProof

# Share of whole replies whose stop token the loss counts, below which the end is hardly taught.
MIN_STOPS, FEW_STOPS = 0.99, 0.50
# Share of the training conversations whose last reply is cut, above which much of what was written is never learned, and above
# which most of it is not; the same for replies that are lost altogether.
MAX_CUT, MUCH_CUT, MAX_LOST = 0.20, 0.50, 0.20
NO_PROOF = "nothing compares training's tokens with those of the saved folder"


def check_template(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Ask that the saved folder makes of conversations, token by token, what training saw."""
    check, proof = "template.same", evidence.proof
    if proof is None or not proof.trained:
        return Finding.unknown(check, NO_PROOF)
    differing = [id for id, digest in proof.trained.items() if proof.saved.get(id) != digest]
    shown = "" if proof.shown is None else f"; training saw … {proof.shown[0]} …, the folder makes … {proof.shown[1]} …"
    same = f"the saved folder makes the same tokens of {len(proof.trained):,} conversations as training saw"
    return Finding(
        check=check,
        severity=Severity.BLOCKING if differing else Severity.OK,
        summary=f"{len(differing):,} of {len(proof.trained):,} conversations are other tokens in the saved folder{shown}"
        if differing
        else same,
        measured=len(differing) / len(proof.trained),
        limit=0.0,
        examples=tuple(differing[:5]),
        fix="Save the tokenizer and the chat template that training used." if differing else "",
    )


def check_prompt_in_loss(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of the tokens that the loss counts which are of no reply."""
    check, proof = "training.prompt_in_loss", evidence.proof
    known = _counted(proof)
    if proof is None or known is None:
        return Finding.unknown(check, NO_PROOF if proof is None else "no conversation is the same tokens in the saved folder")
    share = proof.num_prompt_targets / known
    return Finding(
        check=check,
        severity=Severity.BLOCKING if proof.num_prompt_targets else Severity.OK,
        summary=f"{proof.num_prompt_targets:,} of {known:,} tokens that the loss counts are of no reply",
        measured=share,
        limit=0.0,
        fix="Count the loss over replies and their stop tokens only." if proof.num_prompt_targets else "",
    )


def check_stop_taught(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of whole replies whose stop token the loss counts."""
    check, proof = "training.stop_token", evidence.proof
    if proof is None or not proof.num_replies:
        return Finding.unknown(check, NO_PROOF if proof is None else "no compared conversation has a reply that is not cut")
    share = proof.num_stops / proof.num_replies
    severity = Severity.OK if share >= MIN_STOPS else Severity.WARNING if share >= FEW_STOPS else Severity.BLOCKING
    return Finding(
        check=check,
        severity=severity,
        summary=f"the loss counts the stop token of {proof.num_stops:,} of {proof.num_replies:,} whole replies",
        measured=share,
        limit=MIN_STOPS,
        fix=""
        if severity is Severity.OK
        else "Give padding a token of its own, or mask by length and not by the padding token.",
    )


def check_cut_replies(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of the training conversations whose last reply is cut or lost."""
    check = "training.cut_replies"
    counts = next((item for item in evidence.counts if item.split == "train"), None)
    if counts is None or not counts.num_conversations:
        return Finding.unknown(check, "needs how the training conversations became tokens")
    share, lost = counts.cut_share, counts.num_beyond / counts.num_conversations
    blocking = share > MUCH_CUT or lost > MAX_LOST
    severity = Severity.BLOCKING if blocking else Severity.WARNING if share > MAX_CUT else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{percent(share)} of the training conversations lose the end of their reply at {counts.max_length:,} tokens, "
        f"and {percent(lost)} the whole reply",
        measured=share,
        limit=MAX_CUT,
        fix="" if severity is Severity.OK else "Raise --max-length, or shorten what is asked: a cut reply teaches no end.",
    )


def _counted(proof: TemplateProof | None) -> int | None:
    return proof.num_targets if proof is not None and proof.num_targets else None

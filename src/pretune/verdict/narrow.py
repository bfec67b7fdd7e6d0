"""Narrow: an audit's policy asks only what the table can answer, and says what it leaves out."""

from dataclasses import replace

from pretune.records import Finding, Verdict
from pretune.verdict.policy import Policy

AUDIT = "audit"  # the name of the policy, see BUILT_IN
LEAKAGE = "leakage."


def narrow_policy(policy: Policy, *, has_linear: bool, has_train_texts: bool) -> tuple[Policy, tuple[Finding, ...], str]:
    """Return the policy without what cannot be asked, the comparison that fell away as a finding, and one sentence.

    Checks that fell away need no finding here: they report themselves as unknown.

    Args:
        policy: Of the audit.
        has_linear: Whether TF-IDF + logistic regression could be fitted and scored on the same rows.
        has_train_texts: Whether the texts of training and of the rows judged are there.

    Returns:
        The narrowed policy; the finding ``baselines.linear``, unknown, where that comparison fell away; and what was not
        asked, for the summary of the verdict, empty where all was.
    """
    left_out: tuple[Finding, ...] = ()
    missing = []
    if not has_linear and "linear" in policy.better_than:
        policy = replace(policy, better_than=tuple(name for name in policy.better_than if name != "linear"))
        missing.append("whether a linear model would do as well")
        left_out = (Finding.unknown("baselines.linear", f"{missing[0]} is not known: needs the texts, and --train"),)
    if not has_train_texts and any(name.startswith(LEAKAGE) for name in policy.required_checks):
        checks = tuple(name for name in policy.required_checks if not name.startswith(LEAKAGE))
        policy = replace(policy, required_checks=checks)
        missing.append("whether these rows were seen in training")
    said = f"Not asked, because there are no texts or no --train: {', and '.join(missing)}." if missing else ""
    return policy, left_out, said


def add_to_summary(verdict: Verdict, said: str) -> Verdict:
    """Return the verdict with what was not asked in its one sentence for a manager; a pass of less must say so."""
    return replace(verdict, summary=f"{verdict.summary} {said}") if said else verdict

"""The checks, and how to run them all."""

from collections.abc import Callable, Sequence

from pretune.diagnose.accuracy_paradox import check_accuracy_paradox, check_dead_classes
from pretune.diagnose.bad_values import check_bad_values, check_size
from pretune.diagnose.labels import check_conflicts, check_starved_classes
from pretune.diagnose.leakage import check_near_texts, check_seen_texts, check_validation_texts
from pretune.diagnose.overfitting import check_overfitting
from pretune.diagnose.texts import check_truncation, check_unreadable
from pretune.diagnose.undertraining import check_undertraining
from pretune.records import Evaluation, Evidence, Finding

# Checks of data and training ignore the evaluation; all take it, so that they can be called alike.
Check = Callable[[Evidence, Evaluation | None], Finding]

DATA_CHECKS: tuple[Check, ...] = (
    check_seen_texts,
    check_near_texts,
    check_validation_texts,
    check_conflicts,
    check_starved_classes,
    check_unreadable,
)
RESULT_CHECKS: tuple[Check, ...] = (
    check_accuracy_paradox,
    check_dead_classes,
    check_bad_values,
    check_size,
    check_truncation,
    check_overfitting,
    check_undertraining,
)
CHECKS: tuple[Check, ...] = DATA_CHECKS + RESULT_CHECKS


def diagnose(
    evidence: Evidence, evaluation: Evaluation | None = None, *, checks: Sequence[Check] = CHECKS
) -> tuple[Finding, ...]:
    """Run the checks, in their order.

    Args:
        evidence: All that is known; each part may be absent.
        evaluation: Figures of the judged source on the test rows, where it has been evaluated.
        checks: ``DATA_CHECKS`` where there is no model yet.
    """
    return tuple(check(evidence, evaluation) for check in checks)

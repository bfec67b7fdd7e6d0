"""The checks, and how to run them all."""

from collections.abc import Callable, Sequence
from functools import partial

from pretune.diagnose.accuracy_paradox import check_accuracy_paradox, check_dead_classes
from pretune.diagnose.adaptation import check_forgetting, check_one_sided, check_yardstick
from pretune.diagnose.alike_errors import check_alike_errors
from pretune.diagnose.bad_values import check_bad_values, check_size
from pretune.diagnose.calibration import check_calibration
from pretune.diagnose.changes import check_changed_inputs
from pretune.diagnose.groups import check_groups, check_hidden_groups, check_time
from pretune.diagnose.label_errors import check_label_errors
from pretune.diagnose.label_kinds import check_annotations, check_label_kind
from pretune.diagnose.labels import check_conflicts, check_imbalance, check_starved_classes, check_test_rows
from pretune.diagnose.leakage import check_corpus, check_near_texts, check_past, check_seen_texts, check_validation_texts
from pretune.diagnose.memorized import check_memorized
from pretune.diagnose.overfitting import check_overfitting, check_rising_loss
from pretune.diagnose.shift import check_label_shares, check_length, check_told_apart, check_vocabulary
from pretune.diagnose.signature import check_signature_token
from pretune.diagnose.signature_column import check_signature_column
from pretune.diagnose.spellings import check_spellings
from pretune.diagnose.stability import check_stability
from pretune.diagnose.texts import check_duplicates, check_truncation, check_unknown_tokens, check_unreadable
from pretune.diagnose.undertraining import check_learning, check_undertraining
from pretune.records import Evaluation, Evidence, Finding

# Checks of data and training ignore the evaluation; all take it, so that they can be called alike.
Check = Callable[[Evidence, Evaluation | None], Finding]

DATA_CHECKS: tuple[Check, ...] = (
    check_seen_texts,
    check_near_texts,
    check_validation_texts,
    check_corpus,
    check_past,
    check_groups,
    check_hidden_groups,
    check_time,
    check_signature_token,
    check_signature_column,
    check_conflicts,
    check_starved_classes,
    check_imbalance,
    check_spellings,
    check_label_kind,
    check_annotations,
    check_test_rows,
    check_length,
    check_vocabulary,
    check_label_shares,
    check_told_apart,
    check_unreadable,
    check_duplicates,
)
RESULT_CHECKS: tuple[Check, ...] = (
    check_accuracy_paradox,
    check_dead_classes,
    check_alike_errors,
    check_bad_values,
    check_size,
    check_label_errors,
    check_truncation,
    check_unknown_tokens,
    check_overfitting,
    check_rising_loss,
    check_memorized,
    check_undertraining,
    check_learning,
    check_changed_inputs,
    check_calibration,
    check_stability,
    check_yardstick,
    check_one_sided,
    check_forgetting,
)
CHECKS: tuple[Check, ...] = DATA_CHECKS + RESULT_CHECKS
# What the first rules had not, and what they had in another way.
SINCE_2: tuple[Check, ...] = (check_label_kind, check_annotations, check_duplicates)
CHANGED_IN_2: dict[Check, Check] = {
    check_signature_token: partial(check_signature_token, rules=1),
    check_signature_column: partial(check_signature_column, rules=1),
}


def checks_by(rules: int) -> tuple[Check, ...]:
    """Return the checks as this version of the rules has them, so that a run is recomputed by those that it was judged by."""
    if rules > 1:
        return CHECKS
    return tuple(CHANGED_IN_2.get(check, check) for check in CHECKS if check not in SINCE_2)


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

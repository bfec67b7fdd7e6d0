"""Texts: does the model get to see them whole, and are they readable?"""

import re

from pretune.records import Evaluation, Evidence, Finding, Severity, TokenCounts

# Share of texts cut above which much of what was labelled is never read. Ours: below it, the cut texts alone can hardly
# move accuracy by more than a few points.
MAX_CUT_SHARE = 0.20
# Share of texts with unreadable characters above which the file was probably decoded wrongly.
MAX_UNREADABLE_SHARE = 0.01

# The replacement character, control characters, and UTF-8 that was read as Latin-1 or Windows-1252 ("Ã©", "â€™").
UNREADABLE = re.compile("\ufffd|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u2122]")


def check_truncation(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of texts that were cut, in the split where it is largest."""
    check = "texts.truncation"
    counts = [item for item in evidence.token_counts if item.num_texts]
    if not counts:
        return Finding.unknown(check, "needs the token counts of the texts")
    worst = max(counts, key=_cut_share)
    share, lost = _cut_share(worst), worst.num_cut_tokens / max(worst.num_cut_tokens + worst.num_tokens, 1)
    severity = Severity.WARNING if share > MAX_CUT_SHARE else Severity.NOTE if share > 0 else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{share:.1%} of the {worst.split} texts have over {worst.max_length} tokens; {lost:.1%} of tokens are cut",
        measured=share,
        limit=MAX_CUT_SHARE,
        fix=f"--max-length {2 * worst.max_length} (if the model reads that many)" if severity is Severity.WARNING else "",
    )


def check_unreadable(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of texts with characters that no author typed."""
    check = "texts.unreadable"
    examples = (*evidence.train, *evidence.validation, *evidence.test)
    if not any(example.text for example in examples):
        return Finding.unknown(check, "needs the texts")
    found = [example.id for example in examples if UNREADABLE.search(example.text)]
    share = len(found) / len(examples)
    return Finding(
        check=check,
        severity=Severity.WARNING if share > MAX_UNREADABLE_SHARE else Severity.NOTE if found else Severity.OK,
        summary=f"{len(found):,} of {len(examples):,} texts hold characters that look wrongly decoded",
        measured=share,
        limit=MAX_UNREADABLE_SHARE,
        examples=tuple(found[:5]),
        fix="Look at these rows; if the file is not UTF-8, pass --encoding." if found else "",
    )


def _cut_share(counts: TokenCounts) -> float:
    return counts.num_cut_texts / counts.num_texts

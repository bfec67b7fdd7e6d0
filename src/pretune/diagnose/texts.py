"""Texts: does the model see them whole, and are they readable?"""

import re

import numpy as np

from pretune.diagnose.measures import difference_interval, judged_source, percent, right_answers
from pretune.records import Evaluation, Evidence, Finding, Severity, TokenCounts

# Share of texts cut above which much of what was labelled is never read. Ours: below it, the cut texts alone can hardly
# move accuracy by more than a few points.
MAX_CUT_SHARE = 0.20
# Accuracy that the cut may cost over all texts (its share times the difference), where chance does not explain the difference.
MIN_COST = 0.01
# Share of tokens that the vocabulary lacks above which a model reads texts with holes. English word pieces lack under 0.1 %.
MAX_UNKNOWN_SHARE = 0.01
# Tokens a word above which a vocabulary was made for another language, and words from which that can be told. Measured with
# minilm: English of twelve sets has 1.0 to 1.3, French, Spanish, German and Dutch 1.6 to 1.9, Turkish and Polish 2.3 to 2.5,
# other alphabets 4; signs that it lacks altogether (most of Chinese) are unknown tokens instead (docs/log.md).
MAX_TOKENS_A_WORD = 1.5
LEAST_WORDS = 100
# Share of rows that repeat an earlier text above which their number misleads. Ours: public sets of messages and tweets, where
# people do repeat each other, have 7 to 8 %.
MAX_COPIED_SHARE = 0.10
# Share of texts with unreadable characters above which the file was probably decoded wrongly.
MAX_UNREADABLE_SHARE = 0.01

PIECE = re.compile(r"\w+|[^\w\s]")
# The replacement character, control characters, and UTF-8 that was read as Latin-1 or Windows-1252 ("Ã©", "â€™").
UNREADABLE = re.compile("\ufffd|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u2122]")


def check_truncation(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of texts that were cut, in the split where it is largest, and what the cut costs in accuracy."""
    check = "texts.truncation"
    counts = [item for item in evidence.token_counts if item.num_texts]
    if not counts:
        return Finding.unknown(check, "needs the token counts of the texts")
    worst = max(counts, key=_cut_share)
    share, lost = _cut_share(worst), worst.num_cut_tokens / max(worst.num_cut_tokens + worst.num_tokens, 1)
    cost, low, words = _cost(evidence, judged_source(evaluation))
    dear = low > 0 and share * cost > MIN_COST
    severity = Severity.WARNING if share > MAX_CUT_SHARE or dear else Severity.NOTE if share > 0 else Severity.OK
    counted = f"{share:.1%} of the {worst.split} texts have over {worst.max_length} tokens; {lost:.1%} of tokens are cut"
    return Finding(
        check=check,
        severity=severity,
        summary=counted + words,
        measured=share,
        limit=MAX_CUT_SHARE,
        fix=f"--max-length {2 * worst.max_length} (if the model reads that many)" if severity is Severity.WARNING else "",
    )


def check_duplicates(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of rows whose text is that of an earlier row."""
    check, receipt = "texts.duplicates", evidence.receipt
    if receipt is None or not receipt.num_used:
        return Finding.unknown(check, "needs the receipt of the data")
    share = receipt.num_exact_duplicates / receipt.num_used
    different = receipt.num_used - receipt.num_exact_duplicates
    is_much = share > MAX_COPIED_SHARE
    means = ": a text counts as often as it was collected, in training and in the test, and the rows say less than their number"
    return Finding(
        check=check,
        severity=Severity.WARNING if is_much else Severity.NOTE if receipt.num_exact_duplicates else Severity.OK,
        summary=f"{receipt.num_exact_duplicates:,} of {receipt.num_used:,} rows ({percent(share)}) repeat the text of an "
        f"earlier row; {different:,} texts are different" + (means if is_much else ""),
        measured=share,
        limit=MAX_COPIED_SHARE,
        fix="Keep each text once, unless production repeats texts as often." if is_much else "",
    )


def check_unknown_tokens(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of tokens that the vocabulary does not have, in the split where it is largest."""
    check = "texts.unknown_tokens"
    counts = [item for item in evidence.token_counts if item.num_tokens]
    if not counts:
        return Finding.unknown(check, "needs the token counts of the texts")
    worst = max(counts, key=lambda item: item.num_unknown / item.num_tokens)
    share = worst.num_unknown / worst.num_tokens
    severity = Severity.WARNING if share > MAX_UNKNOWN_SHARE else Severity.NOTE if share > 0 else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{worst.num_unknown:,} of {worst.num_tokens:,} {worst.split} tokens ({share:.2%}) are not in the vocabulary: "
        "the model sees that something is there, not what",
        measured=share,
        limit=MAX_UNKNOWN_SHARE,
        fix="Look at which signs these are (emoji, another script); take a --model whose vocabulary has them."
        if severity is Severity.WARNING
        else "",
    )


def check_language(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Ask whether the texts are in a language that the model's vocabulary was made for."""
    check, fit = "texts.language", evidence.vocabulary
    if fit is None or fit.num_words < LEAST_WORDS:
        what = "the vocabulary of the model, which was not fetched yet" if fit is None else f"{LEAST_WORDS} words"
        return Finding.unknown(check, f"needs {what}")
    lacks, breaks = fit.unknown_share > MAX_UNKNOWN_SHARE, fit.tokens_per_word > MAX_TOKENS_A_WORD
    is_foreign = lacks or breaks
    says = (
        f"the model's vocabulary breaks a word into {fit.tokens_per_word:.2f} tokens on average and lacks "
        f"{fit.unknown_share:.2%} of the tokens"
    )
    such = f", such as {'; '.join(fit.examples[:2])}" if breaks and fit.examples else ""
    return Finding(
        check=check,
        severity=Severity.WARNING if is_foreign else Severity.OK,
        summary=says + f": it was made for another language than these texts are in{such}" * is_foreign,
        measured=fit.tokens_per_word,
        limit=MAX_TOKENS_A_WORD,
        fix="Pass --model with a folder or hub id of an encoder for this language: minilm knows English." if is_foreign else "",
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


def _cost(evidence: Evidence, source: str) -> tuple[float, float, str]:
    """Return how much lower accuracy is on cut texts than on whole ones, the interval's low end, and that in words.

    Which texts were cut is not recorded, only how many; so the longest ones, by their words and signs, stand for them.
    """
    counts = next((item for item in evidence.token_counts if item.split == "validation"), None)
    predictions = evidence.find("validation", source)
    num_cut = counts.num_cut_texts if counts is not None else 0
    if predictions is None or not 0 < num_cut < len(predictions.ids):
        return 0.0, 0.0, ""
    length_of = {row.id: len(PIECE.findall(row.text)) for row in evidence.validation}
    if any(id not in length_of for id in predictions.ids):
        return 0.0, 0.0, ""
    lengths, right = np.array([length_of[id] for id in predictions.ids]), right_answers(predictions)
    order = np.argsort(-lengths, kind="stable")
    cut, whole = right[order[:num_cut]], right[order[num_cut:]]
    low, high = difference_interval(int(whole.sum()), len(whole), int(cut.sum()), len(cut))
    cost = float(whole.mean() - cut.mean())
    words = f"; accuracy is {cut.mean():.3f} on the {num_cut:,} longest validation texts, as many as were cut, and "
    return (
        cost,
        low,
        words + f"{whole.mean():.3f} on the others (a difference of {cost:+.3f}, 95 % interval {low:+.3f} to {high:+.3f})",
    )


def _cut_share(counts: TokenCounts) -> float:
    return counts.num_cut_texts / counts.num_texts

"""Leakage: has training already shown the model what the test asks?"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pretune.data.alike.words import windows_of, words_of
from pretune.data.corpus.sketch import SHARED, WINDOW, are_in
from pretune.diagnose.measures import clusters_of, judged_source, right_answers
from pretune.hashing import fingerprint
from pretune.intervals import proportion_interval
from pretune.records import CorpusSketch, Evaluation, Evidence, Finding, Severity

# Share of test texts also seen in training above which a test score no longer measures generalization: one point of
# accuracy is what we call a gain worth having, and that many known answers can fake it. Ours, see docs/decisions/.
MAX_SEEN_SHARE = 0.01
# The same for texts that are nearly the same. They give less away, and short texts with few words are alike by chance.
MAX_NEAR_SHARE = 0.05

# Share of a text's word windows that a corpus has from which the text was in it: a cut or edited copy counts, a quotation not.
# Without its label a text gives little away, so this warns and does not block.
MIN_WINDOW_SHARE = 0.5

FIX_PAST = "Start from a model that has not learned from these rows, or judge on rows that are new to it (--test FILE)."
FIX = "Let pretune split the data, or leave out --keep-leaks, so that these rows are taken out of training."


def check_seen_texts(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts that occur, but for case and spacing, in training; score with and without them."""
    check = "leakage.seen_texts"
    if not evidence.has_texts("train", "test"):
        return Finding.unknown(check, "needs the texts of training and test")
    return _judge(
        check, evidence, evaluation, leaked=_exact(evidence, "test", "train"), limit=MAX_SEEN_SHARE, how="were seen in training"
    )


def check_near_texts(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts that are nearly, but not exactly, a text of training; score with and without them."""
    check = "leakage.near_texts"
    if not evidence.has_texts("train", "test"):
        return Finding.unknown(check, "needs the texts of training and test")
    leaked, how = _near(evidence, "test", "train"), "are nearly the same as one in training"
    return _judge(check, evidence, evaluation, leaked=leaked, limit=MAX_NEAR_SHARE, how=how)


def check_validation_texts(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of validation texts that training or test also has; they bias the choice of epoch and threshold."""
    check = "leakage.validation_texts"
    if not evidence.has_texts("train", "validation"):
        return Finding.unknown(check, "needs the texts of training and validation")
    found = {
        f"{words} {other}": leaks(evidence, "validation", name)
        for name, other in (("train", "training"), ("test", "the test"))
        for words, leaks in (("exactly as in", _exact), ("nearly as in", _near))
    }
    leaked = np.logical_or.reduce(list(found.values()))
    shown = "; ".join(f"{int(rows.sum()):,} {words}" for words, rows in found.items() if rows.any())
    counted = f"{int(leaked.sum()):,} of {len(evidence.validation):,} validation texts are also in training or test"
    return Finding(
        check=check,
        severity=Severity.WARNING if leaked.any() else Severity.OK,
        summary=counted + (f" ({shown})" if shown else ""),
        measured=float(leaked.mean()),
        limit=0.0,
        examples=tuple(evidence.validation[row].id for row in np.flatnonzero(leaked)[:5]),
        fix=FIX if leaked.any() else "",
    )


def check_corpus(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts of which the pre-training corpus holds at least half; score without them."""
    check, corpus = "leakage.corpus", evidence.corpus
    if corpus is None:
        return Finding.not_applicable(check, "no pre-training corpus is known")
    if not evidence.has_texts("test"):
        return Finding.unknown(check, "needs the texts of the test")
    if not corpus.is_known:
        return Finding.unknown(check, f"the sketch of the pre-training corpus {corpus.name!r} is not where the model was made")
    seen, num_quoting = _in_corpus([row.text for row in evidence.test], corpus)
    how = f"are in the pre-training corpus {corpus.name!r}, at least by half"
    finding = _judge(check, evidence, evaluation, leaked=seen, limit=MAX_SEEN_SHARE, how=how)
    if num_quoting:
        finding = replace(finding, summary=f"{finding.summary}; {num_quoting:,} share {SHARED} words in a row with it")
    is_much = (finding.measured or 0.0) > MAX_SEEN_SHARE
    severity = Severity.WARNING if is_much else Severity.NOTE if finding.examples else Severity.OK
    fix = "Take these texts out of the corpus and pre-train again, or judge on rows that are newer than the corpus."
    return replace(finding, severity=severity, fix=fix if finding.examples else "")


def check_past(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test texts that the model had learned from before this training; score with and without them."""
    check, past = "leakage.learned_before", evidence.past
    if past is None:
        return Finding.unknown(check, "nothing says what the model had learned from before this training")
    if not evidence.has_texts("test"):
        return Finding.unknown(check, "needs the texts of the test")
    prints = [fingerprint(row.text) for row in evidence.test]
    exact, near = np.isin(prints, past.exact), np.isin(prints, past.near)
    why, bases = "; ".join(past.unknown), ", ".join(past.bases)
    if not exact.any() and not near.any() and past.unknown:
        return Finding.unknown(check, f"whether the test was learned from before this training is not known: {why}")
    if not past.num_texts:
        told = (
            f"which texts {bases} was pre-trained on is not known" if bases else "the model had learned from no labelled text"
        )
        return Finding.not_applicable(check, f"{told}; no other training came before this one")
    how = f"were learned from before this training, by what the model was made from ({past.num_texts:,} texts)"
    finding = _judge(check, evidence, evaluation, leaked=exact | near, limit=MAX_NEAR_SHARE, how=how)
    if near.any():
        finding = replace(finding, summary=f"{finding.summary}; {int(near.sum()):,} of them as nearly the same text")
    rest = [f"more may have been: {why}"] if why else []
    rest += [f"which texts {bases} was pre-trained on is not known"] if bases else []
    is_blocking = finding.severity is Severity.BLOCKING or exact.mean() > MAX_SEEN_SHARE
    otherwise = Severity.UNKNOWN if past.unknown else finding.severity  # a few known hits say nothing of the unknown rest
    return replace(
        finding,
        severity=Severity.BLOCKING if is_blocking else otherwise,
        summary="; ".join([finding.summary, *rest]),
        fix=FIX_PAST if finding.examples else "",
    )


def _in_corpus(texts: Sequence[str], corpus: CorpusSketch) -> tuple[npt.NDArray[np.bool_], int]:
    """Return which texts the corpus has at least by half, and how many share ``SHARED`` words in a row with it."""
    windows = windows_of(words_of(texts), WINDOW)
    is_known = are_in(windows.hashes, np.array(sorted(corpus.hashes), dtype=np.uint64))
    parts = [is_known[start:end] for start, end in pairwise(windows.starts.tolist())]
    seen = np.array([len(part) > 0 and part.mean() >= MIN_WINDOW_SHARE for part in parts], dtype=np.bool_)
    run = np.ones(SHARED - WINDOW + 1, dtype=np.int64)
    quoting = [bool(part.any() and (np.convolve(part, run) == len(run)).any()) for part in parts]
    return seen, sum(quoting)


def _exact(evidence: Evidence, asked: str, known: str) -> npt.NDArray[np.bool_]:
    """Return which rows of ``asked`` have, case and spacing aside, a text of ``known``."""
    parts = clusters_of(evidence)
    return np.isin(parts[asked][0], parts[known][0])


def _near(evidence: Evidence, asked: str, known: str) -> npt.NDArray[np.bool_]:
    """Return which further rows of ``asked`` are in a cluster of near-duplicates that ``known`` has rows of, too."""
    parts = clusters_of(evidence)
    return np.isin(parts[asked][1], parts[known][1]) & ~np.isin(parts[asked][0], parts[known][0])


def _judge(
    check: str, evidence: Evidence, evaluation: Evaluation | None, *, leaked: npt.NDArray[np.bool_], limit: float, how: str
) -> Finding:
    share, examples = float(leaked.mean()), tuple(evidence.test[row].id for row in np.flatnonzero(leaked))
    severity = Severity.BLOCKING if share > limit else Severity.WARNING if examples else Severity.OK
    counted = f"{len(examples):,} of {len(evidence.test):,} test texts {how}"
    return Finding(
        check=check,
        severity=severity,
        summary=counted + (_score_without(evidence, evaluation, set(examples)) if examples else ""),
        measured=share,
        limit=limit,
        examples=examples[:5],
        fix=FIX if examples else "",
    )


def _score_without(evidence: Evidence, evaluation: Evaluation | None, leaked: set[str]) -> str:
    """Say what accuracy is with and without these rows, where they were scored."""
    tested = evidence.find("test", judged_source(evaluation))
    if tested is None or not tested.ids:
        return ""
    right, kept = right_answers(tested), np.array([row not in leaked for row in tested.ids])
    if not kept.any():
        return f"; accuracy is {right.mean():.3f} with them, and no row is left without them"
    hits, total = int(right[kept].sum()), int(kept.sum())
    low, high = proportion_interval(hits, total)
    without = f"{hits / total:.3f} without them (95 % interval {low:.3f} to {high:.3f}, {total:,} rows)"
    return f"; accuracy is {right.mean():.3f} with them, {without}"

"""Repairing: what did ``--repair`` change in the figures? A linear model is fitted and scored before and after."""

from dataclasses import replace
from typing import Any

from pretune.configs import RunConfig
from pretune.data.dataset import Dataset, prepare
from pretune.evaluate import evaluate_sources
from pretune.evaluate.baselines import fit_linear
from pretune.records import Receipt, Score
from pretune.run.trace import Trace

BEFORE, AFTER = "linear before repair", "linear after repair"


def unrepaired(config: RunConfig) -> RunConfig:
    """Return the settings under which nothing is repaired: leaks stay, too."""
    return replace(config, split=replace(config.split, repair=False, keep_leaks=True))


def score_repair(source: Any, config: RunConfig, repaired: Dataset, trace: Trace) -> Receipt:
    """Return the repaired rows' receipt with the figures of a linear model on validation, before and after the repairs.

    The network is not trained twice: TF-IDF + logistic regression profits from leaks and suffers from conflicts as it
    does, and takes seconds. The test stays sealed.
    """
    if not repaired.receipt.repairs:
        return repaired.receipt
    with trace.stage("score the repairs", f"{len(repaired.train):,} training texts") as stage:
        before = prepare(source, config.read, unrepaired(config).split, given=config.given, trace=Trace())
        scores = (*_score(before, BEFORE, config), *_score(repaired, AFTER, config))
        figures = [f"{score.value:.3f}" for score in scores if score.metric == "accuracy" and score.value is not None]
        stage.done = f"linear model, accuracy on validation {' → '.join(figures)}"
        stage.shape_out = f"{len(repaired.validation):,} validation texts"
    return replace(repaired.receipt, repair_scores=scores)


def _score(data: Dataset, source: str, config: RunConfig) -> tuple[Score, ...]:
    predictions = fit_linear(data.train, seed=config.seed).predict(data.validation, split="validation", classes=data.classes)
    evaluation = evaluate_sources([replace(predictions, source=source)], main=source)
    return tuple(score for score in evaluation.scores if score.name in ("accuracy", "f1[macro]"))

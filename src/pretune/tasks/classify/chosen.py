"""Chosen: validation picks one of the run's models before the seal is opened, and every candidate counts in the look."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pretune.configs import JudgeConfig
from pretune.evaluate.aims import Aim
from pretune.evaluate.choose_source import CANDIDATES, choose_source
from pretune.records import RunRecord
from pretune.run import RunFolder
from pretune.run.trace import Trace

BEST = "best"


def settle_source(
    config: JudgeConfig,
    aim: Aim,
    record: RunRecord,
    folder: RunFolder,
    able: Collection[str],
    prevalence: Mapping[str, float],
    trace: Trace,
) -> RunRecord:
    """Return the record with the source that is to be judged; the run's own choice stands where the config names none.

    Args:
        config: Whether to choose.
        aim: By what.
        record: Of the run, its thresholds settled.
        folder: Holds what each source said of validation.
        able: Sources that can answer the test.
        prevalence: Class shares of production, by which validation is weighed.
        trace: Receives the stage.
    """
    if (config.choose or record.settings.judge.choose) != BEST:
        return replace(record, chosen=None)
    names = [name for name in CANDIDATES if name in able and folder.has_predictions("validation", name)]
    known = [folder.read_predictions("validation", name) for name in names]
    with trace.stage("choose", f"{len(known[0].ids):,} validation rows × {len(known)} models") as stage:
        choice = choose_source(known, aim, prevalence)
        figures = ", ".join(f"{name} {value:.3f}" for name, value in choice.values.items())
        stage.done = f"{choice.rule}; {choice.metric}: {figures}"
        stage.shape_out = choice.source
        stage.notes = [f"{len(known)} models count in this look, so each has 1/{len(known)} of the error"]
    return replace(record, chosen=choice)


def num_candidates(record: RunRecord) -> int:
    """Return as how many models an opening counts."""
    return 1 if record.chosen is None else len(record.chosen.values)

"""Checking: the receipt and the findings about the rows, before anything is trained. Nothing is written."""

from typing import Any

from pretune.configs import RunConfig
from pretune.data.dataset import prepare
from pretune.data.labels.votes import require_votes
from pretune.diagnose import DATA_CHECKS, diagnose
from pretune.diagnose.texts import check_language
from pretune.records import Evidence, Example, Finding, Receipt
from pretune.run.trace import Trace
from pretune.tasks.classify.language import fit_vocabulary
from pretune.tasks.classify.repair import score_repair


def check_data(source: Any, config: RunConfig, trace: Trace) -> tuple[Receipt, tuple[Finding, ...]]:
    """Read and diagnose the data only; the test texts are compared, not scored."""
    data = prepare(source, config.read, config.split, given=config.given, trace=trace)
    require_votes(data.train, config.judge.votes, data.classes, label=data.receipt.columns.label)
    sealed = enumerate(zip(data.seal.texts(), data.seal.groups(), strict=True))
    tested = tuple(Example(id=f"test {index}", text=text, group=group) for index, (text, group) in sealed)
    evidence = Evidence(
        classes=data.classes,
        train=data.train,
        validation=data.validation,
        test=tested,
        receipt=data.receipt,
        votes=config.judge.votes,
        vocabulary=fit_vocabulary(config.model, (row.text for row in data.train)),
    )
    receipt = score_repair(source, config, data, trace) if config.split.repair else data.receipt
    return receipt, diagnose(evidence, checks=(*DATA_CHECKS, check_language))

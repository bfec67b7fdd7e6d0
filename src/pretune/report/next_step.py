"""The one thing to do next, from what a verdict rests on."""

from collections.abc import Iterator

from pretune.records import Finding, Outcome, Reason, RunRecord, Severity, Verdict
from pretune.report.receipts import describe_needed

HELD = {"finetuned": "RUN/model", "linear": "RUN/linear", "encoder_linear": "RUN/encoder_linear"}  # where each lies in a run
SEVERE = (Severity.BLOCKING, Severity.WARNING)


def say_next(record: RunRecord) -> str:
    """Say in a sentence or two what to do next; ``RUN`` is the run's folder, ``FILE`` a table of the user's.

    Args:
        record: Of any run of a task that is judged.
    """
    verdict = record.verdict
    if verdict is None:
        return _begin(record)
    if verdict.better_source is not None:
        place = HELD.get(verdict.better_source, "RUN")
        return (
            f"Use the better one: `pretune predict {place} FILE`; or let validation choose: `pretune judge RUN --choose best`."
        )
    if verdict.outcome is Outcome.SHIP:
        return _use(record)
    if verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE:
        return _find_out(record, verdict)
    return next(_mend(record, verdict))


def _begin(record: RunRecord) -> str:
    if record.failure:
        return f"No model came of this run: {record.failure}."
    if record.status == "started":
        return "Run the same command again: it resumes where it was cut off."
    return "Judge the model: `pretune judge RUN` opens the sealed test, once, and writes this report again."


def _use(record: RunRecord) -> str:
    if record.task == "converse":
        return "Use the model: `pretune chat RUN` talks to it."
    if not _is_trained(record):
        return (
            "Use the predictions; audit again with rows of production, since these figures hold for texts like the test rows."
        )
    place = HELD.get(record.judged_source, "RUN")
    return (
        f"Use the model: `pretune predict {place} FILE`. The figures hold for texts like the test rows, so watch what comes in."
    )


def _find_out(record: RunRecord, verdict: Verdict) -> str:
    if verdict.rows_needed is not None:
        positives = verdict.positives_needed
        of_them = "" if positives is None else f", about {positives:,} of them {record.positive or 'of the rarer class'}"
        then = "; then judge them with the first ones: `pretune judge RUN --more FILE`." if _is_trained(record) else "."
        return f"Label {verdict.rows_needed:,} more test rows{of_them}{then}"
    if any(reason.kind == "review" and reason.holds is None for reason in verdict.reasons):
        return "Let people compare the replies with those of the best rival, blindly: `pretune review RUN`."
    needed = describe_needed(verdict)
    still_open = next((reason.text for reason in verdict.reasons if reason.holds is None), needed)
    return f"Settle what is open: {still_open}. {'' if still_open in needed else _sentence(needed)}".strip()


def _is_trained(record: RunRecord) -> bool:
    """Whether it is a run that further rows can be given to; an audit has tables, and no model."""
    return record.task == "classify" and record.history is not None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _mend(record: RunRecord, verdict: Verdict) -> Iterator[str]:
    """Yield what may help, the surest first; there always is a last one."""
    failed = [reason for reason in verdict.reasons if reason.holds is False]
    known = {finding.check: finding for finding in record.findings}
    for reason in failed:
        if reason.kind == "finding" and reason.name in known and known[reason.name].fix:
            yield f"{known[reason.name].fix} This is what the check {reason.name} asks for."
    if any(_is_beaten(reason) for reason in failed):
        yield "Use the linear model, which is in the run: `pretune predict RUN/linear FILE`."
    for finding in _severe(record):
        yield f"{finding.fix} The check {finding.check} found: {finding.summary}."
    yield (
        "Read the most confident mistakes and check their labels first; then train again on what they show. "
        f"The next verdict on these test rows will be look {verdict.look + 1}."
    )


def _is_beaten(reason: Reason) -> bool:
    return reason.kind == "comparison" and reason.name == "finetuned-linear"


def _severe(record: RunRecord) -> Iterator[Finding]:
    for severity in SEVERE:
        yield from (item for item in record.findings if item.severity is severity and item.fix)

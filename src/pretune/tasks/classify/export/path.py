"""From a run to an exported form: written aside, asked beside the model, judged, and put in place whole or not at all."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pretune import storage
from pretune.errors import UsageError
from pretune.models.exported import ExportCard, write_export_card
from pretune.models.formats import onnx_int8, openvino_graph
from pretune.models.formats.forms import EXACT, ONNX_FILE
from pretune.predict import Scorer
from pretune.predict.exported import open_export
from pretune.predict.measured import measure_apart
from pretune.records import AnswersBeside, Candidate, Example, JudgedExport, Predictions
from pretune.report.card.exported import render_export_card
from pretune.run import RunFolder, check_run
from pretune.run.exports import FOLDER, JUDGED
from pretune.run.trace import Trace
from pretune.tasks.classify.baselines import void_finding
from pretune.tasks.classify.export.again import Again, judge_again
from pretune.tasks.classify.export.beside import check_exact, compare_batches, compare_predictions, predictions_of
from pretune.tasks.classify.export.forms import Source, calibration, finish, write_graph
from pretune.tasks.classify.export.machine import describe_machine
from pretune.tasks.classify.export.needs import require_exportable, require_libraries
from pretune.tasks.classify.on_file import OnFile, read_judged
from pretune.tasks.classify.opened import load_scorer
from pretune.tasks.classify.prepare import tell_progress
from pretune.tasks.report import write_report

CARD = "README.md"
Shift = tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One export.

    Args:
        folder: The run's.
        form: One of ``CLASS_KINDS``.
        known: The run as its folder has it; ``None`` where it is not judged.
        model: What was judged.
        source: What is exported.
        validation: Its rows.
        own: What the model says of them.
        trace: Receives the stages.
    """

    folder: RunFolder
    form: str
    known: OnFile | None
    model: Scorer
    source: Source
    validation: tuple[Example, ...]
    own: Predictions
    trace: Trace


def export_classifier(folder: RunFolder, *, form: str, is_loss_accepted: bool, trace: Trace) -> JudgedExport:
    """Write ``RUN/export/FORM``, judged.

    Args:
        folder: The run's.
        form: One of ``CLASS_KINDS``.
        is_loss_accepted: Whether another verdict than the model's will do.
        trace: Receives the stages.

    Raises:
        UsageError: The run has no fine-tuned model that was judged; or the form has another verdict.
        ParityError: A form that is to be exact is not.
        MissingPackageError: What makes or runs the form is not installed.
        StorageError: A file of the run is damaged, or the disk refused.
    """
    record = require_exportable(folder)
    require_libraries(form)
    check_run(folder, record)
    known = read_judged(folder) if record.verdict is not None else None
    model, _ = load_scorer(folder.model)
    texts = tuple(row.text for row in folder.read_examples("train"))
    source = Source(network=model.network, tokenizer=model.tokenizer, card=model.card, run=record.run, texts=texts)
    validation = folder.read_examples("validation")
    with trace.stage("ask the model", f"{len(validation):,} validation texts") as stage:
        own = model.predictions(validation, "validation", progress=tell_progress(trace, "asking the model"))
        stage.done, stage.shape_out = "in fp32, as it was saved", f"{len(validation):,} × {len(own.classes)} probabilities"
    job = Job(
        folder=folder,
        form=form,
        known=known,
        model=model,
        source=source,
        validation=validation,
        own=own,
        trace=trace,
    )
    made = list[JudgedExport]()

    def fill(aside: Path) -> None:
        made.append(_make(aside, job, is_loss_accepted=is_loss_accepted))

    storage.replace(folder.path / FOLDER / form, fill)
    write_report(folder, record, above=void_finding(folder))
    return made[0]


def _make(aside: Path, job: Job, *, is_loss_accepted: bool) -> JudgedExport:
    """Write a form into a folder, judge it, and refuse it where it is not what was judged."""
    with job.trace.stage("export", f"{job.source.card.base_model or 'the model'}, {job.form}") as stage:
        card, candidates = _write(aside, job)
        size = sum(file.stat().st_size for file in aside.iterdir())
        stage.done, stage.shape_out = ", ".join(f"{key}: {value}" for key, value in card.how.items()), storage.say_bytes(size)
    beside, again = _judge(aside, job)
    texts = [row.text for row in job.validation]
    with job.trace.stage("measure", f"{len(texts):,} validation texts") as stage:
        measured, of_model = measure_apart(aside, texts), measure_apart(job.folder.model, texts)
        stage.done = ", ".join(f"{pace.how} {pace.texts_per_second:,.0f} texts/s" for pace in measured.paces)
        stage.shape_out = f"at most {storage.say_bytes(measured.peak_bytes)}"
    judged = JudgedExport(
        form=job.form,
        run=job.source.run,
        how=card.how,
        beside=tuple(beside),
        candidates=tuple(candidates),
        scores=again.scores if again else (),
        verdict=again.verdict if again else None,
        beside_verdict=again.beside if again else None,
        num_models=again.num_models if again else 1,
        lost=again.lost if again else (),
        is_loss_accepted=bool(again and again.lost),
        control_as_text=card.reading.control_as_text,
        num_bytes=size,
        num_bytes_of_model=sum(file.stat().st_size for file in job.folder.model.iterdir()),
        measured=measured,
        measured_of_model=of_model,
        machine=describe_machine(),
        versions=card.versions,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if judged.lost and not is_loss_accepted:
        raise _refused(judged, job)
    storage.replace_json(aside / JUDGED, judged.to_json())
    storage.replace(aside / CARD, render_export_card(job.folder.read_record(), judged))
    write_export_card(aside, card)  # again, with the digests of these
    return judged


def _write(aside: Path, job: Job) -> tuple[ExportCard, list[Candidate]]:
    """Write graph, tokenizer and card; of 8-bit ONNX the candidate that answers most like the model."""
    form, source = job.form, job.source
    with storage.scratch(job.folder.path / FOLDER / f"{form}.graph") as room:
        shift = write_graph(room, source, form)
        if form == "onnx-int8":
            return _take_best(aside, room, job, shift)
        how = {"precision": "fp32"}
        if form == "openvino":
            how = openvino_graph.write(aside, room / ONNX_FILE)
        elif form == "openvino-int8":
            how = openvino_graph.write_int8(aside, room / ONNX_FILE, calibration(source))
        else:
            _move(room, aside)
    return finish(aside, source, form, shift, how), []


def _take_best(aside: Path, room: Path, job: Job, shift: Shift) -> tuple[ExportCard, list[Candidate]]:
    tried, cards = list[Candidate](), dict[str, ExportCard]()
    for kind in (onnx_int8.STATIC, onnx_int8.DYNAMIC):
        place = room / kind
        place.mkdir()
        how = onnx_int8.write(place / ONNX_FILE, room / ONNX_FILE, kind, calibration(job.source))
        cards[kind] = finish(place, job.source, job.form, shift, how)
        scorer = open_export(place)
        theirs = predictions_of(scorer, job.validation, "validation", job.trace)
        beside = (
            compare_predictions(job.own, theirs),
            *compare_batches(job.model, scorer, [row.text for row in job.validation]),
        )
        pace = measure_apart(place, [row.text for row in job.validation]).paces[-1].texts_per_second
        size = (place / ONNX_FILE).stat().st_size
        tried.append(Candidate(name=kind, beside=beside, texts_per_second=pace, num_bytes=size))
    best = choose(tried)
    _move(room / best.name, aside)
    return cards[best.name], [replace(item, is_taken=item is best) for item in tried]


def _move(source: Path, target: Path) -> None:
    for file in source.iterdir():
        shutil.move(file, target / file.name)


def choose(tried: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the most answers of the model, over every way of asking; of equals the fastest."""

    def merit(item: Candidate) -> tuple[float, float]:
        same, rows = sum(part.num_same for part in item.beside), sum(part.num_rows for part in item.beside)
        return same / max(1, rows), item.texts_per_second

    return max(tried, key=merit)


def _judge(aside: Path, job: Job) -> tuple[list[AnswersBeside], Again | None]:
    """Ask the form and the model the same texts; of a judged run, recompute figures and verdict for the form."""
    known, trace, scorer = job.known, job.trace, open_export(aside)
    rows = {"validation": job.validation} | ({"test": known.splits["test"]} if known is not None else {})
    with trace.stage("compare", ", ".join(f"{len(part):,} {split} texts" for split, part in rows.items())) as stage:
        found = tuple(predictions_of(scorer, part, split, trace) for split, part in rows.items())
        own = [job.own]
        own += (
            [] if known is None else [item for item in known.predictions if (item.source, item.split) == ("finetuned", "test")]
        )
        beside = [compare_predictions(ours, theirs) for ours, theirs in zip(own, found, strict=True)]
        beside += compare_batches(job.model, scorer, [row.text for row in job.validation])
        if job.form in EXACT:
            check_exact([item for item in beside if item.split == "validation"], job.form)
        stage.done = f"{sum(item.num_others for item in beside):,} other answers"
        stage.shape_out = f"probabilities differ by at most {max(item.largest for item in beside):.1g}"
    if known is None:
        trace.note("this run is not judged: its export has no verdict yet. Judge the run, then export again")
        return beside, None
    with trace.stage("judge", f"{len(rows['test']):,} answers, no new look") as stage:
        again = judge_again(job.folder, known, job.form, found)
        stage.done = f"the model on the same terms: {again.beside.replace('_', ' ')}"
        stage.shape_out = str(again.verdict.outcome).replace("_", " ")
    return beside, again


def _refused(judged: JudgedExport, job: Job) -> UsageError:
    before, now = str(judged.beside_verdict), str(judged.verdict.outcome if judged.verdict is not None else "")
    changed = f"from {before} to {now}".replace("_", " ")
    return UsageError(
        f"{job.form} changes the verdict of {job.source.run} {changed}" + "".join(f"\n  {line}" for line in judged.lost[:5]),
        expected="the verdict of the model",
        fix="export in fp32 (--to onnx), or pass --accept-loss, which keeps this form and says what it lost",
    )

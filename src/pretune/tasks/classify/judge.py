"""Judging: open the seal once, then evaluate, diagnose, decide and report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from pretune import storage
from pretune.configs import JudgeConfig
from pretune.data.alike.units import find_copies, join_copies, units_of_rows, with_ids, with_units
from pretune.data.corpus import find_sketches
from pretune.data.corpus.sketch import SketchFile
from pretune.data.labels.votes import require_votes
from pretune.data.seal.known import register_seal
from pretune.data.seal.learned import look_back
from pretune.data.seal.seal import Opening, Seal, TrainingData
from pretune.evaluate import choose_positive
from pretune.evaluate.aims import Aim
from pretune.evaluate.encoder_linear import SOURCE
from pretune.models.past import past_of
from pretune.records import CorpusSketch, Example, Past, Predictions, RunRecord, Terms
from pretune.report.card.card import render_card
from pretune.report.page.html import render_html
from pretune.run import RunFolder
from pretune.run.prediction_tables import predictions_csv
from pretune.run.trace import Trace
from pretune.tasks.classify.assess import Assessment, Kept, assess, costs_of, evidence_of, read_policy
from pretune.tasks.classify.baselines import void_finding
from pretune.tasks.classify.budget import tell_end
from pretune.tasks.classify.chosen import num_candidates, settle_source
from pretune.tasks.classify.encoder_linear import OpenedEncoderLinear, open_encoder_linear
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.more import Addition
from pretune.tasks.classify.options import GAP_ROWS
from pretune.tasks.classify.prove import Proof
from pretune.tasks.classify.thresholds import choose_thresholds, decided_by, inherit, read_aim, store_thresholds, tell_choice
from pretune.tasks.report import write_report

# Who predicts on every split; the last one where the run has it.
SOURCES = ("finetuned", "majority", "prior", "linear", SOURCE)


# Bytes that report and card, and an entry of the ledger with its head, take at most.
ROOM_FOR_PAGES, ROOM_FOR_A_LOOK = 1_000_000, 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A fitted model with its linear baseline, what it was trained on, and the rows it will be judged by."""

    model: TextClassifier
    training: TrainingData
    seal: Seal
    more: Addition | None = None  # the rows of the seal that are not on record yet
    proof: Proof | None = None  # trainings from other weights, to be asked about the same rows


def open_and_judge(candidate: Candidate, record: RunRecord, config: JudgeConfig, folder: RunFolder, trace: Trace) -> RunRecord:
    """Open the sealed test, which is counted before any figure is shown, and take the run to its verdict."""
    start, config = time.perf_counter(), inherit(config, record)
    policy, receipt = read_policy(config), record.receipt
    columns = receipt.columns if receipt is not None else None
    require_votes(candidate.training.train, policy.votes, record.classes, label=columns.label if columns is not None else None)
    labels = [str(row.label) for row in candidate.training.train]
    positive = choose_positive(labels, config.positive) if config.positive else record.positive
    aim = read_aim(config, policy, positive=positive, labels=labels)
    record = _settle_threshold(candidate, aim, record, folder, trace)
    if candidate.more is not None:
        record = candidate.more.add_to(record)
    # Whatever is read or may fail comes before the seal is opened: a damaged file, or a crash, costs no look.
    past = _look_back(candidate, record, folder)
    sketches, lost = find_sketches(record.model_source, past.corpora)
    encoder_linear = open_encoder_linear(folder, candidate.model.device_, trace)
    able = set(SOURCES) - ({SOURCE} if encoder_linear is None else set())
    record = settle_source(config, aim, record, folder, able, policy.prevalence, trace)
    _score_train(candidate, folder, trace)
    _look_into_corpus(sketches, lost, candidate.seal.texts(), record, folder)
    _rehearse(folder, record)
    answers = _answer_test(candidate, encoder_linear, trace)
    sealed = find_copies(candidate.seal.numbered(), record.receipt)
    _check_room(answers, folder)
    if candidate.more is not None:
        candidate.more.save(folder)
        register_seal(candidate.seal, str(folder.path))
    opening = _open(candidate.seal, folder, num_candidates(record), trace)
    _keep_answers(answers, candidate, opening, folder, trace)
    record = replace(record, positive=positive)
    splits = {"train": candidate.training.train, "validation": candidate.training.validation, "test": opening.examples}
    predictions = folder.read_all_predictions()  # as kept, so that recomputing starts from the same
    policy = read_policy(config, predictions)
    copies = join_copies(
        [with_ids(sealed, [row.id for row in opening.examples]), find_copies(candidate.training.validation, record.receipt)]
    )
    folder.write_kept(copies)
    known = Kept(corpus=folder.read_kept(CorpusSketch), past=past, copies=copies)
    evidence = evidence_of(record, splits, predictions, known)
    terms = with_units(Terms(confidence=opening.confidence), opening.examples, copies)
    found = assess(
        evidence,
        policy,
        look=opening.look,
        num_models=num_candidates(record),
        main=record.judged_source,
        costs=costs_of(record),
        trace=trace,
    )
    proof = candidate.proof.judge(predictions, terms) if candidate.proof is not None else None
    record = _judged(replace(record, proof=proof), found, opening, time.perf_counter() - start)
    record = tell_end(record, "run", trace)
    with trace.stage("report", f"run {record.run}") as stage:
        stage.shape_out = "report.html, README.md"
    record = folder.write_record(record, keep="model")  # last of the trace's lines, and the model that was judged
    write_report(folder, record, above=void_finding(folder))
    return record


def _judged(record: RunRecord, found: Assessment, opening: Opening, seconds: float) -> RunRecord:
    """Put what was found on the record of the run."""
    return replace(
        record,
        status="judged",
        scores=found.scores,
        comparisons=found.comparisons,
        confusions=found.confusions,
        slices=found.slices,
        mistakes=found.mistakes,
        sample=found.sample,
        findings=found.findings,
        verdict=found.verdict,
        look=opening.look,
        ledger_head=opening.head,
        first_known_look=opening.first_known,
        seconds={**record.seconds, "judging": round(seconds, 1)},
    )


def _check_room(answers: Sequence[Predictions], folder: RunFolder) -> None:
    """Refuse to open the seal where its figures could not be kept: predictions, the record twice, report and card, a look.

    Raises:
        StorageError: The disk is full, or files of the run cannot be written.
    """
    storage.check_writable(folder.path / "run.json")
    storage.check_writable(folder.openings, is_appended=True)
    tables = sum(len(item.ids) * (60 + 24 * len(item.classes)) for item in answers)
    record = (folder.path / "run.json").stat().st_size
    storage.check_room(folder.path, tables + 4 * record + ROOM_FOR_PAGES, "the figures of the test")
    storage.check_room(storage.data_folder(), 8 * len(answers[0].ids) + ROOM_FOR_A_LOOK, "the look in the ledger")


def _settle_threshold(candidate: Candidate, aim: Aim, record: RunRecord, folder: RunFolder, trace: Trace) -> RunRecord:
    """Choose the threshold for this aim, on validation and before the seal is opened; store it where it is another one."""
    sources = [source for source in SOURCES if folder.has_predictions("validation", source)]
    known = [folder.read_predictions("validation", source) for source in sources]
    rows, model = candidate.training.validation, candidate.model
    choices = choose_thresholds(known, aim, units_of_rows(rows, find_copies(rows, record.receipt)))
    if choices["finetuned"] == record.threshold and not record.pending:
        return record
    decided = decided_by(known, choices)
    folder.write_record(replace(record, pending=_pending(decided, folder)), cover=False)
    store_thresholds(model, choices, folder)
    model.save(folder.model)
    for item in decided:
        folder.write_predictions(item)
    tell_choice(choices, trace)
    record = replace(record, threshold=choices["finetuned"], has_folded_threshold=model.scorer.has_folded_threshold)
    return folder.write_record(record)


def _pending(decided: list[Predictions], folder: RunFolder) -> dict[str, str]:
    """Return what is about to be replaced: predictions by the digest that they will have, the rest has digests of its own."""
    own = [file for place in (folder.model, folder.linear, folder.encoder_linear) for file in place.glob("*")]
    pending = {file.relative_to(folder.path).as_posix(): "" for file in own}
    tables = {f"predictions/{item.split}.{item.source}.csv": predictions_csv(item) for item in decided}
    return pending | {name: sha256(table.encode("utf-8", "surrogatepass")).hexdigest() for name, table in tables.items()}


def is_written_again(line: str) -> bool:
    """Whether what differs is a file that judging writes again, or one that a judging that was cut off has written already."""
    name, _, what = line.partition(" ")
    if name == "data/learned-before.jsonl" or name.startswith("data/more-"):
        return what.startswith("was not there")
    if name == "data/copies.jsonl":
        return True
    return name.startswith("predictions/test.") or name in ("predictions/train.finetuned.csv", "data/in-corpus.jsonl")


def _score_train(candidate: Candidate, folder: RunFolder, trace: Trace) -> None:
    """Score a fixed sample of training; validation was scored after training."""
    rows = candidate.training.train
    with trace.stage("score training", f"{len(rows):,} training texts") as stage:
        chosen = np.random.default_rng(0).permutation(len(rows))[:GAP_ROWS]
        sample = candidate.model.predictions([rows[index] for index in sorted(chosen)], "train", trace=trace)
        folder.write_predictions(sample)
        stage.done = "a fixed sample with dropout off, for the gap to validation"
        stage.shape_out = f"{len(sample.ids):,} × {len(sample.classes)} probabilities"


def _open(seal: Seal, folder: RunFolder, num_models: int, trace: Trace) -> Opening:
    with trace.stage("open the seal", f"{seal.num_rows:,} sealed rows") as stage:
        opening = seal.open(run=folder.name, purpose="judge", num_models=num_models, copy=folder.openings)
        stage.done = f"look {opening.look}, in the ledger" + (", the first known" if opening.first_known else "")
        stage.shape_out = f"{seal.num_rows:,} test texts; intervals at {opening.confidence:.4g}"
    return opening


def _answer_test(candidate: Candidate, encoder_linear: OpenedEncoderLinear | None, trace: Trace) -> list[Predictions]:
    """Ask every source about the sealed texts; labels are not read, and nothing is shown or written."""
    rows = candidate.seal.numbered()
    model, classes = candidate.model, candidate.training.classes
    with trace.stage("answer", f"{len(rows):,} sealed texts, without their labels") as stage:
        answers = [model.predictions(rows, "test", trace=trace), *model.baselines(candidate.training, rows, "test")]
        answers += candidate.proof.ask(rows, trace) if candidate.proof is not None else []
        if encoder_linear is not None:
            answers.append(encoder_linear.predict(rows, split="test", classes=classes, trace=trace))
        stage.done = f"{', '.join(item.source for item in answers)} on the same rows; kept back until the opening is counted"
        stage.shape_out = f"{len(rows):,} × {len(classes)} logits → probabilities → decisions"
    return answers


def _keep_answers(
    answers: Sequence[Predictions], candidate: Candidate, opening: Opening, folder: RunFolder, trace: Trace
) -> None:
    """Put ids and labels to the answers, and write them."""
    rows = opening.examples
    ids, labels = tuple(row.id for row in rows), tuple(row.label for row in rows)
    with trace.stage("evaluate", f"{len(rows):,} test texts") as stage:
        if all(item.source != SOURCE for item in answers):
            folder.drop_predictions("test", SOURCE)
        for item in answers:
            folder.write_predictions(replace(item, ids=ids, labels=labels))
        stage.done = f"{', '.join(item.source for item in answers)} beside the labels"
        stage.shape_out = f"{len(answers)} × {len(rows):,} decisions"
        stage.example = _describe_decision(candidate.model, rows[0], answers[0].predicted[0])


def _look_back(candidate: Candidate, record: RunRecord, folder: RunFolder) -> Past:
    """Return which test texts the model had learned from before; found now where an earlier version made the run."""
    past = folder.read_kept(Past)
    if past is None:
        past = look_back(past_of(record.model_source, chain=1), candidate.seal.texts())
        folder.write_kept(past)
    return past


def _rehearse(folder: RunFolder, record: RunRecord) -> None:
    """Read what the report will be drawn from, and draw it.

    Raises:
        StorageError: A file is damaged.
    """
    folder.read_all_predictions()
    folder.read_kept(CorpusSketch)
    render_html(record, folder.read_events(head=record.heads.get("trace.jsonl", "")))
    render_card(record)


def _look_into_corpus(
    sketches: Sequence[SketchFile], lost: Sequence[str], texts: Sequence[str], record: RunRecord, folder: RunFolder
) -> None:
    """Keep what the corpora that the model was pre-trained on have in common with the test texts."""
    found = [sketch.within(texts) for sketch in sketches]
    if record.corpus is not None and not found and record.corpus.name not in lost:
        lost = (*lost, record.corpus.name)
    if not found and not lost:
        folder.drop_kept(CorpusSketch)
        return
    names = dict.fromkeys([*(item.name for item in found), *lost])
    common = CorpusSketch(
        name=" + ".join(names),
        num_texts=sum(item.num_texts for item in found) or (record.corpus.num_kept if record.corpus is not None else 0),
        hashes=tuple(sorted({value for item in found for value in item.hashes})),
        is_known=not lost,
    )
    folder.write_kept(common)


def _describe_decision(model: TextClassifier, row: Example, predicted: str) -> str:
    values = ", ".join(f"{value:.2f}" for value in model.scorer.logits([row.text])[0].tolist())
    return f"{row.text[:60]} → logits {values} → {predicted} (label {row.label})"

"""The whole path, on one screen: data → fine-tuning → judgement → report. Read this file first."""

import importlib.metadata
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from pretune import storage
from pretune.configs import JudgeConfig, ReadConfig, RunConfig
from pretune.data import Seal, TrainingData, clean_examples, clean_text, confidence_at, read_table, record_opening
from pretune.dataset import Dataset, prepare
from pretune.diagnose import DATA_CHECKS, diagnose
from pretune.errors import DataError, UsageError
from pretune.estimators import TextClassifier, resolve_freeze
from pretune.evaluate import choose_positive, evaluate_sources
from pretune.evaluate.baselines import fit_linear, load_linear, majority
from pretune.hashing import digest_of, digest_of_file
from pretune.loading import load_model, load_pretrained_model
from pretune.records import Evaluation, Evidence, Example, Finding, Predictions, Receipt, RunRecord, Verdict
from pretune.report.card import render_card
from pretune.report.html import render_html
from pretune.runs import RunFolder, claim_folder
from pretune.trace import Trace
from pretune.train import choose_device
from pretune.verdict import decide, load_policy

# Training rows scored to measure the gap to validation; more would cost time and change the gap by under a point.
GAP_ROWS = 2_000
# Who predicts on every split.
SOURCES = ("finetuned", "majority", "linear")
PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "scikit-learn", "numpy")


def run(source: Any, config: RunConfig, folder: RunFolder, trace: Trace, *, command: str = "pretune run") -> RunRecord:
    """Take a table of texts to a verdict; training that an interrupted run finished is not repeated."""
    if not folder.is_begun or folder.read_record().status == "started":
        finetune(source, config, folder, trace, command=command)
    return judge_run(folder, config.judge, trace)


def finetune(
    source: Any, config: RunConfig, folder: RunFolder, trace: Trace, *, command: str = "pretune finetune"
) -> RunRecord:
    """Read, split, seal and train; validation figures only, the test stays sealed."""
    start = time.perf_counter()
    load_policy(**_policy_options(config.judge))  # a policy that cannot be read is better known now than after training
    data = _load(source, config, folder, trace)
    positive = choose_positive([str(row.label) for row in data.train], config.judge.positive)
    device = choose_device(config.finetune.device, precision=config.finetune.precision, threads=config.finetune.threads)
    freeze = resolve_freeze(config.freeze, device.kind)
    model = load_pretrained_model(
        config.model, epochs=config.epochs, freeze=freeze, seed=config.seed, config=config.finetune
    )  # what cannot be had is better known before a run is begun
    record = _begin(data, config, folder, command, identity=identity_of(command, source, config))
    trace.keep_in(folder.trace, begin=True)
    if freeze != config.freeze:
        trace.note(f"--freeze {freeze}: {device.why}")
    with trace.stage("baseline", f"{len(data.train):,} texts") as stage:
        linear = fit_linear(data.train, seed=config.seed)
        linear.save(folder.linear)
        stage.done = f"TF-IDF + logistic regression, strength {linear.strength:g}"
        stage.shape_out = f"{len(linear.terms):,} terms × {len(data.classes)} classes"
    model.fit(data, trace=trace)
    model.card_ = replace(model.card_, positive=positive)
    model.linear_ = linear
    with trace.stage("save", f"epoch {model.history_.best_epoch}") as stage:
        model.save(folder.model)
        stage.done = f"read back: logits differ by at most {model.parity_:.1g}"
        stage.shape_out = "model/"
    validation = _score_validation(model, data.training, folder, trace)
    record = replace(
        record, status="trained", device=str(model.device_), positive=positive, history=model.history_,
        model_licence=model.card_.licence, token_counts=model.token_counts_, scores=validation.scores,
        comparisons=validation.comparisons, confusions=validation.confusions,
        seconds={"training": round(time.perf_counter() - start, 1)},
    )  # fmt: skip
    folder.write_record(record)
    return record


def judge_run(folder: RunFolder, config: JudgeConfig, trace: Trace) -> RunRecord:
    """Open the sealed test once, evaluate, diagnose, decide, and write the report."""
    start, record = time.perf_counter(), folder.read_record()
    folder.hold()
    if record.status == "started":
        raise UsageError(
            f"{folder.path} was cut off before training ended", expected="a trained model", fix="give its command again"
        )
    trace.keep_in(folder.trace)
    model = TextClassifier.load(folder.model)
    training = TrainingData(
        train=folder.read_examples("train"), validation=folder.read_examples("validation"), classes=record.classes
    )
    model.linear_ = load_linear(folder.linear)
    return _judge(model, training, Seal.load(folder.sealed), record, config, folder, trace, start=start)


def judge(
    model: TextClassifier,
    data: Dataset,
    *,
    run: str | Path | None = None,
    config: JudgeConfig | None = None,
    trace: Trace | None = None,
) -> Verdict:
    """Open the sealed test once and say: ship, do not ship, or not enough evidence; makes a run folder.

    Args:
        model: Fitted on ``data``.
        data: What ``load_data`` returned.
        run: The run folder; by default ``runs/DATA-MODEL``, numbered where that is taken.
        config: By what to judge.
        trace: Receives the stages.

    Raises:
        LedgerError: The ledger of openings was changed; the seal stays shut.
        UsageError: The run folder is taken, or the model was fitted on other rows.
        NotFittedError: The model was not fitted.
    """
    start, config = time.perf_counter(), config or JudgeConfig()
    load_policy(**_policy_options(config))
    model.check_fitted_on(data.training)
    positive = choose_positive([str(row.label) for row in data.train], config.positive)
    folder = claim_folder(default_name(data.receipt.source, model.model), "", named=Path(run) if run is not None else None)
    settings = RunConfig(
        model=model.model, epochs=model.epochs, freeze=model.freeze, seed=model.seed, finetune=model.config, judge=config
    )
    _write_data(folder, data)
    record = _begin(data, settings, folder, "pretune.judge(model, data)")
    model.card_ = replace(model.card_, positive=positive)
    model.save(folder.model)
    model.baselines(data.training, (), "validation")
    model.linear_.save(folder.linear)
    record = replace(
        record, device=str(model.device_), history=getattr(model, "history_", None), model_licence=model.card_.licence,
        token_counts=getattr(model, "token_counts_", ()), positive=positive, status="trained",
    )  # fmt: skip
    trace = trace or Trace()
    trace.keep_in(folder.trace, begin=True)
    _score_validation(model, data.training, folder, trace)
    folder.write_record(record)
    verdict = _judge(model, data.training, data.seal, record, config, folder, trace, start=start).verdict
    if verdict is None:
        raise UsageError("the run has no verdict", fix="call judge again")
    return verdict


def check_data(source: Any, config: RunConfig, trace: Trace) -> tuple[Receipt, tuple[Finding, ...]]:
    """Read and diagnose the data only; nothing is written, and the test texts are compared, not scored."""
    data = prepare(source, config.read, config.split, given=config.given, trace=trace)
    tested = tuple(Example(id=f"test {index}", text=text) for index, text in enumerate(data.seal.texts()))
    evidence = Evidence(classes=data.classes, train=data.train, validation=data.validation, test=tested, receipt=data.receipt)
    return data.receipt, diagnose(evidence, checks=DATA_CHECKS)


def evaluate_on(run: str, source: Any, config: ReadConfig, trace: Trace) -> tuple[Evaluation, Receipt, str | None]:
    """Score other labelled data, beside the run's own baselines; a look at these rows, and counted."""
    model, folder = load_model(run), RunFolder(Path(run))
    table = read_table(source, config)
    rows, cleaned = clean_examples(table.examples)
    unknown = sorted({str(row.label) for row in rows} - set(model.card_.classes))
    if unknown:
        raise DataError(
            f"{table.source} has the label {unknown[0]!r}, which the model does not know",
            expected=f"its classes: {', '.join(model.card_.classes)}", fix="name the label column with --label",
        )  # fmt: skip
    entry = record_opening([row.text for row in rows], run=folder.name, purpose="evaluate")
    sources = [model.predictions(rows, "given", trace=trace)]
    if folder.is_begun:
        labels = [str(row.label) for row in folder.read_examples("train")]
        sources.append(majority(labels, rows, split="given", classes=model.card_.classes))
        sources.append(load_linear(folder.linear).predict(rows, split="given", classes=model.card_.classes))
    evaluation = evaluate_sources(
        sources, main="finetuned", positive=model.card_.positive, look=entry.look, confidence=confidence_at(entry.look)
    )
    receipt = Receipt(
        source=table.source, files=table.files, columns=table.columns, num_rows=sum(f.num_rows for f in table.files),
        num_used=len(rows), num_rejected=sum(len(f.rejected) for f in table.files), num_cleaned=cleaned, notes=table.notes,
    )  # fmt: skip
    return evaluation, receipt, model.card_.positive


def compare_runs(a: Path, b: Path) -> Evaluation:
    """Compare two judged runs on the test rows that both scored; a look at these rows, and counted."""
    if a.resolve() == b.resolve():
        raise UsageError(f"{a} was given twice", expected="two runs", fix="name another run")
    first, second = (RunFolder(path).read_predictions("test", "finetuned") for path in (a, b))
    texts = [dict(zip(p.ids, Seal.load(RunFolder(path).sealed).texts(), strict=True)) for p, path in ((first, a), (second, b))]
    shared = {row for row, text in texts[0].items() if texts[1].get(row) == text}
    if not shared:
        raise DataError(
            f"{a} and {b} have no test row in common",
            expected="two runs on the same data and --split-seed",
            fix="run both on one split",
        )
    opening = Seal.load(RunFolder(a).sealed).open(run=RunFolder(a).name, purpose="compare", num_models=2)
    names = (str(a), str(b)) if RunFolder(a).name == RunFolder(b).name else (RunFolder(a).name, RunFolder(b).name)
    pair = [_keep(first, shared, names[0]), _keep(second, shared, names[1])]
    return evaluate_sources(pair, main=names[0], look=opening.look, confidence=opening.confidence)


def read_texts(texts: list[str] | None, file: str | None, stdin: TextIO, config: ReadConfig) -> list[tuple[str, str]]:
    """Return (id, text) pairs from arguments, a table, or the lines of standard input.

    Raises:
        UsageError: There are none.
    """
    if texts and file:
        raise UsageError("texts and --file were both given", expected="one of them", fix="leave one out")
    if file:
        table = read_table(file, replace(config, require_labels=False))
        return [(row.id, row.text) for row in table.examples]
    if texts is None and stdin.isatty():
        raise UsageError(
            "no text", expected="TEXT arguments, --file, or lines on standard input", fix='pretune predict RUN "a text"'
        )
    try:
        lines = texts or [line.rstrip("\n") for line in stdin]
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is not text: {error}", expected="UTF-8", fix="save the lines as UTF-8") from error
    rows = [(f"text {index}", line) for index, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise UsageError("no text: every line is empty", expected="at least one text", fix='pretune predict RUN "a text"')
    return rows


def predict_texts(run: str, rows: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return one JSON object a text: id, text, predicted, probabilities. ``RUN/linear`` works as well."""
    texts = [clean_text(text) for _, text in rows]
    if (Path(run) / "model.json").is_file():
        linear = load_linear(Path(run))
        classes, shares = linear.classes, linear.probabilities(texts)
        predicted = [classes[index] for index in shares.argmax(axis=1)]
    else:
        model = load_model(run)
        classes, shares, predicted = model.card_.classes, model.predict_proba(texts), [str(x) for x in model.predict(texts)]
    return [
        {"id": row[0], "text": row[1], "predicted": label, "probabilities": dict(zip(classes, map(float, share), strict=True))}
        for row, label, share in zip(rows, predicted, shares, strict=True)
    ]


def write_report(folder: RunFolder, record: RunRecord) -> Path:
    """Draw ``report.html`` and the model card from the run folder; nothing is computed, no row is opened."""
    storage.replace(folder.report, render_html(record, folder.read_events()))
    storage.replace(folder.card, render_card(record))
    return folder.report


def identity_of(command: str, source: Any, config: RunConfig) -> str:
    """Return what makes two commands the same: the command, every setting, the data as named and what its files hold."""
    files = [Path(str(name)) for name in (source, *config.given.values(), config.judge.policy) if name is not None]
    held = [digest_of_file(path) for path in files if path.is_file()]
    return digest_of([command, str(source), config.to_json(), held])


def default_name(source: str, model: str) -> str:
    """Return ``DATA-MODEL`` as a folder name.

    Example:
        >>> default_name("tables/Film reviews.csv.gz", "minilm")
        'Film-reviews-minilm'
    """
    stem = Path(source).name.split(".")[0] or "data"
    kept = "".join(sign if sign.isalnum() or sign in "_-" else "-" for sign in f"{stem}-{Path(model).name}")
    return kept[:60].strip("-") or "run"  # 240 bytes at most, where file systems stop at 255


def _load(source: Any, config: RunConfig, folder: RunFolder, trace: Trace) -> Dataset:
    try:
        data = prepare(source, config.read, config.split, given=config.given, trace=trace)
    except DataError as error:
        if error.files:  # the receipt is the one thing that a refused file leaves behind
            storage.replace_json(
                folder.data / "receipt.json", {"error": error.to_json(), "files": [f.to_json() for f in error.files]}
            )
        raise
    _write_data(folder, data)
    return data


def _write_data(folder: RunFolder, data: Dataset) -> None:
    storage.replace_json(folder.data / "receipt.json", data.receipt.to_json())
    folder.write_examples("train", data.train)
    folder.write_examples("validation", data.validation)
    data.seal.save(folder.sealed)


def _begin(data: Dataset, config: RunConfig, folder: RunFolder, command: str, *, identity: str = "") -> RunRecord:
    record = RunRecord(
        run=folder.name, identity=identity, status="started", command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"), data_source=data.receipt.source,
        model_source=config.model, configs=config.to_json(), receipt=data.receipt,
        versions={name: importlib.metadata.version(name) for name in PACKAGES}, classes=data.classes,
    )  # fmt: skip
    folder.write_record(record)
    return record


def _score_validation(model: TextClassifier, training: TrainingData, folder: RunFolder, trace: Trace) -> Evaluation:
    with trace.stage("validate", f"{len(training.validation):,} validation texts") as stage:
        predictions = (
            model.predictions(training.validation, "validation", trace=trace),
            *model.baselines(training, training.validation, "validation"),
        )
        for item in predictions:
            folder.write_predictions(item)
        evaluation = evaluate_sources(predictions, main="finetuned", positive=model.card_.positive)
        stage.done = f"accuracy {evaluation.value('accuracy'):.3f}, the test still sealed"
        stage.shape_out = f"{len(training.validation):,} × {len(training.classes)} probabilities"
    return evaluation


def _judge(
    model: TextClassifier, training: TrainingData, seal: Seal, record: RunRecord, config: JudgeConfig, folder: RunFolder,
    trace: Trace, *, start: float,
) -> RunRecord:  # fmt: skip
    policy = load_policy(**_policy_options(config))
    labels = [str(row.label) for row in training.train]
    positive = choose_positive(labels, config.positive) if config.positive else record.positive
    known = _predict_known(model, training, folder, trace)
    with trace.stage("open the seal", f"{seal.num_rows:,} sealed rows") as stage:
        opening = seal.open(run=folder.name, purpose="judge", copy=folder.openings)
        stage.done = f"look {opening.look}" + (", first known" if opening.first_known else "")
        stage.shape_out = f"{seal.num_rows:,} test texts, intervals at {opening.confidence:.4g}"
    with trace.stage("evaluate", f"{seal.num_rows:,} test texts") as stage:
        baselines = (
            majority(labels, opening.examples, split="test", classes=training.classes),
            model.linear_.predict(opening.examples, split="test", classes=training.classes),
        )
        tested = (model.predictions(opening.examples, "test", trace=trace), *baselines)
        for item in (*known, *tested):
            folder.write_predictions(item)
        evaluation = evaluate_sources(
            tested, main="finetuned", positive=positive, look=opening.look, confidence=opening.confidence
        )
        validated = evaluate_sources([p for p in known if p.split == "validation"], main="finetuned", positive=positive)
        stage.done = f"accuracy {evaluation.value('accuracy'):.3f}, loss {evaluation.value('loss'):.3f}"
        stage.shape_out = f"{seal.num_rows:,} × {len(training.classes)} probabilities"
        stage.example = _example(model, opening.examples[0])
    with trace.stage("diagnose", f"{len(evaluation.scores)} figures") as stage:
        evidence = Evidence(
            classes=training.classes, positive=positive, train=training.train, validation=training.validation,
            test=opening.examples, predictions=(*known, *tested), history=record.history, receipt=record.receipt,
            token_counts=record.token_counts,
        )  # fmt: skip
        findings = diagnose(evidence, evaluation)
        stage.done = ", ".join(_count_severities([str(finding.severity) for finding in findings]))
        stage.shape_out = f"{len(findings)} findings"
    with trace.stage("judge", f"{len(evaluation.scores)} figures, {len(findings)} findings") as stage:
        verdict = decide(evaluation, findings, policy, positive=positive, look=opening.look)
        stage.done, stage.shape_out = verdict.summary, str(verdict.outcome).replace("_", " ")
    record = replace(
        record, status="judged", positive=positive, scores=(*evaluation.scores, *validated.scores),
        comparisons=evaluation.comparisons, confusions=(*evaluation.confusions, *validated.confusions), findings=findings,
        verdict=verdict, look=opening.look, ledger_head=opening.head, first_known_look=opening.first_known,
        seconds={**record.seconds, "judging": round(time.perf_counter() - start, 1)},
    )  # fmt: skip
    folder.write_record(record)
    with trace.stage("report", f"run {record.run}") as stage:
        write_report(folder, record)
        stage.shape_out = "report.html, README.md"
    return record


def _keep(predictions: Predictions, ids: set[str], source: str) -> Predictions:
    rows = sorted((row, index) for index, row in enumerate(predictions.ids) if row in ids)
    kept = [index for _, index in rows]
    shares = predictions.probabilities
    return replace(
        predictions, source=source, ids=tuple(row for row, _ in rows), labels=tuple(predictions.labels[i] for i in kept),
        predicted=tuple(predictions.predicted[i] for i in kept),
        probabilities=None if shares is None else tuple(shares[i] for i in kept),
    )  # fmt: skip


def _predict_known(model: TextClassifier, training: TrainingData, folder: RunFolder, trace: Trace) -> tuple[Predictions, ...]:
    """Return predictions for what is not sealed: validation, as scored after training, and a fixed sample of training."""
    chosen = np.random.default_rng(0).permutation(len(training.train))[:GAP_ROWS]
    sample = tuple(training.train[index] for index in sorted(chosen))
    validated = [folder.read_predictions("validation", source) for source in SOURCES]
    return (model.predictions(sample, "train", trace=trace), *validated)


def _example(model: TextClassifier, row: Example) -> str:
    logits = model.logits([row.text])[0].tolist()
    decision = model.predict([row.text])[0]
    return f"{row.text[:60]} → logits {', '.join(f'{value:.2f}' for value in logits)} → {decision} (label {row.label})"


def _count_severities(found: list[str]) -> list[str]:
    return [f"{found.count(kind)} {kind.replace('_', ' ')}" for kind in dict.fromkeys(found)]


def _policy_options(config: JudgeConfig) -> dict[str, Any]:
    return {
        "path": Path(config.policy) if config.policy else None,
        "goal": config.goal,
        "min_precision": config.min_precision,
        "min_recall": config.min_recall,
        "min_accuracy": config.min_accuracy,
    }

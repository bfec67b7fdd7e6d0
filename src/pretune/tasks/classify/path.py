"""The whole path, on one screen: data → fine-tuning → judgement → report. Read this file first."""

import importlib.metadata
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pretune import storage
from pretune.configs import AUTO, DEFAULT_MAX_LENGTH, JudgeConfig, RunConfig
from pretune.data import Dataset, Seal, TrainingData, prepare
from pretune.data.seal.known import CANNOT_JUDGE, register_seal, warn_of
from pretune.data.seal.learned import Learned, look_back
from pretune.data.seal.openings import read_openings
from pretune.data.split.divide import digest_of_rows
from pretune.errors import DataError, DivergedError, StorageError, UsageError
from pretune.evaluate import choose_positive, evaluate_sources, groups_of
from pretune.evaluate.aims import Aim, parse_costs, parse_keep
from pretune.evaluate.baselines import fit_linear
from pretune.evaluate.encoder_linear import SOURCE
from pretune.models import PEFT, check_freeze, find_checkpoint
from pretune.models.past import past_of
from pretune.optional import require
from pretune.records import BudgetChoice, Example, Past, RunRecord, Verdict
from pretune.run import UNFINISHED, RunFolder, check_run, claim_folder, identity_of
from pretune.run.claim import default_name
from pretune.run.job import Job, inputs_of
from pretune.run.origin import origin_of, stages_before
from pretune.run.trace import Trace
from pretune.tasks.classify.adapt import resolve_freeze
from pretune.tasks.classify.assess import read_policy
from pretune.tasks.classify.baselines import open_linear, restore
from pretune.tasks.classify.budget import apply_choice, choose_within, say_choice, tell_end
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.folds import add_out_of_fold
from pretune.tasks.classify.judge import Candidate, is_written_again, open_and_judge
from pretune.tasks.classify.load import load_pretrained_model
from pretune.tasks.classify.prove import Proof, check_proof
from pretune.tasks.classify.repair import score_repair
from pretune.tasks.classify.seeds import fit_seeds
from pretune.tasks.classify.thresholds import choose_thresholds, decided_by, read_aim, store_thresholds, tell_choice
from pretune.tasks.classify.together import check_company, helped
from pretune.tasks.classify.untuned import fit_untuned
from pretune.train import Device, Resume, choose_device
from pretune.verdict import Policy

# At most this many epochs on a processor where `auto` chose what is trained and the user named no number: all layers with
# bf16 instructions, or the last ones without. Either way `movie-reviews` stays within six minutes (docs/decisions/0007).
EPOCHS_ON_CPU = {"none": 3, "last": 4}
# Seconds of training from which a process of its own, which takes five, asks plain transformers about the saved model.
LONG_TRAINING = 60.0
PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "scikit-learn", "numpy")


def run(job: Job[RunConfig]) -> RunRecord:
    """Take a table of texts to a verdict; training that an interrupted run finished is not repeated."""
    folder = job.folder
    if folder.is_to_be_replaced or not folder.is_begun or folder.read_record().status in UNFINISHED:
        finetune(job)
    return judge_run(folder, job.config.judge, job.trace)


def finetune(job: Job[RunConfig]) -> RunRecord:
    """Read, split, seal and train; validation figures only, the test stays sealed."""
    config, folder, trace = job.config, job.folder, job.trace
    inputs = job.inputs or inputs_of(job.command, job.source, config)
    policy = read_policy(config.judge)  # what cannot be read is better refused now than after training
    parse_keep(config.judge.keep)
    parse_costs(config.judge.cost)
    check_company(config)
    check_proof(config)
    if config.finetune.lora:
        require(**PEFT)
    device = choose_device(config.finetune.device, precision=config.finetune.precision, threads=config.finetune.threads)
    data = _load(job)
    if config.split.repair:
        data.receipt = score_repair(job.source, config, data, trace)
    aim = _aim(data, config.judge, policy)
    model = load_pretrained_model(config.model, seed=config.seed)  # better to learn that it is missing before a run begins
    linear_seconds = _fit_linear(model, data.training, trace)
    budget = None
    if config.budget is not None:
        budget = _recorded_budget(folder) or choose_within(
            config, data, device, trace, covers=job.command, linear_seconds=linear_seconds, start=job.start
        )
        config = apply_choice(config, budget)
        trace.note(say_choice(budget))
    config = _settle(config, device, trace)
    settings = replace(config.finetune, positive=config.finetune.positive or config.judge.positive)
    model.set_params(epochs=config.epochs, freeze=config.freeze, config=settings)
    check_freeze(find_checkpoint(config.model), config.freeze)
    past = _look_back(past_of(config.model), data, trace)
    warning = warn_of([row.text for row in data.train], CANNOT_JUDGE)
    if warning:
        trace.note(f"training: {warning}")
    record = _begin(data, config, folder, job.told, inputs=inputs, budget=budget)
    folder.write_past(past)
    trace.keep_in(folder.trace, begin=True)
    for event in stages_before(config.model):
        trace.adopt(event)
    model.linear_.save(folder.linear)
    if config.judge.encoder_linear:
        length = config.finetune.max_length or DEFAULT_MAX_LENGTH
        fit_untuned(config.model, data.training, folder, device=device, max_length=length, seed=config.seed, trace=trace)
    resume = Resume(folder=folder.checkpoints, continue_changed=folder.continue_changed)
    try:
        if config.seeds > 1:
            model, spread, predictions = fit_seeds(model, data, config.seeds, resume, trace)
            record = replace(record, seeds=spread)
            for item in predictions:
                folder.write_predictions(item)
        else:
            with helped(job.source, replace(config, finetune=settings), folder.checkpoints):
                model.fit(data, trace=trace, checkpoints=resume)
    except DivergedError as error:
        folder.write_record(replace(record, status="diverged", failure=error.got))
        raise
    return _keep_trained(model, data.training, aim, record, folder, trace, start=job.start)


def judge_run(folder: RunFolder, config: JudgeConfig, trace: Trace) -> RunRecord:
    """Open the sealed test once, evaluate, diagnose, decide, and write the report."""
    record = folder.read_record()
    folder.hold()
    if record.status in UNFINISHED:
        how = record.failure or "it was cut off before training ended"
        raise UsageError(f"{folder.path} has no model: {how}", expected="a trained model", fix="run its command again")
    check_run(folder, record, ignore=is_written_again)
    read_openings(folder.openings, head=record.heads.get("data/openings.jsonl", ""))  # a lost one would be a look for free
    trace.keep_in(folder.trace)
    model = TextClassifier.load(folder.model)
    opened = open_linear(folder)
    restore(folder, opened, trace)
    model.linear_ = opened.model
    training = TrainingData(
        train=_read(folder, record, "train"), validation=_read(folder, record, "validation"), classes=record.classes
    )
    if config.thorough:
        add_out_of_fold(training, record, folder, trace)
    proof = Proof(record, folder, training) if record.settings.prove else None
    if proof is not None:
        proof.train(trace)
    candidate = Candidate(model=model, training=training, seal=Seal.load(folder.sealed), proof=proof)
    return open_and_judge(candidate, record, config, folder, trace)


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
        UsageError: The run folder is taken, or the policy cannot be read.
    """
    start, config, trace = time.perf_counter(), config or JudgeConfig(), trace or Trace()
    policy = read_policy(config)
    model.check_fitted_on(data.training)
    aim = _aim(data, config, policy)
    named = Path(run) if run is not None else None
    folder = claim_folder(default_name(data.receipt.source, model.model), {}, named=named)
    settings = RunConfig(
        model=model.model, epochs=model.epochs, freeze=model.freeze, seed=model.seed, finetune=model.config, judge=config
    )
    past = _look_back(model.past_on(data.training), data, trace)
    record = _begin(data, settings, folder, "pretune.judge(model, data)")
    folder.write_past(past)
    trace.keep_in(folder.trace, begin=True)
    _fit_linear(model, data.training, trace)
    model.linear_.save(folder.linear)
    if config.encoder_linear:
        length, base = model.card_.max_length, model.card_.base_model
        fit_untuned(base, data.training, folder, device=model.device_, max_length=length, seed=model.seed, trace=trace)
    record = _keep_trained(model, data.training, aim, record, folder, trace, start=start)
    if config.thorough:
        add_out_of_fold(data.training, record, folder, trace)
    judged = open_and_judge(Candidate(model=model, training=data.training, seal=data.seal), record, config, folder, trace)
    return Verdict.from_json(judged.to_json()["verdict"])


def _load(job: Job[RunConfig]) -> Dataset:
    config, folder = job.config, job.folder
    try:
        return prepare(job.source, config.read, config.split, given=config.given, trace=job.trace)
    except DataError as error:
        if error.files and not folder.is_begun:  # the receipt is the one thing that a refused file leaves behind
            receipt = {"error": error.to_json(), "files": [file.to_json() for file in error.files]}
            storage.replace_json(folder.data / "receipt.json", receipt)
        raise


def _look_back(learned: Learned, data: Dataset, trace: Trace) -> Past:
    """Compare what the model had learned from with the sealed texts; say now what will block the verdict."""
    past = look_back(learned, data.seal.texts())
    found = len(past.exact) + len(past.near)
    if found:
        trace.note(
            f"{found:,} of the {data.seal.num_rows:,} test texts, or nearly the same ones, were learned from before this "
            "training: no figure on them shows what the model does with new texts"
        )
    for reason in past.unknown:
        trace.note(f"it is not known whether the test was learned from before: {reason}")
    return past


def _begin(
    data: Dataset,
    config: RunConfig,
    folder: RunFolder,
    command: str,
    *,
    inputs: Mapping[str, str] | None = None,
    budget: BudgetChoice | None = None,
) -> RunRecord:
    """Write the record first: whatever happens from here on, the folder is known as that of a run that was begun."""
    record = RunRecord(
        run=folder.name,
        identity=identity_of(inputs) if inputs else "",
        inputs=dict(inputs or {}),
        budget=budget,
        status="started",
        command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_source=data.receipt.source,
        model_source=config.model,
        configs=config.to_json(),
        receipt=data.receipt,
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
        classes=data.classes,
    )
    origin = origin_of(config.model)
    if origin is not None:  # one timeline spans both trainings
        language = origin.scores if origin.pretraining is not None and origin.pretraining.started_from else ()
        record = replace(
            record, pretraining=origin.pretraining, tokenizer=origin.tokenizer, corpus=origin.corpus, language=language
        )
    folder.clear(record, keep_checkpoints=folder.is_begun and not folder.is_to_be_replaced)
    storage.replace_json(folder.data / "receipt.json", data.receipt.to_json())
    folder.write_examples("train", data.train)
    folder.write_examples("validation", data.validation)
    data.seal.save(folder.sealed)
    folder.write_record(record)
    register_seal(data.seal, str(folder.path))
    return record


def _settle(config: RunConfig, device: Device, trace: Trace) -> RunConfig:
    """Return the config with everything decided that was left to the processor."""
    freeze = resolve_freeze(config.freeze, device.kind)
    is_short = config.freeze == AUTO and config.epochs is None and device.kind == "cpu"
    epochs = EPOCHS_ON_CPU[freeze.partition("-")[0]] if is_short else config.epochs
    if freeze != config.freeze:
        trace.note(f"--freeze {freeze}" + (f" --epochs {epochs}" if is_short else "") + f": {device.why}")
    length = config.finetune.max_length or DEFAULT_MAX_LENGTH
    return replace(config, freeze=freeze, epochs=epochs, finetune=replace(config.finetune, max_length=length))


def _recorded_budget(folder: RunFolder) -> BudgetChoice | None:
    """Return what was chosen when this run was begun, if it was cut off: another choice would be another training."""
    known = folder.read_record().budget if folder.is_begun and not folder.is_to_be_replaced else None
    return None if known is None else replace(known, was_resumed=True)


def _fit_linear(model: TextClassifier, training: TrainingData, trace: Trace) -> float:
    """Fit the linear baseline; return the seconds it took."""
    start = time.perf_counter()
    with trace.stage("baseline", f"{len(training.train):,} texts") as stage:
        model.linear_ = fit_linear(training.train, seed=model.seed)
        stage.done = f"TF-IDF + logistic regression, strength {model.linear_.strength:g}"
        stage.shape_out = f"{len(model.linear_.terms):,} terms × {len(training.classes)} classes"
    return time.perf_counter() - start


def _aim(data: Dataset, config: JudgeConfig, policy: Policy) -> Aim:
    labels = [str(row.label) for row in data.train]
    return read_aim(config, policy, positive=choose_positive(labels, config.positive), labels=labels)


def _read(folder: RunFolder, record: RunRecord, split: str) -> tuple[Example, ...]:
    """Return the rows of a split, which must be those that the receipt counted."""
    rows = folder.read_examples(split)
    known = [item.digest for item in record.receipt.splits if item.name == split] if record.receipt else []
    if known and known != [digest_of_rows(rows)]:
        raise StorageError(
            f"{folder.data / f'{split}.jsonl'} is not what was written",
            expected="the rows that the receipt counts",
            fix="restore the file, or repeat the run",
        )
    return rows


def _keep_trained(
    model: TextClassifier, training: TrainingData, aim: Aim, record: RunRecord, folder: RunFolder, trace: Trace, *, start: float
) -> RunRecord:
    """Choose the threshold, save the model and its validation figures; only then does the record say ``trained``."""
    sources = [model.predict_validation(training), *model.baselines(training, training.validation, "validation")]
    if folder.has_predictions("validation", SOURCE):
        sources.append(folder.read_predictions("validation", SOURCE))
    groups = groups_of(training.validation)
    choices = choose_thresholds(sources, aim, groups)
    store_thresholds(model, choices, folder)
    tell_choice(choices, trace)
    with trace.stage("save", "weights, tokenizer, settings") as stage:
        model.save(folder.model, apart=time.perf_counter() - start > LONG_TRAINING)
        stage.done, stage.shape_out = f"read back: logits differ by at most {model.parity_:.1g}", "model/"
    with trace.stage("validate", f"{len(training.validation):,} validation texts") as stage:
        sources = decided_by(sources, choices)
        for item in sources:
            folder.write_predictions(item)
        found = evaluate_sources(sources, main="finetuned", positive=model.card_.positive, groups=groups)
        stage.done = f"accuracy {found.value('accuracy'):.3f}, the test still sealed"
        stage.shape_out = f"{len(training.validation):,} × {len(training.classes)} probabilities"
    record = replace(
        record,
        status="trained",
        device=str(model.device_),
        positive=model.card_.positive,
        history=getattr(model, "history_", None),
        changes=getattr(model, "changes_", ()),
        calibration=getattr(model, "calibration_", None),
        threshold=choices["finetuned"],
        has_folded_threshold=model.has_folded_threshold,
        model_licence=model.card_.licence,
        token_counts=getattr(model, "token_counts_", ()),
        scores=found.scores,
        comparisons=found.comparisons,
        confusions=found.confusions,
        seconds={"training": round(time.perf_counter() - start, 1)},
    )
    record = folder.write_record(tell_end(record, "finetune", trace))
    storage.discard(folder.checkpoints)
    return record

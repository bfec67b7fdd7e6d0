"""The whole path, on one screen: data → fine-tuning → judgement → report. Read this file first."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pretune.configs import DEFAULT_MAX_LENGTH, JudgeConfig, RunConfig
from pretune.data.dataset import Dataset
from pretune.data.labels.votes import require_votes
from pretune.data.seal.known import CANNOT_JUDGE, warn_of
from pretune.data.seal.openings import read_openings
from pretune.data.seal.seal import Seal, TrainingData
from pretune.errors import DivergedError, UsageError, require
from pretune.evaluate import choose_positive
from pretune.evaluate.aims import Aim, parse_costs, parse_keep
from pretune.evaluate.baselines import fit_linear
from pretune.models import PEFT, check_freeze, find_checkpoint
from pretune.models.past import past_of
from pretune.records import RunRecord, Verdict
from pretune.run import UNFINISHED, RunFolder, check_run, claim_folder
from pretune.run.claim import default_name
from pretune.run.job import Job, inputs_of
from pretune.run.origin import stages_before
from pretune.run.trace import Trace
from pretune.tasks.classify.assess import read_policy
from pretune.tasks.classify.baselines import open_linear, restore
from pretune.tasks.classify.begin import begin_run, load_rows, look_back_on, recorded_budget, settle
from pretune.tasks.classify.budget import apply_choice, choose_within, say_choice
from pretune.tasks.classify.encoder_linear import keep_encoder_linear
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.folds import add_out_of_fold
from pretune.tasks.classify.judge import Candidate, is_written_again, open_and_judge
from pretune.tasks.classify.keep import keep_trained, read_split
from pretune.tasks.classify.language import warn_of_language
from pretune.tasks.classify.load import load_pretrained_model
from pretune.tasks.classify.more import read_more
from pretune.tasks.classify.prove import Proof, check_proof
from pretune.tasks.classify.repair import score_repair
from pretune.tasks.classify.seeds import fit_seeds
from pretune.tasks.classify.thresholds import read_aim
from pretune.tasks.classify.together import check_company, helped
from pretune.train import Resume, choose_device
from pretune.verdict import Policy


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
    data = load_rows(job)
    require_votes(data.train, policy.votes, data.classes, label=data.receipt.columns.label)
    if config.split.repair:
        data.receipt = score_repair(job.source, config, data, trace)
    aim = _aim(data, config.judge, policy)
    model = load_pretrained_model(config.model, seed=config.seed)  # better to learn that it is missing before a run begins
    linear_seconds = _fit_linear(model, data.training, trace)
    budget = None
    if config.budget is not None:
        budget = recorded_budget(folder) or choose_within(
            config, data, device, trace, covers=job.command, linear_seconds=linear_seconds, start=job.start
        )
        config = apply_choice(config, budget)
        trace.note(say_choice(budget))
    config = settle(config, device, data.train, trace)
    settings = replace(config.finetune, positive=config.finetune.positive or config.judge.positive)
    model.set_params(epochs=config.epochs, freeze=config.freeze, config=settings)
    check_freeze(find_checkpoint(config.model), config.freeze)
    past = look_back_on(past_of(config.model), data, trace)
    warning = warn_of([row.text for row in data.train], CANNOT_JUDGE)
    if warning:
        trace.note(f"training: {warning}")
    if foreign := warn_of_language(config.model, (row.text for row in data.train)):
        trace.note(foreign)
    record = begin_run(data, config, folder, job.told, inputs=inputs, budget=budget)
    folder.write_kept(past)
    trace.keep_in(folder.trace, begin=True)
    for event in stages_before(config.model):
        trace.adopt(event)
    model.linear_.save(folder.linear)
    if config.judge.encoder_linear:
        length = config.finetune.max_length or DEFAULT_MAX_LENGTH
        keep_encoder_linear(
            config.model, data.training, folder, device=device, max_length=length, seed=config.seed, trace=trace
        )
    resume = Resume(folder=folder.checkpoints, continue_changed=folder.continue_changed)
    try:
        if config.seeds > 1:
            model, spread, predictions = fit_seeds(model, data, config.seeds, resume, trace)
            record = replace(record, seeds=spread)
            for item in predictions:
                folder.write_predictions(item)
        else:
            with helped(job.source, replace(config, finetune=settings), folder.checkpoints):
                model.fit(data, trace=trace, resume=resume)
    except DivergedError as error:
        folder.write_record(replace(record, status="diverged", failure=error.got))
        raise
    return keep_trained(model, data.training, aim, record, folder, trace, start=job.start)


def judge_run(folder: RunFolder, config: JudgeConfig, trace: Trace, *, more: Any = None) -> RunRecord:
    """Open the sealed test once, evaluate, diagnose, decide, and write the report.

    Args:
        folder: Of a run that is trained.
        config: By what to judge.
        trace: Receives the stages.
        more: Further labelled rows, which are sealed with the first and judged together with them (``read_more``).
    """
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
        train=read_split(folder, record, "train"), validation=read_split(folder, record, "validation"), classes=record.classes
    )
    addition = read_more(more, folder, record, training, model.learned(), trace) if more is not None else None
    seal = Seal.load(*folder.sealed_files(record)) if addition is None else addition.whole
    if config.thorough:
        add_out_of_fold(training, record, folder, trace)
    proof = Proof(record, folder, training) if record.settings.prove else None
    if proof is not None:
        proof.train(trace)
    candidate = Candidate(model=model, training=training, seal=seal, proof=proof, more=addition)
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
        model: A model fitted on ``data``.
        data: The result of ``load_data``.
        run: The run folder; by default ``runs/DATA-MODEL``, with a number if that is taken.
        config: How to judge.
        trace: Receives the stages.

    Raises:
        LedgerError: The ledger of openings was changed; the seal stays shut.
        UsageError: The run folder is taken, or the policy cannot be read.
    """
    start, config, trace = time.perf_counter(), config or JudgeConfig(), trace or Trace()
    policy = read_policy(config)
    _check_fitted_on(model, data.training)
    aim = _aim(data, config, policy)
    named = Path(run) if run is not None else None
    folder = claim_folder(default_name(data.receipt.source, model.model), {}, named=named)
    settings = RunConfig(
        model=model.model, epochs=model.epochs, freeze=model.freeze, seed=model.seed, finetune=model.config, judge=config
    )
    past = look_back_on(model.past_ if model.fitted_on == data.training else model.learned(), data, trace)
    record = begin_run(data, settings, folder, "pretune.judge(model, data)")
    folder.write_kept(past)
    trace.keep_in(folder.trace, begin=True)
    _fit_linear(model, data.training, trace)
    model.linear_.save(folder.linear)
    if config.encoder_linear:
        length, base = model.card_.max_length, model.card_.base_model
        keep_encoder_linear(base, data.training, folder, device=model.device_, max_length=length, seed=model.seed, trace=trace)
    record = keep_trained(model, data.training, aim, record, folder, trace, start=start)
    if config.thorough:
        add_out_of_fold(data.training, record, folder, trace)
    judged = open_and_judge(Candidate(model=model, training=data.training, seal=data.seal), record, config, folder, trace)
    return replace(Verdict.from_json(judged.to_json()["verdict"]), run=str(folder.path))


def _check_fitted_on(model: TextClassifier, training: TrainingData) -> None:
    """Check that no other rows than these trained the model, as far as it knows (one that was loaded does not).

    Raises:
        NotFittedError: Nothing did.
        UsageError: Others did; they may be rows of the test.
    """
    if model.fitted_on not in (None, training):
        raise UsageError(
            "the model was fitted on rows other than the training rows of this data, perhaps on its test rows",
            expected="a model fitted on the same data",
            fix="model.fit(data), then judge",
        )


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

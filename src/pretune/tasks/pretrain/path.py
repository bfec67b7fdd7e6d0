"""The path of pre-training on one screen: read, clean, tokenize, pack, train, score, save."""

import importlib.metadata
import itertools
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pretune import storage
from pretune.configs import PretrainRunConfig, ReadConfig
from pretune.data.corpus import Corpus, load_corpus, prepare_corpus
from pretune.data.read.path import read_table
from pretune.data.seal.learned import Learned
from pretune.errors import DivergedError, StorageError
from pretune.models import load_language_model, save_language_model
from pretune.models.past import past_of
from pretune.predict.saved import check_saved_words
from pretune.predict.words import WordGuesser, default_prompts
from pretune.records import Milestone, RunRecord, Step
from pretune.run import identity_of
from pretune.run.job import Job, inputs_of
from pretune.run.trace import Trace
from pretune.tasks.pretrain.duration import choose_steps
from pretune.tasks.pretrain.figures import domain_scores, general_scores
from pretune.tasks.pretrain.prepare import PreparedTraining, check_asked, prepare_training, read_general
from pretune.tasks.pretrain.together import START, invite_others
from pretune.tasks.processes import check_parts
from pretune.tasks.report import write_report
from pretune.tokens import assess_tokenizer
from pretune.train import Checkpoints, Training, choose_device, seed_everything
from pretune.train.plans import PretrainPlan
from pretune.train.source import digest_of_code
from pretune.train.words import WordObjective

PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "numpy")
ASSESSED_TEXTS = 2_000  # held-out documents by which the vocabulary is judged


def pretrain(job: Job[PretrainRunConfig]) -> RunRecord:
    """Take raw text to a language model.

    Args:
        job: Its source is a file, a folder, a catalogue name or ``-``.

    Raises:
        DataError: The corpus cannot be read, or is too small.
        UsageError: Settings do not fit the corpus or the model.
        DivergedError: Loss or gradient stopped being finite.
    """
    folder, trace = job.folder, job.trace
    with folder.refusable():
        ready = _set_up(job)
    run, record = ready.run, ready.record
    try:
        _train(ready, trace)
    except DivergedError as error:
        folder.write_record(replace(record, status="diverged", failure=error.got, pretraining=run.history))
        raise
    with trace.stage("save", "weights, tokenizer") as stage:
        stage.done, stage.shape_out = _save(folder.model, ready), "model/"
    record = replace(
        record,
        status="pretrained",
        pretraining=run.history,
        changes=ready.keeper.changes,
        scores=(*domain_scores(run), *general_scores(run)),
        seconds={"pretraining": round(time.perf_counter() - job.start, 1)},
    )
    folder.write_record(record)
    write_report(folder, record)
    ready.keeper.remove()
    storage.discard(folder.path / START)
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class _SetUp:
    """A training that can begin: whatever can be refused was looked at."""

    run: WordObjective
    training: Training[Milestone]
    record: RunRecord
    keeper: Checkpoints
    tokenizer: Any
    work: str  # what it is, in words
    learned: Learned  # from what, this corpus included


def _set_up(job: Job[PretrainRunConfig]) -> _SetUp:
    """Read the corpus, and make everything that training needs."""
    config, folder, trace, chosen = job.config, job.folder, job.trace, job.config.pretrain
    check_parts(is_asked=bool(chosen.shard), setting="pretrain.shard")
    device = choose_device(chosen.device, precision=chosen.precision, threads=chosen.threads)
    seed_everything(config.seed)  # a checkpoint without a head for words gets one that is drawn
    began = None if config.model is None else load_language_model(config.model)  # what cannot be had is better known now
    check_asked(config, began)
    record = _begin(job)
    corpus = _read_corpus(job)
    trace.keep_in(folder.trace, begin=True)
    ready = prepare_training(corpus, config, began, folder, device, trace)
    network, tokenizer = ready.start.network, ready.start.tokenizer
    general, of_general = read_general(config, ready, folder, trace) or (None, None)
    kinds = {"domain": corpus, "general": of_general}
    held_out = {name: list(itertools.islice(item.texts("validation"), ASSESSED_TEXTS)) for name, item in kinds.items() if item}
    record = replace(
        record,
        corpus=corpus.receipt,
        device=str(device),
        model_licence=ready.start.licence,
        tokenizer=assess_tokenizer(tokenizer, held_out),
    )
    for note in filter(None, (ready.start.note, record.tokenizer.warning if record.tokenizer else "")):
        trace.note(note)
    ready, num_steps = choose_steps(config, ready, folder, device, trace, start=job.start)
    if chosen.is_compiled_on(device.kind):
        network.compile_layers()
    plan = PretrainPlan(
        num_steps=num_steps,
        device=device,
        seed=config.seed,
        has_fresh_head=ready.start.has_fresh_head,
        started_from=config.model or "",
        general=general,
    )
    plan = replace(plan, world=invite_others(ready, plan, folder))
    keeper = Checkpoints(
        folder.checkpoints, _describe(ready, config, plan), trace.note, continue_changed=folder.continue_changed
    )
    prompts = (*config.watch, *default_prompts(tokenizer, held_out["domain"], network))
    guess = _guess(WordGuesser(network, tokenizer), prompts)
    run = WordObjective(network, ready.text, ready.config, plan, on_milestone=guess)
    training = Training(run, checkpoints=keeper, on_step=_step_teller(trace))
    work = _describe_work(ready, run)
    before = Learned() if config.model is None else past_of(config.model)
    learned = before.joined(Learned(corpora=(corpus.receipt.name,)))
    return _SetUp(run=run, training=training, record=record, keeper=keeper, tokenizer=tokenizer, work=work, learned=learned)


def _begin(job: Job[PretrainRunConfig]) -> RunRecord:
    """Write the record of a run that was begun; a cut-off one of the same inputs keeps what it has."""
    config, folder = job.config, job.folder
    inputs = dict(job.inputs or inputs_of("pretrain", job.source, config))
    record = RunRecord(
        run=folder.name,
        identity=identity_of(inputs),
        inputs=inputs,
        status="started",
        task="pretrain",
        command=job.told,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_source=job.source,
        model_source=config.model or "scratch",
        configs=config.to_json(),
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
    )
    if not folder.is_begun or folder.is_to_be_replaced:
        folder.clear(record)
        return record
    if folder.read_record().identity != record.identity:  # --continue-changed: what is kept was made from something else
        shutil.rmtree(folder.data, ignore_errors=True)
    folder.write_record(record)
    return record


def _read_corpus(job: Job[PretrainRunConfig]) -> Corpus:
    """Return the corpus, as it was prepared before the run was cut off, or prepare it."""
    config, folder, trace = job.config, job.folder, job.trace
    try:
        corpus = load_corpus(folder.data)
    except StorageError:
        known = itertools.chain(job.sealed, *map(_texts_of, config.keep_out))
        return prepare_corpus(job.source, config.corpus, folder.data, sealed=known, trace=trace)
    trace.note(f"the corpus was prepared when this run was begun: {corpus.num_texts('train'):,} documents to learn from")
    return corpus


def _texts_of(source: str) -> Iterable[str]:
    """Return the texts of a labelled table, a folder of them or a catalogue name; labels are not looked at."""
    return (example.text for example in read_table(source, ReadConfig(require_labels=False)).examples)


def _train(ready: _SetUp, trace: Trace) -> None:
    run = ready.run
    with trace.stage("pre-train", ready.work) as stage:
        ready.training.resume()
        for milestone in ready.training.rounds():
            trace.keep("milestone", milestone)
        first, last = run.history.milestones[0], run.history.milestones[-1]
        stage.done = f"held-out loss {first.loss:.3f} → {last.loss:.3f}, accuracy {first.accuracy:.3f} → {last.accuracy:.3f}"
        stage.shape_out = f"{run.history.num_weights:,} weights, {run.history.num_tokens:,} tokens read"
    run.network.eval()


def _save(place: Path, ready: _SetUp) -> str:
    """Write the model, read it back, and say how it compares."""
    run = ready.run
    save_language_model(place, run.network, ready.tokenizer, window=run.config.window, learned=ready.learned)
    stream = run.text.validation
    ids, _ = stream.windows(np.zeros(1, dtype=np.int64), min(run.config.window, stream.num_tokens))
    difference = check_saved_words(place, run.network, torch.from_numpy(ids))
    return f"read back: probabilities differ by at most {difference:.1g}"


def _guess(guesser: WordGuesser, prompts: tuple[str, ...]) -> Callable[[Milestone], Milestone]:
    return lambda milestone: replace(milestone, guesses=tuple(guesser.guess(prompt) for prompt in prompts))


def _describe(ready: PreparedTraining, config: PretrainRunConfig, plan: PretrainPlan) -> dict[str, str]:
    """Return what the updates depend on: going on is exact only where all of it is the same."""
    weights = sha256()
    for _, value in sorted(ready.start.network.state_dict().items()):
        weights.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return {
        "data": f"{ready.text.train.digest[:16]} {ready.text.validation.digest[:16]}",
        "model": weights.hexdigest()[:16],
        **{name: str(value) for name, value in ready.config.get_params().items()},
        "steps": str(plan.num_steps),
        "processes": str(plan.world.size),
        "seed": str(config.seed),
        "device": str(plan.device),
        "torch": str(torch.__version__),
        "pretune": importlib.metadata.version("pretune"),
        "code": digest_of_code("tasks/pretrain/path.py"),
    }


def _describe_work(ready: PreparedTraining, run: WordObjective) -> str:
    config, num_alone = ready.config, run.history.num_head_steps
    windows = f"{run.plan.num_steps:,} steps of {config.windows_per_update} windows × {config.window} tokens"
    how = f"{config.mask_share:.0%} hidden" if config.objective == "masked" else "next words"
    alone = f"; the new head alone for the first {num_alone:,} steps" if num_alone else ""
    return f"{windows}, {how}, {config.optimizer}{alone}"


def _step_teller(trace: Trace) -> Callable[[Step, int], None]:
    def tell(step: Step, planned: int) -> None:
        trace.step(step)
        trace.progress("pre-train", step.index + 1, planned, "steps")

    return tell

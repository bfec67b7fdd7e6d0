"""Pre-training from corpus to model: read, clean, tokenize, pack, train, score, save. The path, as ``pipeline`` has its own."""

import importlib.metadata
import itertools
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pretune import storage
from pretune.configs import PretrainConfig, PretrainRunConfig, ReadConfig, parse_duration
from pretune.data import read_table
from pretune.data.corpus import Corpus, load_corpus, prepare_corpus
from pretune.data.corpus.corpus import RECEIPT
from pretune.errors import DivergedError, StorageError, UsageError
from pretune.fitting import digest_of_code
from pretune.hashing import digest_of_place
from pretune.models import LanguageNetwork
from pretune.models.architectures import SIZES, new_language_model
from pretune.models.language_load import LanguageStart, load_language_model, start_output_bias
from pretune.models.load import quiet_transformers
from pretune.predict.words import WordGuesser, default_prompts
from pretune.records import Milestone, RunRecord, Score
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.runs import RunFolder, identity_of
from pretune.tokens import TokenStore, assess_tokenizer, train_tokenizer, vocabulary_of, write_store
from pretune.trace import Trace
from pretune.train import Checkpoints, Device, choose_device, seed_everything
from pretune.train.pretrain import Pretraining, PretrainPlan, Text, WindowOrder

PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "numpy")
DEFAULT_EPOCHS = {"scratch": 5.0, "continued": 1.0}
# Share of a budget that is not planned for, and seconds for saving and the report.
BUDGET_MARGIN, CLOSING_SECONDS = 0.04, 8.0
# Steps that are timed before a budget is laid out; the first ones warm up.
TIMED_STEPS, WARM_STEPS = 8, 3
COUNTED_TOKENS = 4_000_000  # from which the shares of words are counted
TOKENIZER = "tokenizer"  # folder of the vocabulary, beside the token ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What training reads, and the model it starts from."""

    corpus: Corpus
    start: LanguageStart
    text: Text
    config: PretrainConfig  # resolved


def pretrain(
    source: str, config: PretrainRunConfig, folder: RunFolder, trace: Trace, *, inputs: dict[str, str] | None = None,
    command: str = "pretune pretrain", start: float | None = None,
) -> RunRecord:  # fmt: skip
    """Take raw text to a language model.

    Args:
        source: The corpus: a file, a folder, a catalogue name, ``-``.
        config: Everything else.
        folder: Where the run lies, or will lie; a pre-training that was cut off there goes on.
        trace: Receives the stages, steps and milestones.
        inputs: What makes two commands the same.
        command: As typed.
        start: When it was given, by ``time.perf_counter``.

    Raises:
        DataError: The corpus cannot be read, or is too small.
        UsageError: Settings do not fit the corpus or the model.
        DivergedError: Loss or gradient stopped being finite.
    """
    start = time.perf_counter() if start is None else start
    device = choose_device(config.pretrain.device, precision=config.pretrain.precision, threads=config.pretrain.threads)
    began = None if config.model is None else load_language_model(config.model)  # what cannot be had is better known now
    record = _begin(source, config, folder, inputs or {}, command)
    corpus = _read_corpus(source, config, folder, trace)
    record = replace(record, corpus=corpus.receipt)
    folder.write_record(record)
    trace.keep_in(folder.trace, begin=True)
    ready = _prepare(corpus, config, began, folder, device, trace)
    network = ready.start.network
    record = replace(
        record, device=str(device), model_licence=ready.start.licence,
        tokenizer=assess_tokenizer(ready.start.tokenizer, {"domain": _some(corpus.texts("validation"))}),
    )  # fmt: skip
    if ready.start.note:
        trace.note(ready.start.note)
    general = _read_general(config, ready, folder, trace)
    if ready.config.compile or (ready.config.compile is None and device.kind == "cuda"):
        network.compile_layers()
    plan = PretrainPlan(
        num_steps=_choose_steps(config, ready, folder, device, trace, start=start), device=device, seed=config.seed,
        has_fresh_head=ready.start.has_fresh_head, started_from=config.model or "",
    )  # fmt: skip
    prompts = (*config.watch, *default_prompts(ready.start.tokenizer, _some(corpus.texts("validation")), network))
    guesser = WordGuesser(network, ready.start.tokenizer)

    def tell(milestone: Milestone) -> Milestone:
        return replace(milestone, guesses=tuple(guesser.guess(prompt) for prompt in prompts))

    keeper = Checkpoints(
        folder.checkpoints, _describe(ready, config, plan), trace.note, continue_changed=folder.continue_changed
    )
    run = Pretraining(
        network, ready.text, ready.config, plan, on_step=_step_teller(trace), checkpoints=keeper, on_milestone=tell
    )
    before = _score_general(run, general, ready)
    try:
        with trace.stage("pre-train", _describe_work(ready, plan)) as stage:
            for milestone in run.milestones():
                trace.keep("milestone", milestone)
            last = run.history.milestones[-1]
            stage.done = f"held-out loss {run.history.milestones[0].loss:.3f} → {last.loss:.3f}, accuracy {last.accuracy:.3f}"
            stage.shape_out = f"{run.history.num_weights:,} weights"
    except DivergedError as error:
        folder.write_record(replace(record, status="diverged", failure=error.got, pretraining=run.history))
        raise
    network.eval()
    with trace.stage("save", "weights, tokenizer") as stage:
        save_language_model(folder, network, ready.start.tokenizer)
        stage.shape_out = "model/"
    record = replace(
        record, status="pretrained", pretraining=run.history, changes=keeper.changes,
        scores=(*_domain_scores(run), *before, *_score_general(run, general, ready, source="pretrained")),
        seconds={"pretraining": round(time.perf_counter() - start, 1)},
    )  # fmt: skip
    folder.write_record(record)
    write_pretraining_report(folder, record)
    keeper.remove()
    return record


def save_language_model(folder: RunFolder, network: LanguageNetwork, tokenizer: Any) -> None:
    """Write ``model/``, which plain transformers loads, whole or not at all."""

    def fill(aside: Any) -> None:
        with quiet_transformers():
            network.model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
        storage.write_digests(aside)

    storage.replace(folder.model, fill)


def inputs_of_corpus(source: str, config: PretrainRunConfig) -> dict[str, str]:
    """Return what makes two commands the same: every setting, the corpus as named and what its files hold."""
    inputs = {"command": "pretune pretrain", "data": source}
    for name in (source, config.corpus.validation, config.general, config.model, *config.keep_out):
        if name is not None and Path(name).exists():
            inputs[f"contents of {name}"] = digest_of_place(Path(name))[:16]
    for part, value in config.to_json().items():
        if isinstance(value, dict):
            inputs |= {f"{part}.{name}": str(item) for name, item in value.items()}
        else:
            inputs[part] = str(value)
    return inputs


def write_pretraining_report(folder: RunFolder, record: RunRecord) -> Path:
    """Draw ``report.html`` and the model card from the run folder."""
    storage.replace(folder.report, render_pretraining(record, folder.read_events()))
    storage.replace(folder.card, render_pretraining_card(record))
    return folder.report


def _texts_of(source: str) -> tuple[str, ...]:
    """Return the texts of a labelled table, a folder of them or a catalogue name; labels are not looked at."""
    return tuple(example.text for example in read_table(source, ReadConfig(require_labels=False)).examples)


def _begin(source: str, config: PretrainRunConfig, folder: RunFolder, inputs: dict[str, str], command: str) -> RunRecord:
    """Write the record of a run that was begun; keep what a cut-off one of the same inputs has."""
    record = RunRecord(
        run=folder.name, identity=identity_of(inputs), inputs=inputs, status="started", task="pretrain", command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"), data_source=source, model_source=config.model or "scratch",
        configs=config.to_json(), versions={name: importlib.metadata.version(name) for name in PACKAGES},
    )  # fmt: skip
    if not folder.is_begun or folder.is_to_be_replaced:
        folder.clear(record)
        return record
    if folder.read_record().identity != record.identity:  # --continue-changed: what is kept was made from something else
        shutil.rmtree(folder.data, ignore_errors=True)
    folder.write_record(record)
    return record


def _read_corpus(source: str, config: PretrainRunConfig, folder: RunFolder, trace: Trace) -> Corpus:
    if (folder.data / "corpus" / RECEIPT).is_file() and source != "-":
        try:
            corpus = load_corpus(folder.data)
            trace.note(
                f"the corpus was prepared when this run was begun: {corpus.num_texts('train'):,} documents to learn from"
            )
            return corpus
        except StorageError as error:
            trace.note(f"the prepared corpus is damaged and is made again: {error.got}")
    sealed = tuple(itertools.chain.from_iterable(map(_texts_of, config.keep_out)))
    return prepare_corpus(source, config.corpus, folder.data, sealed=sealed, trace=trace)


def _prepare(
    corpus: Corpus, config: PretrainRunConfig, began: LanguageStart | None, folder: RunFolder, device: Device, trace: Trace
) -> Prepared:
    """Tokenize and pack, and build the model where none is continued."""
    objective = _objective(config, began)
    dial, chosen = SIZES[config.pretrain.size], config.pretrain
    if began is None:
        wanted = chosen.vocab_size or dial.vocab_size
        kind = "wordpiece" if objective == "masked" else "bpe"
        tokenizer = train_tokenizer(
            corpus.texts("train"), kind=kind, vocab_size=wanted, lowercase=config.tokenizer.lowercase,
            max_bytes=config.tokenizer.max_bytes, trace=trace,
        )  # fmt: skip
    else:
        tokenizer = began.tokenizer
    stores, bytes_per_token = {}, 1.0
    for split in ("train", "validation"):
        counter = _Counter(corpus.texts(split))
        stores[split] = write_store(
            counter, tokenizer, folder.data / f"tokens.{split}", trace=trace, num_texts=corpus.num_texts(split)
        )
        bytes_per_token = counter.num_bytes / max(1, stores[split].num_tokens)
    if began is None:
        began = _build(objective, config, tokenizer, stores["train"])
    began.network.to(device.kind)
    text = Text(
        train=stores["train"], validation=stores["validation"],
        vocabulary=vocabulary_of(tokenizer) if objective == "masked" else None, validation_bytes=bytes_per_token,
    )  # fmt: skip
    return Prepared(corpus=corpus, start=began, text=text, config=_resolve(chosen, objective, is_new=config.model is None))


def _objective(config: PretrainRunConfig, began: LanguageStart | None) -> str:
    asked = config.pretrain.objective
    if began is None:
        return asked or "masked"
    own = "causal" if began.network.family.is_causal else "masked"
    if asked not in (None, own):
        raise UsageError(
            f"objective is {asked!r}, and {began.name} is a {own} model", expected=own, fix="leave --objective out"
        )
    if config.pretrain.architecture:
        raise UsageError(
            "an architecture beside a model that is continued",
            expected="one of them",
            fix="leave --architecture or --model out",
        )
    return own


def _build(objective: str, config: PretrainRunConfig, tokenizer: Any, train: TokenStore) -> LanguageStart:
    seed_everything(config.seed)
    fields = {name.strip(): _number(value) for name, _, value in (item.partition("=") for item in config.pretrain.architecture)}
    network = LanguageNetwork(new_language_model(objective, config.pretrain.size, tokenizer, fields))
    network.set_dropout(config.pretrain.dropout)
    if objective == "masked":
        start_output_bias(network, count_tokens(train, network.model.config.vocab_size))
    return LanguageStart(name="scratch", network=network, tokenizer=tokenizer)


def _number(value: str) -> Any:
    text = value.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def count_tokens(stream: TokenStore, vocab_size: int) -> Tensor:
    """Return how often each token comes in the first ``COUNTED_TOKENS`` of a stream, (vocabulary,)."""
    counts, size = np.zeros(vocab_size, dtype=np.int64), 1 << 16
    for start in range(0, min(stream.num_tokens, COUNTED_TOKENS), size):
        ids, _ = stream.windows(np.array([start]), min(size, stream.num_tokens - start))
        counts += np.bincount(ids[0], minlength=vocab_size)
    return torch.from_numpy(counts)


def _resolve(config: PretrainConfig, objective: str, *, is_new: bool) -> PretrainConfig:
    """Return the config with everything decided that was left open."""
    optimizer = config.optimizer or ("muon" if is_new else "adamw")
    usual = (3e-3 if optimizer == "muon" else 1e-3) if is_new else 1e-4
    return replace(
        config, objective=objective, optimizer=optimizer, learning_rate=config.learning_rate or usual,
        mask_share=config.mask_share or (0.3 if is_new else 0.15),
    )  # fmt: skip


def _choose_steps(
    config: PretrainRunConfig, ready: Prepared, folder: RunFolder, device: Device, trace: Trace, *, start: float
) -> int:
    """Return how many updates to make; what a budget came to is kept, so that a run that was cut off goes on with it."""
    order = WindowOrder(ready.text.train.num_tokens, ready.config, seed=config.seed)
    per_update = ready.config.windows_per_update * ready.config.window
    if config.tokens is not None:
        return max(1, round(config.tokens / per_update))
    if config.budget is None:
        epochs = config.epochs or DEFAULT_EPOCHS["scratch" if config.model is None else "continued"]
        return max(1, round(epochs * order.steps_per_epoch))
    place = folder.data / "plan.json"
    if place.is_file():
        return int(storage.read_json(place)["num_steps"])
    with trace.stage("budget", config.budget) as stage:
        seconds, scoring = _time_steps(ready, device)
        left = parse_duration(config.budget) * (1 - BUDGET_MARGIN) - (time.perf_counter() - start) - CLOSING_SECONDS
        num_steps = max(1, int((left - scoring * (ready.config.num_milestones + 1)) / seconds))
        storage.replace_json(place, {"num_steps": num_steps, "seconds_a_step": seconds, "seconds_a_score": scoring})
        stage.done = f"{seconds:.3g} s a step, {per_update / seconds:,.0f} tokens a second; the weights were put back"
        stage.shape_out = (
            f"{num_steps:,} steps, {num_steps * per_update:,} tokens, {num_steps / order.steps_per_epoch:.1f} epochs"
        )
        if left < 0:
            stage.notes.append("the budget was spent before training: one step is made")
    return num_steps


def _time_steps(ready: Prepared, device: Device) -> tuple[float, float]:
    """Return the seconds of a step and of scoring held-out text once; the weights are as they were."""
    network = ready.start.network
    kept = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    trial = Pretraining(network, ready.text, ready.config, PretrainPlan(num_steps=1000, device=device))
    times = [time.perf_counter()]
    for _ in trial.trial(TIMED_STEPS):
        times.append(time.perf_counter())
    start = time.perf_counter()
    trial.score()
    scoring = time.perf_counter() - start
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(kept[name])
            weight.grad = None
    network.train()
    return float(np.mean(np.diff(times)[WARM_STEPS:])), scoring


def _read_general(config: PretrainRunConfig, ready: Prepared, folder: RunFolder, trace: Trace) -> Text | None:
    """Return general text as this model's tokens, to see what is forgotten."""
    if config.general is None:
        return None
    place = folder.data / "general"
    corpus = prepare_corpus(config.general, replace(config.corpus, validation=None), place, trace=trace)
    counter = _Counter(corpus.texts("validation"))
    store = write_store(counter, ready.start.tokenizer, place / "tokens", trace=trace)
    return replace(ready.text, validation=store, validation_bytes=counter.num_bytes / max(1, store.num_tokens))


def _score_general(run: Pretraining, general: Text | None, ready: Prepared, source: str = "before") -> tuple[Score, ...]:
    if general is None:
        return ()
    domain, run.text = run.text, general
    try:
        loss, accuracy = run.score()
    finally:
        run.text = domain
    ready.start.network.train(source == "before")
    return _scores(loss, accuracy, split="general", source=source, text=general, run=run)


def _domain_scores(run: Pretraining) -> tuple[Score, ...]:
    first, last = run.history.milestones[0], run.history.milestones[-1]
    return (
        *_scores(first.loss, first.accuracy, split="domain", source="before", text=run.text, run=run),
        *_scores(last.loss, last.accuracy, split="domain", source="pretrained", text=run.text, run=run),
    )


def _scores(loss: float, accuracy: float, *, split: str, source: str, text: Text, run: Pretraining) -> tuple[Score, ...]:
    is_causal = run.network.family.is_causal
    values = {"loss": loss, "next_accuracy" if is_causal else "masked_accuracy": accuracy}
    if is_causal:
        values["bits_per_byte"] = loss / float(np.log(2)) / text.validation_bytes
    number = min(text.validation.num_tokens, run.config.validation_tokens)
    return tuple(
        Score(
            metric=metric,
            label=None,
            split=split,
            source=source,
            value=value,
            low=None,
            high=None,
            confidence=0.95,
            method="held-out text; no interval",
            num_examples=number,
        )
        for metric, value in values.items()
    )


def _describe(ready: Prepared, config: PretrainRunConfig, plan: PretrainPlan) -> dict[str, str]:
    """Return what the updates depend on: going on is exact only where all of it is the same."""
    weights = sha256()
    for _, value in sorted(ready.start.network.state_dict().items()):
        weights.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    train, validation = ready.text.train, ready.text.validation
    return {
        "data": f"{getattr(train, 'digest', '')[:16]} {getattr(validation, 'digest', '')[:16]}",
        "model": weights.hexdigest()[:16],
        **{name: str(value) for name, value in ready.config.get_params().items()},
        "steps": str(plan.num_steps), "seed": str(config.seed), "device": str(plan.device),
        "torch": str(torch.__version__), "pretune": importlib.metadata.version("pretune"), "code": digest_of_code(),
    }  # fmt: skip


def _describe_work(ready: Prepared, plan: PretrainPlan) -> str:
    config = ready.config
    windows = f"{plan.num_steps:,} steps of {config.windows_per_update} windows × {config.window} tokens"
    how = f"{config.mask_share:.0%} hidden" if config.objective == "masked" else "next words"
    return f"{windows}, {how}, {config.optimizer}"


def _step_teller(trace: Trace) -> Any:
    def tell(step: Any, planned: int) -> None:
        trace.step(step)
        trace.progress("pre-train", step.index + 1, planned, "steps")

    return tell


def _some(texts: Iterable[str], number: int = 2_000) -> list[str]:
    return list(itertools.islice(texts, number))


class _Counter:
    """Texts that are counted as they pass."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts, self.num_bytes = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self.num_bytes += len(text.encode("utf-8", "surrogatepass"))
            yield text

"""The command that pre-trains: its settings and its output. Heavy imports wait until it runs."""

import re
import shlex
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pretune.cli.logs import open_logs
from pretune.cli.running import ARGUMENTS, open_terminal, open_trace, placed, show_live
from pretune.cli.settings import Settings, given
from pretune.configs import Config, CorpusConfig, PretrainConfig, PretrainRunConfig, TokenizerConfig
from pretune.configs.base import MAX_COUNT
from pretune.errors import UsageError
from pretune.wording.flags import CORPUS_PLACES
from pretune.wording.messages import named

if TYPE_CHECKING:
    from pretune.configs import RunConfig
    from pretune.records import RunRecord
    from pretune.run import RunFolder

SECTIONS: dict[str, type[Config]] = {"corpus": CorpusConfig, "tokenizer": TokenizerConfig, "pretrain": PretrainConfig}
PRETRAIN = Settings(PretrainRunConfig, SECTIONS, example="pretrain.weight_decay=0.1")
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgGbB]?)")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}


def build_pretrain_config(flags: dict[str, Any], *, file: str | None = None, settings: Iterable[str] = ()) -> PretrainRunConfig:
    """Return the settings of a pre-training: defaults, then file, flags and ``--set``, the later winning.

    Raises:
        UsageError: A name is not known, or a value does not fit.
    """
    asked = given(flags, CORPUS_PLACES)
    if "tokens" in asked:
        asked["tokens"] = parse_count(asked["tokens"])
    config: PretrainRunConfig = PRETRAIN.build(PRETRAIN.read_file(file) | asked | PRETRAIN.read_items(settings))
    return config


def divide_settings(items: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return those of ``--set`` that are about pre-training, and the rest.

    Example:
        >>> divide_settings(["pretrain.window=64", "judge.goal=f1"])
        (['pretrain.window=64'], ['judge.goal=f1'])
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for item in items:
        parts[item.partition(".")[0].strip() not in SECTIONS].append(item)
    return parts


def parse_count(text: str) -> int:
    """Return the number that ``20M``, ``500k`` or ``1000000`` is.

    Raises:
        UsageError: It is none.

    Example:
        >>> parse_count("2.5M")
        2500000
    """
    found = _COUNT.fullmatch(str(text).strip().replace(",", "").replace("_", ""))
    size = float(found[1]) * _UNITS[found[2].lower()] if found else 0.0
    number = round(size) if size <= MAX_COUNT**2 else 0
    if number < 1:
        raise UsageError(f"{named('tokens')} is {text!r:.80}", expected="a number such as 20M, 500k or 1000000")
    return number


def run_pretraining(source: str, config: PretrainRunConfig, flags: Mapping[str, Any]) -> int:
    """Claim a folder, pre-train, show what came out; return the exit code."""
    start = time.perf_counter()
    _require(source, config)
    from pretune.run import claim_folder
    from pretune.run.claim import default_name
    from pretune.run.job import Job, inputs_of
    from pretune.tasks.pretrain import pretrain

    inputs = inputs_of("pretrain", source, config)
    folder = claim_folder(
        default_name("stdin" if source == "-" else source, config.model or config.pretrain.size),
        inputs,
        done="pretrained",
        **placed(flags),
    )
    with open_terminal(flags["json"], flags["quiet"]) as terminal, open_logs(flags, folder, config, inputs) as logs:
        show_live(folder.path)
        job = Job(
            source=source,
            config=config,
            folder=folder,
            trace=open_trace(terminal, logs),
            command="pretrain",
            typed=shlex.join(ARGUMENTS.get()),
            inputs=inputs,
            start=start,
        )
        record = pretrain(job)
        logs.finish(folder, record)
    return _show(record, folder, json=flags["json"])


def pretrain_first(
    source: str, config: "RunConfig", corpus: str, flags: Mapping[str, Any], settings: Iterable[str]
) -> "RunConfig":
    """Pre-train on a corpus for the data of a run; return the run's settings with what came out as its model.

    The test of the run is known before: documents that share text with it are taken out of the corpus. A pre-training of the
    same inputs that is done is taken as it is.

    Args:
        source: The run's data.
        config: The run's settings; the model is continued where one was named, otherwise one is made from nothing.
        corpus: Raw text.
        flags: Of ``run``; where its folder is named, the language model lies beside it.
        settings: Those of ``--set`` that are about pre-training.
    """
    start, run, shown = time.perf_counter(), flags["run"], (flags["json"], flags["quiet"])
    asked = {name: flags[name] for name in ("model", "size", "tokens")} | {"budget": flags["pretrain_budget"]}
    language = build_pretrain_config(asked | {"seed": config.seed, "device": config.finetune.device}, settings=settings)
    from pretune.tasks.places import require_data

    require_data(source, *config.given.values(), config.general_task)
    _require(corpus, language)
    from pretune.data.dataset import prepare
    from pretune.hashing import digest_of_lines
    from pretune.report.terminal.traces import draw_pipeline
    from pretune.run import RunFolder, claim_folder, identity_of
    from pretune.run.claim import default_name
    from pretune.run.job import Job, inputs_of
    from pretune.run.trace import Trace
    from pretune.tasks.pretrain import pretrain

    sealed = prepare(source, config.read, config.split, given=config.given, trace=Trace()).seal.texts()
    inputs = {**inputs_of("pretrain", corpus, language), "sealed": digest_of_lines(sealed)[:16]}
    base = f"{default_name(source, language.model or language.pretrain.size)}-lm"
    place = Path(run).with_name(f"{Path(run).name}-lm") if run else Path("runs") / base
    known = RunFolder(place)
    if known.is_begun and known.read_record().status == "pretrained" and known.read_record().identity == identity_of(inputs):
        typer.echo(f"already pre-trained: {place}", err=True)
        return replace(config, model=str(place))
    folder = claim_folder(base, inputs, named=place if run else None, done="pretrained")
    with open_terminal(*shown) as terminal, open_logs(flags, folder, language, inputs) as logs:
        show_live(folder.path)
        job = Job(
            source=corpus,
            config=language,
            folder=folder,
            trace=open_trace(terminal, logs),
            command="pretrain",
            inputs=inputs,
            sealed=sealed,
            start=start,
        )
        logs.finish(folder, pretrain(job))
    if not any(shown):
        from pretune.cli.show import show

        show(draw_pipeline(folder.read_events()))
    return replace(config, model=str(folder.path))


def _require(corpus: str, config: PretrainRunConfig) -> None:
    """Refuse names that stand for nothing before anything heavy is loaded."""
    from pretune.tasks.places import require_data, require_start

    require_data(None if corpus == "-" else corpus, config.corpus.validation, config.general, *config.keep_out)
    require_start(config.model)


def _show(record: "RunRecord", folder: "RunFolder", *, json: bool) -> int:
    from pretune.cli.show import show, show_json
    from pretune.report.corpus import draw_corpus
    from pretune.report.terminal.pretraining import draw_guesses, draw_language, draw_timeline, draw_tokenizer
    from pretune.report.terminal.traces import draw_pipeline

    if json:
        full = record.to_json()
        shown = {name: full[name] for name in ("schema", "run", "status", "tokenizer", "scores", "seconds")}
        show_json(shown | {"history": full["pretraining"], "model": str(folder.model), "data": full["corpus"]})
    else:
        parts = [draw_timeline(record.pretraining, None), draw_guesses(record.pretraining)] if record.pretraining else []
        vocabulary = [draw_tokenizer(record.tokenizer)] if record.tokenizer else []
        corpus = [draw_corpus(record.corpus)] if record.corpus else []
        language = draw_language(record.scores)
        show(draw_pipeline(folder.read_events()), *corpus, *vocabulary, *parts, *([language] if language else []))
        typer.echo(f"Model:  {folder.model}\nReport: {folder.report}\nNext:   pretune run DATA --model {folder.path}\n")
    return 0

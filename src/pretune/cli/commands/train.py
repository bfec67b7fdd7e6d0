"""Commands that make a run: run, finetune, pretrain. Heavy imports wait until a command runs."""

from pretune.cli import arguments as a
from pretune.cli.conversing import build_chat_config, is_about_chat, is_conversation, refuse_chat_flags, train_chat
from pretune.cli.logs import require_logs
from pretune.cli.pretrain import build_pretrain_config, divide_settings, pretrain_first, run_pretraining
from pretune.cli.running import lead, train_run
from pretune.cli.settings import build_config
from pretune.cli.signature import Flags, takes_flags
from pretune.cli.viewing import watched
from pretune.errors import UsageError


@takes_flags
def run(data: a.Data, flags: Flags) -> int:
    """Take a table of texts, or of conversations, to a verdict.

    Reads, splits and seals the data; fits baselines; fine-tunes, evaluates, diagnoses, judges and reports.
    """
    require_logs(flags)
    if is_about_chat(flags):
        return _train_chat("run", data, flags)
    first, own = divide_settings(flags["set_"] or ())
    settings = build_config(flags, recipe=flags["recipe"], file=flags["config"], settings=own)
    corpus = flags["pretrain"]

    def make() -> int:
        if is_conversation(data, flags):
            return _make_chat("run", data, flags)
        if corpus is None and (flags["pretrain_budget"] or flags["size"] or flags["tokens"] or first):
            got = f"--set {first[0]}" if first else "--pretrain-budget, --size or --tokens"
            raise UsageError(f"{got} without --pretrain", expected="both, or neither", fix="add --pretrain CORPUS")
        with watched(flags):
            chosen = settings if corpus is None else pretrain_first(data, settings, corpus, flags, first)
            return train_run("run", data, chosen, flags)

    return lead(settings.finetune.device, make)


@takes_flags
def finetune(data: a.Data, flags: Flags) -> int:
    """Fine-tune a model and leave the test sealed.

    Works like `run` up to the validation figures; `pretune judge RUN` continues.
    """
    require_logs(flags)
    if is_about_chat(flags):
        return _train_chat("finetune", data, flags)
    settings = build_config(flags, recipe=flags["recipe"], file=flags["config"], settings=flags["set_"] or ())

    def make() -> int:
        if is_conversation(data, flags):
            return _make_chat("finetune", data, flags)
        with watched(flags):
            return train_run("finetune", data, settings, flags)

    return lead(settings.finetune.device, make)


@takes_flags
def pretrain(corpus: a.Corpus, flags: Flags) -> int:
    """Train a language model on raw text.

    Starts from scratch or from an existing model, and predicts hidden or next words. `pretune run DATA --model RUN`
    fine-tunes the result.
    """
    require_logs(flags)
    settings = build_pretrain_config(flags, file=flags["config"], settings=flags["set_"] or ())

    def make() -> int:
        with watched(flags):
            return run_pretraining(corpus, settings, flags)

    return lead(settings.pretrain.device, make)


def _train_chat(kind: str, data: str, flags: Flags) -> int:
    settings = build_chat_config(flags, file=flags["config"], settings=flags["set_"] or ())
    return lead(settings.finetune.device, lambda: _make_chat(kind, data, flags))


def _make_chat(kind: str, data: str, flags: Flags) -> int:
    """Do what the first process does: it alone looks at the data, since another node that lacks them must not be waited for."""
    settings = build_chat_config(flags, file=flags["config"], settings=flags["set_"] or ())
    if not is_conversation(data, flags):
        raise refuse_chat_flags(flags)
    with watched(flags):
        return train_chat(kind, data, settings, flags)

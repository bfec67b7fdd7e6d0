"""What makes a run: run, finetune, pretrain. Heavy imports wait until a command runs."""

from pretune.cli import options as o
from pretune.cli.pretrain import build_pretrain_config, divide_settings, pretrain_first, run_pretraining
from pretune.cli.running import lead, train_run
from pretune.cli.settings import build_config, flags_of
from pretune.errors import UsageError


def run(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, where: o.Where = None, merge_labels: o.MergeLabels = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, model: o.Model = None, head: o.Head = None,
    freeze: o.Freeze = None, budget: o.Budget = None,
    max_length: o.MaxLength = None, epochs: o.Epochs = None, lr: o.Rate = None, batch_size: o.BatchSize = None,
    dropout: o.Dropout = None, lora: o.Lora = None, monitor: o.Monitor = None, seed: o.Seed = None, seeds: o.Seeds = None,
    prove_pretraining: o.Prove = False, general_task: o.GeneralTask = None,
    pretrain: o.PretrainFirst = None, pretrain_budget: o.PretrainBudget = None, size: o.Size = None,
    tokens: o.Tokens = None, device: o.Device = None, threads: o.Threads = None,
    recipe: o.Recipe = None, config: o.ConfigFile = None, set_: o.Set = None,
    positive: o.Positive = None, goal: o.Goal = None, keep: o.Keep = None, cost: o.Cost = None,
    min_precision: o.MinPrecision = None, min_recall: o.MinRecall = None,
    min_accuracy: o.MinAccuracy = None, policy: o.PolicyFile = None, thorough: o.Thorough = False,
    run: o.Folder = None, overwrite: o.Overwrite = False,
    continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Take a table of texts to a verdict.

    Read, split, seal, baselines, fine-tune, evaluate, diagnose, judge, report.
    """
    first, own = divide_settings(set_ or ())
    settings = build_config(flags_of(locals()), recipe=recipe, file=config, settings=own)
    if pretrain is None and (pretrain_budget or size or tokens or first):
        got = f"--set {first[0]}" if first else "--pretrain-budget, --size or --tokens"
        raise UsageError(f"{got} without --pretrain", expected="--pretrain CORPUS beside it", fix="add it, or leave this out")
    flags = {"model": model, "size": size, "budget": pretrain_budget, "tokens": tokens, "settings": first}

    def make() -> int:
        chosen = settings if pretrain is None else pretrain_first(data, settings, pretrain, flags, run=run, shown=(json, quiet))
        return train_run(
            "run", data, chosen, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.finetune.device, make)


def finetune(
    data: o.Data, text: o.Text = None, label: o.Label = None, group: o.Group = None, validation: o.ValidationFile = None,
    test: o.TestFile = None, split_seed: o.SplitSeed = None, encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_cell: o.MaxCell = None, max_columns: o.MaxColumns = None,
    max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, where: o.Where = None, merge_labels: o.MergeLabels = False,
    keep_leaks: o.KeepLeaks = False, repair: o.Repair = False, model: o.Model = None, head: o.Head = None,
    freeze: o.Freeze = None, budget: o.Budget = None,
    max_length: o.MaxLength = None, epochs: o.Epochs = None, lr: o.Rate = None, batch_size: o.BatchSize = None,
    dropout: o.Dropout = None, lora: o.Lora = None, monitor: o.Monitor = None, seed: o.Seed = None, seeds: o.Seeds = None,
    device: o.Device = None,
    threads: o.Threads = None, recipe: o.Recipe = None, config: o.ConfigFile = None, set_: o.Set = None,
    positive: o.Positive = None, goal: o.Goal = None, keep: o.Keep = None, cost: o.Cost = None,
    run: o.Folder = None, overwrite: o.Overwrite = False,
    continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Train; the test stays sealed.

    Like `run`, up to the validation figures; `pretune judge RUN` continues.
    """
    settings = build_config(flags_of(locals()), recipe=recipe, file=config, settings=set_ or ())

    def make() -> int:
        return train_run(
            "finetune", data, settings, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.finetune.device, make)


def pretrain(
    corpus: o.Corpus, document: o.Document = None, text: o.Text = None, encoding: o.Encoding = None,
    quoting: o.Quoting = None, escape: o.Escape = None, max_size: o.MaxSize = None,
    allow_rejects: o.AllowRejects = False, validation: o.HeldOut = None, keep_out: o.KeepOut = None, general: o.General = None,
    model: o.Continue = None, size: o.Size = None, objective: o.Objective = None, architecture: o.Architecture = None,
    vocab_size: o.VocabSize = None, window: o.Window = None, mask_share: o.MaskShare = None, whole_words: o.WholeWords = False,
    epochs: o.TextEpochs = None, tokens: o.Tokens = None, budget: o.TextBudget = None, batch_tokens: o.BatchTokens = None,
    lr: o.TextRate = None, dropout: o.Dropout = None, seed: o.Seed = None, device: o.Device = None, threads: o.Threads = None,
    config: o.ConfigFile = None, set_: o.Set = None, watch: o.Watch = None, run: o.Folder = None,
    overwrite: o.Overwrite = False, continue_changed: o.ContinueChanged = False,
    json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False,
) -> int:  # fmt: skip
    """Train a language model on raw text.

    From scratch or from an existing model, on hidden or next words; `pretune run DATA --model RUN` fine-tunes the result.
    """
    settings = build_pretrain_config(locals(), file=config, settings=set_ or ())

    def make() -> int:
        return run_pretraining(
            corpus, settings, run=run, overwrite=overwrite, continue_changed=continue_changed, shown=(json, quiet)
        )

    return lead(settings.pretrain.device, make)

"""Flags: which setting each flag of the command line is, so that messages can name the same setting as Python does."""

# Flag → its place among the settings of a run.
PLACES = {
    "text": "read.text", "label": "read.label", "group": "read.group", "encoding": "read.encoding",
    "quoting": "read.quoting", "escape": "read.escape", "max_cell": "read.max_cell", "max_columns": "read.max_columns",
    "allow_rejects": "read.allow_rejects", "where": "read.where", "merge_labels": "read.merge_labels",
    "max_size": "read.max_size", "keep_leaks": "split.keep_leaks", "repair": "split.repair", "split_seed": "split.seed",
    "validation": "validation", "test": "test", "model": "model", "head": "finetune.head", "freeze": "freeze",
    "max_length": "finetune.max_length", "epochs": "epochs", "lr": "finetune.learning_rate",
    "batch_size": "finetune.batch_size", "dropout": "finetune.dropout", "lora": "finetune.lora",
    "monitor": "finetune.monitor", "seed": "seed", "seeds": "seeds", "budget": "budget", "prove_pretraining": "prove",
    "general_task": "general_task",
    "device": "finetune.device", "threads": "finetune.threads", "positive": "judge.positive", "goal": "judge.goal",
    "keep": "judge.keep", "cost": "judge.cost",
    "min_precision": "judge.min_precision", "min_recall": "judge.min_recall", "min_accuracy": "judge.min_accuracy",
    "policy": "judge.policy", "thorough": "judge.thorough",
}  # fmt: skip
# Those that take no value.
SWITCHES = frozenset({"allow_rejects", "merge_labels", "keep_leaks", "repair", "thorough", "prove_pretraining"})
# Those that Python does not have: they belong to a whole run, which only the command line makes.
OF_RUNS = frozenset({"seeds", "budget", "prove_pretraining", "general_task"})
# Setting → its flag, where the name alone tells which; those of pre-training alone are named as they are.
FLAGS = {place.rpartition(".")[2]: flag.replace("_", "-") for flag, place in PLACES.items() if flag != "split_seed"}
FLAGS |= {name: name.replace("_", "-") for name in ("vocab_size", "window", "mask_share", "batch_tokens", "objective", "size")}


def argument_of(flag: str, value: str) -> str | None:
    """Return what Python writes for a flag, or ``None`` where it has nothing of the kind.

    Args:
        flag: Without dashes in front, such as ``batch-size``.
        value: As Python writes it.

    Example:
        >>> argument_of("batch-size", "8"), argument_of("repair", "True"), argument_of("json", "True")
        ('config=FinetuneConfig(batch_size=8)', 'repair=True', None)
    """
    name = flag.replace("-", "_")
    if name == "run":  # judge(model, data, run=...)
        return f"run={value}"
    if name not in PLACES or name in OF_RUNS:
        return None
    section, _, field = PLACES[name].rpartition(".")
    if section == "finetune" or (section == "judge" and name != "positive"):  # both configs have ``positive``
        return f"config={section.capitalize()}Config({field}={value})"
    return f"{name}={value}"

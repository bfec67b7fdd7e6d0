"""The flags: one flag means one thing in every command."""

from typing import Annotated, Any

import typer

from pretune.configs import RECIPES

ABOUT_DATA, ABOUT_MODEL, ABOUT_TRAINING, ABOUT_JUDGING, ABOUT_RUN = "Data", "Model", "Training", "Judging", "Run"


def _flag(*names: str, about: str, text: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=about, metavar=metavar, show_default=False)


Data = Annotated[
    str, typer.Argument(help="Catalogue name, file (CSV, TSV, JSON lines, Parquet, .gz), folder, or hub id.", metavar="DATA")
]
Run = Annotated[str, typer.Argument(help="A run folder, such as runs/movie-reviews-minilm.", metavar="RUN")]
Place = Annotated[
    str, typer.Argument(help="A run folder, a model folder, or a prepared corpus.", metavar="PLACE", show_default=False)
]
Followed = Annotated[str | None, typer.Argument(help="A run, a model folder, or a name.", metavar="RUN", show_default=False)]
Mask = Annotated[
    str | None,
    typer.Option(
        "--mask", help="Guess each [MASK] in this, or its next word, after every layer.", metavar="TEXT", show_default=False
    ),
]
Trained = Annotated[str, typer.Argument(help="A run folder or a model folder.", metavar="RUN")]

Text = Annotated[
    str | None, _flag("--text", about=ABOUT_DATA, text="Column(s) with the text; guessed otherwise.", metavar="COL[,COL]")
]
Label = Annotated[
    str | None, _flag("--label", about=ABOUT_DATA, text="Column with the class; guessed otherwise.", metavar="COL")
]
Group = Annotated[
    str | None,
    _flag("--group", about=ABOUT_DATA, text="Rows that share a value here stay on one side of the split.", metavar="COL"),
]
ValidationFile = Annotated[
    str | None, _flag("--validation", about=ABOUT_DATA, text="File with the validation rows.", metavar="FILE")
]
TestFile = Annotated[str | None, _flag("--test", about=ABOUT_DATA, text="File with the test rows.", metavar="FILE")]
SplitSeed = Annotated[int | None, _flag("--split-seed", about=ABOUT_DATA, text="Seed of the split (0).", metavar="N")]
Encoding = Annotated[str | None, _flag("--encoding", about=ABOUT_DATA, text="Encoding of the files, such as latin-1.")]
Quoting = Annotated[
    str | None,
    _flag(
        "--quoting",
        about=ABOUT_DATA,
        text="CSV and TSV: minimal (quotes hold a cell together) or none (they are text).",
        metavar="KIND",
    ),
]
Escape = Annotated[
    str | None,
    _flag("--escape", about=ABOUT_DATA, text="CSV and TSV: what escapes a quote inside a cell: '\\\\'.", metavar="SIGN"),
]
MaxCell = Annotated[
    int | None, _flag("--max-cell", about=ABOUT_DATA, text="Maximum characters per text (1,000,000).", metavar="N")
]
MaxColumns = Annotated[
    int | None, _flag("--max-columns", about=ABOUT_DATA, text="Maximum columns per CSV or TSV (10,000).", metavar="N")
]
AllowRejects = Annotated[
    bool, _flag("--allow-rejects", about=ABOUT_DATA, text="Continue when over 1 % of the rows cannot be used.")
]
Where = Annotated[
    list[str] | None,
    _flag("--where", about=ABOUT_DATA, text="Read only these rows, such as answer=accept.", metavar="COL=VALUE"),
]
MergeLabels = Annotated[
    bool, _flag("--merge-labels", about=ABOUT_DATA, text="Join labels that differ in case or spacing only.")
]
MaxSize = Annotated[
    str | None,
    _flag(
        "--max-size",
        about=ABOUT_DATA,
        text="Maximum size per file once unpacked (2 GB; .gz: 200 times its size).",
        metavar="SIZE",
    ),
]
KeepLeaks = Annotated[bool, _flag("--keep-leaks", about=ABOUT_DATA, text="Leave rows that given splits share where they are.")]
Repair = Annotated[
    bool, _flag("--repair", about=ABOUT_DATA, text="Drop leaks and conflicts, regroup the split; before and after are shown.")
]
Model = Annotated[
    str | None, _flag("--model", about=ABOUT_MODEL, text="Catalogue name, folder or hub id (minilm).", metavar="NAME")
]
Head = Annotated[str | None, _flag("--head", about=ABOUT_MODEL, text="native or mlp.", metavar="KIND")]
Freeze = Annotated[
    str | None,
    _flag(
        "--freeze", about=ABOUT_MODEL, text="none, all, last-K, auto, gradual, or stages: all:2,last-2@1e-6.", metavar="WHAT"
    ),
]
MaxLength = Annotated[
    int | None, _flag("--max-length", about=ABOUT_MODEL, text="Maximum tokens per text (128); the rest is cut.", metavar="N")
]
Epochs = Annotated[int | None, _flag("--epochs", about=ABOUT_TRAINING, text="Maximum epochs (10, ended early).", metavar="N")]
Rate = Annotated[
    str | None,
    _flag("--lr", about=ABOUT_TRAINING, text="Peak rate (5e-5; last layers 1e-4, head 1e-3), or auto.", metavar="RATE"),
]
Budget = Annotated[
    str | None,
    _flag("--budget", about=ABOUT_TRAINING, text="Choose what to train so that the command ends in time.", metavar="5m"),
]
BatchSize = Annotated[int | None, _flag("--batch-size", about=ABOUT_TRAINING, text="Rows per update (32).", metavar="N")]
Dropout = Annotated[
    float | None, _flag("--dropout", about=ABOUT_TRAINING, text="Dropout in place of the checkpoint's.", metavar="SHARE")
]
Lora = Annotated[
    int | None, _flag("--lora", about=ABOUT_TRAINING, text="Train adapters of this rank in place of layers.", metavar="RANK")
]
Monitor = Annotated[
    str | None,
    _flag(
        "--monitor",
        about=ABOUT_TRAINING,
        text="What chooses the best epoch: goal, loss, accuracy, macro_f1, precision, recall, f1, balanced_accuracy or mcc.",
        metavar="METRIC",
    ),
]
Seed = Annotated[
    int | None,
    _flag("--seed", about=ABOUT_TRAINING, text="Seed of head, dropout and row order (0), not of the split.", metavar="N"),
]
Seeds = Annotated[
    int | None, _flag("--seeds", about=ABOUT_TRAINING, text="Train this many times; keep the best on validation.", metavar="N")
]
Device = Annotated[str | None, _flag("--device", about=ABOUT_TRAINING, text="auto, cpu or cuda.")]
Threads = Annotated[int | None, _flag("--threads", about=ABOUT_TRAINING, text="Number of threads.", metavar="N")]
Recipe = Annotated[
    str | None, _flag("--recipe", about=ABOUT_TRAINING, text=f"Named settings: {', '.join(RECIPES)}.", metavar="NAME")
]
ConfigFile = Annotated[str | None, _flag("--config", about=ABOUT_TRAINING, text="Settings from a TOML file.", metavar="FILE")]
Set = Annotated[
    list[str] | None,
    _flag("--set", about=ABOUT_TRAINING, text="One setting, such as finetune.label_smoothing=0.1.", metavar="KEY=VALUE"),
]
Prove = Annotated[
    bool,
    _flag("--prove-pretraining", about=ABOUT_TRAINING, text="Also fine-tune from random and earlier weights: did it pay?"),
]
GeneralTask = Annotated[
    str | None,
    _flag(
        "--general-task",
        about=ABOUT_TRAINING,
        text="With --prove-pretraining: how much of this task was forgotten.",
        metavar="DATA",
    ),
]
Positive = Annotated[
    str | None, _flag("--positive", about=ABOUT_JUDGING, text="The class that precision and recall are about.", metavar="LABEL")
]
Goal = Annotated[
    str | None, _flag("--goal", about=ABOUT_JUDGING, text="balanced, precision, recall, f1 or cost.", metavar="GOAL")
]
Keep = Annotated[
    str | None,
    _flag("--keep", about=ABOUT_JUDGING, text="What must hold at the same time: recall=0.95.", metavar="FIGURE=SHARE"),
]
Cost = Annotated[str | None, _flag("--cost", about=ABOUT_JUDGING, text="What mistakes cost.", metavar="fn=10,fp=1")]
MinPrecision = Annotated[
    float | None, _flag("--min-precision", about=ABOUT_JUDGING, text="Minimum, in place of the policy's.", metavar="SHARE")
]
MinRecall = Annotated[
    float | None, _flag("--min-recall", about=ABOUT_JUDGING, text="Minimum, in place of the policy's.", metavar="SHARE")
]
MinAccuracy = Annotated[
    float | None, _flag("--min-accuracy", about=ABOUT_JUDGING, text="Minimum, in place of the policy's.", metavar="SHARE")
]
Thorough = Annotated[bool, _flag("--thorough", about=ABOUT_JUDGING, text="Train three more times, to look for wrong labels.")]
PolicyFile = Annotated[
    str | None, _flag("--policy", about=ABOUT_JUDGING, text="A policy file, or classification or domain.", metavar="FILE")
]
Recompute = Annotated[
    bool, _flag("--recompute", about=ABOUT_JUDGING, text="Compute the verdict again from the files, and compare; no look.")
]
Predictions = Annotated[
    str,
    typer.Argument(help="A table of predictions: CSV, TSV, JSON lines or Parquet, also .gz.", metavar="PREDICTIONS"),
]
ABOUT_COLUMNS = "Columns"
TrainFile = Annotated[
    str | None, _flag("--train", about=ABOUT_DATA, text="Training rows, for baselines and leakage.", metavar="DATA")
]
Against = Annotated[
    str | None, _flag("--against", about=ABOUT_DATA, text="Another model on the same rows, paired.", metavar="PREDICTIONS")
]
Sealed = Annotated[bool, _flag("--sealed", about=ABOUT_DATA, text="Count this look at the rows in the ledger.")]
Task = Annotated[
    str | None, _flag("--task", about=ABOUT_COLUMNS, text="classify or generate; guessed from the columns otherwise.")
]
IdColumn = Annotated[str | None, _flag("--id", about=ABOUT_COLUMNS, text="Column that names the rows.", metavar="COL")]
PredictedColumn = Annotated[
    str | None, _flag("--predicted", about=ABOUT_COLUMNS, text="Column with the predicted class.", metavar="COL")
]
ScoreColumn = Annotated[
    str | None, _flag("--score", about=ABOUT_COLUMNS, text="Column with one probability per row.", metavar="COL")
]
ScoreOf = Annotated[
    str | None, _flag("--score-of", about=ABOUT_COLUMNS, text="predicted or positive: whose probability.", metavar="CLASS")
]
Threshold = Annotated[
    float | None,
    _flag("--threshold", about=ABOUT_COLUMNS, text="Score from which it is positive (0.5).", metavar="SHARE"),
]
Logits = Annotated[bool, _flag("--logits", about=ABOUT_COLUMNS, text="The numbers are logits; take their softmax.")]
ReferenceColumn = Annotated[
    str | None, _flag("--reference", about=ABOUT_COLUMNS, text="Column with the wanted text.", metavar="COL")
]
HypothesisColumn = Annotated[
    str | None, _flag("--hypothesis", about=ABOUT_COLUMNS, text="Column with the generated text.", metavar="COL")
]
MinBleu = Annotated[float | None, _flag("--min-bleu", about=ABOUT_JUDGING, text="Gate on corpus BLEU, 0 to 100.", metavar="N")]
MinChrf = Annotated[float | None, _flag("--min-chrf", about=ABOUT_JUDGING, text="Gate on chrF, 0 to 100.", metavar="N")]
ReportFile = Annotated[
    str | None, _flag("--report", about=ABOUT_RUN, text="Write the report as one HTML file.", metavar="FILE")
]
Folder = Annotated[str | None, _flag("--run", about=ABOUT_RUN, text="Run folder (runs/DATA-MODEL).", metavar="FOLDER")]
Overwrite = Annotated[bool, _flag("--overwrite", about=ABOUT_RUN, text="Replace the run in that folder.")]
ContinueChanged = Annotated[
    bool, _flag("--continue-changed", about=ABOUT_RUN, text="Resume a cut-off run although inputs changed; reports show it.")
]
Json = Annotated[bool, _flag("--json", about=ABOUT_RUN, text="One JSON object on standard output, nothing else.")]
Quiet = Annotated[bool, _flag("--quiet", about=ABOUT_RUN, text="Show no progress.")]
Debug = Annotated[bool, _flag("--debug", about=ABOUT_RUN, text="Show the traceback of an error.")]

Corpus = Annotated[
    str,
    typer.Argument(help="Text, JSON lines, CSV, Parquet (.gz), a folder of them, a catalogue name, or - .", metavar="CORPUS"),
]
ABOUT_CORPUS = "Corpus"
Document = Annotated[
    str | None, _flag("--document", about=ABOUT_CORPUS, text="What ends a document in a text file: blank, line or file.")
]
KeepOut = Annotated[
    list[str] | None,
    _flag("--keep-out", about=ABOUT_CORPUS, text="Remove documents that share text with this test.", metavar="DATA"),
]
General = Annotated[
    str | None,
    _flag("--general", about=ABOUT_CORPUS, text="Measure forgetting on this text, before and after.", metavar="CORPUS"),
]
HeldOut = Annotated[
    str | None, _flag("--validation", about=ABOUT_CORPUS, text="File with the held-out documents.", metavar="FILE")
]
Continue = Annotated[
    str | None, _flag("--model", about=ABOUT_MODEL, text="Continue this one: name, run, folder or hub id.", metavar="NAME")
]
Size = Annotated[str | None, _flag("--size", about=ABOUT_MODEL, text="From scratch: tiny, small (the default) or base.")]
Objective = Annotated[str | None, _flag("--objective", about=ABOUT_MODEL, text="masked (hidden words) or causal (next words).")]
Architecture = Annotated[
    str | None,
    _flag("--architecture", about=ABOUT_MODEL, text="Further fields to set: num_hidden_layers=8,…", metavar="FIELD=VALUE,…"),
]
VocabSize = Annotated[int | None, _flag("--vocab-size", about=ABOUT_MODEL, text="Size of a new vocabulary.", metavar="N")]
Window = Annotated[int | None, _flag("--window", about=ABOUT_TRAINING, text="Tokens read together (128).", metavar="N")]
MaskShare = Annotated[
    float | None, _flag("--mask-share", about=ABOUT_TRAINING, text="Share of tokens hidden (0.3).", metavar="SHARE")
]
WholeWords = Annotated[bool, _flag("--whole-words", about=ABOUT_TRAINING, text="Hide all tokens of a word or none.")]
TextEpochs = Annotated[
    float | None, _flag("--epochs", about=ABOUT_TRAINING, text="Passes over the text (5; 1 when continued).", metavar="N")
]
Tokens = Annotated[str | None, _flag("--tokens", about=ABOUT_TRAINING, text="Total tokens to read, such as 20M.", metavar="N")]
BatchTokens = Annotated[
    int | None, _flag("--batch-tokens", about=ABOUT_TRAINING, text="Tokens per update (4096).", metavar="N")
]
TextRate = Annotated[float | None, _flag("--lr", about=ABOUT_TRAINING, text="Peak rate.", metavar="RATE")]
TextBudget = Annotated[str | None, _flag("--budget", about=ABOUT_TRAINING, text="Time for the whole command.", metavar="10m")]
PretrainFirst = Annotated[
    str | None,
    _flag(
        "--pretrain", about=ABOUT_MODEL, text="Pre-train on this raw text first; continues --model if given.", metavar="CORPUS"
    ),
]
PretrainBudget = Annotated[
    str | None, _flag("--pretrain-budget", about=ABOUT_MODEL, text="Time for --pretrain.", metavar="30m")
]
Watch = Annotated[
    list[str] | None,
    _flag("--watch", about=ABOUT_RUN, text="Show the guesses for this text at every milestone.", metavar="TEXT"),
]
Name = Annotated[str | None, typer.Argument(help="What to fetch; without it, list what there is.", metavar="NAME")]
Texts = Annotated[list[str] | None, typer.Argument(help="Texts; read from --file or standard input otherwise.", metavar="TEXT")]
TextFile = Annotated[str | None, typer.Option("--file", help="A table of texts.", metavar="FILE")]
TextColumn = Annotated[str | None, typer.Option("--text", help="Column(s) of --file with the text.", metavar="COL[,COL]")]
KeepColumns = Annotated[
    str | None,
    typer.Option(
        "--keep", help="Columns of --file to keep beside the answers, or all.", metavar="COL[,COL]", show_default=False
    ),
]
OutputFile = Annotated[
    str | None,
    typer.Option("--output", help="Write .csv, .tsv, .jsonl (.gz) or .parquet.", metavar="FILE", show_default=False),
]
OverwriteFile = Annotated[bool, typer.Option("--overwrite", help="Replace the file of --output.", show_default=False)]
Wheel = Annotated[str | None, typer.Option("--wheel", help="Wheel file to use where there is no pip.", metavar="FILE")]
Kills = Annotated[int, typer.Option("--kill", min=0, help="Number of kills (60).", metavar="N", show_default=False)]
Refusals = Annotated[
    int,
    typer.Option(
        "--refuse", min=0, help="Number of refused writes: a full or read-only disk.", metavar="N", show_default=False
    ),
]

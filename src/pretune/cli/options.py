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
Followed = Annotated[
    str | None, typer.Argument(help="A run, a folder that holds a model, or a name.", metavar="RUN", show_default=False)
]
Mask = Annotated[
    str | None,
    typer.Option(
        "--mask", help="Guess each [MASK] in this, or its next word, after every layer.", metavar="TEXT", show_default=False
    ),
]
Trained = Annotated[str, typer.Argument(help="A run folder, or a folder that holds a model.", metavar="RUN")]

Text = Annotated[
    str | None, _flag("--text", about=ABOUT_DATA, text="Column(s) with the text; guessed otherwise.", metavar="COL[,COL]")
]
Label = Annotated[
    str | None, _flag("--label", about=ABOUT_DATA, text="Column with the class; guessed otherwise.", metavar="COL")
]
Group = Annotated[
    str | None, _flag("--group", about=ABOUT_DATA, text="Rows alike in this column stay on one side.", metavar="COL")
]
ValidationFile = Annotated[
    str | None, _flag("--validation", about=ABOUT_DATA, text="Validation rows of their own.", metavar="FILE")
]
TestFile = Annotated[str | None, _flag("--test", about=ABOUT_DATA, text="Test rows of their own.", metavar="FILE")]
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
    _flag("--escape", about=ABOUT_DATA, text="CSV and TSV: what stands before a quote inside a cell: '\\\\'.", metavar="SIGN"),
]
MaxCell = Annotated[
    int | None, _flag("--max-cell", about=ABOUT_DATA, text="Characters that a text may have (1,000,000).", metavar="N")
]
MaxColumns = Annotated[
    int | None, _flag("--max-columns", about=ABOUT_DATA, text="Columns that a CSV or TSV may have (10,000).", metavar="N")
]
AllowRejects = Annotated[
    bool, _flag("--allow-rejects", about=ABOUT_DATA, text="Go on when over 1 % of the rows cannot be used.")
]
Where = Annotated[
    list[str] | None,
    _flag("--where", about=ABOUT_DATA, text="Read these rows only, such as answer=accept.", metavar="COL=VALUE"),
]
MergeLabels = Annotated[
    bool, _flag("--merge-labels", about=ABOUT_DATA, text="Join labels that differ in case or spacing only.")
]
MaxSize = Annotated[
    str | None,
    _flag(
        "--max-size",
        about=ABOUT_DATA,
        text="Largest size of a file once unpacked (2 GB; .gz: 200 times its size).",
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
    int | None, _flag("--max-length", about=ABOUT_MODEL, text="Tokens a text (128); the rest is cut.", metavar="N")
]
Epochs = Annotated[
    int | None, _flag("--epochs", about=ABOUT_TRAINING, text="At most this many (10, ended early).", metavar="N")
]
Rate = Annotated[
    str | None,
    _flag("--lr", about=ABOUT_TRAINING, text="Peak rate (5e-5; last layers 1e-4, head 1e-3), or auto.", metavar="RATE"),
]
Budget = Annotated[
    str | None,
    _flag("--budget", about=ABOUT_TRAINING, text="Choose what to train so that all ends in time.", metavar="5m"),
]
BatchSize = Annotated[int | None, _flag("--batch-size", about=ABOUT_TRAINING, text="Rows an update (32).", metavar="N")]
Dropout = Annotated[
    float | None, _flag("--dropout", about=ABOUT_TRAINING, text="Instead of the checkpoint's own.", metavar="SHARE")
]
Lora = Annotated[
    int | None, _flag("--lora", about=ABOUT_TRAINING, text="Train adapters of this rank in place of layers.", metavar="RANK")
]
Monitor = Annotated[
    str | None,
    _flag(
        "--monitor",
        about=ABOUT_TRAINING,
        text="goal, loss, accuracy, macro_f1, precision, recall, f1, balanced_accuracy or mcc.",
        metavar="METRIC",
    ),
]
Seed = Annotated[
    int | None, _flag("--seed", about=ABOUT_TRAINING, text="Of head, dropout and order (0); never of the split.", metavar="N")
]
Seeds = Annotated[
    int | None, _flag("--seeds", about=ABOUT_TRAINING, text="Train so many; keep the best on validation.", metavar="N")
]
Device = Annotated[str | None, _flag("--device", about=ABOUT_TRAINING, text="auto, cpu or cuda.")]
Threads = Annotated[int | None, _flag("--threads", about=ABOUT_TRAINING, text="Threads of the process.", metavar="N")]
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
    _flag(
        "--prove-pretraining", about=ABOUT_TRAINING, text="Fine-tune from random weights and from before as well: did it pay?"
    ),
]
GeneralTask = Annotated[
    str | None,
    _flag(
        "--general-task",
        about=ABOUT_TRAINING,
        text="With --prove-pretraining: what was forgotten of this task.",
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
    str | None, _flag("--keep", about=ABOUT_JUDGING, text="What must hold meanwhile: recall=0.95.", metavar="FIGURE=SHARE")
]
Cost = Annotated[str | None, _flag("--cost", about=ABOUT_JUDGING, text="What mistakes cost.", metavar="fn=10,fp=1")]
MinPrecision = Annotated[
    float | None, _flag("--min-precision", about=ABOUT_JUDGING, text="Gate in place of the policy's.", metavar="SHARE")
]
MinRecall = Annotated[
    float | None, _flag("--min-recall", about=ABOUT_JUDGING, text="Gate in place of the policy's.", metavar="SHARE")
]
MinAccuracy = Annotated[
    float | None, _flag("--min-accuracy", about=ABOUT_JUDGING, text="Gate in place of the policy's.", metavar="SHARE")
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
Task = Annotated[str | None, _flag("--task", about=ABOUT_COLUMNS, text="classify or generate; told by the columns.")]
IdColumn = Annotated[str | None, _flag("--id", about=ABOUT_COLUMNS, text="Column that names the rows.", metavar="COL")]
PredictedColumn = Annotated[
    str | None, _flag("--predicted", about=ABOUT_COLUMNS, text="Column with the predicted class.", metavar="COL")
]
ScoreColumn = Annotated[
    str | None, _flag("--score", about=ABOUT_COLUMNS, text="Column with one probability a row.", metavar="COL")
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
    bool, _flag("--continue-changed", about=ABOUT_RUN, text="Go on with a cut-off run though inputs changed; reports show it.")
]
Json = Annotated[bool, _flag("--json", about=ABOUT_RUN, text="One JSON object on standard output, nothing else.")]
Quiet = Annotated[bool, _flag("--quiet", about=ABOUT_RUN, text="No progress.")]
Debug = Annotated[bool, _flag("--debug", about=ABOUT_RUN, text="Show the traceback of an error.")]

Corpus = Annotated[
    str,
    typer.Argument(help="Text, JSON lines, CSV, Parquet (.gz), a folder of them, a catalogue name, or - .", metavar="CORPUS"),
]
ABOUT_CORPUS = "Corpus"
Document = Annotated[
    str | None, _flag("--document", about=ABOUT_CORPUS, text="What ends a document of a text file: blank, line or file.")
]
KeepOut = Annotated[
    list[str] | None, _flag("--keep-out", about=ABOUT_CORPUS, text="Take out what shares text with this test.", metavar="DATA")
]
General = Annotated[
    str | None, _flag("--general", about=ABOUT_CORPUS, text="Score this text before and after: forgetting.", metavar="CORPUS")
]
HeldOut = Annotated[
    str | None, _flag("--validation", about=ABOUT_CORPUS, text="Held-out documents of their own.", metavar="FILE")
]
Continue = Annotated[
    str | None, _flag("--model", about=ABOUT_MODEL, text="Continue this one: name, run, folder or hub id.", metavar="NAME")
]
Size = Annotated[str | None, _flag("--size", about=ABOUT_MODEL, text="From scratch: tiny, small (the default) or base.")]
Objective = Annotated[str | None, _flag("--objective", about=ABOUT_MODEL, text="masked (hidden words) or causal (next words).")]
Architecture = Annotated[
    str | None,
    _flag("--architecture", about=ABOUT_MODEL, text="Fields to set besides: num_hidden_layers=8,…", metavar="FIELD=VALUE,…"),
]
VocabSize = Annotated[
    int | None, _flag("--vocab-size", about=ABOUT_MODEL, text="Tokens of a vocabulary from scratch.", metavar="N")
]
Window = Annotated[int | None, _flag("--window", about=ABOUT_TRAINING, text="Tokens read together (128).", metavar="N")]
MaskShare = Annotated[
    float | None, _flag("--mask-share", about=ABOUT_TRAINING, text="Share of tokens hidden (0.3).", metavar="SHARE")
]
WholeWords = Annotated[bool, _flag("--whole-words", about=ABOUT_TRAINING, text="Hide all tokens of a word or none.")]
TextEpochs = Annotated[
    float | None, _flag("--epochs", about=ABOUT_TRAINING, text="Times the text is read (5; 1 when continued).", metavar="N")
]
Tokens = Annotated[str | None, _flag("--tokens", about=ABOUT_TRAINING, text="Tokens to read in all, such as 20M.", metavar="N")]
BatchTokens = Annotated[int | None, _flag("--batch-tokens", about=ABOUT_TRAINING, text="Tokens an update (4096).", metavar="N")]
TextRate = Annotated[float | None, _flag("--lr", about=ABOUT_TRAINING, text="Peak rate.", metavar="RATE")]
TextBudget = Annotated[str | None, _flag("--budget", about=ABOUT_TRAINING, text="Time for all of it.", metavar="10m")]
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
    list[str] | None, _flag("--watch", about=ABOUT_RUN, text="Show the guesses for this at every milestone.", metavar="TEXT")
]
Name = Annotated[str | None, typer.Argument(help="What to fetch now; listed only otherwise.", metavar="NAME")]
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
Wheel = Annotated[str | None, typer.Option("--wheel", help="Take it from this file, where there is no pip.", metavar="FILE")]
Kills = Annotated[int, typer.Option("--kill", min=0, help="How many kills (60).", metavar="N", show_default=False)]
Refusals = Annotated[
    int,
    typer.Option("--refuse", min=0, help="How many refused writes: a full or read-only disk.", metavar="N", show_default=False),
]

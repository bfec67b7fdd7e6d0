"""Places: what is at the path or name that the user gave, and can this command use it? Nothing is loaded to tell."""

from dataclasses import dataclass
from pathlib import Path

from pretune.data.catalogue.fetch import find_entry
from pretune.data.read.locate import is_there, locate, near_files
from pretune.errors import DataError, ModelLoadError, UsageError
from pretune.models.names import check_encoder, check_hub, check_name
from pretune.records import RunRecord
from pretune.run import RunFolder, damage_of
from pretune.run.holding import is_held_elsewhere

FINETUNED, LANGUAGE, CUT_OFF, DIVERGED = "fine-tuned run", "language run", "cut-off run", "diverged run"
CHAT, CHAT_MODEL = "chat run", "chat model folder"
MODEL, CHECKPOINT, LINEAR, ENCODER_LINEAR = "model folder", "checkpoint", "linear model", "encoder-linear baseline"
EXPORT = "export"
BEGUN, FOLDER, REPORT, FILE, NAME, NOTHING = "begun folder", "folder", "report", "file", "catalogue name", "nothing"

RUN_MARKS, MODEL_MARKS = ("run.json", "trace.jsonl"), ("pretune.json", "model.safetensors")
MAX_NAMED = 3  # runs of a folder
A_RUN = "a folder that `pretune run` or `pretune finetune` made, such as runs/reviews-minilm"
A_MODEL = "a run folder of `pretune run` or `pretune finetune`, or a folder that model.save wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What was found.

    Args:
        shown: As the user named it.
        kind: One of the names above.
        words: What it is, to follow "… is".
        fix: What to do with it instead.
        record: Of the run, where it is one.
    """

    shown: str
    kind: str
    words: str
    fix: str
    record: RunRecord | None = None


def look_at(where: str | Path) -> Place:
    """Tell what a path or name is.

    Raises:
        StorageError: A run is there whose record is damaged.
    """
    shown, path = str(where), Path(where)
    if (path / "run.json").is_file():
        return _run(shown, RunFolder(path).read_record())
    if path.is_dir():
        damage = damage_of(path)
        if damage is not None:
            raise damage
        return _folder(shown, path)
    if path.is_file():
        is_page = path.suffix.lower() in (".html", ".htm")
        words = "a report, for people to read" if is_page else "a file"
        fix = "name the run folder that it is about" if is_page else "name the run's folder first; `ls runs` lists yours"
        return Place(shown=shown, kind=REPORT if is_page else FILE, words=words, fix=fix)
    entry = find_entry(shown) if isinstance(where, str) else None
    if entry is not None and entry.kind == "model":
        fix = f"`pretune run DATA --model {shown}` makes a run of it"
        return Place(shown=shown, kind=NAME, words="a pre-trained model of the catalogue, not fine-tuned yet", fix=fix)
    if entry is not None:
        return Place(
            shown=shown, kind=NAME, words="a data set of the catalogue", fix=f"`pretune run {shown}` makes a run of it"
        )
    near = near_files(path)[:MAX_NAMED]
    fix = f"did you mean {' or '.join(near)}?" if near else "check the name; `ls runs` lists yours"
    return Place(shown=shown, kind=NOTHING, words="not there", fix=fix)


def require_run(where: str | Path, *, languages: bool = False, chats: bool = False) -> tuple[RunFolder, RunRecord]:
    """Return a run that has a model, for the commands that read runs.

    Args:
        where: The folder.
        languages: Whether the language model of `pretune pretrain` will do.
        chats: Whether a run on conversations will do.

    Raises:
        UsageError: It is something else, which the message names.
        StorageError: Its record is damaged.
    """
    found = look_at(where)
    kinds = {FINETUNED, *([LANGUAGE] if languages else []), *([CHAT] if chats else [])}
    if found.record is not None and found.kind in kinds:
        return RunFolder(Path(where)), found.record
    is_other = found.record is None and found.kind != NOTHING
    words = f"{found.words}, not a run folder: it has no run.json" if is_other else found.words
    raise UsageError(f"{found.shown} is {words}", expected=A_RUN, fix=found.fix)


def require_begun(where: str | Path) -> RunFolder:
    """Return a run of any kind, also one that has no model or that another process is at.

    Raises:
        UsageError: It is something else, which the message names.
        StorageError: Its record is damaged.
    """
    found = look_at(where)
    if found.record is None:
        raise UsageError(f"{found.shown} is {found.words}", expected="a run folder", fix=found.fix)
    return RunFolder(Path(where))


def is_chat(where: str | Path) -> bool:
    """Whether a place is a run on conversations or the folder of a chat model."""
    return look_at(where).kind in (CHAT, CHAT_MODEL)


def require_classifier(where: str | Path, *, linear: bool = False, exports: bool = False) -> Place:
    """Return the place of a fine-tuned model: a run that has one, or a model folder.

    Args:
        where: A path.
        linear: Whether a baseline of a run will do: the linear model, or the encoder-linear one.
        exports: Whether what `pretune export` wrote will do.

    Raises:
        ModelLoadError: It is something else, which the message names.
        StorageError: A run is there whose record is damaged.
    """
    found = look_at(where)
    if found.kind in (FINETUNED, MODEL) or (linear and found.kind in (LINEAR, ENCODER_LINEAR)):
        return found
    if exports and found.kind == EXPORT:
        return found
    raise ModelLoadError(f"{found.shown} is {found.words}", expected=A_MODEL, fix=found.fix)


def require_there(place: Path) -> None:
    """Refuse a name at which nothing lies.

    Raises:
        UsageError: Nothing does.
    """
    if not is_there(place):
        raise UsageError(f"there is no {place}", expected="a run, a model folder or a corpus that pretune wrote")


def require_data(*sources: str | None) -> None:
    """Refuse what the user named as data where there is no such thing; whether it can be read is another question.

    Raises:
        DataError: There is no such file, folder or catalogue entry.
    """
    for source in filter(None, sources):
        path = Path(source).expanduser()
        if not is_there(path):
            locate(source)
            continue
        is_run = all((path / name).is_file() for name in RUN_MARKS)
        if is_run or any((path / name).is_file() for name in MODEL_MARKS):
            raise DataError(
                f"{source} is {'a run' if is_run else 'a model folder'}, not data",
                expected="a table or folder of texts, or a catalogue name",
                fix="name the data; a model to start from goes to --model",
            )


def require_order(run: str, data: str) -> None:
    """Refuse a run and data that were given in the other order.

    Raises:
        UsageError: They were.
    """
    usable = (FINETUNED, MODEL)
    if Path(data).is_dir() and look_at(run).kind not in usable and look_at(data).kind in usable:
        raise UsageError(
            f"{run} was given as RUN, but {data} is the run",
            expected="RUN first, then DATA",
            fix=f"`pretune evaluate {data} {run}`",
        )


def require_start(model: str | None, *, for_classes: bool = False) -> None:
    """Refuse the name of a pre-trained model that is none, or that no classifier can be made of where one is to be.

    Raises:
        ModelLoadError: There is no such folder or catalogue entry, and no hub has such names; or it is a run without a model.
    """
    if model is None:
        return
    check_name(model)
    check_hub(model)
    if for_classes:
        check_encoder(model)
    if (Path(model) / "run.json").is_file():
        found = look_at(model)
        if found.kind in (CUT_OFF, DIVERGED):
            raise ModelLoadError(f"{model} is {found.words}", expected="a run that has a model", fix=found.fix)


def require_talker(where: str) -> None:
    """Refuse what cannot be talked with, as far as its place tells.

    Raises:
        ModelLoadError: There is no such model, or it tells classes apart.
        StorageError: A run is there whose record is damaged.
    """
    require_start(where)
    if not Path(where).is_dir():
        return
    found = look_at(where)
    tells_classes = found.kind == MODEL or (found.record is not None and found.record.task == "classify")
    if tells_classes or found.kind in (LINEAR, ENCODER_LINEAR, FOLDER, BEGUN):
        raise ModelLoadError(
            f"{where} is {'a classifier' if tells_classes else found.words}",
            expected="a run on conversations, a folder with a Llama-like model, or a name such as smollm2",
            fix=f'`pretune predict {where} "a text"` asks it' if tells_classes else found.fix,
        )


def _run(shown: str, record: RunRecord) -> Place:
    about = f"`pretune run DATA --model {shown}` fine-tunes it; `pretune trace {shown} --mask TEXT` asks it"
    again = f"run its command again: `{record.command}`" if record.command else "run its command again"
    if record.status == "diverged":
        words = f"a run that has no model: {record.failure}"
        lower = "its command with --continue-changed and a lower --lr"
        if record.command:
            lower = f"`{record.command} --continue-changed --lr LOWER`"
        fix = f"resume it from its last checkpoint: {lower}"
        return Place(shown=shown, kind=DIVERGED, words=words, fix=fix, record=record)
    if record.status == "started":
        what = "pre-training" if record.task == "pretrain" else "training"
        if is_held_elsewhere(Path(shown).resolve()):
            words = f"a run that has no model yet: another process is at its {what}"
            return Place(shown=shown, kind=CUT_OFF, words=words, fix="wait until it ends", record=record)
        words = f"a run that has no model: it was cut off before {what} ended"
        return Place(shown=shown, kind=CUT_OFF, words=words, fix=again, record=record)
    if record.task == "pretrain":
        words = "a language model of `pretune pretrain`, not a classifier"
        return Place(shown=shown, kind=LANGUAGE, words=words, fix=about, record=record)
    if record.task == "converse":
        words, fix = "a run on conversations, not a classifier", f"`pretune chat {shown}` talks with its model"
        return Place(shown=shown, kind=CHAT, words=words, fix=fix, record=record)
    return Place(shown=shown, kind=FINETUNED, words=f"a run that is {record.status}", fix="", record=record)


def _folder(shown: str, path: Path) -> Place:
    inside = f"name the run: {path.parent}" if (path.parent / "run.json").is_file() else ""
    names = {item.name for item in path.iterdir()}
    if "export.json" in names:
        fix = "name the run that it was exported from"
        return Place(shown=shown, kind=EXPORT, words="an exported model, which only answers", fix=fix)
    if "pretune.json" in names:
        fix = inside or "name the run folder that holds it"
        return Place(shown=shown, kind=MODEL, words="a model folder", fix=fix)
    if "chat.json" in names:
        fix = inside or f"`pretune chat {shown}` talks with it"
        return Place(shown=shown, kind=CHAT_MODEL, words="the folder of a chat model", fix=fix)
    if "model.json" in names:
        words, fix = "the linear baseline of a run", inside or "name the run folder that contains it"
        return Place(shown=shown, kind=LINEAR, words=words, fix=fix)
    if "features.json" in names:
        words, fix = "the encoder-linear baseline of a run", inside or "name the run folder that contains it"
        return Place(shown=shown, kind=ENCODER_LINEAR, words=words, fix=fix)
    if "config.json" in names:
        fix = inside or f"`pretune run DATA --model {shown}` fine-tunes it"
        return Place(shown=shown, kind=CHECKPOINT, words="a checkpoint that pretune has not fine-tuned", fix=fix)
    if not names or names <= {"data"}:
        words = "a folder in which no training has started" + ("" if names else " (it is empty)")
        return Place(shown=shown, kind=BEGUN, words=words, fix="run the command that should fill it again")
    runs = sorted(item for item in path.iterdir() if (item / "run.json").is_file())
    if runs:
        fix = f"name one of its runs: {', '.join(map(str, runs[:MAX_NAMED]))}{', …' if len(runs) > MAX_NAMED else ''}"
        return Place(shown=shown, kind=FOLDER, words="a folder of runs", fix=fix)
    return Place(shown=shown, kind=FOLDER, words="a folder with other contents", fix="check the name; `ls runs` lists yours")


def model_in(folder: Path) -> Path:
    """Return the model folder of a run, or the folder itself where it is one."""
    inner = folder / "model"
    return inner if (inner / "pretune.json").is_file() else folder

"""Same numbers: a golden run of every kind of training and judging, tiny and without network, compared by digest with a list.

    python tools/same_numbers.py          # compare with tools/same_numbers.json; 1 where something differs
    python tools/same_numbers.py --new    # write that list anew

Weights and figures of a training are the same bits only on the same processor with the same library versions. The list names
both; elsewhere what depends on them is left out, and the splits, tokens, audits and exit codes are still compared.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", PRETUNE_SAVE_SECONDS="0")

import argparse
import csv
import importlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from same_numbers_material import write_material

LIST = Path(__file__).with_suffix(".json")
PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "transformers", "tokenizers", "safetensors", "peft")
# Loaded once, before any child is forked: loading torch takes longer than a tiny training.
WARM = ("torch", "transformers", "sklearn.linear_model", "scipy.stats", "peft", "pretune.tasks.classify.path",
        "pretune.tasks.pretrain.path", "pretune.tasks.converse.path", "pretune.report.terminal.text")  # fmt: skip
# What a figure is known by; every other text is wording, and may be mended without changing a number.
NAMING = frozenset({"metric", "label", "source", "split", "outcome", "check", "severity", "a", "b", "positive", "rule"})
# Numbers that a clock or a path makes.
PASSING = frozenset(
    "seconds created versions digests ledger_head identity inputs configs command schema tokens_per_second".split()
)
PARTS = "history scores comparisons calibration threshold verdict seeds language pretraining chat".split()  # of a record
GOOD = (0, 1, 3)  # ship, do not ship, not enough evidence
DIGITS = 9  # of figures that are compared on every machine
TALKS = ("talks.jsonl", "--model", "talker", "--questions", "30", "--max-reply", "12", "--max-length", "64")
SHARED = ("--lr", "3e-3", "--batch-size", "8", "--threads", "1", "--seed", "1", "--epochs", "2", "--json")


@dataclass(frozen=True, slots=True)
class Task:
    """One command of the golden run.

    Args:
        name: In the list.
        words: Of the command line.
        run: The folder that it makes or changes; ``None`` where only its answer counts.
        bf16: Whether it computes in bf16.
        processes: How many train together.
        killed_at: The writing operation before which a first attempt is killed; 0 for none.
        is_portable: Whether its answer is the same on every machine.
    """

    name: str
    words: tuple[str, ...]
    run: str | None = None
    bf16: bool = False
    processes: int = 1
    killed_at: int = 0
    is_portable: bool = False


def tasks() -> Iterator[Task]:
    """Yield the commands in order; later ones read what earlier ones left."""

    def trained(name: str, *flags: str, data: str = "two.csv", **options: Any) -> Task:
        run = "runs/" + name.replace(" ", "-")
        return Task(name, ("finetune", data, "--model", "tiny", *SHARED, *flags, "--run", run), run, **options)

    yield Task("all layers, judged", ("run", "two.csv", "--model", "tiny", *SHARED, "--run", "runs/all"), "runs/all")
    yield Task("three classes, judged", ("run", "three.csv", "--model", "tiny", *SHARED, "--run", "runs/three"), "runs/three")
    cost = ("--positive", "rare", "--goal", "cost", "--cost", "fn=10,fp=1")
    yield Task("rare class, judged", ("run", "rare.csv", "--model", "tiny", *SHARED, *cost, "--run", "runs/rare"), "runs/rare")
    yield trained("last layers", "--freeze", "last-1")
    yield trained("frozen", "--freeze", "all")
    yield trained("gradual stages", "--freeze", "gradual", "--epochs", "4")
    yield trained("LoRA", "--lora", "2")
    yield trained("moving average", "--set", "finetune.ema=0.9")
    yield trained("several seeds", "--seeds", "2")
    yield trained("mlp head", "--head", "mlp")
    yield trained("bf16", "--set", "finetune.precision=bf16", bf16=True)
    yield trained("resumed", "--set", "finetune.dropout=0.2", killed_at=150)
    yield trained("two processes", processes=2)
    corpus = (
        "corpus.txt",
        "--document",
        "line",
        "--window",
        "32",
        "--batch-tokens",
        "512",
        "--tokens",
        "20k",
        "--threads",
        "1",
        "--json",
    )
    scratch = ("--size", "tiny", "--vocab-size", "512", "--architecture", "num_hidden_layers=2")
    for name, flags in (
        ("masked", scratch),
        ("causal", (*scratch, "--objective", "causal")),
        ("continued", ("--model", "tiny")),
    ):
        yield Task(f"pre-training, {name}", ("pretrain", *corpus, *flags, "--run", f"runs/{name}"), f"runs/{name}")
    yield Task("judged later", ("judge", "runs/last-layers", "--json"), "runs/last-layers")
    yield Task("recomputed", ("judge", "runs/all", "--recompute", "--json"))
    yield Task("compared", ("compare", "runs/all", "runs/last-layers", "--json"))
    yield Task("evaluated", ("evaluate", "runs/three", "new.csv", "--json"))
    yield Task("predicted", ("predict", "runs/all", "a brilliant film", "a dull plot with a stale ending", "--json"))
    yield from tasks_of_talks()
    yield Task("audited", ("audit", "audit.csv", "--json"), is_portable=True)
    yield Task("audited, three classes", ("audit", "audit-three.csv", "--json"), is_portable=True)


def tasks_of_talks() -> Iterator[Task]:
    """Yield the commands on conversations."""

    def taught(name: str, *flags: str, verb: str = "finetune", **options: Any) -> Task:
        run = "runs/" + name.replace(",", "").replace(" ", "-")
        return Task(name, (verb, *TALKS, *SHARED, *flags, "--run", run), run, **options)

    yield taught("replies, judged", "--general", "texts.txt", verb="run")
    yield taught("replies, last layers, mixed", "--freeze", "last-1", "--mix", "0.2", "--mix-corpus", "texts.txt")
    yield taught("replies, LoRA, by subject", "--lora", "2", "--group", "subject")
    yield taught("replies, bf16", "--set", "finetune.precision=bf16", bf16=True)
    yield taught("replies, resumed", killed_at=100)
    yield taught("replies, two processes", processes=2)
    yield Task("replies, recomputed", ("judge", "runs/replies-judged", "--recompute", "--json"))
    yield Task("replies, asked", ("predict", "runs/replies-judged", "What is gout?", "Explain asthma. Be brief.", "--json"))


def main() -> int:
    """Run all, compare or write; return 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new", action="store_true", help="write the list anew")
    parser.add_argument("--only", default="", help="only commands whose name holds this, and nothing is written")
    given = parser.parse_args()
    start, folder = time.perf_counter(), Path(tempfile.mkdtemp(prefix="pretune-same-numbers-"))
    try:
        found = golden_run(folder, given.only)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    machine, seconds = describe_machine(), time.perf_counter() - start
    if given.new:
        value = {"schema": 1, "machine": machine, "found": found}
        LIST.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{len(found)} digests written to {LIST} in {seconds:.0f} s")
        return 0
    known = json.loads(LIST.read_text(encoding="utf-8"))
    return compare(known, {"machine": machine, "found": found}, only=given.only, seconds=seconds)


def golden_run(folder: Path, only: str) -> dict[str, str]:
    """Run every command in ``folder``; return digests by what they are of."""
    os.environ.update(PRETUNE_HOME=str(folder / "home"), PRETUNE_CACHE=str(folder / "cache"))
    os.chdir(folder)
    for name in WARM:
        importlib.import_module(name)
    in_child(lambda: write_material(folder))
    found: dict[str, str] = {}
    for task in tasks():
        if only in task.name:
            print(f"  {task.name}", file=sys.stderr, flush=True)
            found.update(perform(task, folder))
    return found


def perform(task: Task, folder: Path) -> Iterator[tuple[str, str]]:
    """Run one command; yield (what, digest). Whatever is compared on every machine is marked with ``=``."""
    os.environ["PRETUNE_BF16"] = "1" if task.bf16 else "0"
    if task.killed_at:
        died = live_in_child(task.words, folder, killed_at=task.killed_at)
        yield f"{task.name}: killed =", str(died)
    code = together(task) if task.processes > 1 else live_in_child(task.words, folder)
    if code not in GOOD:
        said = (folder / "out").read_text(encoding="utf-8") + (folder / "err").read_text(encoding="utf-8")
        raise SystemExit(f"{task.name} ended with {code}: {said[-2000:]}")
    yield f"{task.name}: exit code" + (" =" if task.is_portable or task.run is None else ""), str(code)
    said = [json.loads(line) for line in (folder / "out").read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    yield f"{task.name}: answer", digest(numbers_of(said))
    if task.is_portable:
        yield f"{task.name}: answer, rounded =", digest(rounded(numbers_of(said)))
    if task.run is not None:
        yield from left_in(task.name, folder / task.run)


def left_in(name: str, run: Path) -> Iterator[tuple[str, str]]:
    """Yield digests of what a run folder holds: weights, tokens, splits, predictions and figures."""
    for part in ("model", "linear", "encoder_linear"):
        for file in sorted((run / part).glob("*.safetensors")):
            yield f"{name}: {part}/{file.name}", digest_of_weights(file)
    if (run / "model" / "tokenizer.json").is_file():
        tokenizer = json.loads((run / "model" / "tokenizer.json").read_text(encoding="utf-8"))
        yield f"{name}: tokens =", digest({key: tokenizer[key] for key in ("normalizer", "pre_tokenizer", "model")})
    for file in sorted((run / "data").glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        yield f"{name}: data/{file.name} =", digest([(row.get("id"), row.get("text"), row.get("label")) for row in rows])
    for file in sorted((run / "predictions").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as opened:
            yield f"{name}: predictions/{file.name}", digest(list(csv.reader(opened)))
    for file in sorted((run / "predictions").glob("*.jsonl")):
        head, *replies = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        yield f"{name}: predictions/{file.name}", digest((head["decoding"], replies))
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for part in PARTS:
        if record.get(part):
            yield f"{name}: {part}", digest(numbers_of(record[part]))


def numbers_of(value: Any) -> Any:
    """Return a JSON value with its numbers and names, without wording and without what a clock made."""
    if isinstance(value, dict):
        return {
            key: numbers_of(item)
            for key, item in value.items()
            if key not in PASSING and (key in NAMING or not isinstance(item, str))
        }
    return [numbers_of(item) for item in value] if isinstance(value, list) else value


def rounded(value: Any) -> Any:
    """Return a JSON value whose fractions have so few digits that another processor finds the same."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def digest(value: Any) -> str:
    """Return the first digits of the SHA-256 of a JSON value."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def digest_of_weights(file: Path) -> str:
    """Return a digest of names, shapes and bits of tensors, however the file lays them out."""
    from safetensors.numpy import load_file

    found = sha256()
    for name, tensor in sorted(load_file(file).items()):
        found.update(f"{name} {tensor.dtype} {tensor.shape}".encode() + tensor.tobytes())
    return found.hexdigest()[:16]


def live_in_child(words: tuple[str, ...], folder: Path, *, killed_at: int = 0) -> int:
    """Run the command line in a forked child that writes ``out`` and ``err``; return its exit code or minus its signal."""
    from pretune.selftest.life import Board, Fault, live

    fault = Fault(kind="kill", at=killed_at) if killed_at else Fault()
    return in_child(lambda: live(list(words), fault, Board(), folder))


def in_child(work: Callable[[], object]) -> int:
    """Fork, and let the child do the work; this process has one thread and never computes."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def together(task: Task) -> int:
    """Run a command in several processes that train as one, as ``torchrun`` starts them."""
    launcher = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={task.processes}", "--standalone"]
    done = subprocess.run([*launcher, "-m", "--", "pretune", *task.words], capture_output=True, text=True, check=False)
    Path("out").write_text(done.stdout, encoding="utf-8")
    Path("err").write_text(done.stderr, encoding="utf-8")
    return done.returncode


def describe_machine() -> dict[str, str]:
    """Return what the bits of a training depend on beside the code."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    fields = dict(reversed([line.split(":", 1) for line in lines if ":" in line]))
    told = {key.strip(): value.strip() for key, value in fields.items()}
    flags = sha256(told.get("flags", told.get("Features", "")).encode()).hexdigest()[:8]
    model = f"{told.get('model name', platform.processor())}, family {told.get('cpu family')}, model {told.get('model')}"
    versions = {name: _version(name) for name in PACKAGES}
    return {"processor": f"{model}, flags {flags}", "python": platform.python_version(), **versions}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def compare(known: dict[str, Any], now: dict[str, Any], *, only: str, seconds: float) -> int:
    """Print what differs from the list; return 1 where something does."""
    other = [
        f"{name} {known['machine'].get(name)} → {value}"
        for name, value in now["machine"].items()
        if known["machine"].get(name) != value
    ]
    wanted = {name: value for name, value in known["found"].items() if only in name.partition(":")[0]}
    found = now["found"]
    if other:
        print(f"another machine than that of the list ({'; '.join(other)}): only what does not depend on it is compared")
        wanted = {name: value for name, value in wanted.items() if name.endswith(" =")}
        found = {name: value for name, value in found.items() if name.endswith(" =")}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    for name in wrong:
        print(f"DIFFERS  {name}: {wanted.get(name, 'not in the list')} → {found.get(name, 'gone')}")
    num_same = sum(found.get(name) == value for name, value in wanted.items())
    print(f"{num_same} of {len(wanted)} digests are the same ({seconds:.0f} s)")
    return int(bool(wrong) or not wanted)


if __name__ == "__main__":
    sys.exit(main())

"""Fuzz of whole commands: ``check``, ``audit``, ``predict --file`` and ``evaluate`` on inputs that were spoiled at random.

``python benchmarks/fuzz_commands.py`` tries 2,000 mutations with each command and writes results/fuzz_commands.json;
``--number N``, ``--seed S`` and ``--only COMMAND …`` do so in part. What is spoiled: the bytes of tables (quotes, NULs,
byte-order marks, flipped bits, cut-off ends, doubled lines, headers in the middle, odd encodings), flags and their values,
and, for ``predict`` and ``evaluate``, the files of a run folder.

Each command runs in this process, under an alarm, and must end with one JSON object (``predict``: JSON lines, one an
answer, or one object), a documented exit code (1 and 3 only from ``audit``), no traceback, and every row of every file
accounted for.
"""

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from spoiling import MUTATIONS, spoil_flags, spoil_run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))  # its generated rows and tiny checkpoint

COMMANDS = ("check", "audit", "predict", "evaluate")
CODES = {"check": {0, 2, 4}, "audit": {0, 1, 2, 3, 4}, "predict": {0, 2, 4}, "evaluate": {0, 2, 4}}
SECONDS = 60  # of processor time, after which a command hangs: other work on the machine does not count
NUM_ROWS = 60
FRESH_HOME = 50  # commands after which the ledger is begun anew, so that its length is not what is measured


@dataclass(slots=True)
class Outcome:
    """How one command ended."""

    command: list[str]
    code: int | None
    out: str
    err: str
    seconds: float
    faults: list[str] = field(default_factory=list)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens.

    Args:
        folder: A folder of its own, the current one.
        tables: Files with labelled texts.
        answers: Files with predictions.
        run: A fine-tuned run.
    """

    folder: Path
    tables: tuple[Path, ...]
    answers: tuple[Path, ...]
    run: Path


class Hang(BaseException):
    """The alarm went off."""


def main() -> None:
    """Fuzz, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    asked = parser.parse_args()
    from harness import row

    for command in asked.only:
        with prepared(has_run=command in ("predict", "evaluate")) as place:
            name = "fuzz_commands" if asked.number >= 2_000 and not asked.seed else f"fuzz_commands-{asked.number}-{asked.seed}"
            row(f"{name}/{command}", lambda: fuzz(command, place, asked.number, asked.seed), again=True)  # noqa: B023 - at once


@contextlib.contextmanager
def prepared(*, has_run: bool = True) -> Iterator[Place]:
    """Make tables, predictions and a run in a folder of their own, which is the current one for as long as the block runs."""
    from tiny import make_rows

    before, home = Path.cwd(), os.environ.get("PRETUNE_HOME")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        os.environ["PRETUNE_HOME"] = str(folder / "home")
        rows = make_rows(NUM_ROWS)
        tables, answers = tuple(_write_tables(folder, rows)), tuple(_write_answers(folder, rows))
        if has_run:
            _make_run(folder, tables[0])
        try:
            yield Place(folder, tables, answers, folder / "run")
        finally:
            os.chdir(before)
            os.environ.pop("PRETUNE_HOME")
            if home is not None:
                os.environ["PRETUNE_HOME"] = home


def _make_run(folder: Path, table: Path) -> None:
    from running import call, learning_flags

    from tiny import save_checkpoint

    save_checkpoint("bert", folder / "checkpoint")
    flags = learning_flags(folder / "checkpoint", epochs=1)
    with contextlib.redirect_stdout(io.StringIO()):
        code = call("finetune", table, "--run", "run", "--quiet", "--set", "judge.encoder_linear=false", *flags)
    if code:
        raise RuntimeError(f"the run could not be made: exit code {code}")


def fuzz(command: str, place: Place, number: int, seed: int) -> dict[str, Any]:
    """Try so many mutations; return counts, and every fault with what is needed to see it again."""
    import pretune.tasks.ask
    import pretune.tasks.audit
    import pretune.tasks.classify.check  # noqa: F401 - what the first command would otherwise spend its time on

    codes, faults, slowest, num_rows = Counter[str](), list[dict[str, Any]](), 0.0, 0
    for index in range(number):
        draw = random.Random(f"{command} {seed} {index}")
        if index % FRESH_HOME == 0:
            os.environ["PRETUNE_HOME"] = str(place.folder / f"home-{command}-{index}")
        outcome = try_once(command, place, draw)
        codes[str(outcome.code)] += 1
        num_rows += outcome.rows
        slowest = max(slowest, outcome.seconds)
        if outcome.faults:
            told = (outcome.out + outcome.err)[-600:]
            faults.append({"index": index, "command": outcome.command, "faults": outcome.faults, "said": told})
            print(f"{command} {index}: {outcome.faults} {outcome.command} {told[:300]}", flush=True)
    return {
        "command": command, "seed": seed, "mutations": number, "exit_codes": dict(sorted(codes.items())),
        "num_faults": len(faults), "faults": faults[:50], "slowest_seconds": round(slowest, 1), "rows_accounted_for": num_rows,
    }  # fmt: skip


def try_once(command: str, place: Place, draw: random.Random) -> Outcome:
    """Spoil one thing, and run the command on it."""
    sources = place.answers if command == "audit" else place.tables
    source = draw.choice(sources)
    target = place.folder / f"spoiled{''.join(source.suffixes)}"
    data, run = source.read_bytes(), place.run
    what = draw.choice(("bytes", "bytes", "bytes", "flags", "both", "run" if command in ("predict", "evaluate") else "bytes"))
    if what in ("bytes", "both"):
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            data = draw.choice(MUTATIONS)(data, draw)
    target.write_bytes(data)
    if what == "run":
        run = spoil_run(place.run, place.folder / "spoiled-run", draw)
    flags = spoil_flags(command, draw) if what in ("flags", "both") else []
    try:
        return judge(command, run_command([command, "--json", *_words(command, run, target, draw), *flags]))
    finally:
        target.unlink(missing_ok=True)
        if run != place.run:
            shutil.rmtree(run, ignore_errors=True)


def _words(command: str, run: Path, target: Path, draw: random.Random) -> list[str]:
    model = str(run / "linear") if draw.random() < 0.5 else str(run)
    return {
        "check": [str(target)],
        "audit": [str(target)],
        "predict": [model, "--file", str(target)],
        "evaluate": [str(run), str(target)],
    }[command]


def run_command(arguments: list[str]) -> Outcome:
    """Run a command in this process, under an alarm."""
    from pretune.cli.app import main as pretune_main

    def ring(_number: int, _frame: object) -> NoReturn:
        raise Hang

    out, err, code, faults, start = io.StringIO(), io.StringIO(), None, list[str](), time.process_time()
    old_arguments, old_handler = sys.argv, signal.signal(signal.SIGPROF, ring)
    sys.argv = ["pretune", *arguments]
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            pretune_main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        faults.append(f"raised {type(error).__name__}")
        err.write(traceback.format_exc()[-600:])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old_handler)
        sys.argv = old_arguments
    seconds = time.process_time() - start
    if seconds >= SECONDS:
        faults.append("hung")
    return Outcome(arguments, code, out.getvalue(), err.getvalue(), seconds, faults)


def judge(command: str, outcome: Outcome) -> Outcome:
    """Say what is wrong with how a command ended."""
    if outcome.code not in CODES[command]:
        outcome.faults.append(f"exit code {outcome.code}")
    if "Traceback" in outcome.err:
        outcome.faults.append("a traceback")
    lines = outcome.out.splitlines()
    try:
        objects = [json.loads(line, parse_constant=_no_number) for line in lines]
    except ValueError as error:
        outcome.faults.append(f"no JSON: {error}")
        return outcome
    if any(not isinstance(item, dict) for item in objects):
        outcome.faults.append("a line that is no object")
    elif command == "predict" and outcome.code == 0:
        outcome.rows = len(objects)
    elif len(objects) != 1 and command != "predict":
        outcome.faults.append(f"{len(objects)} objects")
    elif not objects or (outcome.code in (2, 4)) != ("error" in objects[-1]):
        outcome.faults.append("the object does not fit the exit code")
    elif outcome.code not in (2, 4):
        outcome.rows += _count_rows(objects[0].get("data") or {}, outcome)
    return outcome


def _count_rows(receipt: dict[str, Any], outcome: Outcome) -> int:
    for file in receipt.get("files", ()):
        if file["num_rows"] != file["num_used"] + len(file["rejected"]):
            outcome.faults.append(f"{file['num_rows']} rows are {file['num_used']} + {len(file['rejected'])}")
    if receipt and receipt["num_rows"] != receipt["num_used"] + receipt["num_rejected"]:
        outcome.faults.append("the receipt does not add up")
    return int(receipt.get("num_rows", 0))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} in JSON")


def _write_tables(folder: Path, rows: list[tuple[str, str]]) -> Iterator[Path]:
    for name, delimiter in (("reviews.csv", ","), ("reviews.tsv", "\t"), ("semicolons.csv", ";")):
        lines = [delimiter.join(("text", "label")), *(delimiter.join(row) for row in rows)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield folder / name
    lines = [f'"{text.replace(" ", chr(10), 1)}, ""so""","{label}"' for text, label in rows]
    (folder / "quoted.csv").write_text("\r\n".join(['"text","label"', *lines]) + "\r\n", encoding="utf-8")
    yield folder / "quoted.csv"
    objects = [json.dumps({"text": text, "label": label, "id": number}) for number, (text, label) in enumerate(rows)]
    (folder / "reviews.jsonl").write_text("\n".join(objects) + "\n", encoding="utf-8")
    yield folder / "reviews.jsonl"


def _write_answers(folder: Path, rows: list[tuple[str, str]]) -> Iterator[Path]:
    draw = random.Random(0)
    said = [label if draw.random() < 0.85 else {"good": "bad", "bad": "good"}[label] for _, label in rows]
    shares = [round(draw.uniform(0.5, 1), 3) for _ in rows]
    cells = list(zip(rows, said, shares, strict=True))
    one = ["id,text,label,predicted,score", *(f"{n},{r[0]},{r[1]},{p},{s}" for n, (r, p, s) in enumerate(cells))]
    (folder / "answers.csv").write_text("\n".join(one) + "\n", encoding="utf-8")
    yield folder / "answers.csv"
    pairs = [(share, round(1 - share, 3)) if answer == "bad" else (round(1 - share, 3), share) for _, answer, share in cells]
    wide = [f"{n}\t{row[1]}\t{bad}\t{good}" for n, (row, (bad, good)) in enumerate(zip(rows, pairs, strict=True))]
    (folder / "wide.tsv").write_text("\n".join(["id\tlabel\tbad\tgood", *wide]) + "\n", encoding="utf-8")
    yield folder / "wide.tsv"
    objects = [json.dumps({"label": r[1], "predicted": p, "scores": {p: s}}) for r, p, s in cells]
    (folder / "answers.jsonl").write_text("\n".join(objects) + "\n", encoding="utf-8")
    yield folder / "answers.jsonl"
    texts = [json.dumps({"id": n, "reference": r[0], "hypothesis": r[0][: 20 + n]}) for n, (r, _, _) in enumerate(cells)]
    (folder / "texts.jsonl").write_text("\n".join(texts) + "\n", encoding="utf-8")
    yield folder / "texts.jsonl"


if __name__ == "__main__":
    main()

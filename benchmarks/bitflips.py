"""Bit flips: one bit of one file of a run, finished or cut off, and then every command that reads it.

A fifth as many files are deleted, or shortened (a file of lines by whole lines as often as within one). Of each answer: was the
file named, was the answer the same to the byte, or was it another one without a word (which must never be)? No network, all in
one process: ``python benchmarks/bitflips.py --flips 1000 --out benchmarks/results/bitflips.json``.
"""

import argparse
import contextlib
import gc
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pretune.hashing import digest_of, digest_of_file
from pretune.selftest.harness import outcome_of
from pretune.selftest.material import make_rows, write_material

# What differs between two runs of the same command.
VARYING = ("seconds", "time", "created", "place", "run", "report", "digest", "ledger_head")
KINDS = (
    "run.json", "data/*", "trace.jsonl", "linear/*", "encoder_linear/*", "model/*", "predictions/*", "report.html", "README.md",
)  # fmt: skip
CUT_OFF = ("run.json", "data/*", "trace.jsonl", "linear/*", "checkpoints/*/*")
# Which commands read which part; all are also verified. Judging, and training on from the run, take as long as the rest
# together. "elsewhere" judges without the ledger, as on another machine.
READERS = {
    "run.json": ("report", "recompute", "compare", "evaluate", "judge", "train on"),
    "data": ("evaluate", "compare", "recompute", "judge", "elsewhere"),
    "trace.jsonl": ("report", "judge", "elsewhere"),
    "linear": ("linear", "evaluate", "judge"),
    "encoder_linear": ("evaluate", "judge"),
    "model": ("predict", "trace", "evaluate", "judge", "train on"),
    "predictions": ("compare", "recompute", "evaluate", "judge"),
    "report.html": (),
    "README.md": (),
}
SLOW = ("judge", "elsewhere", "train on")  # asked of every fourth flip; of all that is deleted or shortened
HOWS = ("flip", "delete", "shorten", "shorten by lines")


@dataclass(slots=True)
class Tally:
    """What came out, by kind of file and by command."""

    hows: Counter[str] = field(default_factory=Counter)  # how many files were flipped, deleted, shortened
    named: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # refused, with a message that does not name the file
    silent: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)  # answers that a flip changed and `verify` did not name


class Bench:
    """A finished run and one that was cut off, and what each command answers about them.

    Args:
        place: An empty folder.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.tally, self.number = place, Tally(), 0
        os.environ.update(PRETUNE_HOME=str(place / "home"), PRETUNE_CACHE=str(place / "cache"), PRETUNE_SAVE_SECONDS="0")
        table, model = write_material(place)
        rows = [(f"{text} refund", "other") if index % 3 == 0 else (text, label) for index, (text, label) in
                enumerate(make_rows(180))]  # fmt: skip
        table.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
        (place / "asked.csv").write_text("text,label\n" + "".join(f"{a},{b}\n" for a, b in rows[:40]), encoding="utf-8")
        self.table, self.model = str(table), str(model)
        self.settings = [
            "--freeze", "none", "--epochs", "2", "--lr", "3e-3", "--batch-size", "8",
            "--threads", "1", "--seed", "1", "--set", "finetune.precision=fp32", "--quiet",
        ]  # fmt: skip
        self.words = [self.table, "--model", self.model, *self.settings]
        self.finished, self.other, self.cut = (place / name / "run" for name in ("finished", "other", "cut"))
        for run in (self.finished, self.other):
            code, said = call("run", *self.words, "--run", str(run))
            if code not in (0, 1, 3):
                raise SystemExit(f"the run ended with {code}: {said}")
        self._cut_off()
        self.home = place / "home-then"
        shutil.copytree(place / "home", self.home)
        self.wanted = {name: self._answer(name, self.finished) for name in ("verify", *COMMANDS)}
        whole = self._copy(self.cut)
        self.resumed = self._resume(whole)

    def _cut_off(self) -> None:
        from pretune.train import Checkpoints

        save, flags = Checkpoints.save, ["--set", "judge.encoder_linear=false"]

        def stop(self: Checkpoints, saved: Any) -> None:
            save(self, saved)
            if saved.step >= 12:
                raise KeyboardInterrupt

        Checkpoints.save = stop  # type: ignore[method-assign]
        code, said = call("finetune", *self.words, *flags, "--run", str(self.cut))
        Checkpoints.save = save  # type: ignore[method-assign]
        if code != 130:
            raise SystemExit(f"the run that shall be cut off ended with {code}: {said}")

    def _resume(self, run: Path) -> tuple[int, str, str]:
        code, said = call("finetune", *self.words, "--set", "judge.encoder_linear=false", "--run", str(run), "--json")
        return code, digest_of(outcome_of(run)) if code == 0 else "", said

    def _train_on(self, run: Path) -> tuple[int, str, str]:
        """Start a training from the run, at a place that is always the same: the new model has its name."""
        start, made = self.place / "from" / "run", self.place / "next" / "run"
        for place in (start, made):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(run, start)
        flags = ["--set", "judge.encoder_linear=false", "--epochs", "1", "--json"]
        code, said = call("finetune", self.table, "--model", str(start), *self.settings, *flags, "--run", str(made))
        return code, digest_of(outcome_of(made)) if code == 0 else "", said

    def _copy(self, run: Path) -> Path:
        self.number += 1
        target = self.place / "copies" / str(self.number) / run.name
        shutil.copytree(run, target)
        self._restore_home()
        return target

    def _restore_home(self, *, is_new: bool = False) -> None:
        shutil.rmtree(self.place / "home", ignore_errors=True)
        if not is_new:
            shutil.copytree(self.home, self.place / "home")

    def _answer(self, command: str, run: Path) -> tuple[int, str, str]:
        """Return exit code, what was answered as a digest, and what was said."""
        self._restore_home()
        if command == "train on":
            return self._train_on(run)
        place = self._copy(run) if command in ("judge", "elsewhere", "report", "trace") else run
        if command == "elsewhere":
            self._restore_home(is_new=True)
        code, said = call(*(word.format(run=place, other=self.other, place=self.place) for word in WORDS[command]))
        said = said.replace(str(place), "RUN")  # a comparison names runs of one name by their paths
        answer = said
        if command == "report" and code == 0:
            answer = digest_of_file(place / "report.html") + digest_of_file(place / "README.md")
        elif code in (0, 1, 3):
            with contextlib.suppress(ValueError):
                answer = digest_of(_steady([json.loads(line) for line in said.splitlines() if line.startswith("{")]))
        if place != run:
            shutil.rmtree(place.parent)
        return code, answer, said

    def spoil(self, draw: random.Random, number: int, how: str) -> None:
        """Spoil one file somewhere, ask every command that reads it, and count."""
        is_cut = number % 5 == 4
        run, kinds = (self.cut, CUT_OFF) if is_cut else (self.finished, KINDS)
        kind = kinds[number // 5 % len(kinds)]
        files = sorted(path for path in run.glob(kind) if path.is_file() and path.stat().st_size)
        if not files:
            return
        file = draw.choice(files).relative_to(run)
        copy = self._copy(run)
        story = f"{number}: {_spoil(copy / file, how, draw)} in {file}" + (" (cut off)" if is_cut else "")
        self.tally.hows[how.partition(" ")[0]] += 1
        verified = self._judge("verify", self._answer("verify", copy), self.wanted["verify"], file, story)
        if is_cut:
            outcomes = [self._judge("resume", self._resume(copy), self.resumed, file, story)]
        else:
            is_asked = number % 4 == 0 or how != "flip"
            readers = [name for name in READERS[file.parts[0]] if name not in SLOW or is_asked]
            outcomes = [self._judge(name, self._answer(name, copy), self.wanted[name], file, story) for name in readers]
        if verified == "harmless" and any(outcome != "harmless" for outcome in outcomes):
            self.tally.unverified.append(story)
        shutil.rmtree(copy.parent, ignore_errors=True)
        gc.collect()

    def _judge(self, command: str, found: tuple[int, str, str], wanted: tuple[int, str, str], file: Path, story: str) -> str:
        (code, answer, said), key = found, f"{file.parts[0]}: {command}"
        if "Traceback" in said:
            self.tally.tracebacks.append(f"{story}; {command}: {said[-400:]}")
            return "traceback"
        if (code, answer) == wanted[:2]:
            self.tally.harmless[key] += 1
            return "harmless"
        if code in (0, 1, 3) and command != "verify":
            self.tally.silent.append(f"{story}; {command}: {code} in place of {wanted[0]}")
            return "silent"
        is_named = any(part in said for part in (file.name, file.as_posix(), file.stem, f"{file.parts[0]} ", "step-"))
        (self.tally.named if is_named else self.tally.refused)[key] += 1
        return "named" if is_named else "refused"


WORDS = {
    "verify": ("verify", "{run}", "--json"),
    "predict": ("predict", "{run}", "--file", "{place}/asked.csv", "--json"),
    "linear": ("predict", "{run}/linear", "--file", "{place}/asked.csv", "--json"),
    "evaluate": ("evaluate", "{run}", "{place}/asked.csv", "--json"),
    "trace": ("trace", "{run}", "a film that is moving", "--json"),
    "compare": ("compare", "{run}", "{other}", "--json"),
    "report": ("report", "{run}", "--json"),
    "recompute": ("judge", "{run}", "--recompute", "--json"),
    "judge": ("judge", "{run}", "--json"),
    "elsewhere": ("judge", "{run}", "--json"),
}
COMMANDS: tuple[str, ...] = (*(name for name in WORDS if name != "verify"), "train on")


def _spoil(file: Path, how: str, draw: random.Random) -> str:
    """Spoil a file; return what was done."""
    data = bytearray(file.read_bytes())
    if how == "delete":
        file.unlink()
        return f"all {len(data)} bytes deleted"
    if how == "flip":
        at, bit = draw.randrange(len(data)), draw.randrange(8)
        data[at] ^= 1 << bit
        file.write_bytes(data)
        return f"bit {bit} of byte {at} of {len(data)} flipped"
    at = draw.randrange(len(data))
    at = data.rfind(b"\n", 0, at) + 1 if how == "shorten by lines" else at
    file.write_bytes(data[:at])
    return f"shortened from {len(data)} to {at} bytes"


def call(*words: str) -> tuple[int, str]:
    """Run the command line in this process; return its exit code and all that it said."""
    from pretune.cli.app import _run

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = _run(list(words))
        except BaseException:
            traceback.print_exc(file=said)
            code = -1
    return code, said.getvalue()


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _steady(item) for name, item in value.items() if name not in VARYING}
    return [_steady(item) for item in value] if isinstance(value, list) else value


def measure(num_flips: int, seed: int, *, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Flip so many bits; return the counts as JSON."""
    start, place = time.perf_counter(), Path(tempfile.mkdtemp(prefix="pretune-bitflips-"))
    try:
        bench = Bench(place)
        for number in _counted(num_flips + num_flips // 5, tell, bench.tally):
            how = "flip" if number < num_flips else HOWS[1 + number % 3]
            bench.spoil(random.Random(f"{seed} {number}"), number, how)
        tally = bench.tally
    finally:
        shutil.rmtree(place, ignore_errors=True)
    kinds = sorted({key for counter in (tally.named, tally.harmless, tally.refused) for key in counter})
    return {
        "schema": 2, "flips": num_flips, "deleted": tally.hows["delete"], "shortened": tally.hows["shorten"],
        "seed": seed, "named": tally.named.total(), "harmless": tally.harmless.total(),
        "refused_unnamed": tally.refused.total(), "silently_wrong": len(tally.silent), "tracebacks": len(tally.tracebacks),
        "unverified": len(tally.unverified), "seconds": round(time.perf_counter() - start, 1),
        "by_kind": {
            kind: {"named": tally.named[kind], "harmless": tally.harmless[kind], "refused": tally.refused[kind]}
            for kind in kinds
        },
        "details": {"silent": tally.silent[:40], "tracebacks": tally.tracebacks[:20], "unverified": tally.unverified[:20]},
    }  # fmt: skip


def _counted(num_flips: int, tell: Callable[[str], None], tally: Tally) -> Iterator[int]:
    for number in range(num_flips):
        yield number
        if number % 10 == 9:
            counts = f"{len(tally.silent)} silent, {len(tally.tracebacks)} tracebacks, {tally.named.total()} named"
            tell("\n".join([f"{number + 1} files: {counts}", *tally.silent, *tally.tracebacks]))


def main() -> int:
    """Measure, print, and write the result; return 1 where an answer changed unsaid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measure(given.flips, given.seed, tell=lambda line: print(line, file=sys.stderr, flush=True))
    text = json.dumps(found, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return int(bool(found["silently_wrong"] or found["tracebacks"]))


if __name__ == "__main__":
    sys.exit(main())

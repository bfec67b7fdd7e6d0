"""Sizes: how long are files and functions, and how many parameters do they take?"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Aims and limits of CONTRIBUTING.md. Past an aim is worth a look; past a limit fails `make check`.
AIMS = {"lines in a file": 300, "lines in a function body": 30, "parameters": 6}
LIMITS = {"lines in a file": 400, "lines in a function body": 60, "parameters": 7}

# The options of these are flags of the commands as well, and stand in the signature so that help and editors show them.
# The texts of a question are named one by one where it is written, so that none can be left out.
OPTIONS = ("load_data", "load_conversations", "template")

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


class Size(NamedTuple):
    """One number that has an aim and a limit."""

    kind: str
    value: int
    place: str


def main() -> int:
    """Print the table; return 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=["src", "tools", "benchmarks"])
    parser.add_argument("--all", action="store_true", help="also list every file")
    arguments = parser.parse_args()
    files = [path for folder in arguments.folders for path in sorted(Path(folder).rglob("*.py"))]
    sizes = [size for path in files for size in measure(path)]
    if arguments.all:
        print("\n".join(f"{size.value:5}  {size.place}" for size in sizes if size.kind == "lines in a file"), end="\n\n")
    print(summary(sizes))
    for size in (size for size in sizes if size.value > AIMS[size.kind]):
        print(f"{remark(size):6}{size.value:4} {size.kind:24}  {size.place}")
    return int(any(remark(size) == "FAIL" for size in sizes))


def remark(size: Size) -> str:
    """Say what a size past its aim deserves: a look, or to fail."""
    return "look" if size.value <= LIMITS[size.kind] else "FAIL"


def measure(path: Path) -> Iterator[Size]:
    """Yield the sizes of one file and of every function in it, nested ones included."""
    source = path.read_text(encoding="utf-8")
    yield Size("lines in a file", len(source.splitlines()), str(path))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, AnyFunction):
            place = f"{path}:{node.lineno} {node.name}"
            yield Size("lines in a function body", body_lines(node), place)
            if not is_command(path, node) and node.name not in OPTIONS:
                yield Size("parameters", num_parameters(node), place)


def body_lines(node: AnyFunction) -> int:
    """Count the lines from the first statement after the docstring to the last."""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return statements[-1].end_lineno - statements[0].lineno + 1 if statements else 0


def num_parameters(node: AnyFunction) -> int:
    """Count parameters of every kind, but ``self`` and ``cls``."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    caught = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    return len([item for item in named if item.arg not in ("self", "cls")]) + len(caught)


def is_command(path: Path, node: AnyFunction) -> bool:
    """Whether it is a command of the command line, whose parameters are its flags."""
    return path.parent.as_posix().endswith("cli/commands") and not node.name.startswith("_")


def summary(sizes: list[Size]) -> str:
    """Return one row a kind: how many, median, largest, aim, limit."""
    rows = [f"{'':26}{'count':>6}{'median':>8}{'90 %':>6}{'largest':>9}{'aim':>6}{'limit':>7}"]
    for kind, aim in AIMS.items():
        values = sorted(size.value for size in sizes if size.kind == kind) or [0]
        middle, high = values[len(values) // 2], values[len(values) * 9 // 10]
        rows.append(f"{kind:26}{len(values):6}{middle:8}{high:6}{values[-1]:9}{aim:6}{LIMITS[kind]:7}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())

"""Layers: does every import point the way that CONTRIBUTING.md draws it, and does nothing unsafe come in?"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src"

FOUNDATION = frozenset({"errors", "hashing", "intervals", "records", "configs", "storage", "run", "wording"})
JUDGES = frozenset({"evaluate", "diagnose", "verdict", "report"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    **dict.fromkeys(FOUNDATION, FOUNDATION),
    "data": FOUNDATION,
    "tokens": FOUNDATION | {"data"},
    "models": FOUNDATION | {"data", "tokens"},
    "train": FOUNDATION | {"data", "tokens", "models"},
    "predict": FOUNDATION | {"data", "tokens", "models"},
    "evaluate": FOUNDATION,
    "diagnose": FOUNDATION | {"data", "evaluate"},
    "verdict": FOUNDATION,
    "report": FOUNDATION,
}
MAKERS = frozenset({"data", "tokens", "models", "train", "predict"})
BELOW = FOUNDATION | MAKERS | JUDGES
TOP = ("tasks", "production", "cli", "selftest")  # each may import those before it
MAY_IMPORT |= {stage: BELOW | set(TOP[:place]) for place, stage in enumerate(TOP)}
MAY_IMPORT |= {
    "": BELOW | set(TOP[: TOP.index("cli")]),  # the package itself: the public names
    "__main__": frozenset({"cli"}),
    "batch": frozenset({"production"}),  # what engines import by a short name
}
# Inside of ``tasks``: what a task may import besides itself. Any may start from a run of pre-training.
SHARED_BY_TASKS = frozenset({"adapt", "origins", "places", "processes", "recomputed", "report", "resumable"})
TASKS_MAY_IMPORT: dict[str, frozenset[str]] = {
    **dict.fromkeys(SHARED_BY_TASKS, SHARED_BY_TASKS),
    "pretrain": SHARED_BY_TASKS,
    "classify": SHARED_BY_TASKS | {"pretrain"},
    "audit": SHARED_BY_TASKS | {"pretrain"},
    "converse": SHARED_BY_TASKS | {"pretrain"},
    "ask": SHARED_BY_TASKS | {"classify", "pretrain"},
    "judge": SHARED_BY_TASKS | {"classify", "converse", "pretrain"},
    "verify": SHARED_BY_TASKS | {"classify", "pretrain", "audit", "converse"},
    "learn": SHARED_BY_TASKS | {"classify", "pretrain", "converse"},
}
MODEL_LIBRARIES = {"torch", "transformers", "tokenizers", "accelerate"}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "joblib", "marshal", "pickletools", "torch.hub"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}  # as calls of the built-in, not as methods


class Import(NamedTuple):
    """One imported module or name, by its full dotted name."""

    target: str
    line: int
    is_relative: bool
    is_typing_only: bool


def test_every_import_points_down():
    assert list(wrong_arrows(read_sources())) == []


def test_no_task_imports_another_but_pre_training():
    assert list(wrong_tasks(read_sources())) == []


def test_a_planted_import_of_another_task_is_seen():
    planted = {
        "pretune.tasks.audit.path": "from pretune.tasks.classify import judge",
        "pretune.tasks.report": "from pretune.tasks.classify.baselines import open_linear",
        "pretune.tasks.classify.path": "from pretune.tasks.pretrain import pretrain",
    }
    assert [found.partition(":")[0] for found in wrong_tasks(planted)] == ["pretune.tasks.audit.path", "pretune.tasks.report"]


def test_every_stage_has_its_place_in_the_layers():
    stages = {stage_of(module) for module in read_sources()}
    assert stages <= MAY_IMPORT.keys(), "a new stage needs its row in MAY_IMPORT"


def test_the_table_in_contributing_is_this_one():
    text = (SOURCE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert layers_table() in text, f"CONTRIBUTING.md has another table of layers; put this there:\n{layers_table()}"


def test_imports_are_absolute():
    sources = read_sources()
    relative = [f"{name}:{item.line}" for name, text in sources.items() for item in imports_of(text) if item.is_relative]
    assert relative == []


def test_modules_import_each_other_in_no_circle():
    assert find_circle(read_sources()) == []


def test_the_foundation_needs_the_standard_library_and_numpy_only():
    known = {*sys.stdlib_module_names, "numpy", "pretune"}
    # The exact interval needs quantiles of the beta distribution; scipy comes with scikit-learn (docs/decisions/0001).
    # Records become data frames and plots where a user asks for it, and has these (docs/decisions/0058).
    extra = {"intervals": {"scipy"}, "records": {"pandas", "matplotlib"}}
    outside = [
        f"{module}:{item.line} {item.target}"
        for module, text in read_sources().items()
        if stage_of(module) in FOUNDATION
        for item in imports_of(text)
        if root_of(item.target) not in known | extra.get(stage_of(module), set())
    ]
    assert outside == []


def test_no_judge_reaches_torch_by_any_path():
    sources = read_sources()
    reached = {name: reaches(name, sources) & MODEL_LIBRARIES for name in sources if stage_of(name) in JUDGES}
    assert {name: libraries for name, libraries in reached.items() if libraries} == {}


def test_importing_every_judge_leaves_torch_unloaded():
    judges = sorted(name for name in read_sources() if stage_of(name) in JUDGES)
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code, *judges], check=True, capture_output=True, text=True).stdout
    assert judges
    assert MODEL_LIBRARIES & set(shown.split()) == set()


def test_nothing_unsafe_is_used():
    assert [found for name, text in read_sources().items() for found in unsafe_uses(name, text)] == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("pretune.data.read.path", "from pretune.tokens.encode import encode"),
        ("pretune.train.loop", "import pretune.predict.classify"),
        ("pretune.predict.classify", "from pretune import train"),
        ("pretune.evaluate.metrics", "from pretune.data.read.path import read_table"),
        ("pretune.verdict.judge", "from pretune.evaluate.metrics import score"),
        ("pretune.report.page.html", "def render():\n    from pretune.diagnose import CHECKS"),
        ("pretune.diagnose.leakage", "import torch\nfrom pretune.models import checkpoint"),
        ("pretune.storage", "from pretune.data import read"),
        ("pretune.tasks.classify.path", "from pretune.cli.show import Terminal"),
        ("pretune.data.read.path", "import importlib\nimportlib.import_module('pretune.tasks.classify.path')"),
    ],
)
def test_a_planted_upward_import_is_seen(module, text):
    assert len(list(wrong_arrows({module: text}))) == 1


def test_a_planted_detour_to_torch_is_seen():
    planted = {
        "pretune.report.page.html": "from pretune.data.read.path import read_table",
        "pretune.data.read.path": "from pretune.data.read import table",
        "pretune.data.read.table": "def load():\n    import torch.nn",
    }
    assert "torch" in reaches("pretune.report.page.html", planted)


def test_an_import_for_type_checking_loads_nothing():
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"
    assert reaches("pretune.report.page.html", {"pretune.report.page.html": text}) == {"typing"}


def test_a_planted_circle_is_seen():
    planted = {"pretune.data.a": "import pretune.data.b", "pretune.data.b": "def late():\n    from pretune.data import a"}
    assert sorted(set(find_circle(planted))) == ["pretune.data.a", "pretune.data.b"]


def test_a_planted_relative_import_is_seen():
    assert [item.is_relative for item in imports_of("from . import errors\nfrom pretune import records")] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "def load():\n    from joblib import load",
        "state = torch.load(path)",
        "from torch import load",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "AutoModel.from_pretrained(name, trust_remote_code=flag)",
        "frame.load(path, allow_pickle=True)",
        "numpy.load(path)",
        "import numpy as np\nnp.load(path)",
        "from numpy import load",
        "import marshal",
        "import torch.hub",
        "torch.hub.load('org/name', 'model')",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "frame = pandas.read_pickle(path)",
    ],
)
def test_a_planted_unsafe_use_is_seen(text):
    assert len(list(unsafe_uses("pretune.models.checkpoint", text))) == 1


def layers_table() -> str:
    """Return the rows of CONTRIBUTING's table of layers, made from MAY_IMPORT and TASKS_MAY_IMPORT."""

    def row(names: Iterable[str], allowed: Iterable[str], note: str = "") -> str:
        listed = [" ".join(f"`{name}`" for name in sorted(part)) for part in (names, allowed)]
        return f"| {listed[0]} | {listed[1]}{note} |"

    rows = ["| | may import |", "|---|---|", row(FOUNDATION, (), "the foundation; of other packages, numpy alone")]
    for stage in ("data", "tokens", "models", "train", "predict", *sorted(JUDGES)):
        rows.append(
            row(
                [stage],
                MAY_IMPORT[stage] - FOUNDATION,
                " and the foundation" if MAY_IMPORT[stage] - FOUNDATION else "the foundation",
            )
        )
    rows.append(row(TOP, (), f"everything above, and of themselves those before: {' → '.join(TOP)}"))
    rows.append(row((f"tasks/{name}" for name in SHARED_BY_TASKS), (), "each other"))
    for name in ("pretrain", "classify", "audit", "verify"):
        allowed = sorted(TASKS_MAY_IMPORT[name] - SHARED_BY_TASKS)
        others = [" ".join(f"`tasks/{other}`" for other in allowed)] if allowed else []
        rows.append(row([f"tasks/{name}"], (), " and ".join([*others, "what tasks share"])))
    return "\n".join(rows)


def read_sources() -> dict[str, str]:
    """Return the text of every module of the package by dotted name."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path.read_text(encoding="utf-8")
        for path in sorted((SOURCE / "pretune").rglob("*.py"))
    }


def root_of(module: str) -> str:
    """Return the package a dotted name starts with."""
    return module.partition(".")[0]


def stage_of(module: str) -> str:
    """Return the part after ``pretune.``: "data" for "pretune.data.read.path", "" for the package itself."""
    return [*module.split("."), ""][1]


@cache
def imports_of(text: str) -> tuple[Import, ...]:
    """Yield every import, also inside functions, and by ``import_module`` or ``require`` with a fixed name."""
    return tuple(_imports_in(text))


def _imports_in(text: str) -> Iterator[Import]:
    tree = ast.parse(text)
    guarded = {id(inner) for node in ast.walk(tree) if is_typing_guard(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        for target, is_relative in targets_of(node):
            yield Import(target, node.lineno, is_relative, id(node) in guarded)


def is_typing_guard(node: ast.AST) -> bool:
    """Whether the node is ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def targets_of(node: ast.AST) -> list[tuple[str, bool]]:
    """Return what one node imports: (dotted name, whether it is relative)."""
    if isinstance(node, ast.Import):
        return [(alias.name, False) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = f"{node.module}." if node.module else ""
        return [(base + alias.name, node.level > 0) for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "require", "__import__"):
        return [(item.value, False) for item in node.args[:1] if isinstance(item, ast.Constant)]
    return []


def wrong_arrows(sources: Mapping[str, str]) -> Iterator[str]:
    """Yield every import of another stage that MAY_IMPORT does not list."""
    for module, text in sources.items():
        stage = stage_of(module)
        allowed = MAY_IMPORT.get(stage, frozenset()) | {stage}
        for item in imports_of(text):
            # ``from pretune import load_data`` names the package, not a stage.
            other = stage_of(item.target) if stage_of(item.target) in MAY_IMPORT else ""
            if root_of(item.target) == "pretune" and other not in allowed:
                yield f"{module}:{item.line} imports {item.target}"


def wrong_tasks(sources: Mapping[str, str]) -> Iterator[str]:
    """Yield every import of one task by another that TASKS_MAY_IMPORT does not list."""
    for module, text in sources.items():
        parts = module.split(".")
        if parts[1:2] != ["tasks"] or len(parts) < 3:
            continue
        for item in imports_of(text):
            other = [*item.target.split("."), "", "", ""][:3]
            if other[:2] == ["pretune", "tasks"] and other[2] not in TASKS_MAY_IMPORT[parts[2]] | {parts[2]}:
                yield f"{module}:{item.line} imports {item.target}"


def loaded_by(module: str, sources: Mapping[str, str]) -> set[str]:
    """Return the modules of ours, and the packages of others, that running all of ``module`` would load."""
    loaded = set()
    for item in imports_of(sources[module]):
        if root_of(item.target) != "pretune":
            loaded |= set() if item.is_typing_only else {root_of(item.target)}
        elif not item.is_typing_only:
            parts = item.target.split(".")
            parents = {".".join(parts[:count]) for count in range(2, len(parts) + 1)}
            loaded |= parents & sources.keys()
    return loaded - {module}


def reaches(module: str, sources: Mapping[str, str]) -> set[str]:
    """Return the packages of others that ``module`` loads, directly or through ours."""
    open_modules, seen, packages = [module], {module}, set()
    while open_modules:
        for loaded in loaded_by(open_modules.pop(), sources):
            if loaded not in sources:
                packages.add(loaded)
            elif loaded not in seen:
                seen.add(loaded)
                open_modules.append(loaded)
    return packages


def find_circle(sources: Mapping[str, str]) -> list[str]:
    """Return the modules of one import circle, or nothing. A package's ``__init__`` only re-exports and is left out."""
    folders = {name.rpartition(".")[0] for name in sources}
    graph = {name: (loaded_by(name, sources) & sources.keys()) - folders for name in sources if name not in folders}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def unsafe_uses(module: str, text: str) -> Iterator[str]:
    """Yield every use of pickle, of ``torch.load`` and of code that comes with a model."""
    for item in imports_of(text):
        if {root_of(item.target), item.target} & PICKLES or item.target in ("torch.load", "numpy.load"):
            yield f"{module}:{item.line} imports {item.target}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and (ast.unparse(node) == "torch.load" or node.attr == "read_pickle"):
            yield f"{module}:{node.lineno} uses {ast.unparse(node)}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.load", "numpy.load", "torch.hub.load"):
            yield f"{module}:{node.lineno} uses {ast.unparse(node)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_TEXT:
            yield f"{module}:{node.lineno} calls {node.func.id}"
        is_switch = isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "allow_pickle")
        if is_switch and ast.unparse(node.value) != "False":
            yield f"{module}:{node.value.lineno} passes {ast.unparse(node.value)} as {node.arg}"

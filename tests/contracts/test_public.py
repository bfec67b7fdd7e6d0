"""Public names: is each there, and does each say what it is for?"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((SOURCE / "pretune").rglob("*.py"))
}
PROMISED = (
    "load_data",
    "load_pretrained_model",
    "load_model",
    "TextClassifier",
    "judge",
    "FinetuneConfig",
    "SplitConfig",
    "ReadConfig",
)


def test_the_promised_names_are_public():
    pretune = importlib.import_module("pretune")
    assert {*PROMISED, "PretuneError"} <= set(pretune.__all__)


def test_every_public_name_resolves_and_has_a_docstring():
    pretune = importlib.import_module("pretune")
    silent = [name for name in pretune.__all__ if not name.startswith("__") and not getattr(pretune, name).__doc__]
    assert silent == []


def test_dir_lists_the_public_names_before_they_are_loaded():
    pretune = importlib.import_module("pretune")
    assert set(pretune.__all__) <= set(dir(pretune))


@pytest.mark.parametrize("module", [name for name, path in MODULES.items() if path.name == "__init__.py" and name != "pretune"])
def test_every_name_a_stage_exports_is_there(module):
    stage = importlib.import_module(module)
    assert [name for name in getattr(stage, "__all__", ()) if not hasattr(stage, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_in_one_line_what_it_is_for(module):
    docstring = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""
    assert docstring.splitlines()[:1] != []
    assert docstring.splitlines()[0][-1] in ".?"


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_has_a_docstring(module):
    assert list(undocumented(ast.parse(MODULES[module].read_text(encoding="utf-8")))) == []


def test_a_planted_function_without_a_docstring_is_seen():
    methods = "    'It.'\n    def method(self): pass\n    def __len__(self): pass"
    planted = f"def shown(): pass\ndef _hidden(): pass\nclass Shown:\n{methods}"
    assert list(undocumented(ast.parse(planted))) == ["shown", "Shown.method"]


def undocumented(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """Yield public functions, classes and methods without a docstring; an overload or a setter repeats another's."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(item).rpartition(".")[2] for item in node.decorator_list}
        if ast.get_docstring(node) is None and not decorators & {"overload", "setter", "override"}:
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node, f"{prefix}{node.name}.")

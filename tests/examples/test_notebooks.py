"""Notebooks in examples/: do they run from the first cell to the last, and are they kept without what running leaves?"""

import json
import os
from pathlib import Path

import pytest
from chains import SMALL, write_corpus
from running import write_reviews

FOLDER = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 300  # for one cell
HTML = "text/html"


def test_there_are_four():
    assert {path.stem for path in NOTEBOOKS} == {"first_verdict", "own_data", "pretraining", "audit"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_names_what_can_be_set_in_its_first_code_cell(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)
    assert code[0]["metadata"].get("tags") == ["parameters"]
    assert all(cell["source"] for cell in cells)


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Return ``run(name, parameters)``, which executes a notebook with other parameters and returns its outputs by cell."""
    nbclient = pytest.importorskip("nbclient", reason="the extra `examples` has it")
    for package in ("ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(package, reason="the extras `examples` and `notebook` have it")
    import nbformat

    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent / "src"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))

    def run(name: str, parameters: str) -> list[dict[str, object]]:
        book = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        next(cell for cell in book.cells if cell.cell_type == "code").source = parameters
        client = nbclient.NotebookClient(
            book, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute(env=dict(os.environ))
        return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]

    return run


def html_of(outputs):
    return " ".join("".join(output["data"][HTML]) for output in outputs if HTML in output.get("data", {}))


def pictures_of(outputs):
    return [output for output in outputs if "image/png" in output.get("data", {})]


@pytest.mark.slow  # a kernel that loads torch and trains
def test_a_first_verdict(execute, tmp_path, tiny_checkpoint):
    write_reviews(tmp_path / "reviews.csv")
    outputs = execute("first_verdict", f'DATA, MODEL, EPOCHS = "reviews.csv", {str(tiny_checkpoint("bert"))!r}, 2')
    html = html_of(outputs)
    assert "sealed test rows" in html
    assert "validation loss" in html, "the table of epochs"
    assert "<progress" not in html, "the bar is gone when fit is over"
    assert [output for output in outputs if output.get("name") == "stderr"] == [], "no warning about bars of others"
    assert any(words in html for words in ("SHIP", "NOT ENOUGH EVIDENCE"))
    assert len(pictures_of(outputs)) == 1
    assert (tmp_path / "runs").is_dir()


@pytest.mark.slow  # likewise
def test_own_data(execute, tiny_checkpoint):
    outputs = execute("own_data", f"MODEL, EPOCHS = {str(tiny_checkpoint('bert'))!r}, 2")
    html = html_of(outputs)
    assert "Threshold" in html
    assert "Calibration" in html
    assert len(pictures_of(outputs)) == 2


@pytest.mark.slow  # a kernel, and a pre-training
def test_pretraining(execute, tmp_path):
    corpus = write_corpus(tmp_path / "words.txt")
    flags = " ".join([*SMALL, "--epochs", "3", "--set", "corpus.near_duplicate_threshold=0.95"])
    outputs = execute("pretraining", f'CORPUS, FLAGS, PROMPT = {str(corpus)!r}, "{flags}", "a [MASK]"')
    assert "Pre-training" in html_of(outputs)
    assert len(pictures_of(outputs)) == 1


@pytest.mark.slow  # a kernel, and an audit
def test_audit(execute):
    outputs = execute("audit", "NUM_ROWS = 600")
    html = html_of(outputs)
    assert "recall[complaint]" in html
    assert any(words in html for words in ("SHIP", "NOT ENOUGH EVIDENCE"))

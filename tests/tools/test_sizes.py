"""The size table: does it count what the limits are about, and fail past them?"""

import subprocess
import sys
from pathlib import Path

import pytest

SIZES = Path(__file__).parents[2] / "tools" / "sizes.py"


def run_sizes(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tool on a folder."""
    return subprocess.run([sys.executable, SIZES, folder], capture_output=True, text=True, check=False)


def test_a_tidy_file_passes(tmp_path):
    (tmp_path / "tidy.py").write_text("def add(a, b):\n    return a + b\n")
    assert run_sizes(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = 1\n" * 401, "lines in a file"),
        ("def long():\n" + "    x = 1\n" * 61, "lines in a function body"),
        ("def outer():\n    def wide(a, b, c, d, *e, f, g, **h): pass\n", "parameters"),
    ],
)
def test_a_planted_excess_fails_and_is_named(tmp_path, source, kind):
    (tmp_path / "planted.py").write_text(source)
    result = run_sizes(tmp_path)
    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("FAIL") and kind in line and "planted.py" in line]


@pytest.mark.parametrize(
    "source",
    [
        "def long():\n    '''One.\n" + "\n" * 100 + "    '''\n    return 1\n",  # a docstring is no body
        "class A:\n    def six_and_self(self, a, b, c, d, e, f): pass\n",
    ],
)
def test_what_the_limits_are_not_about_passes(tmp_path, source):
    (tmp_path / "fine.py").write_text(source)
    assert run_sizes(tmp_path).returncode == 0


def test_the_flags_of_a_command_are_no_parameters(tmp_path):
    (tmp_path / "cli" / "commands").mkdir(parents=True)
    (tmp_path / "cli" / "commands" / "train.py").write_text("def run(a, b, c, d, e, f, g, h, i): pass\n")
    assert run_sizes(tmp_path).returncode == 0
    (tmp_path / "cli" / "commands" / "train.py").write_text("def _run(a, b, c, d, e, f, g, h, i): pass\n")
    assert run_sizes(tmp_path).returncode == 1

"""The benches of damage in small: no flipped bit changes an answer in silence, no kill leaves anything behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def measured(script, *flags):
    words = [sys.executable, str(BENCHMARKS / script), *flags]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=False, timeout=1_500).stdout)


@pytest.mark.slow
def test_no_flipped_bit_changes_an_answer_in_silence():
    found = measured("bitflips.py", "--flips", "45")
    assert found["details"] == {"silent": [], "tracebacks": [], "unverified": []}
    assert found["named"] > 45


@pytest.mark.slow
def test_no_kill_of_any_command_changes_what_comes_out_or_leaves_anything_behind():
    found = measured("kills.py", "--kills", "18")
    assert (found["details"], len(found["by_command"])) == ([], 9)

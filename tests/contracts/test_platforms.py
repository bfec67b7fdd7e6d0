"""Platforms: what is said where pretune cannot run, and does nothing ask for what Linux alone has?"""

import os
import subprocess
import sys

from pretune.data.corpus.workers import num_cores


def test_windows_is_told_what_to_use():
    code = "import sys; sys.platform = 'win32'; import pretune"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "Windows Subsystem for Linux" in ended.stderr


def test_cores_are_counted_where_no_process_is_bound_to_some(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert num_cores() == os.cpu_count()

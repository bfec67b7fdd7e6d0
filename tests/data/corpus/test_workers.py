"""Workers: in order, the same with any number, and a clear error where one is gone."""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from corpora import make_documents

from pretune.data.corpus.blocks import Message, pack_texts, unpack_texts
from pretune.data.corpus.workers import FEW, Workers
from pretune.errors import StorageError


def messages(number: int) -> list[Message]:
    return [pack_texts([f"<b>block {index}</b>", *make_documents(3, seed=index)]) for index in range(number)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_answers_come_in_order_whatever_the_number(count: int):
    with Workers(count) as workers:
        for _ in range(2):
            found = [unpack_texts(answer)[0] for answer in workers.map("clean", iter(messages(12)))]
            assert found == [f"block {index}" for index in range(12)]


def test_little_work_starts_no_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    with Workers(2) as workers:
        assert len(list(workers.map("clean", messages(FEW - 1)))) == FEW - 1
    assert list(Workers(2).map("clean", [])) == []


def test_a_worker_that_is_killed_is_an_error_and_leaves_none_behind():
    def kill_after_five(workers: Workers) -> None:
        for number, _ in enumerate(workers.map("clean", iter(messages(30)))):
            for one in workers._running if number == 5 else ():
                os.kill(one.process.pid, signal.SIGKILL)

    with pytest.raises(StorageError, match="ended early"), Workers(2) as workers:
        kill_after_five(workers)
    assert all(one.process.poll() is not None for one in workers._running)


def test_an_error_in_a_worker_comes_out_with_its_words():
    wrong = Message(arrays={"data": np.zeros(3, dtype=np.uint8)})
    with pytest.raises(RuntimeError, match="KeyError: 'sizes'"), Workers(2) as workers:
        list(workers.map("clean", [wrong] * 6))


def test_lone_surrogates_survive_the_way():
    assert unpack_texts(pack_texts(["a\ud800b", "", "é"])) == ["a\ud800b", "", "é"]


def test_a_script_without_a_main_guard_can_use_two_processes(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pretune.data.corpus.workers import Workers\nfrom pretune.data.corpus.blocks import pack_texts\n"
        "with Workers(2) as workers:\n    print(len(list(workers.map('clean', [pack_texts(['a b c'])] * 9))))\n"
    )
    import sys

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("9\n", "")

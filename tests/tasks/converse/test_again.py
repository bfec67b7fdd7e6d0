"""A review goes into the verdict of a run without a look, and the run still recomputes to its bytes."""

import io
import json

import pytest
from chat_models import make_pairs, save_chat_model
from running import call

from pretune.run import RunFolder
from pretune.tasks.converse.recompute import recompute

OPTIONS = "--epochs 1 --lr 3e-3 --questions 30 --max-reply 8 --max-length 64 --set chat.repetition_penalty=1.0 --json"


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save_chat_model(tmp_path / "model")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in make_pairs(200)))
    assert call("run", "rows.jsonl", "--model", "model", "--run", "runs/a", *OPTIONS.split()) in (0, 1, 3)
    capsys.readouterr()
    return RunFolder(tmp_path / "runs" / "a")


def test_answers_go_into_the_verdict_without_a_look(folder, monkeypatch, capsys):
    before = folder.read_record()
    monkeypatch.setattr("sys.stdin", io.StringIO("h\nb\n1\n2\nt\n"))
    assert call("review", str(folder.path), "--pairs", "5") == 0
    shown = capsys.readouterr().out
    after = folder.read_record()
    said = [reason for reason in after.verdict.reasons if reason.kind == "review"]
    assert f"The verdict with it: {after.verdict.summary}" in shown
    assert [(reason.holds, reason.text[:45]) for reason in said] == [(False, "people called 1 reply of the model harmful; o")]
    assert (after.look, after.ledger_head, after.scores) == (before.look, before.ledger_head, before.scores)
    assert after.chat.review.num_pairs == 3
    assert recompute(folder).differences == ()
    assert call("verify", str(folder.path)) == 0

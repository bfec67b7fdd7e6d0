"""When a look counts: before any figure is made of the answers, not before there are answers: a crash costs none."""

import json
from pathlib import Path

import pytest
from running import call

import pretune
from pretune.data.seal.ledger import verify
from tiny import make_rows


def crash(*_arguments: object, **_options: object) -> None:
    raise MemoryError


def sealed_rows(run: Path) -> tuple[list[str], list[str]]:
    texts = [json.loads(line)["text"] for line in (run / "data/test.sealed.jsonl").read_text().splitlines()[1:]]
    labels = dict(make_rows(240))
    return texts, [labels[text] for text in texts]


@pytest.mark.parametrize("ask", ["evaluate", "score"])
def test_python_counts_a_look_once_there_are_answers_and_before_there_are_figures(ask, finetuned, monkeypatch):
    model, (texts, labels) = pretune.load_model(finetuned), sealed_rows(finetuned)
    with monkeypatch.context() as patch:
        patch.setattr(type(model), "predictions", crash)
        with pytest.raises(MemoryError):
            getattr(model, ask)(texts, labels)
    assert len(verify()) == 0
    monkeypatch.setattr(
        f"pretune.tasks.classify.estimator.{'score_predictions' if ask == 'evaluate' else 'accuracy_score'}", crash
    )
    with pytest.raises(MemoryError):
        getattr(model, ask)(texts, labels)
    assert len(verify()) == 1


def test_the_command_line_counts_a_look_once_there_are_answers_and_before_there_are_figures(finetuned, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.estimator.TextClassifier.predictions", crash)
        assert call("evaluate", finetuned, "reviews.csv", "--quiet") == 70
    assert len(verify()) == 0
    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.ask.evaluate_sources", crash)
        assert call("evaluate", finetuned, "reviews.csv", "--quiet") == 70
    assert len(verify()) == 1

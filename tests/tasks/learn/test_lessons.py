"""The other lessons on generated rows with tiny models: their work finds what their texts and questions need."""

from dataclasses import replace

import pytest
from corpora import make_documents, write_documents

from pretune.data.seal.seal import TrainingData
from pretune.records import Example
from pretune.run.trace import Trace
from pretune.storage import make_folder
from pretune.tasks.learn.lesson import Lab, fill, put
from pretune.tasks.learn.lessons import domain, evaluation, finetuning, pretraining
from pretune.tasks.learn.messages import count_cells, move_threshold
from pretune.tasks.learn.notes import SHARE, URGENT, make_notes
from pretune.tasks.learn.progress import lesson_folder


@pytest.fixture
def rows(separable_rows):
    """160 generated rows, a tenth of them wrong."""
    made = separable_rows(160, noise=0.1)
    held = [Example(id=str(place), text=text, label=label) for place, (text, label) in enumerate(made)]
    return TrainingData(train=tuple(held[:100]), validation=tuple(held[100:]), classes=("bad", "good"))


def told(lesson, name):
    """Do all work of a lesson; return the facts, after every text was filled and every question put."""
    folder = lesson_folder(name)
    make_folder(folder)
    facts = {}
    for step in lesson.steps:
        assert "{" not in fill(step.say, facts)  # before the work of the step, as in a lesson
        if step.do:
            lab = Lab(folder=folder, trace=Trace(), facts=facts, teacher=None)
            facts |= lesson.work[step.do](lab).facts
        assert "{" not in fill(step.then, facts)
    asked = [put(item, facts) for item in lesson.questions.values()]
    for question in filter(None, asked):
        assert sum(option.is_right for option in question.options) == (1 if question.options else 0)
    return facts, [question.template for question in asked if question is not None]


def test_the_evaluation_lesson_finds_what_it_tells(rows, monkeypatch):
    spam = tuple(replace(row, label="spam" if row.label == "good" else "ham") for row in (*rows.train, *rows.validation))
    monkeypatch.setattr("pretune.tasks.learn.messages.divided_messages", lambda: (spam[:80], spam[80:]))
    monkeypatch.setattr(evaluation, "divided_messages", lambda: (spam[:80], spam[80:]))
    monkeypatch.setattr(evaluation, "clear_reviews", lambda: rows)
    monkeypatch.setattr(evaluation, "NUM_NOTES", 600)
    evaluation.fit_filter.cache_clear()
    facts, asked = told(evaluation.EVALUATION, "evaluation")
    evaluation.fit_filter.cache_clear()
    assert facts["leaked_accuracy"] >= facts["clean_accuracy"]
    assert "are also in training" in facts["finding"]
    assert (facts["a_loss"], facts["a_accuracy"], facts["b_loss"], facts["b_accuracy"]) == (0.25, 0.9, 0.2, 0.85)
    assert {"evaluation.act_on_answers", "evaluation.act_on_probabilities", "evaluation.paradox"} <= set(asked)


def test_random_and_pretrained_weights_are_trained_alike_and_compared(rows, monkeypatch, tiny_checkpoint):
    monkeypatch.setattr(finetuning, "clear_reviews", lambda: rows)
    monkeypatch.setattr(finetuning, "MODEL", str(tiny_checkpoint("bert")))
    monkeypatch.setattr(finetuning, "SETTINGS", {"epochs": "1", "lr": "1e-3"})
    facts, _ = told(finetuning.FINETUNING, "finetuning")
    assert {f"{name}_accuracy" for name in finetuning.NAMES} <= facts.keys()
    assert "95 % interval" in facts["verdict"]


@pytest.mark.slow
def test_pretraining_is_watched_and_then_adapted(tmp_path, monkeypatch):
    texts = {
        name: write_documents(tmp_path / f"{name}.txt", make_documents(900, seed=seed))
        for name, seed in (("wiki", 1), ("films", 2))
    }
    for module in (pretraining, domain):
        monkeypatch.setattr(module, "CORPUS", str(texts["wiki"]))
    monkeypatch.setattr(domain, "DOMAIN", str(texts["films"]))
    for module, number in ((pretraining, 60_000), (domain, 30_000)):
        monkeypatch.setattr(module, "TOKENS", number)
    monkeypatch.setattr(pretraining, "VOCABULARY", 512)
    facts, asked = told(pretraining.PRETRAINING, "pretraining")
    assert facts["last_loss"] < facts["first_loss"]
    assert "pretraining.learn_chance" in asked
    facts, asked = told(domain.DOMAIN_LESSON, "domain")
    assert facts["domain_after"] < facts["domain_before"]
    assert "pretraining.learn_forgotten" in asked


def test_the_four_counts_and_the_table_of_thresholds_are_those_of_the_rows():
    rows = [Example(id=str(place), text="t", label="x" if place < 3 else "y") for place in range(6)]
    shares = [0.9, 0.6, 0.2, 0.8, 0.1, 0.0]
    assert count_cells(rows, shares, "x", 0.5) == {"tp": 2, "fp": 1, "fn": 1, "tn": 2}
    found, table = move_threshold(rows, shares, "x", "Moved")
    assert [item["recall"] for item in found] == [1.0, 2 / 3, 2 / 3, 1 / 3, 1 / 3]
    assert found[-1]["precision"] == 1.0
    assert len(table.rows) == len(found)


def test_notes_are_the_same_for_a_seed_and_urgent_ones_are_rare():
    notes = make_notes(2_000, seed=3)
    assert notes == make_notes(2_000, seed=3)
    assert notes != make_notes(2_000, seed=4)
    urgent = sum(note.label == URGENT for note in notes) / len(notes)
    assert abs(urgent - SHARE) < 0.02

"""The Python of the card is run: what it prints is what pretune answers."""

import re
from dataclasses import replace

import pytest
from networks import open_network

from pretune import TextClassifier
from pretune.models import ModelCard, save_model
from pretune.records import RunRecord, ThresholdChoice
from pretune.report.card.card import render_card
from tiny import make_rows

TWO, THREE = ("bad", "good"), ("bad", 'good "`<|>` \\ 日本', "mixed")
TEXTS = [text for text, _ in make_rows(6)] + [" ".join(text for text, _ in make_rows(60))]


@pytest.mark.parametrize("threshold", [None, 0.2, 0.9])
@pytest.mark.parametrize("classes", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("head", ["native", "mlp"])
def test_the_example_of_the_card_answers_as_pretune_does(
    head, classes, threshold, tmp_path, tiny_checkpoint, monkeypatch, capsys
):
    network, tokenizer = open_network(tiny_checkpoint("bert"), head=head, head_size=8, classes=classes)
    card = ModelCard(classes=classes, positive=classes[1], threshold=threshold, head=head, head_size=8, max_length=16)
    save_model(tmp_path / "model", network.eval(), tokenizer, card)
    model = TextClassifier.load(tmp_path / "model")
    choice = ThresholdChoice(
        source="finetuned", split="validation", goal="f1", rule="", positive=classes[1], threshold=threshold
    )
    record = RunRecord(
        run="x", status="trained", classes=classes, threshold=choice, configs={"finetune": {"head": head}},
        has_folded_threshold=model.scorer.has_folded_threshold,
    )  # fmt: skip
    assert model.scorer.has_folded_threshold == (threshold is not None and len(classes) == 2)
    code = re.findall(r"```python\n(.*?)```", render_card(record), re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    for text in TEXTS:
        exec(compile(code.replace('"a text"', repr(text)), "card", "exec"), {})
        said = capsys.readouterr().out.strip().splitlines()[-1]
        answer = str(model.predict([text])[0])
        assert said == answer or f"'label': {answer!r}" in said, (said, answer)


def test_a_run_of_before_whose_threshold_is_not_in_the_weights_gets_the_rule(record):
    folded = render_card(replace(record, has_folded_threshold=True))
    assert 'POSITIVE, THRESHOLD = "pos", 0.62' in render_card(record)
    assert "THRESHOLD" not in folded
    assert "0.490 above those of the ones given here" in folded

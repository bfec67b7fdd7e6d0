"""Thresholds, temperatures and the encoder-linear baseline in whole runs: stored, used, judged; test labels are not read."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from running import COLUMNS, call, cover, learning_flags, read_strictly, read_table, write_reviews

import pretune
from pretune import storage
from pretune.configs import JudgeConfig, RunConfig
from pretune.data.seal.seal import Seal
from pretune.errors import UsageError
from pretune.records import Calibration, RunRecord
from pretune.run import RunFolder
from pretune.run.job import Job
from pretune.run.trace import Trace
from pretune.tasks.classify import path as pipeline, thresholds as deciding
from pretune.tasks.classify.thresholds import inherit, read_aim
from pretune.verdict import load_policy
from tiny import make_rows

PROBABILITY = "p:bad"


def unbalanced(num_rows: int = 700, *, noise: float = 0.1) -> list[tuple[str, str]]:
    """Return rows of which about 30 % are bad, some under the wrong label."""
    rows = make_rows(num_rows, noise=noise)
    return [row for index, row in enumerate(rows) if row[1] == "good" or index % 5 < 2]


@pytest.fixture(scope="module")
def asked_folder(tiny_checkpoint, tmp_path_factory):
    """A run that was asked for recall under a precision; read only."""
    folder = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        write_reviews(folder / "reviews.csv", unbalanced())
        flags = learning_flags(tiny_checkpoint("bert"), epochs=2)
        code = call(
            "run", "reviews.csv", "--run", "runs/first", "--quiet", *flags, "--goal", "recall", "--keep", "precision=0.6"
        )
        assert code in (0, 1, 3)
    return folder


@pytest.fixture
def asked(asked_folder, tmp_path, monkeypatch):
    shutil.copytree(asked_folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("runs/first")


def card_of(run: Path) -> dict:
    return json.loads((run / "model" / "pretune.json").read_text())


def decided(run: Path, split: str, source: str, threshold: float | None) -> list[bool]:
    """Return, row by row, whether the file's decision is the one of this threshold."""
    rows = read_table(run / "predictions" / f"{split}.{source}.csv")
    least = 0.5 if threshold is None else threshold
    return [(float(row[PROBABILITY]) >= least) == (row["predicted"] == "bad") for row in rows]


def test_the_threshold_is_stored_in_the_model_and_in_the_record(asked):
    record, card = RunFolder(asked).read_record(), card_of(asked)
    assert record.threshold is not None
    assert record.threshold.threshold is not None
    assert (card["threshold"], card["positive"], card["goal"]) == (record.threshold.threshold, "bad", "recall")
    assert record.threshold.keep == {"precision": 0.6}
    assert record.threshold.split == "validation"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_written_predictions_carry_the_decision_that_was_used(split, asked):
    assert all(decided(asked, split, "finetuned", card_of(asked)["threshold"]))


def test_baselines_are_decided_by_a_threshold_of_their_own(asked):
    for source, file in (("linear", "linear/model.json"), ("encoder_linear", "encoder_linear/features.json")):
        threshold = json.loads((asked / file).read_text())["threshold"]
        assert threshold is not None
        assert all(decided(asked, "test", source, threshold))
        assert all(decided(asked, "validation", source, threshold))


def test_predict_and_trace_use_the_stored_threshold(asked, capsys):
    some = RunFolder(asked).read_examples("validation")[0].text
    assert call("trace", asked, some, "--json") == 0
    seen = read_strictly(capsys.readouterr().out)
    assert (seen["threshold"], seen["positive"]) == (card_of(asked)["threshold"], "bad")
    index = seen["classes"].index("bad")
    assert (seen["decision"] == "bad") == (seen["probabilities"][index] >= seen["threshold"])
    for run in (asked, asked / "linear"):
        assert call("predict", run, some, "--json") == 0
        row = read_strictly(capsys.readouterr().out)
        file = asked / "linear" / "model.json" if run != asked else asked / "model" / "pretune.json"
        assert (row["predicted"] == "bad") == (row["probabilities"]["bad"] >= json.loads(file.read_text())["threshold"])


def test_judging_again_without_a_word_keeps_the_goal_of_the_run(asked):
    before = RunFolder(asked).read_record()
    assert call("judge", asked, "--quiet") in (0, 1, 3)
    after = RunFolder(asked).read_record()
    assert after.threshold == before.threshold
    assert after.look == 2
    assert after.verdict.policy["goal"] == "recall"


def test_judging_with_another_goal_chooses_again_before_the_seal_is_opened(asked, monkeypatch):
    seen = []
    opened = Seal.open
    monkeypatch.setattr(Seal, "open", lambda self, **given: (seen.append(card_of(asked)["goal"]), opened(self, **given))[1])
    assert call("judge", asked, "--quiet", "--cost", "fn=1,fp=10") in (0, 1, 3)
    record = RunFolder(asked).read_record()
    assert seen == ["cost"], "what is stored when the seal opens is what is judged"
    assert record.threshold.threshold > 0.5
    assert all(decided(asked, "validation", "finetuned", record.threshold.threshold))
    assert all(decided(asked, "test", "finetuned", record.threshold.threshold))
    costs = {(score.source, score.split) for score in record.scores if score.metric == "cost"}
    assert costs >= {("finetuned", "test"), ("majority", "test"), ("linear", "test"), ("encoder_linear", "test")}


def test_only_validation_predictions_are_chosen_by(asked, monkeypatch):
    seen, choose = [], deciding.choose_threshold

    def noted(given, aim, **more):
        seen.append(given.split)
        return choose(given, aim, **more)

    monkeypatch.setattr(deciding, "choose_threshold", noted)
    assert call("judge", asked, "--quiet", "--goal", "f1") in (0, 1, 3)
    assert set(seen) == {"validation"}


def test_the_encoder_linear_baseline_is_compared_on_the_same_rows_and_its_cost_is_a_stage(asked):
    record = RunFolder(asked).read_record()
    assert any((item.a, item.b) == ("finetuned", "encoder_linear") for item in record.comparisons)
    stages = [event for event in RunFolder(asked).read_events() if event["event"] == "stage"]
    stage = next(item for item in stages if item["stage"] == "encoder linear")
    assert stage["seconds"] > 0
    assert "32 features" in stage["shape_out"]


@pytest.mark.usefixtures("workplace")
def test_the_encoder_linear_baseline_can_be_switched_off(tiny_checkpoint):
    flags = [*learning_flags(tiny_checkpoint("bert"), epochs=1), "--set", "judge.encoder_linear=false"]
    assert call("run", "reviews.csv", "--run", "runs/x", "--quiet", *flags) in (0, 1, 3)
    assert not Path("runs/x/encoder_linear").exists()
    scores = RunFolder(Path("runs/x")).read_record().scores
    assert {score.source for score in scores} == {"finetuned", "majority", "prior", "linear"}


def test_an_encoder_that_is_gone_when_the_run_is_judged_is_left_out_with_a_note(asked):
    file = asked / "encoder_linear" / "features.json"
    file.write_text(json.dumps(storage.sealed(json.loads(file.read_text()) | {"encoder": "./gone"})))
    cover(asked)
    assert call("judge", asked, "--quiet") in (0, 1, 3)
    record = RunFolder(asked).read_record()
    assert {score.source for score in record.scores if score.split == "test"} == {"finetuned", "majority", "prior", "linear"}
    notes = [event["text"] for event in RunFolder(asked).read_events() if event["event"] == "note"]
    assert any("encoder_linear is left out" in note for note in notes)


@pytest.mark.usefixtures("workplace")
def test_a_model_whose_own_start_is_gone_is_judged_without_that_baseline(judged):
    model = pretune.load_model(judged)
    model.card_ = replace(model.card_, base_model="./gone")
    model.save(judged / "model")
    data = pretune.load_data("reviews.csv", text=COLUMNS[1], label=COLUMNS[2])
    pretune.judge(pretune.load_model(judged), data, run="runs/again")
    record = RunFolder(Path("runs/again")).read_record()
    assert {score.source for score in record.scores} == {"finetuned", "majority", "prior", "linear"}


def test_balanced_classes_without_a_positive_one_keep_the_largest_class(judged):
    record = RunFolder(judged).read_record()
    assert record.positive is None
    assert record.threshold.threshold is None
    assert card_of(judged)["threshold"] is None


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(
    "flags", [("--keep", "recall=95"), ("--goal", "cost"), ("--cost", "fn=1"), ("--goal", "f1", "--cost", "fn=1,fp=1")]
)
def test_what_cannot_be_sought_is_said_before_anything_is_trained(flags, tiny_checkpoint, capsys):
    code = call("run", "reviews.csv", "--run", "runs/x", *learning_flags(tiny_checkpoint("bert")), *flags, "--json")
    assert code == 2
    assert set(read_strictly(capsys.readouterr().out)["error"]) == {"code", "got", "expected", "fix"}
    assert not Path("runs/x").exists()


def test_poor_calibration_is_folded_into_the_model_before_the_threshold_is_chosen(tiny_checkpoint, workplace, monkeypatch):
    write_reviews(workplace / "reviews.csv", unbalanced(noise=0.25))
    forced = Calibration(
        split="validation", error=0.2, limit=0.05, temperature=3.0, is_scaled=True, loss=1.0, num_examples=9, why="planted"
    )
    flags = learning_flags(tiny_checkpoint("bert"), epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.calibrate.calibrate", lambda *_given, **_options: forced)
        assert call("finetune", "reviews.csv", "--run", "runs/scaled", "--quiet", "--goal", "f1", *flags) == 0
    off = ["--set", "finetune.calibrate=false"]
    assert call("finetune", "reviews.csv", "--run", "runs/plain", "--quiet", "--goal", "f1", *flags, *off) == 0
    odds = {}
    for name in ("scaled", "plain"):
        rows = read_table(Path("runs") / name / "predictions" / "validation.finetuned.csv")
        odds[name] = np.array([np.log(float(row[PROBABILITY]) / float(row["p:good"])) for row in rows])
    assert odds["scaled"] == pytest.approx(odds["plain"] / 3, abs=1e-4)
    record = RunFolder(Path("runs/scaled")).read_record()
    assert record.calibration.temperature == 3.0
    assert card_of(Path("runs/scaled"))["folded_temperature"] == 3.0
    thresholds = [RunFolder(Path("runs") / name).read_record().threshold.threshold for name in ("scaled", "plain")]
    assert np.log(thresholds[0] / (1 - thresholds[0])) == pytest.approx(
        np.log(thresholds[1] / (1 - thresholds[1])) / 3, abs=0.05
    )
    loaded = pretune.load_model("runs/scaled/model")
    rows = RunFolder(Path("runs/scaled")).read_examples("validation")
    shares = np.array(loaded.predictions(rows, "validation").probabilities)
    found = np.log(shares[:, 0] / shares[:, 1])
    assert found == pytest.approx(odds["scaled"], abs=0.02), "what was saved is the scaled model"
    shown = loaded.predict_proba([row.text for row in rows])
    moved = np.log(thresholds[0] / (1 - thresholds[0]))
    assert np.log(shown[:, 0] / shown[:, 1]) == pytest.approx(found - moved, abs=1e-4), "and 0.5 stands for the threshold"


def test_a_judge_in_python_puts_the_threshold_into_the_model(tiny_checkpoint, workplace):
    write_reviews(workplace / "reviews.csv", unbalanced())
    data = pretune.load_data("reviews.csv", text=COLUMNS[1], label=COLUMNS[2])
    config = pretune.FinetuneConfig(learning_rate=3e-3, batch_size=4, precision="fp32", threads=1)
    model = pretune.load_pretrained_model(str(tiny_checkpoint("bert")), config=config).fit(data, epochs=1)
    pretune.judge(model, data, run="runs/x", config=JudgeConfig(cost="fn=20,fp=1"))
    assert model.card_.threshold == card_of(Path("runs/x"))["threshold"] < 0.5
    rows = [row.text for row in data.validation]
    chances = [row[0] for row in model.predictions(data.validation, "validation").probabilities]
    said = ["bad" if chance >= model.card_.threshold else "good" for chance in chances]
    assert model.predict(rows).tolist() == said
    assert [("bad", "good")[row.argmax()] for row in model.predict_proba(rows)] == said


def test_the_aim_holds_the_gates_that_the_verdict_will_ask_for():
    policy = load_policy(min_recall=0.95)
    even, uneven = (
        read_aim(JudgeConfig(), policy, positive="a", labels=labels) for labels in (["a", "b"] * 5, ["a"] * 2 + ["b"] * 8)
    )
    assert even.gates == {"precision": 0.8, "recall": 0.95, "accuracy": 0.85}
    assert uneven.gates == {"precision": 0.8, "recall": 0.95}


def test_a_run_s_goal_is_taken_over_as_a_whole_or_not_at_all():
    record = RunRecord(
        run="x", status="trained", configs={"judge": {"goal": "recall", "keep": "precision=0.9", "policy": "p.toml"}}
    )
    assert inherit(JudgeConfig(), record) == JudgeConfig(goal="recall", keep="precision=0.9", policy="p.toml")
    assert inherit(JudgeConfig(goal="f1"), record) == JudgeConfig(goal="f1")
    assert inherit(JudgeConfig(min_recall=0.9), RunRecord(run="x", status="trained")) == JudgeConfig(min_recall=0.9)


@pytest.mark.usefixtures("workplace")
def test_finetune_refuses_costs_without_a_positive_class(tiny_checkpoint):
    settings = RunConfig(model=str(tiny_checkpoint("bert")), judge=JudgeConfig(cost="fn=1,fp=2"))
    with pytest.raises(UsageError, match="--positive"):
        pipeline.finetune(Job(source="reviews.csv", config=settings, folder=RunFolder(Path("runs/x")), trace=Trace()))

"""A model that is trained again is judged by what it had learned from before: on labels drawn by a coin, most of all."""

import json
import random
import shutil
from pathlib import Path

import pytest
from running import call, cover, learning_flags, write_reviews

import pretune
from pretune.data.seal.learned import ABOUT, TEXTS
from pretune.models.formats.plain import MARK
from pretune.models.past import past_of
from pretune.records import Finding, RunRecord
from pretune.run import RunFolder
from pretune.tasks.classify.recompute import recompute
from tiny import make_rows

CHECK = "leakage.learned_before"


@pytest.fixture
def coin(workplace: Path, tiny_checkpoint) -> Path:
    """A table whose labels a coin has drawn, and ``runs/first`` trained on 70 % of it."""
    draw = random.Random(0)
    write_reviews(workplace / "reviews.csv", [(text, draw.choice(["good", "bad"])) for text, _ in make_rows(240)])
    assert tune("runs/first", tiny_checkpoint("bert")) == 0
    return Path("runs/first")


def tune(run: str, model: Path | str, *flags: str, command: str = "finetune", data: str = "reviews.csv") -> int:
    quick = ["--run", run, "--quiet", "--set", "judge.encoder_linear=false", *flags]
    return call(command, data, *learning_flags(Path(model), epochs=1), *quick)


def finding_of(record: RunRecord) -> Finding:
    return next(item for item in record.findings if item.check == CHECK)


def test_training_on_with_another_split_is_blocked_and_chains_are_carried_on(coin: Path) -> None:
    assert tune("runs/second", coin, "--split-seed", "1", command="run") == 1
    folder = RunFolder(Path("runs/second"))
    record = folder.read_record()
    finding = finding_of(record)
    seen = {row.text for split in ("train", "validation") for row in RunFolder(coin).read_examples(split)}
    tested = [json.loads(line)["text"] for line in folder.sealed.read_text().splitlines()[1:]]
    num_seen = sum(text in seen for text in tested)
    assert num_seen > 20
    assert finding.severity == "blocking"
    assert finding.measured == num_seen / len(tested)
    assert f"{num_seen} of {len(tested)} test texts were learned from before" in finding.summary
    assert record.verdict is not None
    assert record.verdict.outcome == "do_not_ship"
    assert any(reason.name == CHECK and reason.holds is False for reason in record.verdict.reasons)
    shutil.rmtree(coin)  # all that is needed lies in the run
    assert recompute(folder).differences == ()
    learned = past_of("runs/second")
    assert len(learned.texts) > 200  # those of the first run as well, which is gone


def test_the_same_split_and_new_rows_are_not_blocked(coin: Path) -> None:
    assert tune("runs/second", coin, command="run") in (1, 3)
    assert finding_of(RunFolder(Path("runs/second")).read_record()).severity == "ok"
    write_reviews(Path("new.csv"), make_rows(60, seed=5))
    assert tune("runs/third", coin / "model", "--split-seed", "1", "--test", "new.csv", command="run") in (0, 1, 3)
    assert finding_of(RunFolder(Path("runs/third")).read_record()).severity == "ok"


def test_nearly_the_same_rows_are_found(coin: Path) -> None:
    learned = [row for row in RunFolder(coin).read_examples("train") if len(row.text.split()) >= 12]
    write_reviews(Path("near.csv"), [(row.text.rstrip(".") + " indeed", str(row.label)) for row in learned[:60]])
    assert tune("runs/second", coin, "--test", "near.csv", "--keep-leaks", command="run") == 1
    assert finding_of(RunFolder(Path("runs/second")).read_record()).severity == "blocking"


def test_a_general_checkpoint_is_no_open_question(finetuned: Path) -> None:
    assert call("judge", finetuned, "--quiet") in (0, 1, 3)
    record = RunFolder(finetuned).read_record()
    assert finding_of(record).severity == "not_applicable"
    assert record.verdict is not None
    assert all(reason.name != CHECK for reason in record.verdict.reasons)


def test_a_classifier_from_elsewhere_is_unknown_and_keeps_the_verdict_open(coin: Path) -> None:
    shutil.copytree(coin / "model", "foreign")
    for name in ("pretune.json", ABOUT, TEXTS):
        Path("foreign", name).unlink()
    config = json.loads(Path("foreign/config.json").read_text())
    del config[MARK]
    Path("foreign/config.json").write_text(json.dumps(config))
    assert tune("runs/second", "foreign", command="run") in (1, 3)
    record = RunFolder(Path("runs/second")).read_record()
    assert finding_of(record).severity == "unknown"
    assert "trained for a task elsewhere" in finding_of(record).summary
    assert record.verdict is not None
    assert any(reason.name == CHECK and reason.holds is None for reason in record.verdict.reasons)
    assert past_of("runs/second").unknown  # and so it stays


def test_a_run_of_an_earlier_version_is_known_by_its_rows(coin: Path) -> None:
    card = json.loads((coin / "model/pretune.json").read_text())
    for name in (ABOUT, TEXTS):
        (coin / "model" / name).unlink()
    del card["digest"], card["digests"]
    (coin / "model/pretune.json").write_text(json.dumps(card))
    cover(coin)
    learned = past_of(str(coin))
    assert len(learned.texts) > 150
    assert learned.unknown == ()
    shutil.copytree(coin / "model", "alone")
    assert "kept no fingerprints" in past_of("alone").unknown[0]


def test_fingerprints_that_are_missing_or_changed_are_damage(coin: Path) -> None:
    (coin / "model" / TEXTS).write_bytes(b"")
    assert tune("runs/second", coin, "--split-seed", "1") == 4
    for name in (ABOUT, TEXTS):
        (coin / "model" / name).unlink()
    assert tune("runs/third", coin, "--split-seed", "1") == 4


@pytest.mark.usefixtures("workplace")
def test_a_pooled_head_that_has_lost_its_card_is_no_general_checkpoint(tiny_checkpoint) -> None:
    assert tune("runs/pooled", tiny_checkpoint("bert"), "--head", "mlp") == 0
    shutil.copytree("runs/pooled/model", "copy")
    for name in ("pretune.json", ABOUT, TEXTS):
        Path("copy", name).unlink()
    assert tune("runs/second", "copy", "--split-seed", "1", command="run") in (1, 3)
    record = RunFolder(Path("runs/second")).read_record()
    assert finding_of(record).severity == "unknown"
    assert "was trained by pretune" in finding_of(record).summary


@pytest.mark.parametrize("name", [ABOUT, "model.safetensors", "pretune.json"])
def test_training_on_from_a_run_that_was_damaged_is_refused_before_it_begins(coin: Path, name: str, capsys) -> None:
    file = coin / "model" / name
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    assert tune("runs/second", coin, "--split-seed", "1") == 4
    assert name in capsys.readouterr().err
    assert not Path("runs/second").exists()


def test_in_python_training_on_counts_as_well(coin: Path, tiny_checkpoint) -> None:
    data = pretune.load_data("reviews.csv", text="Critique (text)", label="Mood?", split_seed=1)
    model = pretune.load_model(coin)
    model.fit(data, epochs=1, resume=True)
    verdict = pretune.judge(model, data, run="runs/resumed")
    assert verdict.outcome == "do_not_ship"
    assert finding_of(RunFolder(Path("runs/resumed")).read_record()).severity == "blocking"
    loaded = pretune.judge(pretune.load_model(coin), data, run="runs/loaded")
    assert loaded.outcome == "do_not_ship"
    assert finding_of(RunFolder(Path("runs/loaded")).read_record()).severity == "blocking"
    fresh = pretune.TextClassifier(str(tiny_checkpoint("bert"))).fit(data, epochs=1)
    assert fresh.past_.bases == (str(tiny_checkpoint("bert")),)


@pytest.mark.parametrize("line", ["{", "[]", '{"time": 1}', '{"event": 3}'])
def test_a_damaged_trace_stops_judging_before_the_seal_is_opened(finetuned: Path, tmp_path: Path, line: str, capsys) -> None:
    with (finetuned / "trace.jsonl").open("a") as file:
        file.write(line + "\n")
    assert call("judge", finetuned, "--quiet") == 4
    assert "trace.jsonl is damaged" in capsys.readouterr().err
    assert not (tmp_path / "pretune-home/ledger.jsonl").exists()


def test_a_crash_while_the_test_is_answered_costs_no_look(finetuned: Path, tmp_path: Path, monkeypatch) -> None:
    def crash(*_arguments: object, **_options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pretune.evaluate.baselines.LinearModel.predict", crash)
    assert call("judge", finetuned, "--quiet") == 70
    assert not (tmp_path / "pretune-home/ledger.jsonl").exists()

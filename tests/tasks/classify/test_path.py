"""The whole path in Python: load, fit, evaluate, judge, save; and what a run that was cut off does."""

import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from running import call, cover, python, read_table, write_reviews
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score

import pretune
from pretune.configs import FinetuneConfig, JudgeConfig, ReadConfig, RunConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.data.seal.seal import Seal
from pretune.errors import DataError, DivergedError, StorageError, UsageError
from pretune.records import Outcome
from pretune.run import RunFolder, claim_folder, identity_of
from pretune.run.claim import default_name
from pretune.run.job import Job, inputs_of
from pretune.run.trace import Trace
from pretune.tasks import ask
from pretune.tasks.classify import check as checking, compare as comparing, path as pipeline
from pretune.tasks.classify.estimator import TextClassifier
from tiny import make_rows

CONFIG = FinetuneConfig(learning_rate=3e-3, precision="fp32", threads=1)


@pytest.fixture
def data(workplace):
    return pretune.load_data(workplace / "reviews.csv", text="Critique (text)", label="Mood?")


@pytest.fixture
def model(tiny_checkpoint, data):
    return pretune.load_pretrained_model(str(tiny_checkpoint("bert")), freeze="all", config=CONFIG).fit(data, epochs=3)


@pytest.fixture
def settings(tiny_checkpoint):
    return RunConfig(model=str(tiny_checkpoint("bert")), epochs=1, freeze="all", finetune=CONFIG)


def ledger() -> list[dict]:
    file = Path(os.environ["PRETUNE_HOME"]) / "ledger.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.usefixtures("workplace")
def test_the_snippets_of_the_documentation_run(data, model):
    assert model.history_.best_epoch in (1, 2, 3)
    evaluation = model.evaluate(data)
    assert {score.split for score in evaluation.scores} == {"validation"}
    assert {score.source for score in evaluation.scores} == {"finetuned", "majority", "prior", "linear"}
    assert "accuracy" in str(evaluation)
    assert ledger() == [], "validation is no look"
    verdict = pretune.judge(model, data)
    assert verdict.outcome in tuple(Outcome)
    assert len(ledger()) == 1
    folder = RunFolder(next(Path("runs").iterdir()))
    record = folder.read_record()
    assert (record.status, record.verdict, record.look) == ("judged", verdict, 1)
    rows = read_table(folder.path / "predictions" / "test.finetuned.csv")
    accuracy = accuracy_score([row["label"] for row in rows], [row["predicted"] for row in rows])
    assert [s.value for s in record.scores if (s.metric, s.split, s.source) == ("accuracy", "test", "finetuned")] == [accuracy]
    model.save("model/")
    texts = [row.text for row in data.validation]
    assert pretune.load_model("model/").predict_proba(texts) == pytest.approx(model.predict_proba(texts), abs=1e-5)
    assert pretune.load_model(folder.path).predict(texts).tolist() == model.predict(texts).tolist()


@pytest.mark.usefixtures("workplace")
def test_judging_again_is_a_second_look_with_wider_intervals_in_a_second_folder(data, model):
    first, second = pretune.judge(model, data), pretune.judge(model, data)
    assert (first.look, second.look) == (1, 2)
    records = [RunFolder(path).read_record() for path in sorted(Path("runs").iterdir())]
    spans = [next(s.high - s.low for s in r.scores if s.metric == "accuracy" and s.split == "test") for r in records]
    assert spans[1] > spans[0]
    assert [record.scores[0].confidence for record in records] == [0.95, 0.9875]


def test_a_model_that_was_not_fitted_is_not_judged(data, tiny_checkpoint):
    with pytest.raises(NotFittedError):
        pretune.judge(TextClassifier(str(tiny_checkpoint("bert"))), data)
    assert not Path("runs").exists()


def test_a_model_that_was_fitted_on_other_rows_is_not_judged(data, tiny_checkpoint):
    rows = make_rows(240)
    model = TextClassifier(str(tiny_checkpoint("bert")), epochs=1, freeze="all", config=CONFIG)
    model.fit([text for text, _ in rows], [label for _, label in rows])
    with pytest.raises(UsageError, match="fitted on rows other than"):
        pretune.judge(model, data)
    assert ledger() == []


@pytest.mark.parametrize(
    "config",
    [JudgeConfig(positive="ugly"), JudgeConfig(policy="nowhere.toml"), JudgeConfig(goal="fame"), JudgeConfig(min_recall=80)],
)
def test_what_cannot_be_judged_by_opens_nothing(config, data, model):
    with pytest.raises(UsageError):
        pretune.judge(model, data, config=config)
    assert ledger() == []
    assert not Path("runs").exists()


def test_an_opening_that_was_interrupted_counts_and_judging_can_be_repeated(data, model, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.judge._keep_answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pretune.judge(model, data, run="runs/mine")
    assert len(ledger()) == 1
    assert pretune.judge(model, data, run="runs/mine").look == 2


@pytest.mark.usefixtures("workplace")
def test_a_run_that_was_cut_off_before_judging_is_not_trained_again(settings, monkeypatch):
    folder = RunFolder(Path("runs/x"))
    with monkeypatch.context() as patch:
        patch.setattr(Seal, "open", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    assert folder.read_record().status == "trained"
    monkeypatch.setattr(TextClassifier, "fit", interrupted)
    record = pipeline.run(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    assert (record.status, record.look) == ("judged", 1)


@pytest.mark.usefixtures("workplace")
def test_a_run_that_was_cut_off_in_training_starts_again_in_the_same_folder(settings, monkeypatch):
    folder = RunFolder(Path("runs/x"))
    with monkeypatch.context() as patch:
        patch.setattr(TextClassifier, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    assert folder.read_record().status == "started"
    with pytest.raises(UsageError, match="cut off before training ended"):
        pipeline.judge_run(folder, JudgeConfig(), Trace())
    assert pipeline.run(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace())).status == "judged"
    stages = [event["stage"] for event in folder.read_events() if event["event"] == "stage"]
    assert stages.count("fine-tune") == 1, "the trace of the first attempt is told apart"


@pytest.mark.usefixtures("workplace")
def test_a_policy_that_cannot_be_read_is_known_before_the_data_is(settings):
    broken = replace(settings, judge=JudgeConfig(policy="nowhere.toml"))
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        pipeline.run(Job(source="reviews.csv", config=broken, folder=RunFolder(Path("runs/x")), trace=Trace()))
    assert not Path("runs").exists()


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(
    "change",
    [
        {"judge": JudgeConfig(positive="ugly")},
        {"model": "./nowhere"},
        {"finetune": replace(CONFIG, device="tpu")},
        {"freeze": "last-99"},
    ],
    ids=["positive", "model", "device", "freeze"],
)
def test_what_cannot_work_is_known_before_a_run_is_begun(change, settings, monkeypatch):
    monkeypatch.setattr(TextClassifier, "fit", interrupted)
    folder = RunFolder(Path("runs/x"))
    with pytest.raises((UsageError, pretune.ModelLoadError)):
        pipeline.finetune(Job(source="reviews.csv", config=replace(settings, **change), folder=folder, trace=Trace()))
    assert not folder.is_begun


@pytest.mark.usefixtures("workplace")
def test_refused_data_leaves_the_receipt_only(settings):
    Path("bad.csv").write_text("text,label\na fine day,x\na bad day,x\n")
    folder = RunFolder(Path("runs/x"))
    with pytest.raises(DataError, match="one class"):
        pipeline.run(Job(source="bad.csv", config=settings, folder=folder, trace=Trace()))
    assert [path.as_posix() for path in folder.path.rglob("*") if path.is_file()] == ["runs/x/data/receipt.json"]
    assert json.loads((folder.data / "receipt.json").read_text())["files"][0]["num_rows"] == 2


@pytest.mark.usefixtures("workplace")
def test_the_same_command_is_the_same_data_and_settings(settings):
    def identity(command="pretune run", source="reviews.csv", **changes):
        return identity_of(inputs_of(command.removeprefix("pretune "), source, replace(settings, **changes)))

    same = identity()
    assert same == identity()
    others = [
        identity("pretune finetune"),
        identity(source="others.csv"),
        identity(seed=1),
        identity(judge=JudgeConfig(min_recall=0.5)),
    ]
    Path("reviews.csv").write_text(Path("reviews.csv").read_text() + "241,one row more,good\n")
    others.append(identity())
    assert len({same, *others}) == 6


def test_a_folder_given_as_data_is_known_by_what_it_holds(tmp_path, settings):
    def identity():
        return identity_of(inputs_of("run", str(tmp_path), settings))

    seen = set()
    for name, text in (("good/1.txt", "fine"), ("good/1.txt", "fine film"), ("bad/1.txt", "dull")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        seen.add(identity())
    (tmp_path / "bad" / "1.txt").rename(tmp_path / "bad" / "2.txt")
    assert len({*seen, identity()}) == 4


@pytest.mark.usefixtures("workplace")
def test_a_run_that_diverged_says_so_and_is_not_gone_on_with_unasked(settings, monkeypatch):
    inputs, folder = {"command": "x"}, RunFolder(Path("runs/x"))

    def diverge(*_, **__):
        raise DivergedError(step=3, rows=("row 1",), loss=float("nan"), norm=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(TextClassifier, "fit", diverge)
        with pytest.raises(DivergedError):
            pipeline.finetune(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    record = folder.read_record()
    assert record.status == "diverged"
    assert "diverged at step 3" in record.failure
    with pytest.raises(UsageError, match="diverged at step 3"):
        pipeline.judge_run(folder, JudgeConfig(), Trace())
    with pytest.raises(UsageError, match="whose training diverged at step 3") as caught:
        claim_folder("x", inputs, named=folder.path)
    assert "--continue-changed" in caught.value.fix
    assert claim_folder("x", inputs).path.name == "x-2"
    assert claim_folder("x", inputs, named=folder.path, continue_changed=True).path == folder.path


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_that_was_changed_after_training_is_not_judged_by(split, settings):
    folder = RunFolder(Path("runs/x"))
    pipeline.finetune(Job(source="reviews.csv", config=settings, folder=folder, trace=Trace()))
    file = folder.data / f"{split}.jsonl"
    file.write_text(file.read_text().replace("good", "bad", 1))
    with pytest.raises(StorageError, match=f"data/{split}.jsonl was changed since the run was trained"):
        pipeline.judge_run(folder, JudgeConfig(), Trace())
    assert ledger() == []


@pytest.mark.parametrize(
    ("source", "model", "name"),
    [
        ("movie-reviews", "minilm", "movie-reviews-minilm"),
        ("tables/Film reviews.csv.gz", "models/my bert/", "Film-reviews-my-bert"),
        ("../../etc", "..", "etc"),
        ("", "", "data"),
        (".", "/", "data"),
        ("/tmp/.csv", "org/name", "data-name"),
        ("a\n/../b:c*?.csv", "m", "b-c---m"),
        ("критика.csv", "m", "критика-m"),
    ],
)
def test_the_default_name_is_one_plain_folder_name(source, model, name):
    found = default_name(source, model)
    assert found.startswith(name.rstrip("-"))
    assert Path(found).name == found
    assert found not in ("", ".", "..")


def test_the_default_name_fits_a_file_system():
    assert len((default_name("𠀀" * 90 + ".csv", "m") + "-100").encode()) <= 255


@pytest.mark.usefixtures("workplace")
def test_checking_reads_and_opens_nothing(monkeypatch):
    monkeypatch.setattr(TextClassifier, "__init__", interrupted)
    receipt, findings = checking.check_data("reviews.csv", RunConfig(), Trace())
    assert receipt.num_rows == 240
    assert {finding.check for finding in findings} >= {"leakage.seen_texts"}
    assert ledger() == []
    assert not Path("runs").exists()


@pytest.mark.usefixtures("judged")
def test_other_data_is_scored_beside_the_baselines_and_counts_as_a_look():
    looks = len(ledger())
    evaluation, receipt, positive = ask.evaluate_on("runs/first", "reviews.csv", ReadConfig(), Trace())
    assert {score.source for score in evaluation.scores} == {"finetuned", "majority", "prior", "linear", "encoder_linear"}
    assert (receipt.num_used, positive) == (240, None)
    assert [entry["purpose"] for entry in ledger()[looks:]] == ["evaluate"]
    assert {score.look for score in evaluation.scores} == {2}, "the test rows are among these"


@pytest.mark.usefixtures("judged")
def test_rows_that_were_trained_on_are_pointed_out():
    told = []
    ask.evaluate_on("runs/first", "reviews.csv", ReadConfig(), Trace(listeners=(told.append,)))
    notes = [event["text"] for event in told if event["event"] == "note"]
    assert any(note.startswith("168 of the 240 rows were trained on") for note in notes)


@pytest.mark.usefixtures("judged")
def test_other_data_is_read_by_the_columns_of_the_run():
    Path("later.csv").write_text(
        Path("reviews.csv").read_text().replace("\n", ",maybe\n").replace(",maybe", ",label", 1), encoding="utf-8"
    )
    _, receipt, _ = ask.evaluate_on("runs/first", "later.csv", ReadConfig(), Trace())
    assert receipt.columns.label == "Mood?"


@pytest.mark.usefixtures("judged")
def test_data_with_labels_that_the_model_does_not_know_is_not_scored(write_csv):
    looks = len(ledger())
    path = write_csv([(text, "ugly" if label == "bad" else label) for text, label in make_rows(20)])
    with pytest.raises(DataError, match="'ugly'"):
        ask.evaluate_on("runs/first", path, ReadConfig(), Trace())
    assert len(ledger()) == looks


@pytest.mark.usefixtures("judged")
def test_two_runs_are_compared_on_the_rows_they_share_and_that_is_a_look_for_two():
    shutil.copytree("runs/first", "runs/second")
    looks = len(ledger())
    found = comparing.compare(Path("runs/first"), Path("runs/second"))
    (comparison,) = [c for c in found.comparisons if c.metric == "accuracy"]
    assert (comparison.a, comparison.b, comparison.difference, comparison.num_examples) == ("first", "second", 0.0, 36)
    assert (found.split, found.num_examples, found.num_rows, found.preference.preferred) == ("test", 36, (36, 36), None)
    (entry,) = ledger()[looks:]
    assert (entry["purpose"], entry["num_models"]) == ("compare", 2)


@pytest.mark.usefixtures("judged")
def test_a_run_is_not_compared_with_itself():
    looks = len(ledger())
    with pytest.raises(UsageError, match="given twice"):
        comparing.compare(Path("runs/first"), Path("runs/../runs/first"))
    assert len(ledger()) == looks


@pytest.mark.usefixtures("judged")
def test_rows_of_other_data_are_not_taken_for_the_same_by_their_ids():
    shutil.copytree("runs/first", "runs/second")
    rows = [(f"another text {index}", label) for index, (_, label) in enumerate(make_rows(240))]
    Path("elsewhere").mkdir()
    other = prepare(write_reviews(Path("elsewhere/reviews.csv"), rows), ReadConfig(), SplitConfig())
    sealed = [row["id"] for row in read_table(Path("runs/first/predictions/test.finetuned.csv"))]
    kept = [replace(row, id=name) for row, name in zip(other.train, sealed, strict=False)]
    Seal(kept).save(Path("runs/second/data/test.sealed.jsonl"))
    cover(Path("runs/second"))
    with pytest.raises(DataError, match="no test row in common"):
        comparing.compare(Path("runs/first"), Path("runs/second"))


@pytest.mark.usefixtures("workplace")
def test_texts_come_from_arguments_lines_or_a_table():
    class Typed(io.StringIO):
        def isatty(self):
            return True

    lines = io.StringIO("one text\n\nanother\r\n")
    assert ask.read_texts(["a", "b"], None, lines, ReadConfig()) == [("text 1", "a"), ("text 2", "b")]
    assert [row for row, _ in ask.read_texts(None, None, lines, ReadConfig())] == ["text 1", "text 3"]
    assert ask.read_texts(None, "reviews.csv", lines, ReadConfig())[0][0] == "reviews.csv:2"
    with pytest.raises(UsageError, match="both"):
        ask.read_texts(["a"], "reviews.csv", lines, ReadConfig())
    with pytest.raises(UsageError, match="no text"):
        ask.read_texts(None, None, Typed(), ReadConfig())
    with pytest.raises(UsageError, match="every line is empty"):
        ask.read_texts(None, None, io.StringIO("\n \n"), ReadConfig())
    with pytest.raises(DataError, match="standard input is not text"):
        ask.read_texts(None, None, io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"), ReadConfig())


def test_a_run_that_another_process_has_is_not_judged(finetuned):
    hold = f"f = RunFolder(Path({str(finetuned)!r})); f.hold(); print(flush=True); input()"
    script = f"from pathlib import Path; from pretune.run import *; {hold}"
    with subprocess.Popen(python("-c", script), stdin=-1, stdout=-1, text=True) as other:
        other.stdout.readline()
        with pytest.raises(UsageError, match="in use by another process"):
            pipeline.judge_run(RunFolder(finetuned), JudgeConfig(), Trace())
        other.communicate("\n")
    assert ledger() == []


def test_changed_test_rows_are_not_judged(finetuned):
    path = finetuned / "data" / "test.sealed.jsonl"
    path.write_text(path.read_text().replace('"label": "bad"', '"label": "good"', 1))
    with pytest.raises(StorageError, match=r"data/test\.sealed\.jsonl was changed"):
        pipeline.judge_run(RunFolder(finetuned), JudgeConfig(), Trace())
    assert ledger() == []


def interrupted(*_arguments, **_options):
    """Take the place of what must not run, or is cut off by Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("flags", "got"),
    [(["--device", "gpu"], "device 'gpu'"), (["--keep", "foo"], "--keep 'foo'"), (["--cost", "fn"], "--cost 'fn'")],
)
def test_a_wrong_setting_is_refused_before_the_data_are_read(flags, got, tmp_path, capsys):
    (tmp_path / "unreadable.csv").write_bytes(b"PK\x03\x04 no table")
    assert call("finetune", tmp_path / "unreadable.csv", "--run", tmp_path / "run", *flags) == 2
    assert got in capsys.readouterr().err
    assert not (tmp_path / "run").exists()

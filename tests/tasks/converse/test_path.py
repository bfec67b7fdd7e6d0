"""Conversations from a table to a verdict, with a tiny model."""

import contextlib
import io
import json
import shutil
from types import SimpleNamespace

import pytest
from chat_models import make_pairs, save_chat_model
from running import call

import pretune
from pretune.configs import ChatConfig, ConverseRunConfig
from pretune.errors import StorageError, UsageError
from pretune.models.formats import chat
from pretune.run import RunFolder
from pretune.run.reply_files import read_all_replies, read_replies, write_replies
from pretune.tasks.converse.beyond import read_yardsticks
from pretune.tasks.converse.recompute import recompute

OPTIONS = (
    "--epochs 2 --lr 3e-3 --questions 30 --max-reply 16 --max-length 64 --set chat.repetition_penalty=1.0 --general texts.txt"
)


def write_rows(place, num_rows=300):
    rows = make_pairs(num_rows)
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "texts.txt").write_text(
        "".join(f"{row['prompt']} {row['response']} Nothing else is known of it.\n" for row in rows[:40])
    )


def run(*words):
    """Run a command in this process; return its exit code, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = call(*words)
    return SimpleNamespace(exit_code=code, stdout=out.getvalue(), stderr=err.getvalue())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("converse")
    save_chat_model(folder / "model")
    write_rows(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        found = run("run", "rows.jsonl", "--model", "model", "--run", "runs/a", "--json", *OPTIONS.split())
        assert found.exit_code in (0, 1, 3), found.stderr
        (folder / "shown.json").write_text(found.stdout)
    return folder


def test_every_source_replies_to_the_same_sealed_questions(place):
    found = [item for item in read_all_replies(place / "runs" / "a") if item.split == "test"]
    assert {item.source for item in found} == {"finetuned", "before", "retrieval", "constant", "few-shot"}
    assert len({item.ids for item in found}) == 1
    assert all(item.scores is not None for item in found if item.source in ("finetuned", "before", "few-shot"))


def test_four_bits_stand_beside_the_judged_model_and_the_verdict_does_not_see_them(place):
    folder = RunFolder(place / "runs" / "a")
    record, small = folder.read_record(), read_replies(folder.path, "validation", "chat-int4")
    own = read_replies(folder.path, "validation", "finetuned")
    assert small.ids == own.ids
    assert small.decoding.precision == "int4"
    assert small.scores != own.scores
    assert [(item.split, item.metric) for item in record.comparisons if item.a == "chat-int4"] == [
        ("validation", "chrf"),
        ("validation", "loss"),
    ]
    assert not [reason for reason in record.verdict.reasons if "int4" in reason.text]
    assert "With 4 bits per weight" in (folder.path / "report.html").read_text()
    assert "With 4 bits per weight" in (folder.path / "README.md").read_text()


def test_training_lowers_the_loss_of_replies_that_it_has_not_seen(place):
    scores = {
        (item["source"], item["metric"]): item["value"] for item in json.loads((place / "shown.json").read_text())["scores"]
    }
    assert scores["finetuned", "loss"] < scores["before", "loss"]


def test_no_question_is_on_two_sides(place):
    folder = RunFolder(place / "runs" / "a")
    known = {row.text for split in ("train", "validation") for row in folder.read_examples(split)}
    asked = set(read_replies(folder.path, "test", "finetuned").questions)
    assert not known & asked


def test_the_saved_model_has_the_decoding_that_was_judged(place):
    folder = RunFolder(place / "runs" / "a")
    card, record = chat.read(str(folder.path)).card, folder.read_record()
    assert card is not None
    assert card.decoding == record.chat.decoding
    assert record.chat.proof.trained == record.chat.proof.saved != {}


def test_questions_that_need_care_are_answered_before_and_after_and_shown(place):
    facts = RunFolder(place / "runs" / "a").read_record().chat
    assert [item.source for item in facts.safety] == ["finetuned", "before"]
    assert len(facts.safety[0].texts) == len(facts.safety[0].questions) >= 35
    assert facts.safety[0].questions[0].text[:40] in (place / "runs" / "a" / "report.html").read_text()


def test_what_was_forgotten_is_measured_on_the_text_that_was_named(place):
    scores = RunFolder(place / "runs" / "a").read_record().scores
    assert [(item.split, item.source) for item in scores if item.metric == "forgetting"] == [("general", "finetuned")]


def test_a_yardstick_that_cannot_be_read_is_refused_before_anything_is_trained(place, monkeypatch):
    monkeypatch.chdir(place)
    words = OPTIONS.replace("texts.txt", "nowhere.txt").split()
    found = run("run", "rows.jsonl", "--model", "model", "--run", "runs/unread", *words)
    assert found.exit_code == 2
    assert "nowhere.txt" in found.stderr
    assert "load model" not in found.stderr, "nothing has taken long yet"


def test_rows_of_a_yardstick_that_cannot_be_used_are_passed_over(place, monkeypatch):
    monkeypatch.chdir(place)
    rows = [*make_pairs(20), *[{"prompt": f"Question {number}?", "response": ""} for number in range(5)]]
    (place / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = ConverseRunConfig(chat=ChatConfig(general=("asked.jsonl",)))
    (found,) = read_yardsticks(config)
    assert (found.split, len(found.rows)) == ("instructions", 20)


def test_the_report_shows_replies_from_the_worst_to_the_best(place):
    samples = RunFolder(place / "runs" / "a").read_record().chat.samples
    assert len(samples) == 10
    assert set(samples[0].texts) == {"finetuned", "before", "retrieval", "constant", "few-shot"}


def test_plain_transformers_replies_the_same(place):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = pretune.ChatModel.load(place / "runs" / "a")
    folder = place / "runs" / "a" / "model"
    tokenizer, plain = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    model.decoding_ = type(model.decoding_)(max_tokens=16, precision="fp32")
    for row in make_pairs(4, seed=5):
        asked = [{"role": "user", "content": row["prompt"]}]
        ids = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        theirs = plain.generate(ids, max_new_tokens=16)[0, ids.shape[1] :]
        assert model.reply(row["prompt"]) == tokenizer.decode(theirs, skip_special_tokens=True).strip()


def test_the_verdict_follows_from_the_files(place):
    found = recompute(RunFolder(place / "runs" / "a"))
    assert found.differences == ()
    assert found.stored == found.found


def test_a_reply_that_was_changed_is_found(place, tmp_path):
    copy = tmp_path / "a"
    shutil.copytree(place / "runs" / "a", copy)
    item = read_replies(copy, "test", "finetuned")
    write_replies(copy, type(item).from_json(item.to_json() | {"texts": item.references}))
    with pytest.raises(StorageError, match="do not give the verdict"):
        recompute(RunFolder(copy)).check()


def test_report_and_card_are_written_and_show_no_markup_of_the_data(place):
    page = (place / "runs" / "a" / "report.html").read_text()
    assert "A chat model" in page
    assert "pretune chat ." in (place / "runs" / "a" / "README.md").read_text()


def test_the_same_command_again_trains_nothing(place, monkeypatch):
    monkeypatch.chdir(place)
    before = (place / "runs" / "a" / "model" / "model.safetensors").stat().st_mtime_ns
    found = run("run", "rows.jsonl", "--model", "model", "--run", "runs/a", "--json", *OPTIONS.split())
    assert found.exit_code == 2, found.stderr
    assert "finished run" in found.stdout
    assert (place / "runs" / "a" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_judging_again_counts_another_look(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PRETUNE_HOME", str(place / "pretune-home"))
    copy = tmp_path / "again"
    shutil.copytree(place / "runs" / "a", copy)
    found = run("judge", str(copy), "--json")
    assert json.loads(found.stdout)["look"] == RunFolder(place / "runs" / "a").read_record().look + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--head mlp", "a chat model has no classes"),
        ("--min-recall 0.8", "--min-recall with conversations"),
        ("--freeze all", "freeze"),
        ("--lr auto", "learning_rate"),
        ("--mix 0.1", "mix_corpus"),
        ("--task talk", "classify or converse"),
        ("--domain nowhere", "domain"),
    ],
)
def test_what_a_chat_model_cannot_be_asked_is_refused(place, monkeypatch, words, said):
    monkeypatch.chdir(place)
    found = run("run", "rows.jsonl", "--model", "model", "--run", "runs/refused", *words.split())
    assert found.exit_code == 2
    assert said in found.stderr
    assert not (place / "runs" / "refused").exists()


def test_flags_of_conversation_are_refused_on_texts_with_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"a text {n},{'ab'[n % 2]}\n" for n in range(20)))
    found = run("run", "a.csv", "--max-reply", "30")
    assert found.exit_code == 2
    assert "--max-reply with texts that have classes" in found.stderr


def test_a_masked_model_is_refused(place, monkeypatch, tiny_checkpoint):
    monkeypatch.chdir(place)
    found = run("run", "rows.jsonl", "--model", str(tiny_checkpoint("bert")), "--run", "runs/masked")
    assert found.exit_code == 2
    assert "hidden words" in found.stderr


def test_python_does_what_the_command_does(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = pretune.load_conversations(make_pairs(300))
    config = pretune.ReplyConfig(learning_rate=3e-3, max_length=64)
    model = pretune.ChatModel(
        str(place / "model"), epochs=2, config=config, chat=pretune.ChatConfig(max_reply=16, repetition_penalty=1.0)
    )
    model.fit(data)
    assert model.score(data.validation) == pytest.approx(-min(item.loss for item in model.history_.validations), abs=0.05)
    assert "".join(model.stream("What is gout?")).strip() == model.reply("What is gout?")
    model.save("saved")
    assert pretune.ChatModel.load("saved").reply(["What is gout?"]) == [model.reply("What is gout?")]
    verdict = pretune.judge(model, data)
    assert verdict.outcome in ("ship", "do_not_ship", "not_enough_evidence")


def test_judge_refuses_data_of_another_task():
    data = pretune.load_conversations(make_pairs(300))
    with pytest.raises(UsageError, match="TextClassifier"):
        pretune.judge(pretune.TextClassifier(), data)


def test_predict_replies_to_arguments_and_to_a_file(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place)
    found = run("predict", "runs/a", "What is gout?", "What is angina?", "--json")
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["What is gout?", "What is angina?"]
    (tmp_path / "asked.csv").write_text("question\nWhat is gout?\nWhat is angina?\n")
    for name in ("out.csv", "out.jsonl"):
        again = run(
            "predict", "runs/a", "--file", str(tmp_path / "asked.csv"), "--text", "question", "--output", str(tmp_path / name)
        )
        assert again.exit_code == 0, again.stderr
        assert lines[0]["reply"] in (tmp_path / name).read_text()
        refused = run("predict", "runs/a", "--file", str(tmp_path / "asked.csv"), "--output", str(tmp_path / name))
        assert refused.exit_code == 2


def test_evaluate_scores_other_conversations_and_counts_the_look(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place)
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in make_pairs(40, seed=9)))
    looks = []
    for _ in range(2):
        found = run("evaluate", "runs/a", str(tmp_path / "more.jsonl"), "--json")
        looks.append(json.loads(found.stdout)["scores"][0]["look"])
    assert looks == [1, 2]


def test_trace_follows_a_question_to_the_same_reply(place, monkeypatch):
    monkeypatch.chdir(place)
    found = json.loads(run("trace", "runs/a", "What is gout?", "--json").stdout)
    assert found["reply"] == json.loads(run("predict", "runs/a", "What is gout?", "--json").stdout)["reply"]
    layers = found["words"]["places"][0]["layers"]
    assert [layer["name"] for layer in layers] == ["embeddings", "layer 1", "layer 2"]
    assert run("trace", "runs/a", "What is gout?").exit_code == 0


@pytest.mark.parametrize("command", [("compare", "runs/a", "runs/a"), ("trace", "runs/a", "--mask", "a [MASK]")])
def test_what_a_chat_run_cannot_do_is_said(place, monkeypatch, command):
    monkeypatch.chdir(place)
    found = run(*command)
    assert found.exit_code in (0, 2)
    assert "Traceback" not in found.stderr


def test_verify_passes_and_finds_a_changed_reply(place, tmp_path, monkeypatch):
    monkeypatch.chdir(place)
    assert run("verify", "runs/a").exit_code == 0
    copy = tmp_path / "changed"
    shutil.copytree(place / "runs" / "a", copy)
    file = copy / "predictions" / "test.before.jsonl"
    file.write_text(file.read_text().replace('"ended": false', '"ended": true', 1))
    assert run("verify", str(copy)).exit_code != 0


def test_an_export_replies_as_the_judged_model_does(place, tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    monkeypatch.chdir(place)
    copy = tmp_path / "exported"
    shutil.copytree(place / "runs" / "a", copy)
    found = json.loads(run("export", str(copy), "--precision", "f32", "--json").stdout)
    assert found["same_replies"] == 1.0
    assert found["loss_exported"] == pytest.approx(found["loss"], abs=1e-4)
    assert (copy / "export" / "gguf-f32" / "model.gguf").stat().st_size == found["bytes"]
    assert run("export", str(copy), "--precision", "q2").exit_code == 2
    assert run("verify", str(copy)).exit_code == 0

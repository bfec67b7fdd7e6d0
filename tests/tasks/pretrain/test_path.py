"""From raw text to a language model to a verdict, by the commands: does it learn, go on, hand over and say whether it paid?"""

import json

import pytest
import torch
from chains import SMALL, write_corpus
from corpora import make_documents, write_documents
from running import call, read_strictly, write_reviews
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from pretune.errors import ModelLoadError
from pretune.models import find_checkpoint

CONTINUE = [
    "--epochs", "1", "--window", "32", "--batch-tokens", "256", "--threads", "1", "--set", "pretrain.precision=fp32",
]  # fmt: skip
PROOF = [
    "--prove-pretraining", "--freeze", "none", "--epochs", "1", "--lr", "3e-3", "--batch-size", "8", "--threads", "1",
    "--set", "finetune.precision=fp32", "--set", "judge.encoder_linear=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "words.txt")


def pretrain(corpus, run, *flags):
    return call("pretrain", corpus, "--run", run, *SMALL, "--set", "corpus.near_duplicate_threshold=0.95", *flags)


def test_from_scratch_to_a_model_that_plain_transformers_loads(corpus, tmp_path, capsys):
    run = tmp_path / "lm"
    assert pretrain(corpus, run, "--epochs", "14", "--lr", "1e-2", "--watch", "a [MASK]", "--json") == 0
    told = read_strictly(capsys.readouterr().out)
    milestones = told["history"]["milestones"]
    assert told["status"] == "pretrained"
    assert milestones[0]["step"] == 0
    assert milestones[-1]["loss"] < milestones[0]["loss"] - 0.3
    assert milestones[-1]["guesses"][0]["prompt"] == "a [MASK]"
    receipt = told["data"]
    assert receipt["num_documents"] == receipt["num_kept"] + sum(receipt["dropped"].values())
    model = AutoModelForMaskedLM.from_pretrained(run / "model")
    tokenizer = AutoTokenizer.from_pretrained(run / "model")
    assert model.config.vocab_size >= len(tokenizer)
    assert model(**tokenizer("a word", return_tensors="pt")).logits.shape[-1] == model.config.vocab_size
    assert "Loss" in (run / "report.html").read_text(encoding="utf-8")
    assert (run / "README.md").is_file()
    assert not (run / "checkpoints").exists()
    stages = [
        json.loads(line)["stage"] for line in (run / "trace.jsonl").read_text().splitlines() if '"event": "stage"' in line
    ]
    assert {"read", "clean", "duplicates", "train tokenizer", "tokenize", "pre-train", "save"} <= set(stages)


def test_next_words_from_scratch(corpus, tmp_path, capsys):
    run = tmp_path / "causal"
    assert pretrain(corpus, run, "--objective", "causal", "--epochs", "6", "--lr", "1e-2", "--json") == 0
    told = read_strictly(capsys.readouterr().out)
    first, last = told["history"]["milestones"][0], told["history"]["milestones"][-1]
    assert last["bits_per_byte"] < first["bits_per_byte"]
    assert {score["source"] for score in told["scores"] if score["metric"] == "bits_per_byte"} == {"before", "pretrained"}
    assert AutoModelForCausalLM.from_pretrained(run / "model").config.model_type == "llama"


def test_a_continued_model_starts_from_its_weights_and_shows_what_it_forgets(corpus, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert pretrain(corpus, first, "--epochs", "3", "--lr", "1e-2", "--quiet") == 0
    other = write_corpus(tmp_path / "other.txt", seed=9)
    capsys.readouterr()
    assert call("pretrain", other, "--run", second, "--model", first, "--general", corpus, *CONTINUE, "--json") == 0
    told = read_strictly(capsys.readouterr().out)
    ended = json.loads((first / "run.json").read_text())["pretraining"]["milestones"][-1]["loss"]
    assert told["history"]["started_from"] == str(first)
    assert told["history"]["milestones"][0]["loss"] == pytest.approx(
        ended, abs=0.8
    )  # other hidden words, the same kind of text
    assert {(score["split"], score["source"]) for score in told["scores"]} == {
        (split, source) for split in ("domain", "general") for source in ("before", "pretrained")
    }


def test_the_same_command_goes_on_and_a_finished_run_is_left_alone(corpus, tmp_path, capsys, monkeypatch):
    from pretune.train import Training

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert pretrain(corpus, whole, "--epochs", "2", "--quiet") == 0
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    keep, calls = Training._keep, []

    def interrupt(self):
        keep(self)
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(Training, "_keep", interrupt)
    assert pretrain(corpus, cut, "--epochs", "2", "--quiet") == 130
    monkeypatch.setattr(Training, "_keep", keep)
    capsys.readouterr()
    assert pretrain(corpus, cut, "--epochs", "2") == 0
    assert "resuming after step 9" in capsys.readouterr().err
    weights = [AutoModelForMaskedLM.from_pretrained(run / "model").state_dict() for run in (whole, cut)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert pretrain(corpus, cut, "--epochs", "2", "--quiet") == 2
    assert "holds a finished run" in capsys.readouterr().err


def test_fine_tuning_takes_it_over_and_says_whether_it_paid(corpus, tmp_path, capsys):
    lm, run = tmp_path / "lm", tmp_path / "run"
    assert pretrain(corpus, lm, "--epochs", "4", "--lr", "1e-2", "--quiet") == 0
    data = write_reviews(tmp_path / "reviews.csv")
    capsys.readouterr()
    code = call(
        "run", data, "--run", run, "--model", lm, "--prove-pretraining", "--freeze", "none", "--epochs", "2", "--lr", "3e-3",
        "--batch-size", "4", "--threads", "1", "--set", "finetune.precision=fp32",
        "--set", "judge.encoder_linear=false", "--quiet",
    )  # fmt: skip
    assert code in (0, 1, 3)
    record = json.loads((run / "run.json").read_text())
    assert record["pretraining"]["milestones"]
    proof = record["proof"]
    assert {(arm["source"], arm["num_labels"]) for arm in proof["arms"]} == {
        (source, number) for source in ("pretrained", "random") for number in (100, 168)
    }
    assert all(arm["test_accuracy"] is not None for arm in proof["arms"])
    assert [item["b"] for item in proof["comparisons"]] == ["random@100", "random@168"]
    assert "points of accuracy over random weights" in proof["statement"]
    assert not (run / "proof").exists()
    assert call("judge", run, "--recompute", "--json") == code


def test_a_continued_model_is_asked_what_it_forgot_and_whether_its_yardstick_was_the_right_one(corpus, tmp_path, capsys):
    first, second, run = tmp_path / "first", tmp_path / "second", tmp_path / "run"
    assert pretrain(corpus, first, "--epochs", "1", "--quiet") == 0
    other = write_corpus(tmp_path / "other.txt", seed=9)
    assert call("pretrain", other, "--run", second, "--model", first, "--general", corpus, *CONTINUE, "--quiet") == 0
    assert "The language model before and after" in capsys.readouterr().out
    assert "The language model before and after" in (second / "report.html").read_text(encoding="utf-8")
    data, general = (write_reviews(tmp_path / f"{name}.csv") for name in ("reviews", "general"))
    code = call("run", data, "--run", run, "--model", second, *PROOF, "--general-task", general, "--quiet")
    assert code in (0, 1, 3)
    record = json.loads((run / "run.json").read_text())
    before = {item["split"]: item["value"] for item in record["language"] if item["source"] == "before"}
    assert set(before) == {"domain", "general"}
    found = {item["check"]: item for item in record["findings"]}
    assert "loss on general text changed by" in found["adaptation.forgetting"]["summary"]
    assert "accuracy on a general task by" in found["adaptation.forgetting"]["summary"]
    assert found["adaptation.wrong_yardstick"]["severity"] in ("ok", "warning")
    assert {arm["source"] for arm in record["proof"]["arms"]} == {"pretrained", "random", "before"}
    assert record["verdict"]["policy"]["name"] == "domain"
    assert call("judge", run, "--recompute", "--json") == code
    capsys.readouterr()
    assert call("run", data, "--run", tmp_path / "none", "--model", first, *PROOF, "--general-task", general) == 2
    assert "no model before it" in capsys.readouterr().err
    assert call("run", data, "--run", tmp_path / "none", "--model", second, "--general-task", general) == 2
    assert "--prove-pretraining with it" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_what_is_refused_leaves_the_folder_as_it_was(corpus, tmp_path, monkeypatch):
    run, wrong = tmp_path / "lm", tmp_path / "wrong.txt"
    wrong.write_text("only a few words", encoding="utf-8")
    assert pretrain(wrong, run) == 2
    assert not run.exists()
    assert pretrain(corpus, run, "--tokens", "512", "--quiet") == 0
    before = (run / "model" / "model.safetensors").read_bytes()
    for source in (wrong, tmp_path / "no such corpus"):
        assert pretrain(source, run, "--overwrite") == 2
        assert (run / "model" / "model.safetensors").read_bytes() == before
    monkeypatch.setattr("pretune.tasks.pretrain.path.prepare_training", interrupt)
    assert pretrain(corpus, run, "--tokens", "1024", "--overwrite", "--quiet") == 130
    monkeypatch.undo()
    assert (run / "model" / "model.safetensors").read_bytes() == before
    assert pretrain(corpus, run, "--tokens", "1024", "--overwrite", "--quiet") == 0
    assert (run / "model" / "model.safetensors").read_bytes() != before
    assert sorted(item.name for item in tmp_path.iterdir() if item.name.startswith(".")) == []


def interrupt(*_arguments):
    raise KeyboardInterrupt


@pytest.fixture
def unreadable(tmp_path):
    """A corpus that is there, and is refused once it is read."""
    path = tmp_path / "no corpus.txt"
    path.write_bytes(b"PK\x03\x04 no text")
    return path


def test_a_text_to_watch_that_hides_nothing_is_refused_before_the_corpus_is_read(unreadable, tmp_path, capsys):
    assert pretrain(unreadable, tmp_path / "run", "--watch", "all is said") == 2
    assert "nothing is hidden in 'all is said'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("fields", ["hidden_siz=64", "hidden_size=48,num_attention_heads=7", "num_hidden_layers=many"])
def test_an_architecture_that_cannot_be_built_is_refused_before_the_corpus_is_read(fields, unreadable, tmp_path, capsys):
    assert call("pretrain", unreadable, "--run", tmp_path / "run", "--architecture", fields) == 2
    error = capsys.readouterr().err
    assert "ModernBertConfig" in error
    assert "no corpus.txt" not in error
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_without_a_head_has_fair_figures_before_on_general_text_too(corpus, tmp_path, capsys, tiny_checkpoint):
    run, other = tmp_path / "run", write_corpus(tmp_path / "other.txt", seed=9)
    flags = ["--model", tiny_checkpoint("bert"), "--general", other, *CONTINUE, "--set", "pretrain.head_share=0.25"]
    assert call("pretrain", corpus, "--run", run, *flags) == 0
    shown = capsys.readouterr().out
    record = json.loads((run / "run.json").read_text())
    history = record["pretraining"]
    before = {score["split"]: score for score in record["scores"] if score["source"] == "before" and score["metric"] == "loss"}
    (fair,) = (item for item in history["milestones"] if item["step"] == history["num_head_steps"])
    assert (before["domain"]["value"], before["general"]["value"]) == (fair["loss"], fair["general_loss"])
    assert f"the new head for words alone had learned from {fair['num_tokens']:,} tokens" in before["general"]["method"]
    assert f"the new head alone for the first {history['num_head_steps']} steps" in shown
    assert fair["observation"].startswith("the new head alone first")


def test_the_same_seed_gives_the_same_new_head_and_so_the_same_weights(corpus, tmp_path, tiny_checkpoint):
    for run in ("a", "b"):
        assert call("pretrain", corpus, "--run", tmp_path / run, "--model", tiny_checkpoint("bert"), *CONTINUE) == 0
    weights = [(tmp_path / run / "model" / "model.safetensors").read_bytes() for run in ("a", "b")]
    assert weights[0] == weights[1]


def test_a_proof_needs_a_model_that_pretune_trained(tmp_path, capsys, tiny_checkpoint):
    data = write_reviews(tmp_path / "reviews.csv")
    assert call("run", data, "--run", tmp_path / "run", "--model", tiny_checkpoint("bert"), "--prove-pretraining") == 2
    assert "was not pre-trained by pretune" in capsys.readouterr().err


def test_a_damaged_language_model_is_refused(corpus, tmp_path):
    run = tmp_path / "lm"
    assert pretrain(corpus, run, "--tokens", "512", "--quiet") == 0
    weights = run / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelLoadError, match=r"model.safetensors is not what was written"):
        find_checkpoint(str(run))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01\x02\xff\xfe\x00" * 400, ""), ("schön und gut ".encode("latin-1") * 50, "encoding"), (b"", ""),
        (b"only a few words here\n\nand some more words there\n", ""),
    ],
)  # fmt: skip
def test_a_wrong_corpus_is_one_message_and_leaves_no_run_that_looks_whole(content, said, tmp_path, capsys):
    path, run = tmp_path / "corpus.txt", tmp_path / "run"
    path.write_bytes(content)
    assert call("pretrain", path, "--run", run, *SMALL) == 2
    error = capsys.readouterr().err
    assert "pretune:" in error
    assert "Fix:" in error
    assert said in error
    assert "Traceback" not in error
    assert not (run / "model").exists()
    path = write_corpus(path)
    assert call("pretrain", path, "--run", run, "--overwrite", *SMALL, "--tokens", "512", "--quiet") == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["--size", "hug"], ["--objective", "both"], ["--tokens", "many"], ["--epochs", "1", "--tokens", "5k"],
        ["--budget", "soon"], ["--architecture", "layers"], ["--architecture", "num_layers=3"], ["--set", "pretrain.windw=3"],
        ["--mask-share", "2"], ["--model", "no-such-model/"], ["--set", "pretrain.window=long"],
    ],
)  # fmt: skip
def test_flags_that_do_not_fit_are_one_message(flags, corpus, tmp_path, capsys):
    assert call("pretrain", corpus, "--run", tmp_path / "run", "--threads", "1", *flags) == 2
    error = capsys.readouterr().err
    assert "pretune:" in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_one_command_from_raw_text_to_a_verdict(tmp_path, capsys):
    corpus = write_documents(tmp_path / "raw.txt", make_documents(400, num_words=60))
    data, run = write_reviews(tmp_path / "reviews.csv"), tmp_path / "run"
    flags = ["--pretrain", corpus, "--size", "tiny", "--tokens", "20k", "--run", run, "--freeze", "none", "--epochs", "1",
             "--set", "pretrain.architecture=num_hidden_layers=2,hidden_size=32,num_attention_heads=2",
             "--threads", "1", "--set", "finetune.precision=fp32", "--set", "judge.encoder_linear=false"]  # fmt: skip
    code = call("run", data, *flags)
    shown, told = capsys.readouterr()
    assert code in (0, 1, 3), told
    assert "train tokenizer" in shown
    assert "pre-training" in shown
    record = json.loads((run / "run.json").read_text())
    assert record["configs"]["model"] == str(tmp_path / "run-lm")
    assert json.loads((tmp_path / "run-lm" / "model" / "config.json").read_text())["num_hidden_layers"] == 2
    stages = [json.loads(line).get("stage") for line in (run / "trace.jsonl").read_text().splitlines()]
    assert stages.index("pre-train") < stages.index("fine-tune") < stages.index("evaluate")
    assert (
        call("run", data, *flags[:-4], "--overwrite", *flags[-4:], "--quiet") == code
    )  # what was pre-trained is taken as it is


@pytest.mark.parametrize("flags", [["--size", "tiny"], ["--set", "pretrain.window=64"]])
def test_pre_training_flags_without_a_corpus_are_told(flags, tmp_path, capsys):
    assert call("run", write_reviews(tmp_path / "reviews.csv"), *flags) == 2
    assert "--pretrain CORPUS" in capsys.readouterr().err

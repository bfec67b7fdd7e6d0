"""The adapters of a chat model, loaded in plain peft on top of the model that training began with."""

import json
import shutil

import pytest
import torch
from chat_models import make_pairs, save_chat_model
from running import call
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from pretune.errors import ParityError
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.converse.export_lora import export_lora

peft = pytest.importorskip("peft", reason="needs the extra lora")
OPTIONS = (
    "--epochs 2 --lr 3e-3 --questions 30 --max-reply 16 --max-length 64 --set chat.repetition_penalty=1.0 --model model --quiet"
)


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lora")
    save_chat_model(folder / "model", tied=request.param)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in make_pairs(200)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        assert call("finetune", "rows.jsonl", "--run", "a", "--lora", "4", *OPTIONS.split()) == 0
        about = export_lora(RunFolder(folder / "a"), trace=Trace())
    (folder / "about.json").write_text(json.dumps(about))
    return folder


def loaded(place):
    """Return what the documentation says: base model, adapters on top, tokenizer; and the merged model of the run."""
    base = peft.PeftConfig.from_pretrained(place / "a" / "export" / "lora").base_model_name_or_path
    on_top = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), place / "a" / "export" / "lora")
    merged = AutoModelForCausalLM.from_pretrained(place / "a" / "model")
    return on_top.eval(), AutoTokenizer.from_pretrained(place / "a" / "export" / "lora"), merged.eval()


def is_tied(place):
    return json.loads((place / "model" / "config.json").read_text())["tie_word_embeddings"]


def prompts(tokenizer):
    for row in make_pairs(8, seed=5):
        asked = [{"role": "user", "content": row["prompt"]}]
        yield tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt")["input_ids"]


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft 0.21 on transformers 5.23
def test_plain_peft_gives_the_logits_and_the_greedy_replies_of_the_merged_model(place):
    on_top, tokenizer, merged = loaded(place)
    start = AutoModelForCausalLM.from_pretrained(place / "model").eval()
    for ids in prompts(tokenizer):
        with torch.inference_mode():
            ours, theirs, before = merged(ids).logits, on_top(input_ids=ids).logits, start(ids).logits
            torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=0)
            assert (ours - before).abs().max() > 1e-2
        wanted = {"max_new_tokens": 12, "do_sample": False, "repetition_penalty": 1.0, "eos_token_id": 2}
        assert torch.equal(on_top.generate(input_ids=ids, **wanted), merged.generate(ids, **wanted))


def test_what_was_found_is_told(place):
    about = json.loads((place / "about.json").read_text())
    assert about["same_replies"] == 1.0
    assert about["logit_difference"] < 1e-4
    assert about["loss_exported"] == pytest.approx(about["loss"], abs=1e-4)
    assert about["base"] == str((place / "model").resolve())
    assert json.loads((place / "a" / "export" / "lora" / "export.json").read_text()) == about


def test_the_adapters_are_small_and_the_model_folder_loads_as_before(place):
    kept = load_file(place / "a" / "model" / "lora" / "adapter_model.safetensors")
    assert {weight.dtype for weight in kept.values()} == {torch.float32}
    assert sum("lora_A" in name for name in kept) == sum("lora_B" in name for name in kept) == 14
    assert len(kept) == (28 if is_tied(place) else 29)  # an output layer of its own learns whole
    assert not [name for name in load_file(place / "a" / "model" / "model.safetensors") if "lora" in name]
    assert call("verify", str(place / "a")) == 0


def test_adapters_on_another_starting_model_are_no_export(place, tmp_path, monkeypatch):
    shutil.copytree(place / "a", tmp_path / "a")
    save_chat_model(tmp_path / "model", seed=9, tied=is_tied(place))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParityError, match="adapters"):
        export_lora(RunFolder(tmp_path / "a"), trace=Trace())


def test_a_run_without_adapters_is_refused(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    if not (place / "whole").exists():
        assert call("finetune", "rows.jsonl", "--run", "whole", *OPTIONS.split(), "--epochs", "1") == 0
    assert call("export", "whole", "--to", "lora") == 2
    assert "trained with --lora RANK" in capsys.readouterr().err
    assert not (place / "whole" / "export").exists()


def test_the_command_writes_it_and_takes_no_precision(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert call("export", "a", "--to", "lora", "--json") == 0
    assert json.loads(capsys.readouterr().out)["form"] == "lora"
    assert call("export", "a", "--to", "lora", "--precision", "f16") == 2
    assert call("export", "a", "--to", "onnx") == 2
    assert "gguf or lora" in capsys.readouterr().err

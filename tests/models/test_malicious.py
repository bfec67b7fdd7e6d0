"""Checkpoints made to harm: each is refused with one clear error, and nothing happens meanwhile that a hook would see."""

import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from networks import CLASSES, edit_json, open_network
from safetensors.torch import load_file, save_file

from pretune.errors import ModelLoadError, PretuneError, StorageError
from pretune.evaluate.baselines import fit_linear, load_linear
from pretune.models import (
    ModelCard,
    build_network,
    find_checkpoint,
    load_folder,
    load_language_model,
    load_tokenizer,
    save_model,
)
from pretune.records import Example
from pretune.storage import sealed, write_digests
from pretune.train import Checkpoints
from pretune.train.checkpoint import STATE, TENSORS, Saved
from tiny import make_rows

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod", "os.system",
    "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.bind", "socket.getaddrinfo",
    "urllib.Request",
    "pickle.find_class", "ctypes.dlopen", "shutil.rmtree", "shutil.copyfile",
)  # fmt: skip
# Where code may come from: the interpreter, its packages, and this project.
TRUSTED = tuple(str(Path(place).resolve()) for place in (sys.prefix, sys.base_prefix, Path(__file__).parents[2], os.__file__))


class Watch:
    """What has happened while it was on, of all that must not."""

    def __init__(self):
        self.is_on, self.seen, self.outside = False, [], None
        sys.addaudithook(self._hear)

    def __enter__(self):
        self.is_on, self.seen = True, []
        return self

    def __exit__(self, *_):
        self.is_on = False

    def _hear(self, event, arguments):
        if not self.is_on:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes)):
                name = os.fsdecode(path)
                is_write = bool((flags or 0) & WRITING) and name != os.devnull
                if is_write or (self.outside and os.path.realpath(name).startswith(str(self.outside))):
                    self.seen.append((event, name))
        elif event in FORBIDDEN:
            self.seen.append((event, *map(str, arguments[:2])))
        elif event == "exec":
            file = getattr(arguments[0], "co_filename", "")
            if file.startswith("/") and not str(Path(file).resolve()).startswith(TRUSTED):
                self.seen.append((event, file))


@pytest.fixture(scope="module")
def watch():
    return Watch()


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


def bomb(folder):
    return pickle.dumps(Bomb(str(folder.parent / "outside" / "was-run")))


def only(name):
    """The weights are a pickle under this name, and nothing else."""

    def spoil(folder):
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(bomb(folder))

    return spoil


def weights(data):
    """The bytes of ``model.safetensors``."""
    return lambda folder: (folder / "model.safetensors").write_bytes(data(folder) if callable(data) else data)


def header(value, size=None, body=b""):
    """A safetensors file with this header, which says it has so many bytes."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def index(**shards):
    """Weights in shards, the index naming these."""

    def spoil(folder):
        shutil.move(folder / "model.safetensors", folder.parent / "outside" / "shard.safetensors")
        shutil.copy(folder.parent / "outside" / "shard.safetensors", folder / "model-00001-of-00002.safetensors")
        names = load_file(folder / "model-00001-of-00002.safetensors")
        place = {name: value.format(outside=folder.parent / "outside") for name, value in shards.items()}["shard"]
        value = {"metadata": {}, "weight_map": dict.fromkeys(names, place)}
        (folder / "model.safetensors.index.json").write_text(json.dumps(value))

    return spoil


def link(name, target=None):
    """This file is a link to the same file outside."""

    def spoil(folder):
        outside = folder.parent / "outside" / name
        shutil.move(folder / name, outside)
        (folder / name).symlink_to(target or outside)

    return spoil


def edit(file, **changes):
    return lambda folder: edit_json(folder / file, **changes)


def code_beside(folder):
    (folder / "evil.py").write_text(f"open({str(folder.parent / 'outside' / 'was-run')!r}, 'w')\n")
    edit_json(folder / "config.json", auto_map={"AutoConfig": "evil.Config", "AutoModel": "evil.Model"})


def deep(folder):
    (folder / "tokenizer.json").write_text('{"model":' * 100_000 + "1" + "}" * 100_000)


def fifo(folder):
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")


def adapter(folder):
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "evil/model"}))


def gguf(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**63, 2**63) + b"\xff" * 64)


HUGE = 2**62
CHECKPOINTS = {
    **{f"pickle as {name}": only(name) for name in (
        "pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl", "model.joblib", "training_args.bin",
        "pytorch_model-00001-of-00002.bin", "model.npz", "flax_model.msgpack", "tf_model.h5",
    )},
    "pickle renamed to safetensors": weights(bomb),
    "pickle behind a header": weights(lambda folder: header({"a": tensor()}, body=bomb(folder))),
    "zip of torch renamed": lambda folder: torch.save({"a": torch.ones(2)}, folder / "model.safetensors"),
    "empty weights": weights(b""),
    "header longer than the file": weights(header({}, size=10**6)),
    "header of 2 to the 62 bytes": weights(header({}, size=HUGE)),
    "header of negative length": weights(b"\xff" * 8 + b"{}"),
    "header that is no JSON": weights(header(b"{" * 50)),
    "header nested deep": weights(header(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)),
    "header that is a list": weights(header([1, 2])),
    "unknown dtype": weights(header({"a": tensor(dtype="PICKLE")}, body=bytes(8))),
    "shape larger than the data": weights(header({"a": tensor(shape=(1_000,))}, body=bytes(8))),
    "shape that overflows": weights(header({"a": tensor(shape=(HUGE, HUGE))}, body=bytes(8))),
    "negative shape": weights(header({"a": tensor(shape=(-2,))}, body=bytes(8))),
    "offsets past the end": weights(header({"a": tensor(offsets=(0, 10**12))}, body=bytes(8))),
    "offsets that overlap": weights(header({"a": tensor(), "b": tensor(offsets=(4, 12))}, body=bytes(12))),
    "offsets backwards": weights(header({"a": tensor(offsets=(8, 0))}, body=bytes(8))),
    "a hole between tensors": weights(header({"a": tensor(), "b": tensor(offsets=(16, 24))}, body=bytes(24))),
    "shard outside by dots": index(shard="../outside/shard.safetensors"),
    "shard outside by its full path": index(shard="{outside}/shard.safetensors"),
    "shard that is not there": index(shard="model-00002-of-00002.safetensors"),
    "shard that is the folder above": index(shard=".."),
    "shard in another notation": index(shard="..\\outside\\shard.safetensors"),
    "link to weights outside": link("model.safetensors"),
    "link to a configuration outside": link("config.json"),
    "link to a tokenizer outside": link("tokenizer.json"),
    "link to a device": link("model.safetensors", "/dev/zero"),
    "link to nothing": link("tokenizer_config.json", "nowhere"),
    "weights that are a pipe": fifo,
    "code of its own": code_beside,
    "code for the tokenizer": edit("tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Tokenizer", None]}),
    "code deep in the configuration": edit("config.json", vision_config={"auto_map": {"AutoConfig": "evil--x.Config"}}),
    "kernels by name": edit("config.json", attn_implementation="evil/kernel"),
    "kernels by the inner name": edit("config.json", _attn_implementation="evil/kernel"),
    "weights under another name": edit("config.json", transformers_weights="../outside/shard.safetensors"),
    "quantized by a library": edit("config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True}),
    "tokenizer file outside": edit("tokenizer_config.json", fast_tokenizer_files=["tokenizer.../../outside.json"]),
    "tokenizer nested deep": deep,
    "adapter of another model": adapter,
    "a configuration too long": lambda folder: (folder / "config.json").write_text(" " * (17 << 20) + "{}"),
    "2 to the 62 words": edit("config.json", vocab_size=HUGE),
    "a million layers": edit("config.json", num_hidden_layers=10**6),
    "layers in words": edit("config.json", num_hidden_layers="many"),
    "a negative width": edit("config.json", hidden_size=-32),
    "a model far larger than its file": edit("config.json", vocab_size=10_000_000, hidden_size=4_096),
    "a thousand million labels": edit("config.json", num_labels=10**9),
    "labels in words": edit("config.json", num_labels="many"),
    "names of labels that are a list": edit("config.json", id2label=["a", "b"]),
    "names of labels whose numbers are words": edit("config.json", id2label={"a": "b"}),
    "heads of half a gigabyte": edit("config.json", head_dim=10**8),
    "no heads": edit("config.json", num_attention_heads=0),
    "heads that do not divide the width": edit("config.json", num_attention_heads=7),
    "buckets without end": edit("config.json", position_buckets=10**9),
    "segments without end": edit("config.json", type_vocab_size=999_999, hidden_size=99_999),
    "a width that is a list": edit("config.json", hidden_size=[32]),
    "a width that is true": edit("config.json", hidden_size=True),
    "an activation that is none": edit("config.json", hidden_act="evil"),
    "an activation that is a number": edit("config.json", hidden_act=7),
    "a family that is none": edit("config.json", model_type="evil"),
    "a family that is a number": edit("config.json", model_type=7),
    "a family that is a list": edit("config.json", model_type=[]),
    "dropout in words": edit("config.json", hidden_dropout_prob="much"),
    "dropout of five": edit("config.json", hidden_dropout_prob=5.0),
    "an epsilon in words": edit("config.json", layer_norm_eps="small"),
    "a configuration that is a list": lambda folder: (folder / "config.json").write_text("[]"),
    "a configuration of nothing": lambda folder: (folder / "config.json").write_bytes(b""),
    "a configuration in another code": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe{\x00}\x00"),
    "a tokenizer of nothing": lambda folder: (folder / "tokenizer.json").write_bytes(b""),
    "a tokenizer that is a list": lambda folder: (folder / "tokenizer.json").write_text("[]"),
    "a tokenizer without a model": edit("tokenizer.json", model=None),
    "a tokenizer whose model is a number": edit("tokenizer.json", model=7),
    "a configuration of the tokenizer that is a number": lambda folder: (folder / "tokenizer_config.json").write_text("7"),
    "lying GGUF": gguf,
}  # fmt: skip


@pytest.fixture
def folder(tiny_checkpoint, tmp_path, watch):
    """Return a copy of the tiny BERT, to be spoilt, with a folder ``outside`` beside it that nobody may read."""
    (tmp_path / "outside").mkdir()
    watch.outside = tmp_path / "outside"
    return shutil.copytree(tiny_checkpoint("bert"), tmp_path / "model")


def open_whole(folder):
    checkpoint = find_checkpoint(str(folder))
    return load_tokenizer(checkpoint), build_network(checkpoint, CLASSES)


def refuse(load, folder, watch, kind=ModelLoadError):
    """Check that loading is refused with one clear message, and has no effect that the hook sees."""
    before = sorted(path.name for path in folder.parent.rglob("*"))
    with watch, pytest.raises(kind) as caught:
        load(folder)
    assert watch.seen == []
    assert sorted(path.name for path in folder.parent.rglob("*")) == before
    assert isinstance(caught.value, PretuneError)
    assert caught.value.expected or caught.value.fix
    assert len(str(caught.value)) < 1_000
    return str(caught.value)


def test_there_are_enough_of_them():
    assert len(CHECKPOINTS) >= 30


@pytest.mark.parametrize("attack", CHECKPOINTS)
def test_a_checkpoint_made_to_harm_is_refused_without_any_effect(attack, folder, watch):
    CHECKPOINTS[attack](folder)
    assert str(folder) in refuse(open_whole, folder, watch)


@pytest.mark.parametrize("attack", CHECKPOINTS)
def test_a_checkpoint_made_to_harm_is_refused_as_a_language_model_too(attack, folder, watch):
    CHECKPOINTS[attack](folder)
    assert str(folder) in refuse(lambda place: load_language_model(str(place)), folder, watch, PretuneError)


def test_the_same_folder_unspoilt_is_loaded_and_the_hook_sees_nothing(folder, watch):
    with watch:
        open_whole(folder)
    assert watch.seen == []


@pytest.mark.parametrize("harm", ["write", "run", "read", "unpickle", "execute"])
def test_the_hook_sees_what_it_is_there_for(harm, tmp_path, watch):
    (tmp_path / "outside").mkdir()
    watch.outside = tmp_path / "outside"
    (tmp_path / "outside" / "secret").write_text("x")
    data = pickle.dumps(Bomb(str(tmp_path / "outside" / "was-run")))
    with watch:
        if harm == "write":
            (tmp_path / "new").write_text("x")
        elif harm == "run":
            subprocess.run(["true"], check=True)
        elif harm == "read":
            (tmp_path / "outside" / "secret").read_text()
        elif harm == "unpickle":
            pickle.loads(data)  # noqa: S301 - to see that the hook sees it
        else:
            exec(compile("1", str(tmp_path / "evil.py"), "exec"))
    assert watch.seen


def test_a_pickle_beside_good_weights_is_not_touched(folder, watch):
    for name in ("pytorch_model.bin", "optimizer.pt", "training_args.bin"):
        (folder / name).write_bytes(bomb(folder))
    with watch:
        open_whole(folder)
    assert watch.seen == []
    assert not (folder.parent / "outside" / "was-run").exists()


CARDS = {
    "no classes": {"classes": []},
    "the same class twice": {"classes": ["a", "a", "b"]},
    "classes that are numbers": {"classes": [1, 2, 3]},
    "a head of a million million": {"head": "mlp", "head_size": 10**12},
    "a head of nothing": {"head_size": 0},
    "an unknown head": {"head": "../../head"},
    "texts of negative length": {"max_length": -1},
    "texts without end": {"max_length": 10**18},
    "a positive class that is none": {"positive": "ugly"},
    "a threshold of five": {"threshold": 5},
    "a temperature of nothing": {"folded_temperature": 0},
    "a task that is not there": {"task": "rm"},
    "a digest of a file outside": {"digests": {"../outside/secret": "0"}},
    "a digest by the full path": {"digests": {"/etc/passwd": "0"}},
}


@pytest.fixture(scope="module")
def saved_model(tiny_checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    save_model(folder, network, tokenizer, ModelCard(classes=CLASSES, positive="good"))
    return folder


@pytest.mark.parametrize("attack", CARDS)
def test_a_card_made_to_harm_is_refused_though_its_digest_is_right(attack, saved_model, tmp_path, watch):
    folder = shutil.copytree(saved_model, tmp_path / "model")
    (tmp_path / "outside").mkdir()
    watch.outside = tmp_path / "outside"
    card = json.loads((folder / "pretune.json").read_text()) | CARDS[attack]
    (folder / "pretune.json").write_text(json.dumps(sealed(card)))
    named = next(iter(CARDS[attack].get("digests", {"pretune.json": ""})))
    assert named in refuse(load_folder, folder, watch)


LINEAR = {
    "pickle as weights": lambda f: (f / "model.safetensors").write_bytes(bomb(f)),
    "link": lambda f: link("model.safetensors")(f),
    "no classes": lambda f: edit_json(f / "model.json", classes=[]),
    "terms that are a number": lambda f: edit_json(f / "model.json", terms=7),
    "strength in words": lambda f: edit_json(f / "model.json", strength="strong"),
    "one term many times": lambda f: edit_json(
        f / "model.json", terms=["a"] * len(json.loads((f / "model.json").read_text())["terms"])
    ),
    "more arrays": lambda f: save_file(load_file(f / "model.safetensors") | {"evil": torch.ones(1)}, f / "model.safetensors"),
    "weights of another size": lambda f: save_file(
        load_file(f / "model.safetensors") | {"weights": torch.ones(1, 1)}, f / "model.safetensors"
    ),
}


@pytest.mark.parametrize("attack", LINEAR)
def test_a_linear_model_made_to_harm_is_refused(attack, tmp_path, watch):
    (tmp_path / "outside").mkdir()
    watch.outside = tmp_path / "outside"
    folder = tmp_path / "linear"
    fit_linear([Example(id=text, text=text, label=label) for text, label in make_rows(40)]).save(folder)
    LINEAR[attack](folder)
    assert str(folder) in refuse(load_linear, folder, watch, StorageError)


@pytest.mark.parametrize("attack", ["pickle", "link", "outside", "state is a list", "deep"])
def test_a_run_checkpoint_made_to_harm_is_not_used(attack, tmp_path, watch):
    folder = tmp_path / "checkpoints"
    Checkpoints(folder, {}).save(Saved(step=3, tensors={"a": torch.ones(2)}, state={}))
    step = folder / "step-3"
    (tmp_path / "outside").mkdir()
    watch.outside = tmp_path / "outside"
    if attack == "pickle":
        (step / TENSORS).write_bytes(bomb(step))
    elif attack == "link":
        shutil.move(step / TENSORS, tmp_path / "outside")
        (step / TENSORS).symlink_to(tmp_path / "outside" / TENSORS)
    elif attack == "outside":
        (step / "digests.txt").write_text(f"{'0' * 64}  ../../outside/secret\n")
    elif attack == "state is a list":
        (step / STATE).write_text("[]")
    else:
        (step / STATE).write_text("[" * 100_000 + "]" * 100_000)
    if attack in ("pickle", "state is a list", "deep"):  # with digests that are right
        write_digests(step)
    told = []
    with watch:
        assert Checkpoints(folder, {}, told.append).load() is None
    assert watch.seen == []
    assert "step-3 is damaged" in told[0]

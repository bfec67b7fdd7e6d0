"""Folders with a value of another kind somewhere: loaded or refused in one message, as a classifier and as a language model."""

import json
import random
import shutil

import pytest
from networks import CLASSES

from pretune.errors import PretuneError
from pretune.models import build_network, check_freeze, find_checkpoint, load_language_model, load_tokenizer, max_positions

ODD = (None, -1, 0, 1, 7, 10**9, 2**63, 1.5, float("nan"), "x", "", [], [1], {}, {"a": 1}, True, False, "../x")
FILES = ("config.json", "config.json", "tokenizer.json", "tokenizer_config.json")


def open_classifier(folder):
    checkpoint = find_checkpoint(folder)
    load_tokenizer(checkpoint)
    max_positions(checkpoint)
    check_freeze(checkpoint, "none")
    build_network(checkpoint, CLASSES)


def spoil(folder, draw):
    """Put an odd value somewhere, but into the vocabulary; return where and what."""
    file = folder / draw.choice(FILES)
    held = json.loads(file.read_text())
    place = draw.choice(list(places(held)))
    target = held
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = draw.choice(ODD)
    file.write_text(json.dumps(held))


def places(value, path=()):
    for key, item in value.items():
        yield (*path, key)
        if isinstance(item, dict) and key != "vocab":
            yield from places(item, (*path, key))


@pytest.mark.parametrize("seed", range(40))
def test_a_value_of_another_kind_is_read_or_refused_in_one_message(seed, tiny_checkpoint, tmp_path):
    folder = shutil.copytree(tiny_checkpoint("bert"), tmp_path / "model")
    spoil(folder, random.Random(seed))
    for load in (open_classifier, load_language_model):
        refused = refusal(load, folder)
        assert refused is None or (refused.exit_code == 2 and len(str(refused)) < 1_000)


def refusal(load, folder):
    """Return why it was not loaded; anything but an error of our own passes through."""
    try:
        load(str(folder))
    except PretuneError as error:
        return error
    return None


@pytest.mark.parametrize("load", [open_classifier, load_language_model])
def test_an_unknown_token_of_no_letters_is_refused(load, tiny_checkpoint, tmp_path):
    folder = shutil.copytree(tiny_checkpoint("bert"), tmp_path / "model")
    about = json.loads((folder / "tokenizer_config.json").read_text()) | {"unk_token": ""}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    with pytest.raises(PretuneError, match="no usable tokenizer"):
        load(str(folder))

"""What a model had learned from before: told by its folder, checked as it is read, and never nothing where a file is gone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from running import count_reads

from pretune.data.seal.learned import ABOUT, TEXTS, Learned
from pretune.errors import DamagedModelError, ModelLoadError
from pretune.models import ModelCard, build_network, find_checkpoint, load_folder, load_tokenizer, save_model
from pretune.models.formats.plain import MARK
from pretune.models.past import past_in, past_of

FILES = (
    "config.json",
    "learned.json",
    "learned.texts",
    "model.safetensors",
    "pretune.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


@pytest.fixture(params=["native", "mlp"])
def saved(request: pytest.FixtureRequest, tmp_path: Path, tiny_checkpoint: Callable[[str], Path]) -> Path:
    """A model folder that has learned from two texts, and from a corpus before."""
    checkpoint = find_checkpoint(str(tiny_checkpoint("bert")))
    network = build_network(checkpoint, ("bad", "good"), head=request.param, head_size=8)
    learned = Learned(corpora=("pages",)).with_texts(["a film", "another film"])
    card = ModelCard(classes=("bad", "good"), head=request.param, head_size=8)
    save_model(tmp_path / "saved", network.eval(), load_tokenizer(checkpoint), card, learned)
    return tmp_path / "saved"


def flip(file: Path, at: int = -1) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_in_a_model_that_is_trained_on_is_damage(saved: Path, name: str) -> None:
    flip(saved / name, at=-3)
    with pytest.raises(ModelLoadError, match=name):
        find_checkpoint(str(saved))
    with pytest.raises(DamagedModelError, match=name):
        past_of(str(saved))
    with pytest.raises(DamagedModelError, match=name):
        past_in(saved)


def test_a_past_that_was_edited_is_damage(saved: Path) -> None:
    Learned().write(saved)  # consistent in itself
    with pytest.raises(DamagedModelError, match="learned"):
        past_of(str(saved))


@pytest.mark.parametrize("gone", [("pretune.json", ABOUT, TEXTS), ("pretune.json", ABOUT), (ABOUT, TEXTS)])
def test_a_copy_that_has_lost_its_past_is_unknown_and_keeps_its_corpora(saved: Path, gone: tuple[str, ...]) -> None:
    for name in gone:
        (saved / name).unlink()
    if "pretune.json" not in gone:
        with pytest.raises(DamagedModelError, match="learned"):
            past_of(str(saved))
        return
    found = past_of(str(saved))
    assert "was trained by pretune (classify)" in found.unknown[0]
    assert found.corpora == ("pages",)


def test_a_pooled_head_of_an_earlier_version_is_known_for_what_it_is(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    assert config.pop(MARK) == {"task": "classify", "corpora": ["pages"]}
    (saved / "config.json").write_text(json.dumps(config))
    for name in ("pretune.json", ABOUT, TEXTS):
        (saved / name).unlink()
    assert past_of(str(saved)).unknown


@pytest.mark.parametrize("mark", [None, [], "classify", {"corpora": "pages"}, {"corpora": [3], "task": ["x"]}])
def test_whatever_the_mark_says_a_marked_model_is_no_general_one(saved: Path, mark: object) -> None:
    config = json.loads((saved / "config.json").read_text()) | {MARK: mark}
    (saved / "config.json").write_text(json.dumps(config))
    for name in ("pretune.json", ABOUT, TEXTS):
        (saved / name).unlink()
    found = past_of(str(saved))
    assert found.unknown
    assert found.corpora == ()


def test_a_folder_is_compared_once_and_again_when_it_was_touched(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = count_reads(monkeypatch)
    load_folder(saved)
    find_checkpoint(str(saved))
    past_of(str(saved))
    assert read[saved / "model.safetensors"] == 1
    flip(saved / "model.safetensors")
    with pytest.raises(DamagedModelError, match=r"model\.safetensors"):
        find_checkpoint(str(saved))


def test_a_copy_without_card_is_a_classifier_from_elsewhere_to_the_letter(saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path / "copy", ignore=shutil.ignore_patterns("pretune.json"))
    assert len(past_of(str(tmp_path / "copy")).texts) == 2  # learned.json is there, and says it

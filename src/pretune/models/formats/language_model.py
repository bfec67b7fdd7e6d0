"""A language model: written as a transformers folder, read from one or from a GGUF file; a missing head is added."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from pretune import storage
from pretune.data.catalogue.entries import Entry
from pretune.data.catalogue.fetch import fetch, find_entry
from pretune.data.seal.learned import Learned
from pretune.errors import ModelLoadError
from pretune.models.checkpoint import find_checkpoint, read_config
from pretune.models.families import find_language_family
from pretune.models.formats import plain, unpacked
from pretune.models.heads import LanguageNetwork
from pretune.models.mean_layer import MADE_FOR, says_mean, take_out


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageStart:
    """What a continued pre-training starts from.

    Args:
        name: As the user called it.
        network: In training mode.
        tokenizer: Its own, fast.
        has_fresh_head: Whether the head that predicts words starts from nothing.
        licence: Of the weights, as their source states it.
        note: What the user should know of the weights, or empty.
    """

    name: str
    network: LanguageNetwork
    tokenizer: Any
    has_fresh_head: bool = False
    licence: str | None = None
    note: str = ""


def write(place: Path, network: LanguageNetwork, tokenizer: Any, *, window: int, learned: Learned | None = None) -> None:
    """Write a folder that plain transformers loads, and that cuts texts at the window that was learned; whole or not at all.

    Raises:
        StorageError: The disk refused.
    """
    mark = {"task": "pretrain", "corpora": [] if learned is None else list(learned.corpora)}

    def fill(aside: Path) -> None:
        plain.write(aside, network.model, tokenizer, max_length=window, mark=mark)
        if learned is not None:
            learned.write(aside)
        storage.write_digests(aside)

    storage.replace(place, fill)


def read(name: str) -> LanguageStart:
    """Load a catalogue model, a folder (a run's, or one with a model) or a hub id with its language-modelling head.

    Raises:
        ModelLoadError: It is not there, or cannot be continued.
        MissingPackageError: A GGUF file needs the ``gguf`` extra.
        UsageError: pretune does not know this architecture.
    """
    entry, file = _gguf_of(name)
    if entry is not None and file is not None:
        model, tokenizer = unpacked.read(file, name)
        network = LanguageNetwork(model.train())
        note = "; ".join(entry.notes)
        return LanguageStart(name=name, network=network, tokenizer=tokenizer, licence=entry.licence, note=note)
    checkpoint = find_checkpoint(name)
    config = read_config(checkpoint)
    words = find_language_family(config).words
    is_causal = words is not None and words.is_causal
    config.dtype = torch.float32
    kind = AutoModelForCausalLM if is_causal else AutoModelForMaskedLM
    expected = "a checkpoint that transformers can predict words with, weights as safetensors"
    model, missing = plain.read(kind, checkpoint, config, use="a language model", expected=expected)
    if take_out(model) or (checkpoint.is_local and says_mean(Path(checkpoint.path))):
        setattr(model.config, MADE_FOR, "mean")
    network = LanguageNetwork(model)
    has_fresh_head = _check_weights(name, network, missing)
    tokenizer = plain.load_tokenizer(checkpoint)
    if not is_causal and tokenizer.mask_token_id is None:
        raise ModelLoadError(
            f"{name}: its tokenizer has no mask token", expected="a token such as [MASK]", fix="continue another model"
        )
    return LanguageStart(
        name=name,
        network=network,
        tokenizer=tokenizer,
        has_fresh_head=has_fresh_head,
        licence=checkpoint.licence,
        note="its head for hidden words is new, tied to its word embeddings" if has_fresh_head else "",
    )


def folder_of(name: str) -> str:
    """Return where plain transformers finds what ``read`` reads: an absolute path, or a hub id.

    Raises:
        ModelLoadError: It is not there, or it is a GGUF file that is kept nowhere as a folder.
    """
    entry, file = _gguf_of(name)
    if entry is None or file is None:
        checkpoint = find_checkpoint(name)
        return str(Path(checkpoint.path).resolve()) if checkpoint.is_local else checkpoint.path
    place = unpacked.entry_of(file)
    if not place.is_dir():
        raise ModelLoadError(
            f"{name} is a GGUF file, and its plain form is not in the cache",
            expected=f"a cache folder that can be written: {place.parent}",
            fix="free the disk, or set PRETUNE_CACHE to another folder",
        )
    return str(place)


def _gguf_of(name: str) -> tuple[Entry | None, Path | None]:
    """Return the catalogue's entry and its GGUF file, where a name is that of one."""
    entry = find_entry(name)
    if entry is None or entry.kind != "model" or Path(name).is_dir():
        return None, None
    return entry, next(iter(sorted(fetch(entry).glob("*.gguf"))), None)


def _check_weights(name: str, network: LanguageNetwork, missing: set[str]) -> bool:
    """Refuse a trunk with weights missing; return whether the head's are."""
    trunk = {id(weight) for weight in network.trunk.parameters()}
    of_trunk = {key for key, weight in network.model.named_parameters(remove_duplicate=False) if id(weight) in trunk}
    wrong = sorted(key for key in missing if key in of_trunk)
    if wrong:
        raise ModelLoadError(
            f"{name}: {len(wrong)} weights are missing or of another size, the first is {wrong[0]}",
            expected="all weights below the head",
            fix="restore the *.safetensors, or the config.json that belongs to them",
        )
    return bool(missing)

"""A pre-trained checkpoint by catalogue name, folder or hub id: found, and vetted before any of it is loaded."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from pretune.configs.stages import plan_stages
from pretune.data.catalogue.fetch import fetch, find_entry
from pretune.errors import DamagedModelError, ModelLoadError
from pretune.models.card import check_folder
from pretune.models.families import find_family
from pretune.models.names import NO_HUB, check_encoder, check_name, not_found, reaches_hub
from pretune.models.quiet import quiet_transformers
from pretune.models.trunk import boundary_in
from pretune.models.vetting import vet_folder
from pretune.run import RunFolder

# Families that number positions from the one behind the padding id.
POSITIONS_AFTER_PADDING = (
    "roberta xlm-roberta xlm-roberta-xl roberta-prelayernorm camembert mpnet xmod data2vec-text longformer ibert luke".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint that exists and can be loaded.

    Args:
        name: What the user called it.
        path: Folder, or hub id where ``is_local`` is false.
        model_type: Family, such as ``bert``.
        licence: As its source states it, or ``None``.
    """

    name: str
    path: str
    is_local: bool
    model_type: str
    licence: str | None = None


def find_checkpoint(name: str) -> Checkpoint:
    """Look a checkpoint up: a folder first (of a run, its model), then the catalogue, then the hub.

    Raises:
        ModelLoadError: Nothing usable there; the message says what was looked for and where.
        CatalogError: The catalogue has it, and it could not be fetched.
    """
    entry = find_entry(name)
    if Path(name).is_dir():
        return _local(name, model_of(Path(name)), None)
    if entry is not None and entry.kind == "model":
        check_encoder(name)
        return _local(name, fetch(entry), entry.licence)
    check_name(name)
    return _from_hub(name)


def model_of(place: Path) -> Path:
    """Return the model folder that a place is, or, of a run, has.

    Raises:
        StorageError: The run's record is damaged, or files of its model are missing.
    """
    run = RunFolder(place)
    if not run.is_begun or not run.model.is_dir():
        return place
    names = sorted(name for name in run.read_record().digests if name.startswith("model/"))
    lost = [name for name in names if not (place / name).is_file()]
    if lost:
        raise DamagedModelError(
            f"{place / lost[0]} is missing", expected="the model as the run saved it", fix="restore the file, or train again"
        )
    return run.model


def read_config(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's configuration.

    Raises:
        ModelLoadError: There is none that transformers knows, or it asks for code of its own.
    """
    with load_errors(f"{checkpoint.name}: no usable configuration", "a config.json that transformers knows"):
        config = AutoConfig.from_pretrained(checkpoint.path, local_files_only=checkpoint.is_local, trust_remote_code=False)
        if getattr(config, "auto_map", None):
            raise ValueError("it asks by auto_map for code of its own, and pretune runs none that comes with a model")
        return config


def max_positions(checkpoint: Checkpoint) -> int:
    """Return the longest text, in tokens, that the checkpoint has positions for."""
    config = read_config(checkpoint)
    padding = config.pad_token_id if isinstance(config.pad_token_id, int) else 1
    offset = padding + 1 if config.model_type in POSITIONS_AFTER_PADDING else 0
    stated = getattr(config, "max_position_embeddings", None) or 0
    return (int(stated) if stated > 0 else 512) - offset  # families with relative positions state none, or -1


def check_freeze(checkpoint: Checkpoint, freeze: str) -> None:
    """Check that ``freeze`` fits this checkpoint, before anything is begun.

    Raises:
        UsageError: It does not.
    """
    config = read_config(checkpoint)
    family, num_layers = find_family(config), int(getattr(config, "num_hidden_layers", 0) or 0)
    for stage in plan_stages(freeze, epochs=None, num_layers=num_layers):
        boundary_in(stage.freeze, num_layers, model_type=config.model_type, is_walked=family is not None)


@contextlib.contextmanager
def load_errors(got: str, expected: str, fix: str = "") -> Iterator[None]:
    """Say what is wrong with a checkpoint in one message, and keep transformers quiet."""
    try:
        with quiet_transformers():
            yield
    except BaseException as error:  # the libraries below name no common base: what tokenizers panics with is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        raise ModelLoadError(f"{got} ({_one_line(error)})", expected=expected, fix=fix) from error


def _local(name: str, folder: Path, licence: str | None) -> Checkpoint:
    config = folder / "config.json"
    if not config.is_file():
        held = ", ".join(sorted(item.name for item in folder.iterdir())[:8]) or "nothing"
        raise ModelLoadError(
            f"{folder} has no config.json (it holds {held})",
            expected="a model folder: config.json, *.safetensors, tokenizer.json",
            fix="name the folder that holds these; in a run it is RUN/model",
        )
    if not any(folder.glob("*.safetensors")):
        pickled = [item.name for item in folder.iterdir() if item.suffix in (".bin", ".pt", ".pth", ".ckpt")]
        why = f"; it has {pickled[0]}, a pickle, which can run code when loaded" if pickled else ""
        raise ModelLoadError(
            f"{folder} has no *.safetensors{why}", expected="weights as safetensors", fix="convert the weights"
        )
    vet_folder(folder)
    check_folder(folder)
    checkpoint = Checkpoint(name=name, path=str(folder), is_local=True, model_type="", licence=licence)
    return replace(checkpoint, model_type=read_config(checkpoint).model_type)


def _from_hub(name: str) -> Checkpoint:
    is_offline = not reaches_hub()  # then what an earlier run left in the hub's cache will do
    checkpoint = Checkpoint(name=name, path=name, is_local=is_offline, model_type="")
    try:
        config = read_config(checkpoint)
    except ModelLoadError as error:
        why = NO_HUB if is_offline else f"the hub did not give it ({error.got})"
        raise not_found(f"no folder and no catalogue entry {name!r}, and {why}") from error
    return Checkpoint(name=name, path=name, is_local=is_offline, model_type=config.model_type)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

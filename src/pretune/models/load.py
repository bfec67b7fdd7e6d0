"""A pre-trained checkpoint by catalogue name, folder or hub id: found, checked, turned into a network."""

import contextlib
import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from pretune import storage
from pretune.configs.stages import plan_stages
from pretune.data.catalogue.fetch import fetch, find_entry
from pretune.errors import DamagedModelError, ModelLoadError
from pretune.models.card import CARD, check_folder
from pretune.models.families import find_family
from pretune.models.heads import ClassNetwork, MlpHead
from pretune.models.names import check_name, not_found
from pretune.models.quiet import quiet_transformers
from pretune.models.temperature import unfold
from pretune.models.trunk import boundary_in
from pretune.models.vetting import vet_folder
from pretune.run import RunFolder

logger = logging.getLogger(__name__)

# Families that number positions from the one behind the padding id.
POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm", "camembert", "mpnet", "xmod",
                           "data2vec-text", "longformer", "ibert", "luke")  # fmt: skip
# How tokenizers are told to draw: of BPE the share of merges left out, of Unigram how it samples.
SAMPLING = ("dropout", "alpha", "nbest_size")
# Weights of layers and embeddings; those of a head that is replaced are left out by every fine-tuning.
OF_A_TRUNK = re.compile(r"(^|\.)(layers?|embeddings|encoder)\.")
HEAD_FILE = "head.safetensors"  # the pooled head of a model that pretune saved


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
        if entry.name == "smollm2":
            raise ModelLoadError(
                "smollm2 is a causal model (next words), and classification needs an encoder",
                expected="an encoder such as minilm",
                fix="--model minilm",
            )
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


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's fast tokenizer.

    Raises:
        ModelLoadError: There is none, or it is damaged.
    """
    with load_errors(f"{checkpoint.name}: no usable tokenizer", "a tokenizer.json"):
        tokenizer = AutoTokenizer.from_pretrained(
            checkpoint.path, local_files_only=checkpoint.is_local, trust_remote_code=False, use_fast=True
        )
        num_tokens, num_special = (
            len(tokenizer),
            len(set(tokenizer.all_special_ids)),
        )  # an unknown token '' is an endless search
    if not getattr(tokenizer, "is_fast", False):
        raise ModelLoadError(f"{checkpoint.name}: its tokenizer has no fast form", expected="a tokenizer.json")
    if num_tokens <= num_special:  # what transformers makes of a folder without one
        raise ModelLoadError(f"{checkpoint.name}: its tokenizer has no vocabulary", expected="a tokenizer.json")
    switch_sampling_off(tokenizer, checkpoint.name)
    return tokenizer


def switch_sampling_off(tokenizer: Any, name: str) -> None:
    """Let a tokenizer that draws how it splits words (subword dropout) split them in one way, and say so.

    Raises:
        ModelLoadError: It still draws.
    """
    backend = tokenizer.backend_tokenizer
    model = backend.model
    drawn = {key: getattr(model, key, None) for key in SAMPLING}
    if not any(drawn.values()):
        return
    for key, value in drawn.items():
        if value is not None:
            setattr(model, key, None)
    backend.model = model
    if any(getattr(tokenizer.backend_tokenizer.model, key, None) for key in SAMPLING):
        raise ModelLoadError(
            f"{name}: its tokenizer draws how it splits words", expected="one way", fix="set it off in tokenizer.json"
        )
    said = ", ".join(f"{key} {value:g}" for key, value in drawn.items() if value)
    logger.warning(
        "%s: its tokenizer draws how it splits words (%s); that is switched off, so that a text is read in one way", name, said
    )


def build_network(
    checkpoint: Checkpoint,
    classes: tuple[str, ...],
    *,
    head: str = "native",
    head_size: int = 64,
    dropout: float | None = None,
    complete: bool = False,
) -> ClassNetwork:
    """Load the weights under a head for these classes.

    Args:
        checkpoint: Where the weights are.
        classes: Names of the classes, in the order of the logits.
        head: ``native`` or ``mlp``. One for as many classes that comes with the checkpoint is kept; otherwise its start
            comes from torch's generator.
        head_size: Width of the ``mlp`` head's hidden layer.
        dropout: Probability in trunk and native head, or in the ``mlp`` head; ``None`` keeps the checkpoint's own.
        complete: Whether the head must come with the checkpoint.

    Raises:
        ModelLoadError: Weights of the trunk are not there (or those of the head, where ``complete``), or not as safetensors.
    """
    config = read_config(checkpoint)
    if head == "mlp":
        trunk, absent = _from_pretrained(AutoModel, checkpoint, config)
        width = int(getattr(config, "hidden_size", 0) or config.dim)
        network = ClassNetwork(trunk, MlpHead(width, head_size, len(classes), 0.3 if dropout is None else dropout))
        comes_along = _load_head(network, Path(checkpoint.path) / HEAD_FILE)
        absent |= {HEAD_FILE} if complete and not comes_along else set()
    else:
        names = dict(enumerate(classes))
        config.id2label, config.label2id = names, {label: index for index, label in names.items()}
        config.num_labels, config.problem_type = len(classes), "single_label_classification"
        model, absent = _from_pretrained(AutoModelForSequenceClassification, checkpoint, config)
        network = ClassNetwork(model)
        comes_along = not absent
    if comes_along and checkpoint.is_local:
        _unfold_threshold(network, Path(checkpoint.path) / CARD)
    _check_weights(network, absent, checkpoint, complete=complete)
    if dropout is not None and head != "mlp":
        network.set_dropout(dropout)
    return network


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
    is_offline = not _reaches_hub()  # then what an earlier run left in the hub's cache will do
    checkpoint = Checkpoint(name=name, path=name, is_local=is_offline, model_type="")
    try:
        config = read_config(checkpoint)
    except ModelLoadError as error:
        why = (
            "the hub cannot be reached and its cache does not have it"
            if is_offline
            else f"the hub did not give it ({error.got})"
        )
        raise not_found(f"no folder and no catalogue entry {name!r}, and {why}") from error
    return Checkpoint(name=name, path=name, is_local=is_offline, model_type=config.model_type)


def _reaches_hub() -> bool:
    """Whether the hub's address is known here; without a network, asking it takes half a minute of retries."""
    if getproxies() or HF_HUB_OFFLINE:
        return not HF_HUB_OFFLINE
    try:
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


def _load_head(network: ClassNetwork, file: Path) -> bool:
    """Take the head that lies beside the trunk, if it is one of this size for as many classes; return whether it is."""
    if network.head is None or not file.is_file():
        return False
    with load_errors(f"{file} is damaged", "the head that pretune saved"):
        saved = load_file(file)
    own = network.head.state_dict()
    if any(name not in saved or saved[name].shape != value.shape for name, value in own.items()):
        return False
    network.head.load_state_dict(saved)
    return True


def _unfold_threshold(network: ClassNetwork, card: Path) -> None:
    """Take out the threshold that pretune has folded into the saved output layer, if it has: here it is a rule beside it."""
    with load_errors(f"{card} is damaged", "the file as pretune wrote it", "restore the file"):
        bias = storage.read_json(card).get("unfolded_bias") if card.is_file() else None
        if bias is not None:
            unfold(network, [float(value) for value in bias])


def _check_weights(network: ClassNetwork, absent: set[str], checkpoint: Checkpoint, *, complete: bool) -> None:
    """Refuse weights that transformers would fill with random numbers; of the head these are wanted, unless ``complete``."""
    head = {id(weight) for weight in network.head_parameters()}
    fresh = {name for name, weight in network.model.named_parameters() if id(weight) in head}
    unused = {name for name in absent if name.startswith("pooler.")} if network.head is not None else set()
    wrong = sorted(absent - unused - (set() if complete else fresh))
    if wrong:
        raise ModelLoadError(
            f"{checkpoint.name}: {len(wrong)} weights are missing or of another size, the first is {wrong[0]}",
            expected=f"all weights of a {network.model.config.model_type} model, as its config.json describes it",
            fix="restore the *.safetensors, or the config.json that belongs to them",
        )


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


def _from_pretrained(kind: Any, checkpoint: Checkpoint, config: Any) -> tuple[Any, set[str]]:
    """Return the model in training mode, and the names of the weights that the checkpoint did not fill."""
    expected = "an encoder that transformers can classify with, weights as safetensors"
    with load_errors(f"{checkpoint.name}: cannot be loaded as a classifier", expected, fix="see `pretune models`"):
        model, found = kind.from_pretrained(
            checkpoint.path,
            config=config,
            local_files_only=checkpoint.is_local,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    unused = sorted(key for key in found["unexpected_keys"] if OF_A_TRUNK.search(key) and not key.endswith("_ids"))
    if unused:
        logger.warning(
            "%s: %d weights of its files are not in the model that config.json describes and are not used, such as %s",
            checkpoint.name,
            len(unused),
            unused[0][:100],
        )
    return model.train(), set(found["missing_keys"]) | {name for name, *_ in found["mismatched_keys"]}


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

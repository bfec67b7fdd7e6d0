"""A fine-tuned classifier as pretune saves it: a transformers folder, ``pretune.json``, and perhaps pretune's own head.

Every saved model is read back and compared (``predict/saved.py``).
"""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification

from pretune import storage
from pretune.data.seal.learned import Learned
from pretune.errors import ModelLoadError
from pretune.hashing import digest_of_file
from pretune.models.card import CARD, ModelCard, check_folder, read_card
from pretune.models.checkpoint import Checkpoint, load_errors, read_config
from pretune.models.formats import plain
from pretune.models.head_start import start_dense
from pretune.models.heads import ClassNetwork, MlpHead
from pretune.models.mean_layer import take_out, wants_mean, with_layer
from pretune.models.temperature import find_shift, folded, unfold
from pretune.models.vetting import vet_folder

HEAD_FILE = "head.safetensors"  # the pooled head of a model that pretune saved


def write(folder: Path, network: ClassNetwork, tokenizer: Any, card: ModelCard, learned: Learned | None = None) -> None:
    """Write the model folder, whole or not at all; ``learned`` is what the model has learned from.

    With the native head it loads in plain transformers, which cuts texts where pretune does, and gives the same logits; those
    of two classes moved by the threshold, so that the largest class is the answer.

    Raises:
        StorageError: The disk refused.
    """
    mark = {"task": card.task, "corpora": [] if learned is None else list(learned.corpora)}

    def fill(aside: Path) -> dict[str, str]:
        shift = find_shift(network, card.classes, card.positive, card.threshold)
        in_full = with_layer(network.model) if network.takes_mean else contextlib.nullcontext()
        with folded(network, shift) as bias, in_full:
            plain.write(aside, network.model, tokenizer, max_length=card.max_length, mark=mark)
            if network.head is not None:
                save_file({name: value.contiguous() for name, value in network.head.state_dict().items()}, aside / HEAD_FILE)
        if learned is not None:
            learned.write(aside)
        digests = {file.name: digest_of_file(file) for file in sorted(aside.iterdir())}
        written = replace(card, digests=digests, unfolded_bias=bias)
        storage.replace_json(aside / CARD, storage.sealed(written.to_json()))
        return digests

    storage.replace(folder, fill)


def read(folder: Path, *, is_checked: bool = False) -> tuple[ClassNetwork, Any, ModelCard]:
    """Read a model folder back.

    Args:
        folder: What ``write`` wrote.
        is_checked: Whether its files were compared just now.

    Raises:
        ModelLoadError: It is not a folder that pretune wrote, or a part is missing or damaged.
    """
    storage.settle(folder)
    if not (folder / CARD).is_file():
        raise ModelLoadError(
            f"{folder} holds no {CARD}" if folder.is_dir() else f"there is no folder {folder}",
            expected="a model that pretune saved (a run folder, its model/ folder, or what model.save wrote)",
            fix="for a pre-trained checkpoint, use load_pretrained_model or --model",
        )
    card = read_card(folder)
    if not is_checked:
        check_folder(folder)
    vet_folder(folder)
    checkpoint = Checkpoint(name=str(folder), path=str(folder), is_local=True, model_type="", licence=card.licence)
    network = build_network(checkpoint, card.classes, head=card.head, head_size=card.head_size, complete=True)
    return network.eval(), plain.load_tokenizer(checkpoint), card


def build_network(
    checkpoint: Checkpoint,
    classes: tuple[str, ...],
    *,
    head: str = "native",
    head_size: int = 64,
    dropout: float | None = None,
    complete: bool = False,
    mean: bool = False,
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
        mean: Whether a native head that does not come along is to read the mean, if the checkpoint was made for it.

    Raises:
        ModelLoadError: Weights of the trunk are not there (or those of the head, where ``complete``), or not as safetensors.
    """
    config = read_config(checkpoint)
    if head == "mlp":
        trunk, absent, _ = _from_pretrained(AutoModel, checkpoint, config)
        width = int(getattr(config, "hidden_size", 0) or config.dim)
        network = ClassNetwork(trunk, MlpHead(width, head_size, len(classes), 0.3 if dropout is None else dropout))
        comes_along = _load_head(network, Path(checkpoint.path) / HEAD_FILE)
        absent |= {HEAD_FILE} if complete and not comes_along else set()
    else:
        names = dict(enumerate(classes))
        config.id2label, config.label2id = names, {label: index for index, label in names.items()}
        config.num_labels, config.problem_type = len(classes), "single_label_classification"
        model, absent, takes_mean = _from_pretrained(AutoModelForSequenceClassification, checkpoint, config)
        network, comes_along = ClassNetwork(model), not absent
        is_for_mean = mean and not comes_along and checkpoint.is_local and wants_mean(Path(checkpoint.path), network.family)
        network.takes_mean = takes_mean or is_for_mean
        network.is_head_new = network.takes_mean and mean and not comes_along
        if network.is_head_new:
            start_dense(network)
    if comes_along and checkpoint.is_local:
        _unfold_threshold(network, Path(checkpoint.path) / CARD)
    _check_weights(network, absent, checkpoint, complete=complete)
    if dropout is not None and head != "mlp":
        network.set_dropout(dropout)
    return network


def _from_pretrained(kind: Any, checkpoint: Checkpoint, config: Any) -> tuple[Any, set[str], bool]:
    """Return the model, what its files do not hold, and whether a layer that takes the mean was taken out of it."""
    expected = "an encoder that transformers can classify with, weights as safetensors"
    model, absent = plain.read(kind, checkpoint, config, use="a classifier", expected=expected)
    return model, absent, take_out(model)


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

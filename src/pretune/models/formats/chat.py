"""A chat model as pretune saves it: a transformers folder whose tokenizer has the template, and ``chat.json``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from pretune import storage
from pretune.data.seal.learned import Learned
from pretune.errors import DamagedModelError, PretuneError, UsageError
from pretune.models.checkpoint import model_of
from pretune.models.formats import adapter, language_model, plain
from pretune.models.heads import LanguageNetwork
from pretune.models.lora import Adapters
from pretune.records import SCHEMA, Decoding, Record

CARD = "chat.json"
# In the model folder. Beside the merged weights themselves, transformers would take the adapters for what it has to load.
ADAPTERS = "lora"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCard(Record):
    """``chat.json``: what the weights and the tokenizer alone do not say."""

    schema: int = SCHEMA
    task: str = "converse"
    decoding: Decoding
    max_length: int  # tokens per conversation that it learned from
    stop_ids: tuple[int, ...]  # at which a reply ends
    base_model: str = ""
    licence: str | None = None
    pretune_version: str = ""
    moment: str = ""  # of training, where the template prints the date (``tokens.chat_date``)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStart:
    """A causal model that can be asked.

    Args:
        name: As the user called it.
        network: In training mode.
        tokenizer: Its own, fast.
        card: Of a model that pretune fine-tuned; ``None`` of any other.
        licence: Of the weights, as their source states it.
        note: What the user should know of the weights, or empty.
    """

    name: str
    network: LanguageNetwork
    tokenizer: Any
    card: ChatCard | None = None
    licence: str | None = None
    note: str = ""


def write(
    place: Path,
    network: LanguageNetwork,
    tokenizer: Any,
    card: ChatCard,
    learned: Learned,
    adapters: Adapters | None = None,
) -> None:
    """Write a folder that plain transformers loads, template included, and that generates as pretune does; whole or not at all.

    Args:
        place: Where.
        network: With its adapters merged.
        tokenizer: Its own.
        card: What weights and tokenizer do not say.
        learned: From what.
        adapters: Those that were merged, which are kept beside it.

    Raises:
        StorageError: The disk refused.
    """
    mark = {"task": card.task, "corpora": list(learned.corpora)}

    def fill(aside: Path) -> None:
        plain.write(aside, network.model, tokenizer, max_length=card.max_length, mark=mark)
        _generation(card, tokenizer).save_pretrained(aside)
        learned.write(aside)
        if adapters is not None:
            adapter.write(aside / ADAPTERS, adapters, base=card.base_model)
        storage.replace_json(aside / CARD, card.to_json())
        storage.write_digests(aside)

    storage.replace(place, fill)


def read(name: str) -> ChatStart:
    """Load a chat model: a run of `pretune run` on conversations, its model folder, or any causal model by name.

    Raises:
        ModelLoadError: It is not there, or cannot be loaded.
        DamagedModelError: ``chat.json`` is not what pretune writes.
        UsageError: It is no causal model.
    """
    folder = model_of(Path(name)) if Path(name).is_dir() else None
    card = read_card(folder) if folder is not None else None
    start = language_model.read(name)
    if not start.network.is_causal:
        raise UsageError(
            f"{name} predicts hidden words ({start.network.model.config.model_type})",
            expected="a causal model, which predicts the next word",
            fix="pass --model smollm2, or another Llama-like model",
        )
    return ChatStart(
        name=name,
        network=start.network,
        tokenizer=start.tokenizer,
        card=card,
        licence=card.licence if card is not None else start.licence,
        note=start.note,
    )


def read_card(folder: Path) -> ChatCard | None:
    """Return what ``chat.json`` of a model folder says; ``None`` where there is none.

    Raises:
        DamagedModelError: It is not what pretune writes.
    """
    if not (folder / CARD).is_file():
        return None
    try:
        return ChatCard.from_json(storage.read_json(folder / CARD))
    except PretuneError as error:
        raise DamagedModelError(f"{folder / CARD} is damaged: {error.got}", expected="what pretune wrote") from error


def _generation(card: ChatCard, tokenizer: Any) -> GenerationConfig:
    """Return how transformers is to generate, so that its replies are pretune's."""
    decoding, is_sampled = card.decoding, card.decoding.temperature > 0
    return GenerationConfig(
        max_new_tokens=decoding.max_tokens,
        do_sample=is_sampled,
        temperature=decoding.temperature if is_sampled else None,
        top_p=decoding.top_p if is_sampled else None,
        repetition_penalty=decoding.repetition_penalty,
        no_repeat_ngram_size=decoding.no_repeat,
        eos_token_id=list(card.stop_ids),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )

"""A saved chat model must be the live one: read back, the same template gives the same ids, and the same probabilities."""

from dataclasses import dataclass
from pathlib import Path

import torch

from pretune.errors import ParityError
from pretune.models import LanguageNetwork
from pretune.models.formats import chat
from pretune.predict.saved import check_saved_words
from pretune.records import Conversation
from pretune.tokens.chat import ChatTemplate


@dataclass(frozen=True, slots=True)
class SavedChat:
    """What was found of a saved chat model."""

    difference: float  # the largest of two probabilities
    template: ChatTemplate  # that the folder has


def check_saved_chat(folder: Path, network: LanguageNetwork, template: ChatTemplate, row: Conversation) -> SavedChat:
    """Compare the live model with its folder.

    Args:
        folder: What ``formats.chat.write`` wrote.
        network: The live one, in evaluation.
        template: That training used.
        row: A conversation that both are asked about.

    Raises:
        ParityError: The folder renders the conversation to other ids, or gives other probabilities.
    """
    ids, saved = template.encode(row.turns).ids, ChatTemplate(chat.read(str(folder)).tokenizer)
    again = saved.encode(row.turns).ids
    if ids.tolist() != again.tolist():
        place = next(
            (k for k, pair in enumerate(zip(ids, again, strict=False)) if pair[0] != pair[1]), min(len(ids), len(again))
        )
        raise ParityError(
            f"the template saved in {folder} renders a conversation to other ids than training had, from token {place} on",
            expected="the same ids in training and in use",
            fix="please report the model and the version of transformers",
        )
    network.eval()
    device = next(network.parameters()).device.type
    difference = check_saved_words(folder, network, torch.from_numpy(ids.astype("int64"))[None].to(device))
    return SavedChat(difference, saved)

"""Start: the chat model that is fine-tuned, as it came."""

from typing import NamedTuple

from pretune.models.formats import chat
from pretune.models.formats.chat import ChatStart
from pretune.run.trace import Trace
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.chat_date import fix_date
from pretune.train import Device


class OpenedChat(NamedTuple):
    """A chat model that can be fine-tuned."""

    start: ChatStart
    template: ChatTemplate
    moment: str  # when, where its template prints the date; empty elsewhere


def open_chat(name: str, device: Device, trace: Trace, *, moment: str) -> OpenedChat:
    """Load a chat model to a device.

    Args:
        name: Of the catalogue, a folder, or of the hub.
        device: Where it is trained.
        trace: Receives the stage.
        moment: The date that a template prints is that of then.
    """
    with trace.stage("load model", name) as stage:
        start = chat.read(name)
        dated = fix_date(start.tokenizer, moment)
        template = ChatTemplate(start.tokenizer)
        network = start.network.to(device.kind)
        num_weights = sum(weight.numel() for weight in network.parameters())
        stage.done = f"{network.model.config.model_type}, {len(network.layers)} layers; replies end with {template.stop}"
        stage.shape_out, stage.notes = f"{num_weights / 1e6:.1f} M weights", [note for note in (start.note, dated) if note]
    return OpenedChat(start, template, moment if dated else "")

"""Names of pre-trained models: can this one be one? Nothing is loaded, fetched or asked for to tell."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from pretune.data.catalogue.fetch import find_entry, list_names, near_names
from pretune.errors import ModelLoadError

NO_HUB = "the hub cannot be reached and its cache does not have it"


def check_name(name: str) -> None:
    """Refuse a name that is no folder, no catalogue entry, and no id to ask the hub for.

    Raises:
        ModelLoadError: It is none of these; the message says what is near.
    """
    entry = find_entry(name)
    if Path(name).is_dir() or (entry is not None and entry.kind == "model"):
        return
    if name.startswith((".", "/", "~", "runs/")) or name.count("/") > 1:
        raise not_found(f"no folder {name!r}")
    near = near_names(name, list_names("model"))
    if near and "/" not in name:  # a slip, not an id to ask the hub for
        raise not_found(f"no folder and no catalogue entry {name!r}", fix=f"did you mean {near[0]!r}?")


def check_hub(name: str) -> None:
    """Refuse an id of the hub that is neither in its cache here nor can be asked for, because there is no network.

    Raises:
        ModelLoadError: It is one.
    """
    entry = find_entry(name)
    if Path(name).is_dir() or (entry is not None and entry.kind == "model") or reaches_hub():
        return
    from huggingface_hub.constants import HF_HUB_CACHE  # here, since serving an export goes without that package

    if not Path(HF_HUB_CACHE, f"models--{name.replace('/', '--')}").is_dir():
        raise not_found(f"no folder and no catalogue entry {name!r}, and {NO_HUB}")


def reaches_hub() -> bool:
    """Whether the hub's address is known here; without a network, asking it takes half a minute of retries."""
    from urllib.request import getproxies  # a tenth of a second, which most commands need not spend

    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE or getproxies():
        return not HF_HUB_OFFLINE
    try:
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
    except OSError:
        return False
    return True


def check_encoder(name: str) -> None:
    """Refuse a catalogue model that predicts next words where a classifier is to be made of it.

    Raises:
        ModelLoadError: It is one.
    """
    entry = None if Path(name).is_dir() else find_entry(name)
    if entry is not None and entry.kind == "model" and entry.members[0].endswith(".gguf"):
        raise ModelLoadError(
            f"{name} is a causal model (next words), and classification needs an encoder",
            expected="an encoder such as minilm",
            fix="--model minilm",
        )


def not_found(got: str, fix: str = "see `pretune models`") -> ModelLoadError:
    """Return the error for a model that is not there."""
    known = ", ".join(list_names("model"))
    return ModelLoadError(got, expected=f"a catalogue name ({known}), a model folder, or a hub id such as org/name", fix=fix)

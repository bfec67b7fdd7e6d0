"""Opened: a saved classifier, ready to answer, without loading scikit-learn, which only training and figures need."""

from pathlib import Path

from pretune.configs import FinetuneConfig
from pretune.models import load_folder
from pretune.predict import Scorer
from pretune.train import Device, choose_device


def load_scorer(folder: Path, config: FinetuneConfig = FinetuneConfig()) -> tuple[Scorer, Device]:  # noqa: B008 - frozen
    """Return what answers, from a model folder, on the device that the config names; without scikit-learn.

    Raises:
        ModelLoadError: It is not one.
    """
    network, tokenizer, card = load_folder(folder)
    device = choose_device(config.device, precision=config.precision, threads=config.threads)
    return Scorer(network=network.to(device.kind), tokenizer=tokenizer, card=card), device

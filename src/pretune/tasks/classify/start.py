"""Start: the network, tokenizer and card that a training starts from."""

from importlib.metadata import version
from typing import Any

import torch

from pretune.configs import DEFAULT_MAX_LENGTH, FinetuneConfig
from pretune.data.seal.seal import TrainingData
from pretune.evaluate import choose_positive
from pretune.evaluate.encoder_linear import fit_encoder_linear
from pretune.models import ModelCard, TrunkCache, build_network, find_checkpoint, load_tokenizer, max_positions, open_encoder
from pretune.models.head_start import head_features, start_output
from pretune.predict import Scorer
from pretune.run.trace import Trace
from pretune.tasks.classify.encoder_linear import drawn
from pretune.tasks.classify.prepare import tell_progress
from pretune.train import Device, current_world

# What the regression's weights are multiplied by. At their own size they fit the training rows so well that little loss is left
# for the layers to learn from, and what they say is overconfident; docs/decisions/0039 has what was tried.
SHRINK = 0.2


def start_from(model: str, config: FinetuneConfig, training: TrainingData, trace: Trace) -> Scorer:
    """Return the pre-trained network under a new head for the training's classes.

    Args:
        model: Catalogue name, model folder or hub id.
        config: Head, dropout and tokens per text.
        training: Classes, the columns of the text, and the labels that the positive class is chosen by.
        trace: Receives the stage.

    Raises:
        ModelLoadError: No usable model there.
    """
    checkpoint = find_checkpoint(model)
    with trace.stage("load model", checkpoint.name) as stage:
        tokenizer = load_tokenizer(checkpoint)
        tokenizer.split_special_tokens = True  # "[SEP]" in a text is text; what is saved says so
        network = build_network(
            checkpoint,
            training.classes,
            head=config.head,
            head_size=config.head_size,
            dropout=config.dropout,
            mean=config.pooling == "auto",
        )
        num_weights = sum(weight.numel() for weight in network.parameters())
        licence = f", licence {checkpoint.licence}" if checkpoint.licence else ""
        head = f"{config.head} head" + " over the mean of all tokens" * network.takes_mean
        stage.done = f"{checkpoint.model_type}, {len(network.layers)} layers, {head}{licence}"
        stage.shape_out = f"{num_weights / 1e6:.1f} M weights"
    wanted = config.max_length or DEFAULT_MAX_LENGTH
    length = min(wanted, max_positions(checkpoint))
    if length < wanted:
        trace.note(f"max_length {wanted} is more than the model has positions for: {length} is used")
    card = ModelCard(
        classes=training.classes,
        positive=choose_positive([str(row.label) for row in training.train], config.positive),
        head=config.head,
        head_size=config.head_size,
        max_length=length,
        base_model=model,
        licence=checkpoint.licence,
        pretune_version=version("pretune"),
        text_columns=training.text_columns,
        label_type=training.label_type,
    )
    return Scorer(network=network, tokenizer=tokenizer, card=card)


def start_by_regression(
    begun: Scorer, training: TrainingData, config: FinetuneConfig, *, device: Device, seed: int, trace: Trace
) -> None:
    """Let the head begin as a logistic regression over the means that it reads, fitted on the training rows.

    Does nothing where the head does not read a mean. Of several processes the first fits it for all.

    Args:
        begun: What ``start_from`` returned.
        training: Its training rows alone are read; of many, those that the encoder-linear baseline is fitted on.
        config: Whether the encoder's vectors are kept between runs.
        device: Runs the encoder.
        seed: Of the draw and of the regression's hold-out.
        trace: Receives the stage.
    """
    network, card = begun.network, begun.card
    if not network.is_head_new:
        return

    def fit() -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        rows = drawn(training.train, seed)
        encoder = open_encoder(
            card.base_model, max_length=card.max_length, device=device.kind, cache=TrunkCache() if config.keep_trunk else None
        )
        if encoder is None:
            return {}, {}
        with device.autocast():
            means = encoder.features([row.text for row in rows], progress=tell_progress(trace, "reading for the head"))
        fitted = fit_encoder_linear(
            head_features(network, means), rows, encoder=card.base_model, max_length=card.max_length, seed=seed
        )
        weights, intercepts = torch.from_numpy(fitted.weights), torch.from_numpy(fitted.intercepts)
        if len(weights) == 1:  # of two classes it has the difference
            weights, intercepts = torch.cat([-weights, weights]) / 2, torch.cat([-intercepts, intercepts]) / 2
        order = torch.tensor([fitted.classes.index(name) for name in training.classes])
        return {"strength": fitted.strength}, {"weights": weights[order], "intercepts": intercepts[order]}

    with trace.stage("start head", f"{len(training.train):,} texts") as stage:
        told, found = current_world().from_first(fit)
        if found:
            start_output(network, SHRINK * found["weights"], SHRINK * found["intercepts"])
            stage.done = f"logistic regression of strength {told['strength']:g} over token means, as the head's first weights"
            stage.shape_out = f"{found['weights'].shape[1]} features × {len(training.classes)} classes"

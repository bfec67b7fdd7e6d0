"""Start: the network, tokenizer and card that a training starts from."""

from importlib.metadata import version

from pretune.configs import DEFAULT_MAX_LENGTH, FinetuneConfig
from pretune.data import TrainingData
from pretune.evaluate import choose_positive
from pretune.models import ModelCard, build_network, find_checkpoint, load_tokenizer, max_positions
from pretune.predict import Scorer
from pretune.run.trace import Trace


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
            checkpoint, training.classes, head=config.head, head_size=config.head_size, dropout=config.dropout
        )
        num_weights = sum(weight.numel() for weight in network.parameters())
        licence = f", licence {checkpoint.licence}" if checkpoint.licence else ""
        stage.done = f"{checkpoint.model_type}, {len(network.layers)} layers, {config.head} head{licence}"
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

"""What a network gets before training and loses afterwards: frozen layers, compiled layers, low-rank adapters."""

from pretune.configs import FinetuneConfig
from pretune.models import Batch, Network, adapt, merge
from pretune.models.parity import MAX_LOGIT_DIFFERENCE
from pretune.run.trace import Trace
from pretune.train import Plan


def set_up(network: Network, config: FinetuneConfig, plan: Plan, trace: Trace) -> None:
    """Freeze as the first stage does; compile layers and add adapters where they are asked for.

    Raises:
        UsageError: The family's layers are not known, or no layer is above the freeze boundary.
    """
    stages = plan.stages(len(network.layers))
    boundary = network.freeze(stages[0].freeze)
    if config.compile:
        network.compile_layers()
    if config.lora:
        boundary = min(boundary, *(network.boundary_of(stage.freeze) for stage in stages))
        _adapt(network, config.lora, config.lora_alpha or 2.0 * config.lora, boundary, trace)
        network.freeze(stages[0].freeze)


def _adapt(network: Network, rank: int, alpha: float, boundary: int, trace: Trace) -> None:
    with trace.stage("adapters", f"rank {rank}, scaled by {alpha:g} / {rank}") as stage:
        num_layers = adapt(network, rank=rank, alpha=alpha, boundary=boundary)
        stage.done = f"LoRA beside {num_layers} linear layers, which are frozen themselves"
        stage.shape_out = f"{sum(weight.numel() for weight in network.parameters() if weight.requires_grad):,} weights to train"


def merge_adapters(
    network: Network, batch: Batch, num_texts: int, trace: Trace, *, limit: float = MAX_LOGIT_DIFFERENCE
) -> None:
    """Merge the adapters into the layers beside them, and check on validation texts that the logits stay within ``limit``.

    Raises:
        ParityError: They do not.
    """
    with trace.stage("merge", f"adapters; {num_texts} validation texts before and after") as stage:
        difference = merge(network, batch, limit=limit)
        stage.done, stage.shape_out = f"logits differ by at most {difference:.1g}", "the plain architecture"

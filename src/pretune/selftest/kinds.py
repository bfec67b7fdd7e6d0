"""The kinds of trainings to kill: each keeps something different in its checkpoints, and has its own unbroken run."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of training.

    Args:
        name: In reports.
        flags: Of ``pretune finetune``, beside those that all kinds share.
        epochs: How long.
        needs: The optional package without which it cannot be; empty where there is none.
    """

    name: str
    flags: tuple[str, ...]
    epochs: int = 3
    needs: str = ""

    @property
    def is_possible(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None

    def command(self, folder: Path, run: Path) -> list[str]:
        """Return the command line, without the program: train on the material in ``folder`` into ``run``."""
        return [
            "finetune", str(folder / "rows.csv"), "--model", str(folder / "tiny"), "--epochs", str(self.epochs), "--lr", "3e-3",
            "--batch-size", str(BATCH), "--threads", "1", "--seed", "1", "--run", str(run), "--json",
            "--set", "finetune.precision=fp32", "--set", "judge.encoder_linear=false", *self.flags,
        ]  # fmt: skip


KINDS = (
    Kind(name="all layers", flags=("--freeze", "none")),
    Kind(name="last layers", flags=("--freeze", "last-1")),  # the states of the frozen trunk are kept in the cache folder
    # The head, one layer, two, and in the last epoch the embeddings too.
    Kind(name="gradual stages", flags=("--freeze", "gradual"), epochs=4),
    Kind(name="LoRA", flags=("--freeze", "none", "--lora", "2"), needs="peft"),
    Kind(name="moving average", flags=("--freeze", "none", "--set", "finetune.ema=0.9")),
)

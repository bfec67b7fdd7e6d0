"""The kinds of trainings to kill: each keeps something different in its checkpoints, and has its own unbroken run."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a kind of training learns from, as files of one folder.

    Args:
        table: The rows.
        model: Where it starts.
        flags: That all trainings on it have.
    """

    table: str
    model: str
    flags: tuple[str, ...]


TEXTS = Material(table="rows.csv", model="tiny", flags=("--set", "judge.encoder_linear=false"))
TALKS = Material(
    table="talks.jsonl",
    model="talker",
    flags=("--questions", "30", "--max-reply", "4", "--max-length", "64", "--set", "chat.repetition_penalty=1.0"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of training.

    Args:
        name: In reports.
        flags: Of ``pretune finetune``, beside those that all kinds share; ``{}`` is the folder of the material.
        epochs: How long.
        needs: The optional package without which it cannot be; empty where there is none.
        material: What it learns from.
    """

    name: str
    flags: tuple[str, ...]
    epochs: int = 3
    needs: str = ""
    material: Material = TEXTS

    @property
    def is_possible(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None

    def command(self, folder: Path, run: Path) -> list[str]:
        """Return the command line, without the program: train on the material in ``folder`` into ``run``."""
        own = self.material
        return [
            "finetune", str(folder / own.table), "--model", str(folder / own.model), "--epochs", str(self.epochs),
            "--lr", "3e-3", "--batch-size", str(BATCH), "--threads", "1", "--seed", "1", "--run", str(run), "--json",
            "--set", "finetune.precision=fp32", *own.flags, *(flag.format(folder) for flag in self.flags),
        ]  # fmt: skip


KINDS = (
    Kind(name="all layers", flags=("--freeze", "none")),
    Kind(name="last layers", flags=("--freeze", "last-1")),  # the states of the frozen trunk are kept in the cache folder
    # The head, one layer, two, and in the last epoch the embeddings too.
    Kind(name="gradual stages", flags=("--freeze", "gradual"), epochs=4),
    Kind(name="LoRA", flags=("--freeze", "none", "--lora", "2"), needs="peft"),
    Kind(name="moving average", flags=("--freeze", "none", "--set", "finetune.ema=0.9")),
    Kind(name="replies", flags=("--mix", "0.2", "--mix-corpus", "{}/texts.txt", "--dropout", "0.1"), material=TALKS),
    Kind(name="replies, in stages", flags=("--freeze", "last-1,none:2"), epochs=1, material=TALKS),
    Kind(name="replies, LoRA", flags=("--lora", "2"), needs="peft", material=TALKS),
)

"""A flag: its name, what help says, which commands take it, which setting it is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag.

    Args:
        name: In code; ``--batch-size`` is ``batch_size``.
        text: What help says.
        commands: Those that take it.
        place: Among the settings of a run; among those of a pre-training where that alone takes it.
        metavar: What stands for its value in help.
        kind: Of its value; ``bool`` for one without a value, ``list`` for one that may be given several times.
        corpus: Among the settings of a pre-training, where a run takes it as well.
        chat: Among the settings of a run on conversations, where its place is another one there.
        option: As it is typed, where the name does not say so.
        default: Where it is neither a setting nor absent.
        least: The smallest number.
        about: Under which heading help shows it.
    """

    name: str
    text: str
    commands: str
    place: str = ""
    metavar: str | None = None
    kind: type = str
    corpus: str = ""
    chat: str = ""
    option: str = ""
    default: Any = None
    least: int | None = None
    about: str = ""

    @property
    def typed(self) -> str:
        """How it is typed.

        Example:
            >>> Flag("batch_size", "Rows per update (32).", "run").typed
            '--batch-size'
        """
        return self.option or "--" + self.name.rstrip("_").replace("_", "-")

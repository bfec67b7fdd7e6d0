"""The console: draws its own colours, and shows every other control character as a symbol."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from pretune.cli.visible import visible


class InertConsole(Console):
    """A console on which no text of a drawing is obeyed; colours and the bar are the console's own, and stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object to segments whose texts are made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

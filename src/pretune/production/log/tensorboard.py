"""TensorBoard: one folder of event files per run, in ``tensorboard/`` beside it."""

from typing import Any

from pretune.production.log.points import About, Ending, Point


class TensorBoard:
    """One run in TensorBoard.

    Args:
        about: The run. A log that is not continued hides what an earlier run of the same name has left there.
    """

    def __init__(self, about: About) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._about, self._place = about, about.beside / "tensorboard" / about.run
        has_events = any(self._place.glob("events.out.*"))
        self._known = self._read() if about.is_resumed and has_events else set()
        hides = has_events and not about.is_resumed
        self._writer: Any = SummaryWriter(str(self._place), purge_step=0 if hides else None)
        self._writer.add_text("parameters", _table(about.parameters))

    def known(self) -> set[tuple[str, int]]:
        """Return the scalars that its event files hold."""
        return self._known

    def write(self, points: list[Point]) -> None:
        """Add scalars, and flush them."""
        for point in points:
            for name, value in point.values.items():
                self._writer.add_scalar(name, value, point.step, walltime=point.time)
        self._writer.flush()

    def finish(self, ending: Ending) -> None:
        """Add figures, as scalars and beside the parameters, and the model card as text."""
        if ending.figures:
            self._writer.add_hparams(self._about.parameters | ending.parameters, ending.figures, run_name=".")
        self._writer.add_text("ending", _table(ending.parameters | ending.facts | {file.name: file for file in ending.files}))
        if ending.text:
            self._writer.add_text("card", ending.text)
        self._writer.close()

    def _read(self) -> set[tuple[str, int]]:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(self._place), size_guidance={"scalars": 0})
        events.Reload()
        return {(name, event.step) for name in events.Tags()["scalars"] for event in events.Scalars(name)}


def _table(rows: dict[str, Any]) -> str:
    cells = ((str(name), " ".join(str(value).split()).replace("|", "\\|")) for name, value in rows.items())
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in cells)])

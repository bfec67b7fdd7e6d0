"""What the report and a card say of exported forms, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import AnswersBeside, JudgedExport, Pace
from pretune.report.words import OUTCOMES, UNDEFINED


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One form in a table."""

    form: str
    place: str
    verdict: str
    same: str
    largest: str
    size: str
    pace: str
    alone: str
    peak: str
    lost: tuple[str, ...]


def export_rows(exports: Sequence[JudgedExport]) -> tuple[ExportRow, ...]:
    """Return a row for each form."""
    return tuple(_row(item) for item in exports)


def tell_same(item: AnswersBeside | None) -> str:
    """Say how many answers are the model's."""
    return UNDEFINED if item is None else f"{item.num_same:,} of {item.num_rows:,}"


def tell_size(num_bytes: int) -> str:
    """Say a size in MB."""
    return f"{num_bytes / 1e6:,.1f} MB"


def tell_pace(paces: Sequence[Pace], how: str) -> str:
    """Say how many texts a second it answers."""
    found = next((item for item in paces if item.how == how), None)
    return UNDEFINED if found is None else f"{found.texts_per_second:,.0f}"


def tell_beside(ours: str, model: str) -> str:
    """Say a figure of a form beside that of the model."""
    return ours if model == UNDEFINED else f"{ours} (model: {model})"


def tell_verdict_of(item: JudgedExport) -> str:
    """Say the verdict of a form, and that of the model where it is another one."""
    if item.verdict is None:
        return "none: the run was not judged"
    own = OUTCOMES[item.verdict.outcome]
    return own if not item.lost else f"{own}; the model: {str(item.beside_verdict).replace('_', ' ')}; loss accepted"


def _row(item: JudgedExport) -> ExportRow:
    paces, model = (part.paces if part is not None else () for part in (item.measured, item.measured_of_model))
    peaks = [tell_size(part.peak_bytes) if part else UNDEFINED for part in (item.measured, item.measured_of_model)]
    return ExportRow(
        form=item.form,
        place=f"export/{item.form}/",
        verdict=tell_verdict_of(item),
        same=tell_same(item.find("test") or item.find("validation")),
        largest=f"{max((part.largest for part in item.beside), default=0.0):.1g}",
        size=tell_beside(tell_size(item.num_bytes), tell_size(item.num_bytes_of_model)),
        pace=tell_beside(tell_pace(paces, "as served"), tell_pace(model, "as served")),
        alone=tell_beside(tell_pace(paces, "one by one"), tell_pace(model, "one by one")),
        peak=tell_beside(*peaks),
        lost=item.lost if item.is_loss_accepted else (),
    )

"""Origins: which model and data of the hub a run was made from, as far as the catalogue and the runs here know."""

from dataclasses import replace
from pathlib import Path

from pretune.data.catalogue.fetch import find_entry
from pretune.records import RunRecord
from pretune.report.card.metadata import Origin, is_hub_name
from pretune.run.origin import origin_of


def find_origin(record: RunRecord) -> Origin:
    """Return what the metadata of a model card may say of where a model comes from; nothing is guessed."""
    entry = find_entry(record.data_source)
    is_ours = entry is not None and entry.kind == "data"
    found = Origin(base_model=_base_of(record.model_source), languages=entry.languages if is_ours and entry else ())
    return replace(found, dataset=_dataset_of(record.data_source) if not is_ours else None)


def _base_of(model: str) -> str | None:
    """Return the id on the hub of a starting model; of a run, that of the one which its pre-training continued."""
    entry = find_entry(model)
    if entry is not None and entry.kind == "model" and not Path(model).is_dir():
        return entry.hub or None
    before = origin_of(model)
    if before is not None:
        started = before.pretraining.started_from if before.pretraining is not None else ""
        return _base_of(started) if started and started != model else None
    return _on_hub(model)


def _dataset_of(source: str) -> str | None:
    """Return the id on the hub of a data set that was read from there: ``owner/name``, without configuration and split."""
    return _on_hub("/".join(source.partition(":")[0].split("/")[:2]))


def _on_hub(name: str) -> str | None:
    return name if name.count("/") == 1 and is_hub_name(name) and not Path(name).exists() else None

"""``export.json``, the card of an exported classifier: what whoever runs its graph must know beside it. Loads no torch."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from pretune import storage
from pretune.errors import DamagedModelError, ModelLoadError, StorageError
from pretune.hashing import digest_of_file
from pretune.models.card import ModelCard, check_files
from pretune.records import SCHEMA, Record

EXPORT = "export.json"
AGAIN = "restore the file, or export again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Record):
    """How texts become ids, as far as ``tokenizer.json`` does not say it.

    Args:
        padding_id: What short texts of a batch are filled up with.
        unknown_id: What a text of no tokens becomes; ``None`` for the padding.
        control_as_text: Whether a control token that is spelled out in a text is text.
    """

    padding_id: int = 0
    unknown_id: int | None = None
    control_as_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCard(Record):
    """``export.json``.

    Args:
        form: One of ``CLASS_KINDS`` in ``formats/forms.py``.
        run: The run that it was exported from.
        card: Classes, threshold, tokens per text, licence: what the saved model has.
        shift: What the output layer adds to the logits, (classes,), for the threshold; with it the largest class decides.
        reading: How texts become ids.
        how: How the graph was made, in words.
        versions: Of the packages that made it.
        digests: SHA-256 of the other files.
        digest: Of everything above.
    """

    schema: int = SCHEMA
    form: str
    run: str = ""
    card: ModelCard
    shift: tuple[float, ...] | None = None
    reading: Reading = field(default_factory=Reading)
    how: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    digest: str = ""


def write_export_card(folder: Path, card: ExportCard) -> None:
    """Write the card of an export into its folder, with the digests of the files that are there.

    Raises:
        StorageError: The disk refused.
    """
    files = (file for file in sorted(folder.iterdir()) if file.name != EXPORT)
    written = replace(card, digests={file.name: digest_of_file(file) for file in files})
    storage.replace_json(folder / EXPORT, storage.sealed(written.to_json()))


def read_export_card(folder: Path) -> ExportCard:
    """Return the card of an exported classifier, whose files have been compared with it.

    Raises:
        ModelLoadError: It is the export of another kind of model.
        DamagedModelError: It, or a file beside it, is not what was written.
    """
    file = folder / EXPORT
    try:
        value = storage.read_json(file)
        card = None if "card" not in value and "form" in value else ExportCard.from_json(value)
    except (StorageError, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise DamagedModelError(f"{file} is damaged: {error}", fix=AGAIN) from error
    if card is None:
        raise ModelLoadError(
            f"{folder} is an exported chat model ({value['form']})",
            expected="an exported classifier",
            fix="load it with the tool that it was exported for",
        )
    if not storage.is_sealed(value):
        raise DamagedModelError(f"{file} is damaged: its digest does not match its contents", fix=AGAIN)
    check_files(folder, card.digests, fix=AGAIN)
    return card

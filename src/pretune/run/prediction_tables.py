"""Prediction tables: predictions as the CSV of a run folder, and back, to the last digit and the last character."""

import csv
import io

from pretune.records import Predictions
from pretune.storage.cells import csv_writer, has_risky, neutral_row, restored

PROBABILITY = "p:"  # prefix of a probability column: "p:spam"
# How a table begins in which cells were made neutral. To every reader of CSV it is the same header; runs that are older
# than this, and tables in which there was nothing to do, begin with the bare word, and are read as they stand.
NEUTRAL = '"id",'


def predictions_csv(predictions: Predictions) -> str:
    """Return predictions as CSV: id, label, predicted, a probability column a class.

    Probabilities have every digit, so that figures from the file are the same. Cells that a spreadsheet could take for a
    formula are made neutral (``pretune.storage.cells``), and the header's first name is quoted where one was.
    """
    out = io.StringIO()
    writer = csv_writer(out)
    words = [predictions.ids, [label or "" for label in predictions.labels], predictions.predicted]
    is_risky = any(map(has_risky, words))
    shares, classes = predictions.probabilities, predictions.classes if predictions.probabilities is not None else ()
    out.write(NEUTRAL if is_risky else "id,")
    writer.writerow(["label", "predicted", *(PROBABILITY + label for label in classes)])
    for index, cells in enumerate(zip(*words, strict=True)):
        row = neutral_row(cells) if is_risky else cells
        writer.writerow([*row, *map(repr, shares[index] if shares is not None else ())])
    return out.getvalue()


def parse_predictions(text: str, *, split: str, source: str) -> Predictions:
    """Read what ``predictions_csv`` returned, now or in a version that made nothing neutral.

    Raises:
        ValueError, IndexError: It is no such table.
    """
    header, *rows = csv.reader(io.StringIO(text))
    if text.startswith(NEUTRAL):
        rows = [[*map(restored, row[:3]), *row[3:]] for row in rows]
    shares = header[3:]
    seen = {row[2] for row in rows} | {row[1] for row in rows if row[1]}
    classes = tuple(name.removeprefix(PROBABILITY) for name in shares) or tuple(sorted(seen))
    return Predictions(
        source=source,
        split=split,
        classes=classes,
        ids=tuple(row[0] for row in rows),
        labels=tuple(row[1] or None for row in rows),
        predicted=tuple(row[2] for row in rows),
        probabilities=tuple(tuple(float(value) for value in row[3:]) for row in rows) if shares else None,
    )

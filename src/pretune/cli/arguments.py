"""Positional arguments of the commands; flags are in ``wording/flags.py``."""

from typing import Annotated, Any

import typer


def _argument(metavar: str, text: str) -> Any:
    return typer.Argument(help=text, metavar=metavar, show_default=False)


Data = Annotated[str, _argument("DATA", "Catalogue name, file (CSV, TSV, JSON lines, Parquet, .gz), folder, or hub id.")]
Corpus = Annotated[
    str,
    _argument(
        "CORPUS", "Text, JSON lines, CSV or Parquet (also .gz), a folder of them, a catalogue name, or - (standard input)."
    ),
]
Arrived = Annotated[str, _argument("DATA", "A table of new texts: CSV, TSV, JSON lines or Parquet (also .gz).")]
Predictions = Annotated[str, _argument("PREDICTIONS", "A table of predictions: CSV, TSV, JSON lines or Parquet (also .gz).")]
Run = Annotated[str, _argument("RUN", "A run folder, such as runs/movie-reviews-minilm.")]
Repo = Annotated[str, _argument("REPO", "Owner and name on the hub, such as my-team/reviews.")]
Trained = Annotated[str, _argument("RUN", "A run folder or a model folder.")]
Asked = Annotated[str, _argument("MODEL", "A run, a model folder, or a name such as smollm2.")]
Served = Annotated[str, _argument("MODEL", "A run, a model folder, or an export.")]
Followed = Annotated[str | None, _argument("RUN", "A run, a model folder, or a name.")]
Place = Annotated[str, _argument("PLACE", "A run folder, a model folder, or a prepared corpus.")]
Texts = Annotated[list[str] | None, _argument("TEXT", "Texts; read from --file or standard input if omitted.")]
Text = Annotated[str | None, _argument("TEXT", "Text to follow.")]
Name = Annotated[str | None, _argument("NAME", "Name to fetch; lists all names if omitted.")]
Term = Annotated[str | None, _argument("TERM", "A term of the glossary, such as recall; lists all if omitted.")]
Told = Annotated[str | None, _argument("RUN", "A run folder, to show where the term stands in it.")]
Lesson = Annotated[str | None, _argument("LESSON", "A lesson, such as overfitting; continues the course if omitted.")]

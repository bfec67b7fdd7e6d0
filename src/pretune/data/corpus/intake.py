"""Intake: one file of a corpus while it is read, and what becomes of its receipt."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pretune.configs import CorpusConfig
from pretune.data.read.table import Origin
from pretune.records import CorpusFile, LineCounts, Rejection

# Rejections that the receipt names; of the others it has the number.
MAX_NAMED = 20
# Characters of one document; what is longer is cut, so that a file without a blank line is never held whole.
MAX_CHARACTERS = 1_000_000

Documents = Iterator[str]


@dataclass(slots=True)
class Intake:
    """What is known of a file so far.

    Args:
        origin: The file.
        config: How it is to be read.
    """

    origin: Origin
    config: CorpusConfig
    num_documents: int = 0
    num_cut: int = 0
    num_rejected: int = 0
    sha256: str | None = None
    encoding: str | None = None
    rejected: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: LineCounts | None = None

    def reject(self, row: int | None, reason: str, column: str | None = None) -> None:
        """Count one document that cannot be read."""
        self.num_rejected += 1
        if len(self.rejected) < MAX_NAMED:
            self.rejected.append(Rejection(file=self.origin.name, row=row, column=column, reason=reason))

    def counted(self, documents: Documents) -> Documents:
        """Yield the documents and count them, cut where one is too long to hold."""
        for document in documents:
            if len(document) > MAX_CHARACTERS:
                parts = list(_cut(document))
                self.num_cut += 1
                self.num_documents += len(parts)
                yield from parts
            else:
                self.num_documents += 1
                yield document

    def receipt(self) -> CorpusFile:
        """Return the receipt, once all is read."""
        return CorpusFile(
            file=self.origin.name,
            role=self.origin.role,
            format=self.origin.format,
            encoding=self.encoding,
            sha256=self.sha256,
            num_documents=self.num_documents + self.num_rejected,
            num_rejected=self.num_rejected,
            rejected=tuple(self.rejected),
            lines=self.lines,
        )


def _cut(document: str) -> Documents:
    """Yield parts of at most ``MAX_CHARACTERS``, cut at a line end or a space where there is one."""
    start = 0
    while start < len(document):
        end = min(start + MAX_CHARACTERS, len(document))
        if end < len(document):
            found = max(document.rfind("\n", start + 1, end), document.rfind(" ", start + MAX_CHARACTERS // 2, end))
            end = found if found > start else end
        yield document[start:end]
        start = end

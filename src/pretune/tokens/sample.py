"""An even sample of a stream of texts, up to a number of bytes: the same texts in any order."""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

_ALL = 1 << 32  # values of a CRC-32


class Sample(NamedTuple):
    """Texts of a stream, in the order of their hashes, and how much of the stream they are."""

    texts: list[str]
    num_bytes: int  # of the sample, UTF-8
    num_all_texts: int  # of the stream
    num_all_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return len(self.texts) == self.num_all_texts

    def __str__(self) -> str:
        part = f"{len(self.texts):,} texts, {self.num_bytes / 1e6:,.1f} MB"
        return part if self.is_whole else f"{part} of {self.num_all_texts:,} texts, {self.num_all_bytes / 1e6:,.1f} MB"


def take_sample(texts: Iterable[str], max_bytes: int) -> Sample:
    """Read a stream once, and keep as many texts as fit, chosen by a hash of the text.

    A stream may be sorted, and its beginning unlike its end; so each text stays while its hash is below a bound, which is
    halved whenever the texts kept are too many. At most ``max_bytes`` and one text are ever held. Between half of ``max_bytes``
    and all of it is kept, but where the texts are few and long; the first text always stays.

    Args:
        texts: Read once.
        max_bytes: UTF-8 bytes that are kept at most.
    """
    kept: list[tuple[int, int, str]] = []  # (hash, bytes, text)
    bound, num_bytes, num_all_texts, num_all_bytes = _ALL, 0, 0, 0
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        place = zlib.crc32(data)
        num_all_texts, num_all_bytes = num_all_texts + 1, num_all_bytes + len(data)
        if place >= bound:
            continue
        kept.append((place, len(data), text))
        num_bytes += len(data)
        while num_bytes > max_bytes and len(kept) > 1:
            bound //= 2
            kept = [item for item in kept if item[0] < bound] or [min(kept)]
            num_bytes = sum(item[1] for item in kept)
    kept.sort()
    return Sample([text for _, _, text in kept], num_bytes, num_all_texts, num_all_bytes)

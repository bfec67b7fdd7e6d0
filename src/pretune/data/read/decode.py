"""Decode the bytes of a file to text, or name the encoding that they look like."""

import codecs
import io
from collections.abc import Iterable, Iterator

from pretune.data.read.table import Origin, unusable
from pretune.errors import DataError, UsageError

# Beyond this share of bytes that are not ASCII, a text is hardly in a Western script.
MAX_WESTERN_SHARE = 0.25
# Tried in this order; Windows-1251 comes last because it decodes almost anything.
MULTIBYTE = ("shift_jis", "gb18030", "euc_kr", "windows-1251")
# Codecs from bytes to text that no file of text is written in: host names, escapes of programs, and the one that always fails.
_NO_FILES = frozenset(
    {"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape", "undefined"}
)


class UndecodableError(ValueError):
    """The bytes are not in the encoding; ``offset`` is where the first such byte is, ``tried`` the encoding."""

    def __init__(self, offset: int, reason: str, *, tried: str, hint: str, line: int | None = None) -> None:
        self.offset, self.reason, self.tried, self.hint, self.line = offset, reason, tried, hint, line
        super().__init__(reason)


def check_encoding(encoding: str | None) -> None:
    """Raise where ``encoding`` is not the name of an encoding that files of text are written in.

    Raises:
        UsageError: Python knows no such encoding, or it turns bytes into bytes, text into text, or text into escapes.
    """
    if encoding is None:
        return
    try:
        found = codecs.lookup(encoding)
        is_text = found._is_text_encoding and found.name not in (*_NO_FILES, "undefined")
    except (LookupError, ValueError, TypeError):
        is_text = False
    if not is_text:
        raise UsageError(
            f"there is no text encoding {encoding!r}",
            expected="a name such as utf-8, utf-16, windows-1252, latin-1, shift_jis",
            fix="leave --encoding out for UTF-8 and UTF-16",
        )


def decode(data: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the text without its byte-order mark, and the encoding it was in.

    Args:
        data: The bytes of a file.
        encoding: ``None`` for UTF-8, or UTF-16 where a byte-order mark says so.

    Raises:
        UndecodableError: The bytes are not in that encoding; ``hint`` names what they look like.
    """
    name = encoding_of(data, encoding)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        start = error.start + len(data) - len(error.object)  # some codecs count from behind the byte-order mark
        is_cut = "unexpected end" in error.reason or "truncated" in error.reason
        if start > 0 and error.end == len(error.object) and is_cut:
            raise UndecodableError(start, "ends in the middle of a character", tried=name, hint="") from error
        reason = f"byte 0x{data[start]:02x} at offset {start} is not {name.upper()}"
        raise UndecodableError(start, reason, tried=name, hint=_likely(data, name)) from error
    except UnicodeError as error:  # a codec that does not say where
        raise UndecodableError(0, f"is not {name.upper()}: {error}", tried=name, hint=_likely(data, name)) from error
    return text.removeprefix("\ufeff"), name


def decode_stream(chunks: Iterable[bytes], encoding: str | None) -> Iterator[str]:
    r"""Yield the text of a file that is read piece by piece, with ``\n`` at line ends; nothing is held but one piece.

    Args:
        chunks: The bytes, in order; what the encoding is, is told by the first.
        encoding: As ``decode`` takes it.

    Raises:
        UndecodableError: As ``decode``; its ``line`` is that of the byte.
    """
    decoder: io.IncrementalNewlineDecoder | None = None
    name, offset, line, before = "utf-8", 0, 1, b""
    for chunk in chunks:
        if decoder is None:
            name = encoding_of(chunk, encoding)
            decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(name)(), translate=True)
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            begin = offset + len(chunk) - len(error.object)  # it has bytes of the piece before, or lacks the byte-order mark
            raise _undecodable_at(error, name, begin, line + error.object[: error.start].count(b"\n")) from error
        except UnicodeError as error:
            reason = f"is not {name.upper()}: {error}"
            raise UndecodableError(offset, reason, tried=name, hint=_likely(chunk, name), line=line) from error
        yield text.removeprefix("\ufeff") if offset == 0 else text
        offset, line, before = offset + len(chunk), line + text.count("\n"), chunk
    if decoder is not None:
        try:
            yield decoder.decode(b"", final=True)
        except UnicodeError as error:
            raise UndecodableError(
                offset - len(before), "ends in the middle of a character", tried=name, hint="", line=line
            ) from error


def encoding_of(first: bytes, encoding: str | None) -> str:
    """Return the encoding of a file by its first bytes: the one that is asked for, or what a byte-order mark says, or UTF-8.

    Raises:
        UndecodableError: The bytes look like UTF-16 or UTF-32 that nobody asked for, or their order cannot be told.
        UsageError: There is no such encoding.
    """
    if encoding:
        check_encoding(encoding)
        return _ordered(first, encoding)
    name = _marked(first) or "utf-8"
    if name == "utf-32":
        raise UndecodableError(0, "is UTF-32", tried="utf-8", hint="utf-32")
    if name == "utf-8" and (hidden := unmarked_utf16(first)):
        raise UndecodableError(0, f"looks like {hidden.upper()} without a byte-order mark", tried="utf-8", hint=hidden)
    return name


def _undecodable_at(error: UnicodeDecodeError, name: str, offset: int, line: int) -> UndecodableError:
    """The error for one piece; ``offset`` is where it begins."""
    reason = f"byte 0x{error.object[error.start]:02x} at offset {offset + error.start} is not {name.upper()}"
    return UndecodableError(offset + error.start, reason, tried=name, hint=_likely(error.object, name), line=line)


def line_of(data: bytes, error: UndecodableError) -> int | None:
    """Return the line, from 1, of the first byte that cannot be decoded; ``None`` where the whole file is meant."""
    return data[: error.offset].decode(error.tried, "replace").count("\n") + 1 if error.offset else None


def undecodable(origin: Origin, error: UndecodableError, row: int | None, line: int | None = None) -> DataError:
    """Return the one message about a file in another encoding."""
    either = ", or in UTF-16 with a byte-order mark" if error.tried == "utf-8" else ""
    fix = f"pass --encoding {error.hint} if that is what it is" if error.hint else "copy or write it again"
    return unusable(
        origin,
        error.reason,
        expected=f"a whole file in {error.tried.upper()}{either}",
        fix=fix,
        at=(row, None, line),
    )


def _ordered(data: bytes, encoding: str) -> str:
    """Return the encoding, with the order of its bytes where it has two and no byte-order mark says which.

    Raises:
        UndecodableError: They may be either: without a mark, Python takes one of them and makes Chinese of English.
    """
    name = codecs.lookup(encoding).name
    if name not in ("utf-16", "utf-32") or _marked(data) == name:
        return name if name in ("utf-16", "utf-32") else encoding
    found = unmarked_utf16(data) if name == "utf-16" else None
    if found is None:
        reason = f"has no byte-order mark, so {name.upper()} may be read in two ways"
        raise UndecodableError(0, reason, tried=name, hint=f"{name}-le (or {name}-be)")
    return found


def _marked(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def unmarked_utf16(data: bytes) -> str | None:
    """Name the UTF-16 that bytes without a byte-order mark look like: Latin script has a zero byte in every second place."""
    sample = data[:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0) / len(sample[::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.1 else None


def _likely(data: bytes, tried: str) -> str:
    """Name the encoding the bytes are most likely in; a guess that only the user can confirm."""
    high = [byte for byte in data[:1_000_000] if byte >= 0x80]
    if len(high) > MAX_WESTERN_SHARE * min(len(data), 1_000_000):
        return next((name for name in MULTIBYTE if name != tried and _decodes(data, name)), "latin-1")
    return "windows-1252" if tried != "windows-1252" and _decodes(data, "windows-1252") else "latin-1"


def _decodes(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True

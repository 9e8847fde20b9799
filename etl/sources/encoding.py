"""Find out how a text file is encoded; a file that mixes encodings is refused, naming a line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from layers.errors import DeliveryError

_CHUNK = 4 << 20
_SAME = {"utf8": "utf-8", "utf-8-sig": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030"}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHINESE = re.compile(rb"(?<![\x80-\xff])(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){2,}(?![\x80-\xff])")
"""Two Chinese characters and more in UTF-8 that nothing else touches; in GB18030 they would be a rare medley."""


def find_encoding(path: Path, declared: str | None = None, *, delivered: str | None = None) -> str:
    """Name the encoding of a text file: the declared one, else UTF-8, UTF-16 or GB18030, whichever it can be read in.

    What is said of it calls it by the name it was delivered under, where that is another.

    Raises
    ------
    DeliveryError
        The file is in none of them, not in the declared one, or in UTF-8 here and GB18030 there.
    """
    name = delivered or path.name
    with path.open("rb") as stream:
        head = stream.read(4096)
    if declared:
        encoding = _SAME.get(declared.lower().replace("_", "-"), declared.lower())
        if encoding.startswith("utf-16"):
            encoding = next((found for mark, found in _MARKS[1:] if head.startswith(mark)), encoding)
        chunk = next(_first_of_note(path), b"")
        if not _fits(chunk, encoding) and not _fits_mostly(chunk, encoding):
            raise _unknown(name, (encoding,))
    else:
        encoding = next((found for mark, found in _MARKS if head.startswith(mark)), "") or _wide(head)
        encoding = encoding or _found(path, name)
    if encoding == "gb18030":
        for start, chunk in _numbered(path):
            for match in _CHINESE.finditer(chunk):
                line, begin, end = _line_of(chunk, match.start())
                if _is_utf8(chunk[begin:end]):
                    raise _mixed(name, start + line, "UTF-8", "GB18030")
    return encoding


def find_odd_line(path: Path, encoding: str) -> int | None:
    """Number of the first line that cannot be read in an encoding; None when all can."""
    if encoding.startswith("utf-16"):
        return None
    for start, chunk in _numbered(path):
        if not _fits(chunk, encoding):
            for at, line in enumerate(chunk.split(b"\n")):
                if not _fits(line, encoding):
                    return start + at
    return None


def mixed_at(name: str, line: int, encoding: str) -> DeliveryError:
    """Say that a line is in another encoding than those before it."""
    return _mixed(name, line, "another encoding", encoding.upper())


def has_byte(path: Path, byte: bytes) -> bool:
    """Whether a byte occurs anywhere in a file."""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if byte in chunk:
                return True
    return False


def _found(path: Path, delivered: str) -> str:
    chunk = next(_first_of_note(path), b"")
    if _fits(chunk, "utf-8"):
        return "utf-8"
    first: dict[str, int] = {}
    counts = {"utf-8": 0, "gb18030": 0, "": 0}
    at = next((start for start, part in _numbered(path) if not part.isascii()), 1)
    for number, line in enumerate(chunk.split(b"\n"), at):
        if line.isascii():
            continue
        name = "utf-8" if _is_utf8(line) else "gb18030" if _fits(line, "gb18030") else ""
        counts[name] += 1
        first.setdefault(name, number)
    if counts["utf-8"] and counts["gb18030"]:
        odd, rest = sorted(("utf-8", "gb18030"), key=counts.__getitem__)
        raise _mixed(delivered, first[odd], odd.upper(), rest.upper())
    if counts[""] > max(counts["utf-8"], counts["gb18030"]):
        raise _unknown(delivered, ("utf-8", "utf-16", "gb18030"))
    if counts[""]:
        main = "utf-8" if counts["utf-8"] else "gb18030"
        raise _mixed(delivered, first[""], "another encoding", main.upper())
    return "gb18030"


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of what is ASCII is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 4 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_of_note(path: Path) -> Iterator[bytes]:
    return (chunk for _, chunk in _numbered(path) if not chunk.isascii())


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines, a few million bytes at a time, with the number of the first."""
    number = 1
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            chunk += stream.readline()
            yield number, chunk
            number += chunk.count(b"\n")


def _line_of(chunk: bytes, at: int) -> tuple[int, int, int]:
    begin = chunk.rfind(b"\n", 0, at) + 1
    end = chunk.find(b"\n", at)
    return chunk.count(b"\n", 0, at), begin, len(chunk) if end < 0 else end


def _fits(text: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(text, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _fits_mostly(chunk: bytes, encoding: str) -> bool:
    """Whether most lines can be read so: then the odd one is named when it is come to."""
    if encoding.startswith("utf-16"):
        return False
    lines = [line for line in chunk.split(b"\n") if not line.isascii()]
    return sum(_fits(line, encoding) for line in lines) * 2 > len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        return any("\u4e00" <= c <= "\u9fff" for c in line.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _unknown(delivered: str, tried: tuple[str, ...]) -> DeliveryError:
    *others, last = (name.upper() for name in tried)
    names = f"{', '.join(others)} or {last}" if others else last
    return DeliveryError(
        f"{delivered} is not written in {names}.",
        "Save it as CSV UTF-8, or state the right `encoding` in the dataset's [source].",
    )


def _mixed(delivered: str, line: int, odd: str, rest: str) -> DeliveryError:
    return DeliveryError(
        f"{delivered} mixes encodings: line {line} is in {odd}, other lines are in {rest}.",
        "Parts of two files were put together: save each as CSV UTF-8, then join them and deliver again.",
    )

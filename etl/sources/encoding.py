"""Find out how a text file is encoded, and what its bytes are worth."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path
from typing import IO, cast

from layers.errors import DeliveryError

_CHUNK = 4 << 20
_SAME = {"utf-8-sig": "utf-8", "utf8": "utf-8", "utf_8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked when it is gzipped."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def find_encoding(path: Path, declared: str | None = None) -> str:
    """Name the encoding of a text file: the declared one, else UTF-8 when it can be read so, else GB18030.

    Raises
    ------
    DeliveryError
        The file is in none of them, or not in the declared one.
    """
    tried = [_SAME.get(declared.lower(), declared.lower())] if declared else ["utf-8", "gb18030"]
    for encoding in tried:
        if _fits(path, encoding):
            return encoding
    raise DeliveryError(
        f"{path.name} is not written in {' or '.join(e.upper() for e in tried)}.",
        "Save it as CSV UTF-8, or state the right `encoding` in the dataset's [source].",
    )


def has_quotes(path: Path) -> bool:
    """Whether the file has quoted values, inside which a line may break."""
    with open_bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            if b'"' in chunk:
                return True
    return False


def _fits(path: Path, encoding: str) -> bool:
    """Whether the first stretch of the file that is not plain ASCII can be read so; the rest is checked in reading."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                if not chunk.isascii():
                    decoder.decode(chunk)
                    return True
        except UnicodeDecodeError:
            return False
    return True

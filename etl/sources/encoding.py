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
    """Name the encoding of a text file: the declared one, else UTF-8 when all of it is that, else GB18030.

    Raises
    ------
    DeliveryError
        The file is in none of them, or not in the declared one.
    """
    tried = [_SAME.get(declared.lower(), declared.lower())] if declared else ["utf-8", "gb18030"]
    for encoding in tried:
        if _is_all(path, encoding):
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


def _is_all(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                if not (chunk.isascii() and decoder.getstate()[0] == b""):
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True

"""Photos of cases: opened, made small and written anew, so that nothing but the picture is kept."""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import Any

import pandas as pd
import psycopg

from layers import cases
from layers.access import Scope
from layers.errors import AtlasError

BYTES_MOST = 12_000_000
"""Bytes of a photo as it is sent."""
PIXELS_MOST = 60_000_000
SIDE_MOST = 1600
"""Pixels of the longer side of a photo as it is kept."""

KINDS = ("JPEG", "PNG", "WEBP", "MPO")


def clean(sent: bytes) -> tuple[bytes, int, int]:
    """Make a photo anew: upright, at most `SIDE_MOST` pixels, a JPEG without metadata; with its width and height.

    Raises
    ------
    AtlasError
        It is no picture, or too large.
    """
    from PIL import Image, ImageOps

    if len(sent) > BYTES_MOST:
        most = BYTES_MOST // 1_000_000
        raise AtlasError("This photo is too large.", f"Send one of less than {most} MB.", why="photo_large", most=most)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture that unpacks to too many pixels is only warned of
            with Image.open(io.BytesIO(sent), formats=KINDS) as opened:
                if opened.width * opened.height > PIXELS_MOST:
                    raise AtlasError(
                        "This photo has too many pixels.", "Take it again at a lower resolution.", why="photo_pixels"
                    )
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except AtlasError:
        raise
    except Exception as error:  # Pillow raises whatever a broken file leads to
        raise AtlasError(
            "This is not a photo that can be read.", "Send a JPEG, PNG or WebP file.", why="photo_unread"
        ) from error
    upright.thumbnail((SIDE_MOST, SIDE_MOST))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue(), bare.width, bare.height


def add_photo(connection: psycopg.Connection[Any], scope: Scope, event_id: int, sent: bytes) -> int:
    """Clean a photo and add it to a case; the same again is the same photo.

    Raises
    ------
    AtlasError
        It is no picture, or too large.
    CaseError
        The case is out of reach, or has twenty.
    """
    jpeg, width, height = clean(sent)
    values = [scope.low, scope.high, event_id, hashlib.sha256(jpeg).digest(), width, height, jpeg]
    with cases.refused(), connection.transaction():
        row = connection.execute(
            "select pub.add_photo(%s, %s, %s, %s, %s::smallint, %s::smallint, %s)", values
        ).fetchone()
    assert row is not None
    return int(row[0])


def add_by_receipt(connection: psycopg.Connection[Any], receipt: str, cleaned: tuple[bytes, int, int]) -> int:
    """Add a photo, as `clean` gives it, to what was reported with a receipt; the same again is the same photo.

    Raises
    ------
    CaseError
        The receipt has no open case, or its report has three photos.
    """
    jpeg, width, height = cleaned
    values = [receipt, hashlib.sha256(jpeg).digest(), width, height, jpeg]
    with cases.refused(), connection.transaction():
        row = connection.execute(
            "select pub.photo_by_resident(%s, %s, %s::smallint, %s::smallint, %s)", values
        ).fetchone()
    assert row is not None
    return int(row[0])


def list_photos(connection: psycopg.Connection[Any], scope: Scope, event_id: int) -> pd.DataFrame:
    """List the photos of a case: id, at, width, height, the first first."""
    cursor = connection.execute("select * from pub.list_photos(%s, %s, %s)", [scope.low, scope.high, event_id])
    assert cursor.description is not None
    return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def read_photo(connection: psycopg.Connection[Any], scope: Scope, photo_id: int) -> bytes | None:
    """Read one photo; None where there is none in reach."""
    row = connection.execute("select pub.read_photo(%s, %s, %s)", [scope.low, scope.high, photo_id]).fetchone()
    return row[0] if row else None

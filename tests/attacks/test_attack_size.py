"""Bombs and crowds: pictures that unpack to more than there is room for, and the dearest questions many at once."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any
from urllib.parse import urlencode

import pytest
from busy import Busy, picture
from knock import SCOPE
from PIL import Image
from verdict import faults

from layers import photos
from layers.database import Database


def png(width: int, height: int, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG that says it has so many pixels, and has packed noughts."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packed = zlib.compress(bytes(1_000_000))
    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(part(*one) for one in more) + part(b"IDAT", packed) + part(b"IEND", b"")
    )


def other(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, kind)
    return out.getvalue()


BOMBS: dict[str, bytes] = {
    "more pixels than there is room for": png(60_000, 60_000),
    "as wide as can be": png(2**31 - 1, 1),
    "a word that unpacks to more": png(40, 30, (b"zTXt", b"x\0\0" + zlib.compress(bytes(90_000_000)))),
    "nothing": b"", "a byte": b"\xff", "cut short": picture()[:-200], "noughts": bytes(100_000),
    "gif": other("GIF"), "tiff": other("TIFF"), "bmp": other("BMP"), "ico": other("ICO"), "ppm": other("PPM"),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='__owned=1'><image href='file:///etc/passwd'/></svg>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n", "pdf": b"%PDF-1.7\n",
    "page": b"<script>__owned=1</script>", "archive": b"PK\x03\x04" + bytes(200),
    "a list of files": b"/etc/passwd\n" * 99,
}  # fmt: skip
"""What is sent as a photo and is none, or too much of one."""


@pytest.fixture
def case(city: Database) -> int:
    with city.connect("admin") as admin:
        row = admin.execute(
            "select id from ops.event where grid_code ^@ %s and gone_on is null and not is_sensitive limit 1", [SCOPE]
        ).fetchone()
    assert row is not None
    return int(row[0])


def kept(city: Database) -> list[Any]:
    with city.connect("admin") as admin:
        return admin.execute("select jpeg from ops.photo").fetchall()


def test_no_bomb_goes_off_as_a_photo(attacked: Any, city: Database, case: int, monkeypatch: Any) -> None:
    busy, at, before = Busy(attacked, city), f"/cases/one/{case}/photo", kept(city)
    for name, sent in BOMBS.items():
        answer = busy.photo("dispatcher", at, sent)
        assert (answer.status, list(faults(answer))) == (422, []), name
    assert kept(city) == before
    both = picture() + b"<script>__owned=1</script>PK\x03\x04"
    assert busy.photo("dispatcher", at, both).status == 200
    (jpeg,) = next(one for one in kept(city) if one not in before)
    assert b"script" not in jpeg and jpeg[:2] == b"\xff\xd8", "only the picture is kept"
    monkeypatch.setattr(photos, "KINDS", ("GIF", *photos.KINDS))
    assert busy.photo("dispatcher", at, BOMBS["gif"]).status == 200, "another kind would be found"


def test_the_dearest_questions_many_at_once_are_answered_in_words(knocker: Any) -> None:
    who = knocker("leader")
    asked = {"at": SCOPE, "level": "small", "indicator": "events_reported"}
    shape = ";".join(f"{115 + n % 7},{22 + n % 5}" for n in range(900))
    crowd = [
        ("GET", path, urlencode(query).encode(), b"", {})
        for path, query in (
            ("/api/explore/export/geojson", asked), ("/api/view", asked), ("/api/explore/months", asked),
            ("/command/nearby", {"shape": shape}), ("/command/nearby", {"lon": 115.2, "lat": 22.8, "r": 1e9}),
            ("/command/nearby", {"grids": ",".join([SCOPE] * 5000)}), ("/figures", {}),
            ("/cases/list", {"most": 10**9}),
        )
    ] * 4  # fmt: skip
    for one, answer in zip(crowd, who.ask_at_once(*crowd), strict=True):
        assert list(faults(answer, scope=SCOPE, sent=SCOPE)) == [], one
        assert answer.status in (200, 404, 409, 422, 429, 503), one

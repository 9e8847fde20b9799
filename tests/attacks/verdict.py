"""What no answer may hold, whatever was asked: a fault, a word of the program, a code outside, a resident, a script."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterator, Set
from typing import Any

import mapbox_vector_tile
import pyarrow.parquet as pq
from knock import Answer

INNER = (
    b"Traceback (most recent",
    b"psycopg",
    b"syntax error at or near",
    b'File "/',
    b"SQLSTATE",
    b"argon2",
    b"atlas_owner",
)
"""Words that stand in no answer: those of the program, its database and its secrets."""

CODE = re.compile(rb"(?<![\d.])4499\d{2}(?:\d{3}){0,3}(?!\d)")
NUMBER = re.compile(rb"(?<!\d)\d{17}[\dXx](?!\d)|(?<!\d)1\d{10}(?!\d)")
LARGE = 8_000_000
"""Bytes that no answer has, whatever is asked."""
SCRIPT = re.compile(rb"<script>|<svg/onload|onerror=|<iframe srcdoc", re.I)
MVT = b"application/vnd.mapbox-vector-tile"


def faults(
    answer: Answer, *, scope: str | None = None, sent: str = "", people: Set[bytes] = frozenset()
) -> Iterator[str]:
    """Yield what is wrong with an answer to somebody of a scope who sent a text; nothing where all is right.

    `people` holds numbers and phones of residents. Codes that were sent may be said again.
    """
    if answer.fault is not None:
        yield f"it broke: {answer.fault!r}"
    if answer.status >= 500 and answer.status != 503:
        yield f"answer of {answer.status}"
    if len(answer.body) > LARGE:
        yield f"an answer of {len(answer.body)} bytes"
    body = plain(answer)
    yield from (f"it says {word!r}" for word in INNER if word in body and word.decode() not in sent)
    if scope is not None:
        beside = {code.decode() for code in CODE.findall(body)} - set(re.findall(r"\d+", sent))
        beside = {one for one in beside if not one.startswith(scope) and not scope.startswith(one)}
        if beside:
            yield f"codes outside: {sorted(beside)[:3]}"
    if found := people and set(NUMBER.findall(body)) & people:
        yield f"residents: {sorted(found)[:3]}"
    yield from _dress(answer, body, sent)


def _dress(answer: Answer, body: bytes, sent: str) -> Iterator[str]:
    """What is wrong with headers, and with a page in which a script that was sent stands as it was sent."""
    if answer.fault is not None or not answer.status:
        return
    if answer.headers.get(b"x-content-type-options") != b"nosniff" and answer.status not in (303, 401, 403, 404):
        yield "no nosniff"
    if b"cache-control" not in answer.headers:
        yield "may be kept"
    if answer.headers.get(b"content-type", b"").startswith(b"text/html"):
        if b"script-src 'self'" not in answer.headers.get(b"content-security-policy", b""):
            yield "no policy"
        if sent and SCRIPT.search(sent.encode("utf-8", "replace")) and sent.encode("utf-8", "replace") in body:
            yield "script as it was sent"
    ahead = answer.headers.get(b"location", b"/")
    if not ahead.startswith(b"/") or ahead.startswith((b"//", b"/\\")):
        yield f"leads to {ahead!r}"


def plain(answer: Answer) -> bytes:
    """The body as text: unpacked, the properties of a tile written out, what a file to take away has in it."""
    body, kind = answer.body, answer.headers.get(b"content-type", b"")
    if answer.headers.get(b"content-encoding") == b"gzip":
        body = gzip.decompress(body)
    if kind.startswith(MVT) and body:
        decoded: dict[str, Any] = mapbox_vector_tile.decode(body)
        rows = [one["properties"] for layer in decoded.values() for one in layer["features"]]
        return repr(rows).encode()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            return b"\n".join(book.read(name) for name in sorted(book.namelist()))
    if body.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(body))
        return repr((table.schema.metadata, table.to_pylist())).encode()
    return body

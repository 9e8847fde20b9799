"""Fetch one tile from a host that was allowed: no redirect, little time, few bytes, pictures alone."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from layers.errors import DeliveryError
from layers.hosts import Host, Spot, find_spot

CONNECT_S, WHOLE_S = 3.0, 6.0
"""Longest wait for a connection, and for a tile in all."""
TILE_BYTES = 2_000_000
"""Greatest size of a tile."""
NO_TILE = (204, 404)
"""Answers that say there is no tile here, and nothing of the host."""

_MARKS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_TRY_AGAIN = "See whether the host answers, and whether the key is right; what is in the cache is shown meanwhile."


def kind_of(content: bytes) -> str | None:
    """Kind of picture some bytes are, by what they begin with; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in _MARKS if content.startswith(mark)), None)


def fetch_tile(hosts: Sequence[Host], url: str) -> bytes:
    """Fetch one tile, empty where the map has none; connected to is the address its host was found at, nothing else.

    Raises
    ------
    SettingError
        The host is not allowed, or has an address that is not public.
    DeliveryError
        There is no answer in time, it is too large, sends us elsewhere, or is no picture.
    """
    parts = urlsplit(url)
    spot = find_spot(hosts, parts.scheme, parts.hostname or "", parts.port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connected(spot) as connection:
            connection.request("GET", path, headers={"Accept": "image/*", "Accept-Encoding": "identity"})
            with connection.getresponse() as answer:
                if answer.status in NO_TILE:
                    return b""
                if answer.status != 200:
                    raise DeliveryError(f"{spot.name} answers {answer.status} to a tile.", _TRY_AGAIN)
                content = answer.read(TILE_BYTES + 1)
                is_whole = not answer.length
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryError(f"{spot.name} gives no tile: {error or type(error).__name__}.", _TRY_AGAIN) from error
    if len(content) > TILE_BYTES or not is_whole:
        raise DeliveryError(f"{spot.name} sends a tile larger than {TILE_BYTES:,} bytes, or not all.", _TRY_AGAIN)
    if kind_of(content) is None:
        raise DeliveryError(f"{spot.name} sends something that is no picture.", _TRY_AGAIN)
    return content


@contextmanager
def _connected(spot: Spot) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut when its time is over, however slowly the other side speaks."""
    connection = http.client.HTTPConnection(spot.name, spot.port)
    connection.auto_open = 0  # it would look the name up anew
    sock = socket.create_connection((spot.address, spot.port), CONNECT_S)
    timer = threading.Timer(WHOLE_S, _cut, [sock])
    timer.daemon = True
    timer.start()
    try:
        sock.settimeout(WHOLE_S)
        if spot.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=spot.name)
        connection.sock = sock
        yield connection
    finally:
        timer.cancel()
        connection.close()
        sock.close()


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already
        sock.shutdown(socket.SHUT_RDWR)

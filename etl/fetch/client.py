"""A client for pages of JSON that trusts nobody: allowed hosts only, bounded in size and time, TLS verified.

Of the usual comforts it has none: no proxies, no cookies, no credentials of the machine, no compression, no redirect to
another place. A name is looked up once for each connection, and the address found is the one connected to.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

from layers.errors import DeliveryError
from layers.hosts import USUAL_PORTS, Host, Spot, find_spot

CONNECT_S, SILENCE_S = 10.0, 30.0
"""Longest wait for a connection, and for the next bytes."""

PAGE_MB = 64
"""Greatest size of one page."""

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_ASK = "Ask whoever runs the server, or try again later; nothing was kept."
_CHUNK = 1 << 16


class Client:
    """Gets pages until the time or the bytes of one fetch are used up."""

    def __init__(
        self, hosts: Sequence[Host], *, seconds: float, n_bytes: int, authorization: str | None = None
    ) -> None:
        self._hosts, self._authorization = hosts, authorization
        self._until = time.monotonic() + seconds
        self._seconds, self._n_bytes, self._left = seconds, n_bytes, n_bytes

    def get_json(self, url: str) -> Any:
        """Get one page and read it as JSON.

        Raises
        ------
        SettingError
            The host is not allowed.
        DeliveryError
            There is no such page, it is not whole, too large, too slow, or no JSON.
        """
        asked = url
        for _ in range(_MOST_REDIRECTS + 1):
            body, location = self._get(url)
            if location is None:
                return _parse(body, asked)
            following = joined(url, location)
            if place_of(following) != place_of(asked):
                raise DeliveryError(
                    f"{_named(asked)} sends us on to another place, {_named(following)}, where we do not go.",
                    "Mend url in [fetch] when the data have really moved there.",
                )
            url = following
        raise DeliveryError(f"{_named(asked)} sends us on and on.", _ASK)

    def _get(self, url: str) -> tuple[bytes, str | None]:
        """The body of a page, or where it sends us."""
        parts = urlsplit(url)
        spot = find_spot(self._hosts, *place_of(url))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with self._connected(spot, url) as connection:
            connection.request("GET", path, headers=self._headers())
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    return b"", response.headers.get("Location", "")
                if response.status != 200:
                    raise DeliveryError(f"{_named(url)} answers {response.status} {response.reason[:60]}.", _ASK)
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise DeliveryError(f"{_named(url)} sends a compressed page, which was not asked for.", _ASK)
                return self._body(response, url), None

    def _headers(self) -> dict[str, str]:
        sent = {
            "Accept": "application/geo+json, application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        return sent | ({"Authorization": self._authorization} if self._authorization else {})

    def _body(self, response: http.client.HTTPResponse, url: str) -> bytes:
        announced, parts, n = response.length, [], 0
        most = min(self._left, PAGE_MB << 20)
        while announced is None or n < announced:
            part = response.read1(_CHUNK)
            if not part:
                break
            n += len(part)
            if n > most:
                limit = f"{PAGE_MB} MB" if most < self._left else f"{self._n_bytes >> 20} MB in all"
                raise DeliveryError(
                    f"{_named(url)} is larger than {limit}.", "Raise mb_max in [fetch] when so much is really meant."
                )
            self._check_time(url)
            parts.append(part)
        self._left -= n
        self._check_time(url)
        if announced is not None and n != announced:
            raise DeliveryError(f"{_named(url)} ended after {n:,} of {announced:,} bytes.", _ASK)
        return b"".join(parts)

    @contextmanager
    def _connected(self, spot: Spot, url: str) -> Iterator[http.client.HTTPConnection]:
        """A connection that is cut when the time of the fetch is over, however slowly the other side speaks."""
        self._check_time(url)
        late = threading.Event()
        connection = http.client.HTTPConnection(spot.name, spot.port)
        connection.auto_open = 0  # it would look the name up anew
        timer: threading.Timer | None = None
        try:
            sock = socket.create_connection((spot.address, spot.port), min(CONNECT_S, self._time_left()))
            if spot.scheme == "https":
                context = ssl.create_default_context()
                sock = context.wrap_socket(sock, server_hostname=spot.name, do_handshake_on_connect=False)
            connection.sock = sock
            timer = threading.Timer(self._time_left(), _cut, (sock, late))
            timer.daemon = True
            timer.start()
            sock.settimeout(SILENCE_S)
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            yield connection
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError(
                f"{spot.name} does not prove that it is {spot.name}: {error.verify_message}.",
                "Ask whoever runs the server for its certificate; an own authority goes into SSL_CERT_FILE.",
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if late.is_set():
                raise self._late(url) from error
            said = str(error) or type(error).__name__
            raise DeliveryError(f"{_named(url)} cannot be fetched: {said}.", _ASK) from error
        finally:
            if timer is not None:
                timer.cancel()
            connection.close()

    def _time_left(self) -> float:
        return max(self._until - time.monotonic(), 0.01)

    def _check_time(self, url: str) -> None:
        if time.monotonic() >= self._until:
            raise self._late(url)

    def _late(self, url: str) -> DeliveryError:
        return DeliveryError(
            f"{_named(url)} takes longer than {self._seconds:g} s.", "Raise minutes_max in [fetch], or ask for less."
        )


def place_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address.

    Raises
    ------
    DeliveryError
        It is none that is ever fetched from.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise DeliveryError(f"{url[:200]!r} is no address to fetch from.", "It must begin with https:// or http://.")
    return parts.scheme, parts.hostname, port or USUAL_PORTS[parts.scheme]


def joined(url: str, link: str) -> str:
    """The address that a link on a page leads to.

    Raises
    ------
    DeliveryError
        It leads nowhere.
    """
    try:
        return urljoin(url, link)
    except ValueError as error:
        raise DeliveryError(f"{_named(url)} leads to {link[:200]!r}, which is no address.", _ASK) from error


def _cut(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not that of TLS, which another thread is reading from
    except OSError:
        return  # closed already


def _parse(body: bytes, url: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DeliveryError(f"{_named(url)} is no JSON, or not all of it.", _ASK) from error


def _named(url: str) -> str:
    """An address as it is shown: without what follows the `?`, where keys may stand."""
    return url.partition("?")[0][:200]

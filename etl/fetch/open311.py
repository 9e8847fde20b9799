"""The requests of an Open311 endpoint (GeoReport v2), stretch by stretch and page by page, into one CSV file.

The standard gives at most 90 days or 1,000 requests at once and no sure way to page. So we ask for stretches of time,
in each for one page after the other. A server that gives the same page whatever page is asked for is asked for ever
shorter stretches until nothing new comes.

Source: GeoReport v2, https://wiki.open311.org/GeoReport_v2/, GET service requests.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from etl.fetch.client import Client
from layers.declare.records import Fetch
from layers.errors import DeliveryError

FIELDS = (
    "service_request_id",
    "token",
    "status",
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
)
"""Fields of a request by the standard; those declared besides are kept as well."""

PAGE_ROWS = 1000
STRETCH = timedelta(days=90)
SHORTEST = timedelta(seconds=2)


class Requests:
    """Writes the requests of one endpoint, each once."""

    def __init__(self, client: Client, fetch: Fetch, headings: Iterable[str], out: IO[bytes]) -> None:
        self._client, self._url = client, fetch.url or ""
        self._text = io.TextIOWrapper(out, encoding="utf-8", errors="replace", newline="", write_through=True)
        names = tuple(dict.fromkeys((*FIELDS, *headings)))
        self._writer = csv.DictWriter(self._text, names, extrasaction="ignore", lineterminator="\n")
        self._writer.writeheader()
        self._seen: set[str] = set()
        self._longest, self._is_cut = 0, False

    def fetch(self, start: datetime, end: datetime) -> int:
        """Write all requests of a time; return how many there are."""
        while start < end:
            stop = min(start + STRETCH, end)
            self._stretch(start, stop - timedelta(seconds=1))
            start = stop
        self._text.detach()
        return len(self._seen)

    def _stretch(self, start: datetime, end: datetime) -> None:
        """Write the requests of a stretch, page by page; by halves when the server does not page."""
        first = self._page(start, end, 1)
        page, n_seen, more = 2, len(self._seen), first
        while more:
            more, n_before = self._page(start, end, page), n_seen
            n_seen = len(self._seen)
            if n_seen == n_before:
                break
            page += 1
        if page == 2 and more:
            self._halve(start, end, first)

    def _halve(self, start: datetime, end: datetime, shown: set[str]) -> None:
        """Ask for both halves of a stretch of which a single page is shown, until nothing can be hidden any more.

        When both halves show something and nothing new, the page was whole. A half with fewer requests than the longest
        page there ever was is whole too.
        """
        if end - start < SHORTEST:
            if self._is_cut and len(shown) >= self._longest:
                raise DeliveryError(
                    f"More than {len(shown)} requests were made within {SHORTEST.seconds} seconds of {_said(start)}, "
                    "and the server does not show the rest.",
                    "Ask whoever runs the server to serve pages, or for the data as a file.",
                )
            return
        middle = (start + (end - start) / 2).replace(microsecond=0)
        halves = [(start, middle), (middle + timedelta(seconds=1), end)]
        parts = [self._page(since, until, 1) for since, until in halves]
        hidden = (parts[0] | parts[1]) - shown
        self._is_cut |= bool(hidden)
        if not hidden and all(parts):
            return
        for (since, until), part in zip(halves, parts, strict=True):
            if part and len(part) >= self._longest:
                self._halve(since, until, part)

    def _page(self, start: datetime, end: datetime, page: int) -> set[str]:
        """Write what is new on a page; return what names its requests."""
        asked = {"start_date": _said(start), "end_date": _said(end), "page": page, "page_size": PAGE_ROWS}
        found = self._client.get_json(_requests(self._url, asked))
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise DeliveryError(
                f"{self._url.partition('?')[0]} gives no list of requests.",
                "Write into url of [fetch] the address of the endpoint, to which /requests.json is added.",
            )
        rows = {_key(row): row for row in found}
        new = [row for key, row in rows.items() if key not in self._seen]
        self._writer.writerows({name: _cell(value) for name, value in row.items()} for row in new)
        self._seen.update(rows)
        self._longest = max(self._longest, len(rows))
        return set(rows)


def fetch_requests(client: Client, fetch: Fetch, headings: Iterable[str], now: datetime, out: IO[bytes]) -> int:
    """Write all requests since the declared day, or of the last 90; return how many.

    Raises
    ------
    DeliveryError
        The server gives something else, or no end.
    """
    start = datetime.combine(fetch.since, datetime.min.time(), UTC) if fetch.since else now - STRETCH
    return Requests(client, fetch, headings, out).fetch(start.replace(microsecond=0), now.replace(microsecond=0))


def _requests(url: str, asked: dict[str, Any]) -> str:
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/requests.json") else f"{path}/requests.json"
    return urlunsplit(parts._replace(path=path, query=urlencode(dict(parse_qsl(parts.query)) | asked)))


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(row: dict[str, Any]) -> str:
    """What names a request: its id or, while it has none, its token; else all of it."""
    return str(row.get("service_request_id") or row.get("token") or json.dumps(row, sort_keys=True))


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value

"""A collection of an OGC API Features server, page by page, into one GeoJSON file.

Source: OGC 17-069r4, sections 7.15 and 7.16: `/collections/{id}/items`, the link `next`, `numberMatched`,
`numberReturned`.
"""

from __future__ import annotations

import json
from typing import IO, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from etl.fetch.client import Client, joined, place_of
from layers.declare.records import Fetch
from layers.errors import DeliveryError

PAGE_ROWS = 1000
"""Features asked for at a time; a server may give fewer."""

_ASK = "Ask whoever runs the server; nothing was kept."


def fetch_features(client: Client, fetch: Fetch, out: IO[bytes]) -> int:
    """Write all features of a collection; return how many.

    Raises
    ------
    DeliveryError
        The server gives something else, leads elsewhere or in a circle, or stops before the end.
    """
    first = url = _items(fetch.url or "")
    seen: set[str] = set()
    n, matched = 0, None
    out.write(b'{"type": "FeatureCollection", "features": [')
    while url:
        seen.add(url)
        page = client.get_json(url)
        features = _features(page, url)
        for feature in features:
            out.write(b",\n" if n else b"\n")
            out.write(json.dumps(feature, ensure_ascii=False).encode(errors="replace"))
            n += 1
        matched = page.get("numberMatched", matched)
        url = _next(page, url, first) if features else ""
        if url in seen:
            raise DeliveryError("The pages of the collection lead in a circle.", _ASK)
    out.write(b"\n]}\n")
    if isinstance(matched, int) and n < matched:
        raise DeliveryError(f"The collection has {matched:,} features, but only {n:,} came.", _ASK)
    return n


def _items(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    query = {"f": "json", "limit": str(PAGE_ROWS)} | dict(parse_qsl(parts.query))
    return urlunsplit(parts._replace(path=path if path.endswith("/items") else f"{path}/items", query=urlencode(query)))


def _features(page: Any, url: str) -> list[Any]:
    features = page.get("features") if isinstance(page, dict) else None
    if not isinstance(features, list) or not all(isinstance(f, dict) and f.get("type") == "Feature" for f in features):
        raise DeliveryError(
            f"{url.partition('?')[0]} gives no features.", "Write into url of [fetch] the address of a collection."
        )
    if page.get("numberReturned", len(features)) != len(features):
        raise DeliveryError(
            f"A page says that it has {page['numberReturned']} features, but {len(features)} are in it.", _ASK
        )
    return features


def _next(page: dict[str, Any], url: str, first: str) -> str:
    """The address of the page that follows, "" after the last."""
    links = page.get("links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            following = joined(url, link["href"])
            if place_of(following) != place_of(first):
                raise DeliveryError(
                    f"The next page lies at another place, {following.partition('?')[0][:200]}, where we do not go.",
                    _ASK,
                )
            return following
    return ""

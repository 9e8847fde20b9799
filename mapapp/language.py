"""The language of a request, by one rule for every page, answer and refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args
from urllib.parse import parse_qs, urlsplit

Language = Literal["zh", "en"]


def language_in(search: str | None) -> Language | None:
    """Language that the query part of an address names, the last where it names several; None where it names none."""
    named = parse_qs((search or "").lstrip("?")).get("lang", [""])[-1]
    return cast(Language, named) if named in get_args(Language) else None


def language_of(scope: Mapping[str, Any], *, is_refused: bool = False) -> Language:
    """Language of a request: the one its address names, or else that of the page it comes from, or Chinese.

    A page has no language but that of its address, so that it is the same for whoever is sent it; asked for from itself
    without one it is in Chinese, which is how one switches back. A form, what a script asks, and a page that stands in
    the place of one that is refused have that of the page they come from, where it is ours.
    """
    named = language_in(scope.get("query_string", b"").decode("latin-1"))
    headers = dict(scope.get("headers", ()))
    is_read = scope.get("method") in ("GET", "HEAD")
    if named or (is_read and b"text/html" in headers.get(b"accept", b"") and not is_refused):
        return named or "zh"
    try:
        before = urlsplit(headers.get(b"referer", b"").decode("latin-1"))
    except ValueError:  # no address at all
        return "zh"
    is_ours = before.netloc == headers.get(b"host", b"").decode("latin-1")
    is_itself = is_read and before.path == scope.get("path")
    return (language_in(before.query) if is_ours and not is_itself else None) or "zh"

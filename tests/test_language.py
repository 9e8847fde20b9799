"""The language of a request: of its address, or of the page of ours that a form, a script or a refusal comes from."""

from __future__ import annotations

import pytest

from mapapp.language import language_in, language_of

PAGE, HERE = "text/html,application/xhtml+xml,*/*;q=0.8", "http://map.city:8050"


@pytest.mark.parametrize(
    ("search", "language"),
    [
        ("?at=449901&lang=en", "en"), ("lang=zh", "zh"), ("?lang=en&lang=zh", "zh"), ("?lang=%65n", "en"),
        ("?slang=en", None), ("?lang=english", None), ("?lang=", None), ("?sought=lang%3Den", None), ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_an_address_names_a_language_or_none(search: str | None, language: str | None) -> None:
    assert language_in(search) == language


@pytest.mark.parametrize(
    ("asked", "accept", "referer", "language", "refused"),
    [
        ("GET /cases?lang=en", PAGE, "", "en", "en"),
        ("GET /cases?lang=zh", PAGE, f"{HERE}/?lang=en", "zh", "zh"),
        ("GET /cases", PAGE, f"{HERE}/?lang=en", "zh", "en"),
        ("GET /cases", PAGE, f"{HERE}/cases?lang=en", "zh", "zh"),
        ("GET /accounts", "*/*", f"{HERE}/accounts?lang=en", "zh", "zh"),
        ("GET /cases/list?queue=open", "*/*", f"{HERE}/cases?lang=en", "en", "en"),
        ("GET /cases/list?queue=open", "*/*", f"{HERE}/cases", "zh", "zh"),
        ("POST /accounts", PAGE, f"{HERE}/accounts?lang=en", "en", "en"),
        ("POST /_dash-update-component", "*/*", f"{HERE}/?at=449901&lang=en", "en", "en"),
        ("GET /none", PAGE, "http://elsewhere.city/?lang=en", "zh", "zh"),
        ("GET /none", PAGE, "http://[/?lang=en", "zh", "zh"),
        ("GET /none", PAGE, "", "zh", "zh"),
    ],
)
def test_a_request_has_the_language_of_its_address_or_of_where_it_comes_from(
    asked: str, accept: str, referer: str, language: str, refused: str
) -> None:
    method, _, address = asked.partition(" ")
    path, _, query = address.partition("?")
    headers = {"host": "map.city:8050", "accept": accept, "referer": referer}
    scope = {
        "method": method, "path": path, "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in headers.items() if value],
    }  # fmt: skip
    assert (language_of(scope), language_of(scope, is_refused=True)) == (language, refused)

"""The auditor's page: what was done, by whom, and who asked most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from layers.accounts.audit import Entry
from layers.tables.audit import KINDS
from mapapp.pages.noted import Noted
from mapapp.pages.plain import button, choice, day_field, field, page, table

MOST = 200
"""Entries on a page; what comes before them is on the next."""


def audit_page(
    noted: Noted,
    entries: Sequence[Entry],
    most: Sequence[tuple[str, str, int]],
    *,
    kind: str,
    account: str,
    since: str,
    until: str,
    before: str = "",
    zone: str,
) -> str:
    """Write the page; filters stand in its address."""
    words = noted.words
    kinds = [("", words("all")), *((one, words(f"audit_{one}")) for one in KINDS)]
    filters = choice("kind", words("what"), kinds, kind) + field("account", words("account"), value=account)
    filters += day_field("since", words("since"), value=since, empty=words("choose_day"))
    filters += day_field("until", words("until"), value=until, empty=words("choose_day"))
    if words.language == "en":
        filters += '<input type="hidden" name="lang" value="en">'
    filters += button(words("show"), kind="first")
    rows = [
        [
            words.moment(one.at, zone), escape(words(f"audit_{one.kind}")), escape(one.account or ""),
            escape(words(f"role_{one.role}") if one.role else ""), escape(one.scope or ""),
            noted.subject(one.subject or ""), noted.detail(one.detail),
        ]
        for one in entries
    ]  # fmt: skip
    heads = [words(key) for key in ("when", "what", "account", "role", "scope", "to_what", "detail")]
    busy = [[escape(who or words("no_account")), escape(words(f"audit_{what}")), f"{n:,}"] for who, what, n in most]
    asked_heads = [words(key) for key in ("account", "what", "how_often")]
    lang = "?lang=en" if words.language == "en" else ""
    body = (
        '<link rel="stylesheet" href="/static/casework/day.css">'
        '<script type="module" src="/static/casework/day.mjs"></script>'
        f'<p><a href="/account{lang}">{escape(words("own_account"))}</a></p>'
        f'<section><form method="get" action="/audit" class="row">{filters}</form></section>'
        f"<section><h2>{escape(words('audit_most'))}</h2>{table(asked_heads, busy)}</section>"
        f"<section><h2>{escape(words('audit'))}</h2>{table(heads, rows)}</section>"
    )
    asked = {"kind": kind, "account": account, "since": since, "until": until, "before": before}

    def address(more: Mapping[str, str], language: str) -> str:
        said = {**asked, **more} | ({"lang": "en"} if language == "en" else {})
        return "/audit?" + urlencode({key: value for key, value in said.items() if value})

    if len(entries) >= MOST:
        earlier = address({"before": str(entries[-1].id)}, words.language)
        body += f'<p><a href="{escape(earlier)}">{escape(words("audit_earlier"))}</a></p>'
    other = address({}, "en" if words.language == "zh" else "zh")
    return page(words, words("audit"), body, other=other, wide=True)

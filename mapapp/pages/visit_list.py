"""A list to take along: masked, marked all over with who made it and when, and worth nothing after its day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

from mapapp.desk import Desk
from mapapp.text import Words

HEADS = ("care_person", "care_field_phone", "care_group", "care_grid", "care_offered", "care_status", "care_due")
MARKS = 60


def visit_list_page(desk: Desk, words: Words, rows: Sequence[dict[str, Any]]) -> str:
    """Write the list; `rows` is what `mapapp.care.read_list` gives, one at least."""
    first, zone = rows[0], desk.catalog.city.zone
    made, ends = (words.moment(first[key], zone) for key in ("made_at", "ends_at"))
    mark = escape(f"{first['account']} {made}")
    heads = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in HEADS)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(text)}</td>"
            for text in (
                one["name"], one["phone"], words.of(desk.catalog.care[one["care_group"]].name), one["grid"],
                one["offered"] or "", words(f"care_status_{one['status']}"), _day(words, one["due_on"]),
            )
        )
        + "</tr>"
        for one in rows
    )  # fmt: skip
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if words.language == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words("care_list"))}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/casework/care.css">
</head>
<body>
<div class="mark" aria-hidden="true">{f"<span>{mark}</span>" * MARKS}</div>
<h1>{escape(words("care_list"))}</h1>
<p>{escape(words("care_list_of", account=first["account"], made=made, ends=ends))}</p>
<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>
</body>
</html>
"""


def _day(words: Words, iso: str | None) -> str:
    return words.day(date.fromisoformat(iso)) if iso else words("care_no_visit")

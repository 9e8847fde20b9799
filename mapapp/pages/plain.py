"""Plain pages, written on the server and without scripts: sign-in, one's own account, accounts, audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mapapp.text import Words


def page(words: Words, title: str, body: str, *, other: str, wide: bool = False) -> str:
    """Write a whole page; `other` is the address of the same page in the other language."""
    language = "zh-CN" if words.language == "zh" else "en"
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{escape(title)} · {escape(words("title"))}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/door.css">
</head>
<body class="plain">
<main class="{"wide" if wide else "narrow"}">
<header>
<h1>{escape(words("title"))}</h1>
<a class="language" href="{escape(other)}">{escape(words("other_language"))}</a>
</header>
{body}
</main>
</body>
</html>
"""


def form(action: str, inside: str, *, form_token: str = "", kind: str = "", has_files: bool = False) -> str:
    """Write a form that is sent by POST, with the token that shows it is ours."""
    how = ' enctype="multipart/form-data"' if has_files else ""
    hidden = f'<input type="hidden" name="form_token" value="{escape(form_token)}">' if form_token else ""
    return f'<form method="post" action="{escape(action)}" class="{kind}"{how}>{hidden}{inside}</form>'


def field(name: str, label: str, *, kind: str = "text", value: str = "", more: str = "") -> str:
    """Write a field with its label; `more` are attributes written by us, never anybody's input."""
    return (
        f"<label><span>{escape(label)}</span>"
        f'<input name="{escape(name)}" type="{kind}" value="{escape(value)}" {more}></label>'
    )


def day_field(name: str, label: str, *, value: str, empty: str) -> str:
    """Write a field for a day, which says it in the language of the page."""
    return (
        f'<label><span>{escape(label)}</span><day-field empty="{escape(empty)}">'
        f'<input name="{escape(name)}" type="date" value="{escape(value)}"></day-field></label>'
    )


def choice(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str = "") -> str:
    """Write a list to choose from: value and text of each."""
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return f'<label><span>{escape(label)}</span><select name="{escape(name)}">{rows}</select></label>'


def button(text: str, *, name: str = "", value: str = "", kind: str = "") -> str:
    """Write a button that sends its form."""
    named = f' name="{escape(name)}" value="{escape(value)}"' if name else ""
    return f'<button type="submit" class="{kind}"{named}>{escape(text)}</button>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Write a table; cells are HTML already, made by `escape` or by this module. Set `figures` by their digits."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll {kind}"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def said(text: str, kind: str = "note", *, kept: str = "") -> str:
    """Write a line of text; what is shown this once has a name by which it is `kept` in the other language."""
    named = f' data-kept="{kept}"' if kept else ""
    return f'<p class="{kind}"{named}>{escape(text)}</p>' if text else ""

"""The page of a wall screen that waits to be let in: it shows a code and looks again by itself."""

from __future__ import annotations

from html import escape

from mapapp.pages.plain import page
from mapapp.text import Words


def pairing_page(words: Words, code: str) -> str:
    """Write the page with the code that the security admin types."""
    title, note = escape(words("pair_title")), escape(words("pair_note"))
    body = f'<section><h2>{title}</h2><p class="code">{escape(code)}</p><p>{note}</p></section>'
    other = "/pair?lang=en" if words.language == "zh" else "/pair"
    return page(words, words("pair_title"), body, other=other)

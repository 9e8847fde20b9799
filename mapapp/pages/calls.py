"""The shell of `/calls`: a form to call, open calls and who holds them, and calls that were answered."""

from __future__ import annotations

from html import escape

from mapapp.calls import CALLERS
from mapapp.desk import Desk
from mapapp.pages.casework import shell
from mapapp.text import Words
from mapapp.visitor import visitor


def calls_page(desk: Desk, words: Words, engine: str) -> str:
    """Write the page of calls."""
    form = _form(desk, words) if visitor().actor.role in CALLERS else ""
    body = f"""
<main class="column">{form}
<section class="glass"><h2>{escape(words("call_open"))} <b id="n"></b></h2><p id="count" class="hint" role="status"></p>
<ol id="open" class="calls"></ol></section>
<section class="glass"><h2>{escape(words("call_answered"))}</h2>
<p id="answered-none" class="hint"></p><ol id="answered" class="calls"></ol></section>
</main>"""
    return shell(desk, words, "/calls", body, {}, ("calls.mjs",), engine)


def _form(desk: Desk, words: Words) -> str:
    grid, what = escape(words("case_grid")), escape(words("call_what"))
    departments = "".join(
        f'<label class="line"><input type="checkbox" name="department" value="{key}">'
        f"<span>{escape(words.of(one.name))}</span></label>"
        for key, one in desk.catalog.departments.items()
    )
    return f"""
<section class="glass"><details id="calling"><summary>{escape(words("call_make"))}</summary>
<form id="form"><label><span>{grid}</span><input id="grid" list="grids" required autocomplete="off"></label>
<datalist id="grids"></datalist>
<label><span>{what}</span><textarea id="what" rows="2" maxlength="500" required></textarea></label>
<fieldset><legend>{escape(words("call_departments"))}</legend><div class="boxes">{departments}</div></fieldset>
<p id="lead" class="hint" role="status"></p>
<button class="first" type="submit">{escape(words("call_make"))}</button></form></details></section>"""

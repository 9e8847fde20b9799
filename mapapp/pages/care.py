"""The shell of `/care`: the list of a worker, or the counts of a leader; a script fills it."""

from __future__ import annotations

from html import escape

from layers.declare.records import CARE_STATUS
from mapapp.desk import Desk
from mapapp.pages.casework import shell
from mapapp.text import Words
from mapapp.visitor import visitor

HEADS = ("care_person", "care_group", "care_grid", "care_offered", "care_status", "care_visited", "care_due")


def care_page(desk: Desk, words: Words, engine: str) -> str:
    """Write the page of the care register."""
    is_leader = visitor().actor.role == "leader"
    groups = {
        key: {
            "name": words.of(one.name), "department": words.of(desk.catalog.departments[one.department].name),
            "offers": words.of(one.offers), "days": one.visit_days, "restricted": one.restricted,
        }
        for key, one in desk.catalog.care.items()
        if is_leader or one.role == visitor().actor.role
    }  # fmt: skip
    body = _counts(words) if is_leader else _list(words, {key: one["name"] for key, one in groups.items()})
    more = {"groups": groups, "statuses": list(CARE_STATUS)}
    return shell(desk, words, "/care", body, more, ("care-counts.mjs" if is_leader else "care.mjs",), engine)


def _list(words: Words, groups: dict[str, object]) -> str:
    heads = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in HEADS)
    every = escape(words("care_every_group"))
    options = "".join(f'<option value="{escape(key)}">{escape(str(name))}</option>' for key, name in groups.items())
    return f"""
<main class="desk">
<section class="list glass">
<div class="filters"><select id="group" aria-label="{every}"><option value="">{every}</option>{options}</select>
<button id="take">{escape(words("care_take"))}</button><span class="hint">{escape(words("care_masked"))}</span></div>
<div class="scroll" tabindex="0"><table id="records"><thead><tr>{heads}</tr></thead><tbody></tbody></table></div>
<footer><span id="count" role="status"></span></footer>
</section>
<article id="case" class="glass" tabindex="-1" aria-live="polite"><p class="empty">{escape(words("care_none_open"))}</p>
</article>
</main>"""


def _counts(words: Words) -> str:
    return f"""
<main class="column wide"><section class="glass">
<h2>{escape(words("page_care"))}</h2>
<nav id="path" class="row" aria-label="{escape(words("care_grid"))}"></nav>
<div class="scroll" tabindex="0"><table id="counts"><thead></thead><tbody></tbody></table></div>
<p class="hint">{escape(words("care_rounded"))}</p>
</section></main>"""

"""The shell of `/report`: the form of who reports from the field, on a phone."""

from __future__ import annotations

from html import escape

from mapapp.desk import Desk
from mapapp.pages.casework import map_style, shell
from mapapp.report import WORDS_MOST, kinds_for
from mapapp.text import Words
from mapapp.visitor import visitor


def report_page(desk: Desk, words: Words, engine: str) -> str:
    """Write the page of who reports from the field."""
    role = visitor().actor.role
    kinds = kinds_for(role)
    body = f"""
<main class="column">
<section class="glass">{_kinds(words, kinds)}{_form(desk, words, is_worker=role == "grid_worker")}</section>
<section class="glass"><h2>{escape(words("report_outbox"))}</h2><p id="state" class="hint" role="status"></p>
<ul id="outbox"></ul></section>
<section class="glass"><h2>{escape(words("report_mine"))}</h2><ul id="mine"></ul></section>
<section class="glass"{"" if "visit" in kinds else " hidden"}><h2>{escape(words("report_visits"))}</h2>
<ul id="visits"></ul></section>
</main>"""
    more = {"style": map_style(desk, words), "engine": engine, "kinds": kinds}
    return shell(desk, words, "/report", body, more, ("report.mjs",), engine)


def _kinds(words: Words, kinds: tuple[str, ...]) -> str:
    if len(kinds) < 2:
        return ""
    buttons = "".join(
        f'<button type="button" data-choose="{kind}" aria-pressed="false">{escape(words(f"report_kind_{kind}"))}'
        "</button>"
        for kind in kinds
    )
    return f'<div class="kinds" role="group" aria-label="{escape(words("report_kind"))}">{buttons}</div>'


def _form(desk: Desk, words: Words, *, is_worker: bool) -> str:
    def said(key: str) -> str:
        return escape(words(f"report_{key}"))

    options = "".join(
        f'<option value="{key}">{escape(words.of(one.name))}</option>'
        for key, one in desk.catalog.categories.items()
        if one.table == "event"
    )
    settled = (
        f'<label class="line" data-of="report"><input type="checkbox" id="is_settled">'
        f"<span>{said('is_settled')}</span></label>"
        f'<label id="how" hidden><span>{said("settled")}</span>'
        f'<textarea id="settled" rows="2" maxlength="{WORDS_MOST}"></textarea></label>'
    )
    return f"""
<form id="form">
<div class="pick"><button type="button" id="here">{said("here")}</button>
<button type="button" id="pick" aria-expanded="false">{said("pick")}</button></div>
<p id="place" class="hint" role="status">{said("no_place")}</p>
<div id="picking" hidden><div class="aim"><div id="map" role="img" aria-label="{said("map")}"></div></div>
<button type="button" id="middle">{said("middle")}</button></div>
<label data-of="report"><span>{escape(words("case_category"))}</span>
<select id="category"><option value="">{said("choose")}</option>{options}</select></label>
<label><span data-of="report">{said("words")}</span><span data-of="visit">{said("found")}</span>
<textarea id="words" rows="4" maxlength="{WORDS_MOST}" required></textarea></label>
<div data-of="report"><div id="photos" class="photos"></div><label class="upload">{escape(words("case_add_photo"))}
<input type="file" id="camera" accept="image/jpeg,image/png,image/webp" multiple></label></div>
<label class="line" data-of="report"><input type="checkbox" id="is_urgent"><span>{said("is_urgent")}</span></label>
{settled if is_worker else ""}
<div id="near" role="status"></div>
<button class="first" id="send" type="submit">{said("send")}</button>
</form>"""

"""The shells of `/cases`, `/calls` and `/report`: what stands there before a script fills it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from layers.draw.palette import CASES, GROUND, LINE_CHOSEN
from layers.duplicates import WITHIN
from layers.queues import CLOCKS, QUEUES
from layers.tables import OUTCOMES, STATES
from mapapp.desk import Desk
from mapapp.rights import may_open
from mapapp.text import Words
from mapapp.visitor import visitor

PAGES = ("/", "/command", "/cases", "/care", "/calls", "/report", "/figures")
LINES = (("small", 13, "#24506f", 0.5), ("medium", 11, "#2b5f80", 0.7), ("large", 0, "#2f6c90", 0.8),
         ("county", 0, "#5aa8d0", 1.4))  # fmt: skip
"""Borders on the map: level, zoom from which it is drawn, colour, width."""
HEADS = ("case_number", "case_category", "care_grid", "case_state", "case_department", "case_reported", "case_due")
SPOKEN = ("case_", "step_", "state_", "outcome_", "need_", "channel_", "queue_", "clock_", "element_", "role_", "call_",
          "refused_", "report_", "care_", "about", "under_ten", "near_", "level_", "echo_", "fold_",
          "choose_day")  # fmt: skip
"""Beginnings of the texts that a script of these pages may say."""


def cases_page(desk: Desk, words: Words, engine: str) -> str:
    """Write the desk of who works on cases."""
    actor = visitor().actor
    queues = "".join(
        f'<button role="tab" data-queue="{queue}" aria-selected="false"><span>{escape(words(f"queue_{queue}"))}</span>'
        f"<b></b></button>"
        for queue in QUEUES[actor.role]
    )
    kinds = [(key, words.of(one.name)) for key, one in desk.catalog.categories.items() if one.table == "event"]
    grid = escape(words("case_grid"))
    filters = (
        f'<input id="at" list="grids" placeholder="{grid}" aria-label="{grid}">'
        '<datalist id="grids"></datalist>'
        + _select("category", words("case_category"), kinds)
        + _select("state", words("case_state"), [(one, words(f"state_{one}")) for one in STATES])
        + _select("clock", words("case_clock"), [(one, words(f"clock_{one}")) for one in CLOCKS])
        + (f'<button id="fold">{escape(words("fold_open_all"))}</button>' if actor.role == "dispatcher" else "")
        + f'<button id="save">{escape(words("case_save"))}</button><span id="views"></span>'
    )
    heads = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in HEADS)
    bulk = (
        f'<span id="picked"></span>{_select("to", words("case_by_rules"), _departments(desk, words))}'
        f'<button id="dispatch" class="first">{escape(words("case_dispatch_picked"))}</button>'
    )
    body = f"""
<nav class="queues" role="tablist" aria-label="{escape(words("case_queues"))}">{queues}</nav>
<main class="desk">
<section class="list glass">
<div class="filters">{filters}</div>
<div class="bulk" hidden>{bulk}</div>
<div class="scroll" id="scroll" tabindex="0"><table id="cases"><thead><tr><th class="tick"><input type="checkbox"
 id="all" aria-label="{escape(words("case_pick_all"))}"></th>{heads}</tr></thead><tbody></tbody></table></div>
<footer><span id="count" role="status"></span><span class="keys">{escape(words("case_keys"))}</span></footer>
</section>
<section class="side"><figure class="glass"><div id="map" role="img" aria-label="{escape(words("case_map"))}"></div>
<figcaption id="legend"></figcaption></figure>
<article id="case" class="glass" tabindex="-1" aria-live="polite"><p class="empty">{escape(words("case_none_open"))}</p>
</article></section>
</main>{_folding(words) if actor.role == "dispatcher" else ""}"""
    lacks = {"engine": words("no_engine"), "webgl": words("no_webgl")}
    more = {"style": map_style(desk, words), "engine": engine, "lacks": lacks}
    return shell(desk, words, "/cases", body, more, ("cases.mjs",), engine)


def _folding(words: Words) -> str:
    """Write the window in which the command centre folds suggestions into one."""
    places = "".join(f'<option value="{one}">{escape(words(f"fold_within_{one}"))}</option>' for one in WITHIN)
    return f"""<dialog id="folding" class="glass" aria-labelledby="folding-title">
<header><h2 id="folding-title">{escape(words("fold_title"))}</h2>
<label>{escape(words("fold_within"))} <select data-at="within">{places}</select></label>
<span data-at="count" role="status"></span>
<button class="plain" data-at="close" aria-label="{escape(words("case_close"))}">×</button></header>
<p class="hint">{escape(words("fold_hint"))}</p>
<div data-at="groups"></div></dialog>"""


def shell(
    desk: Desk, words: Words, path: str, body: str, more: Mapping[str, Any], scripts: Sequence[str], engine: str,
    styles: Sequence[str] = (),
) -> str:  # fmt: skip
    """Write a whole page around a body, with the texts and names that its script speaks; `styles` are its own."""
    actor = visitor().actor
    language = "zh-CN" if words.language == "zh" else "en"
    told = {
        "lang": words.language, "zone": desk.catalog.city.zone, "role": actor.role, "account": actor.account,
        "department": actor.department, "scope": actor.scope.code,
        "words": {key: words.of(said) for key, said in words.texts.items() if key.startswith(SPOKEN)},
        "categories": {key: words.of(one.name) for key, one in desk.catalog.categories.items()},
        "departments": dict(_departments(desk, words)),
        "names": {
            code: words.of(name)
            for code, name in desk.catalog.city.names.items()
            if code.startswith(actor.scope.code) or actor.scope.code.startswith(code)
        },
        "outcomes": list(OUTCOMES),
    } | dict(more)  # fmt: skip
    written = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    links = "".join(
        f'<a href="{one}{"?lang=en" if words.language == "en" else ""}"{" aria-current=page" if one == path else ""}>'
        f"{escape(words('page_' + (one[1:] or 'map')))}</a>"
        for one in PAGES
        if may_open(actor.role, one)
    )
    other = path + ("?lang=en" if words.language == "zh" else "")
    notice = desk.catalog.city.notice
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{escape(words("page_" + path[1:]))} · {escape(words("title"))}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/maplibre/{engine}/maplibre-gl.css">
<link rel="stylesheet" href="/static/casework/casework.css">
<link rel="stylesheet" href="/static/casework/day.css">
{"".join(f'<link rel="stylesheet" href="/static/casework/{style}">' for style in styles)}
</head>
<body class="page-{path[1:]}">
<header class="top glass"><h1>{escape(words("title"))}</h1><nav class="pages">{links}</nav>
<span class="fiction">{escape(words.of(notice)) if notice else ""}</span>
<span class="who">{escape(words(f"role_{actor.role}"))} · {escape(actor.account)}</span>
<a class="language" href="{other}">{escape(words("other_language"))}</a>
</header>
<div id="notice" role="alert"></div>{body}
<script type="application/json" id="told">{written}</script>
{"".join(f'<script type="module" src="/static/casework/{script}"></script>' for script in scripts)}
</body>
</html>
"""


def _select(name: str, label: str, options: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return f'<select id="{name}" aria-label="{escape(label)}"><option value="">{escape(label)}</option>{rows}</select>'


def _departments(desk: Desk, words: Words) -> list[tuple[str, str]]:
    return [(key, words.of(one.name)) for key, one in desk.catalog.departments.items()]


def map_style(desk: Desk, words: Words) -> dict[str, Any]:
    """A quiet map of the grids, on which a script puts the cases."""
    with desk.connection() as connection:
        gazetteer = desk.gazetteer(connection)
    top = gazetteer.named(min(gazetteer.grids.index, key=len))
    drawn: list[dict[str, Any]] = [
        {"id": "land", "type": "fill", "source": "grid", "source-layer": "large",
         "paint": {"fill-color": "#10314c", "fill-antialias": False}},
    ]  # fmt: skip
    for level, least, colour, width in LINES:
        paint = {"line-color": colour, "line-width": width}
        drawn.append({"id": level, "type": "line", "source": "grid", "source-layer": level, "minzoom": least,
                      "paint": paint})  # fmt: skip
    ground = {"id": "ground", "type": "background", "paint": {"background-color": "#06121f"}}
    quiet = {
        "tiles": desk.grid_tiles(gazetteer),
        "box": top.box,
        "layers": [ground, *drawn],
    }
    kinds = [(kind, colour, words(f"case_is_{kind}")) for kind, colour in CASES.items()]
    return {**desk.on_base(quiet, words.language), "kinds": kinds, "line": GROUND, "chosen": LINE_CHOSEN}

"""The page of figures, without scripts: counts and rates, each number a link to its cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from layers.declare.records import Catalog
from layers.performance import RATES
from layers.workers import COUNTS
from mapapp.figures import ALL, BY, LISTED_MOST, NOBODY, SHOWN, Told, ToldOfWorker, rate_of
from mapapp.pages.plain import choice, page, said, table
from mapapp.rights import may_open
from mapapp.text import Words
from mapapp.visitor import visitor


def figures_page(catalog: Catalog, words: Words, told: Told) -> str:
    """Write the figures of a period by department, category, channel or town."""
    query = {"by": told.by, "period": told.period}
    ways = choice("by", words("figure_by"), [(by, words(f"figure_by_{by}")) for by in BY], told.by)
    by, counts, shares = words(f"figure_by_{told.by}"), list[list[str]](), list[list[str]]()
    for row in told.rows.to_dict("records"):
        asked, name = query | {"of": str(row["of"])}, escape(name_of(catalog, words, told, str(row["of"])))
        counts.append([name, *(link_to(words, asked, row, one) for one in SHOWN)])
        shares.append([name, *(rate_cell(words, asked, row, one) for one in RATES)])
    body = form_of(words, "/figures", ways, told.period) + as_of(catalog, words)
    if counts:
        body += table([by, *(words(f"figure_{name}") for name in SHOWN)], counts, "figures")
        body += table([by, *(words(f"figure_{name}") for name in RATES)], shares, "figures")
    else:
        body += said(words("figure_nothing"))
    if told.count:
        title = f"{name_of(catalog, words, told, told.of)} · {words(f'figure_{told.count}')}"
        body += listed(catalog, words, title, told.cases, told.names)
    picked = {"of": told.of, "count": told.count} if told.count else {}
    return whole(words, "/figures", query | picked, body, words("figure_title"))


def worker_page(catalog: Catalog, words: Words, told: ToldOfWorker) -> str:
    """Write the figures of one grid worker."""
    query = {"period": told.period} | ({"worker": told.worker} if told.worker else {})
    options = [("", words("figure_choose"))] if visitor().actor.role == "dispatcher" else []
    options += [(one.account, words.name(one.name)) for one in told.workers]
    body = form_of(
        words, "/figures/worker", choice("worker", words("role_grid_worker"), options, told.worker), told.period
    )
    body += said(words("figure_whom"))
    if told.figures:
        body += as_of(catalog, words)
        counts = told.figures.counts
        cells = [
            f"{counts[name]:,}" if name == "visits"
            else link("/figures/worker", words, query | {"count": name}, counts[name]) for name in COUNTS
        ]  # fmt: skip
        body += table([words(f"figure_{name}") for name in COUNTS], [cells])
        if told.count:
            chosen = told.figures.cases[told.figures.cases[told.count] > 0]
            body += listed(catalog, words, words(f"figure_{told.count}"), chosen, told.names)
    picked = {"count": told.count} if told.count else {}
    return whole(words, "/figures/worker", query | picked, body, words("figure_worker_title"))


def whole(words: Words, path: str, query: Mapping[str, str], body: str, title: str) -> str:
    """Write the whole page, with the way to the other one where the role has it."""
    role = visitor().actor.role
    ways = [one for one in ("/", "/cases", "/figures", "/figures/worker") if one != path and may_open(role, one)]
    names = {
        "/": "page_map",
        "/cases": "page_cases",
        "/figures": "figure_title",
        "/figures/worker": "figure_worker_title",
    }
    lang = "?lang=en" if words.language == "en" else ""
    links = " · ".join(f'<a href="{one}{lang}">{escape(words(names[one]))}</a>' for one in ways)
    other = path + "?" + urlencode(dict(query) | ({"lang": "en"} if words.language == "zh" else {}))
    section = f"<p>{links}</p><section><h2>{escape(title)}</h2>{body}</section>"
    return page(words, title, section, other=other, wide=True)


def form_of(words: Words, path: str, inside: str, period: str) -> str:
    """Write the form that chooses; it asks by GET, so that the address says what is shown."""
    lang = '<input type="hidden" name="lang" value="en">' if words.language == "en" else ""
    when = (
        f'<label><span>{escape(words("figure_period"))}</span>'
        f'<input name="period" value="{escape(period)}" pattern="[0-9]{{4}}(-[0-9]{{2}}){{0,2}}" size="10"></label>'
    )  # fmt: skip
    send = f"<button>{escape(words('figure_show'))}</button>"
    return f'<form method="get" action="{path}" class="row">{lang}{inside}{when}{send}</form>'


def as_of(catalog: Catalog, words: Words) -> str:
    """Write how old the figures are: they are counted when they are asked for."""
    return said(words("figure_as_of", moment=words.moment(datetime.now(UTC), catalog.city.zone)))


def listed(catalog: Catalog, words: Words, title: str, cases: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Write the cases behind a number; where the role works on cases each leads to its page."""
    zone, opens = catalog.city.zone, may_open(visitor().actor.role, "/cases")
    lang = "&amp;lang=en" if words.language == "en" else ""
    rows = []
    for row in cases.head(LISTED_MOST).to_dict("records"):
        number = "" if pd.isna(row["id"]) else str(int(row["id"]))
        kind = catalog.categories.get(row["category"] or "")
        shown = number or escape(words("figure_sensitive"))
        rows.append([
            f'<a href="/cases?case={number}{lang}">{number}</a>' if number and opens else shown,
            escape(words.of(kind.name) if kind else ""), escape(names.get(row["grid_code"], row["grid_code"])),
            escape(words(f"state_{row['state']}")), escape(words.moment(row["reported_at"], zone)),
        ])  # fmt: skip
    heads = [words(f"case_{name}") for name in ("number", "category", "place", "state", "reported")]
    return f'<h3 id="cases">{escape(title)} · {len(cases):,}</h3>' + table(heads, rows)


def link(path: str, words: Words, query: Mapping[str, str], n: int) -> str:
    """Write a number as a link to its cases; a nought has none."""
    if n == 0:
        return "0"
    lang = {"lang": "en"} if words.language == "en" else {}
    return f'<a href="{path}?{escape(urlencode(dict(query) | lang))}#cases">{n:,}</a>'


def link_to(words: Words, query: Mapping[str, str], row: Mapping[Any, Any], count: str) -> str:
    """Write a count of a row as a link to its cases."""
    return link("/figures", words, dict(query) | {"count": count}, int(row[count]))


def rate_cell(words: Words, query: Mapping[str, str], row: Mapping[Any, Any], rate: str) -> str:
    """Write a rate above what it is made of; the words for "no data" where there is nothing to divide by."""
    value = rate_of(row, rate)[0]
    if value is None:
        return escape(words("none"))
    over, under = (link_to(words, query, row, count) for count in RATES[rate])
    return f"<b>{100 * value:.1f} %</b><br>{over} / {under}"


def name_of(catalog: Catalog, words: Words, told: Told, key: str) -> str:
    """Name of what a row is of."""
    if key in (NOBODY, ALL):
        return words("figure_all" if key == ALL else "case_nobody" if told.by == "department" else "figure_unknown")
    if told.by == "channel":
        return words.texts[f"channel_{key}"].said(words.language) if f"channel_{key}" in words.texts else key
    if told.by.isdigit():
        return told.names.get(key, key)
    one = (catalog.departments if told.by == "department" else catalog.categories).get(key)
    return words.of(one.name) if one else key

"""The map page: a situation as Dash components. Pure functions; every text comes from the words handed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from dash import html
from dash.development.base_component import Component

from layers.codes import LENGTHS
from layers.declare.records import Catalog, Indicator, Layer
from mapapp.finder import Hit
from mapapp.pages.legend import class_texts
from mapapp.situation import Figures, Situation, ranked
from mapapp.text import Words
from mapapp.view import Defaults, View, search_of

Children = list[Component | str]

RANKED_BELOW = 12
"""Rows of the ranking below the first one."""


def top(catalog: Catalog, words: Words, situation: Situation) -> Children:
    """Top bar: what and where this is, how old its data are, the other language."""
    city, age = catalog.city, words.age(situation.loaded_at, catalog.city.zone)
    other = "en" if words.language == "zh" else "zh"
    return [
        html.Div(className="brand", children=[html.H1(words("title")), html.Span(words.of(city.name))]),
        html.Div(words.of(city.notice) if city.notice else "", className="fiction"),
        html.Div(
            className="status",
            children=[
                html.Span(words("no_gpu"), className="no-gpu-note"),
                html.Span(age, className="age"),
                html.Time(id="clock", className="clock", **_attribute("data-zone", city.zone)),
                html.A(words("page_command"), href=to_command(situation, words)),
                html.A(words("to_explore"), href=f"/explore?at={situation.view.at}&lang={words.language}"),
                html.A(words("own_account"), href=f"/account?lang={words.language}", className="own-account"),
                html.A(
                    words("other_language"),
                    href=f"?lang={other}",
                    className="language",
                    title=words("switch_language"),
                    **_attribute("data-set", f"lang={other}"),
                ),
            ],
        ),
    ]


def to_command(situation: Situation, words: Words) -> str:
    """Address of the emergency command, about the grid shown where it is no more than a town."""
    code = situation.view.at
    grids = f"grids={code}&" if len(code) >= LENGTHS["large"] else ""
    return f"/command?{grids}lang={words.language}"


def path(words: Words, situation: Situation, defaults: Defaults, marked: Hit | None = None) -> Children:
    """Breadcrumb from the city down; the last is where we are, and what is marked there comes below it."""
    view, steps = situation.view, situation.path
    links: Children = []
    for step in steps[:-1]:
        links += [html.A(step.name, href=search_of(view.but(at=step.code), defaults)), html.I("›")]
    here = steps[-1]
    links.append(html.B(here.name, title=here.code))
    tail = html.Span([words(f"level_{here.level}"), html.Code(here.code)], className="where")
    shown = [_marked(words, view, defaults, marked)] if marked else []
    return [html.Div(links, className="steps"), tail, *shown, *_editions(words, situation, defaults)]


def _marked(words: Words, view: View, defaults: Defaults, marked: Hit) -> Component:
    """What is marked on the map, and the way to have it marked no longer."""
    said = words("mark_remove", name=marked.name)
    away = html.A("×", href=search_of(view.but(mark=""), defaults), title=said, **_attribute("aria-label", said))
    return html.Div([html.B(marked.name), html.Span(marked.kind), away], className="marked")


def _editions(words: Words, situation: Situation, defaults: Defaults) -> Children:
    """Chooser of the grids of another time; nothing where there was no reform."""
    if len(situation.editions) < 2:
        return []
    view, links = situation.view, list[Component | str]()
    for one in reversed(situation.editions):
        chosen = view.but(edition=None if one.closed_on is None else one.edition)
        span = words("edition_from", day=words.day(one.opened_on))
        if one.closed_on is not None:
            span = words("edition_between", first=words.day(one.opened_on), past=words.day(one.closed_on))
        here = "here" if one.edition == situation.gazetteer.edition else ""
        links.append(html.A(one.name, href=search_of(chosen, defaults), className=here, title=span))
    return [html.Div([html.Span(words("editions")), *links], className="editions")]


def headline(words: Words, situation: Situation) -> Children:
    """Headline figures of the grid: the indicator large, the rest below it, each with its unit."""
    figures, indicator = situation.figures, situation.indicator
    share = figures.closed / figures.events * 100 if figures.events else math.nan
    is_known = figures.people is not None
    if figures.events_before:
        change = (figures.events - figures.events_before) / figures.events_before * 100
        against = words("against_before", change=f"{change:+.0f}%")
    else:
        against = ""
    return [
        html.Div(
            className="main",
            children=[
                html.Span([words.of(indicator.name), html.Em(situation_period(words, situation))]),
                html.P([html.B(figure(words, indicator, figures.value)), html.Small(words.of(indicator.unit))]),
            ],
        ),
        _figure(words("events_month"), words.number(figures.events), words("unit_events"), against),
        _figure(words("events_open"), words.number(figures.open), words("unit_events")),
        _figure(words("events_closed"), words.number(share), words("unit_percent") if figures.events else ""),
        _figure(words("people"), words.people(figures.people), words("unit_people") if is_known else ""),
        _figure(words("area"), words.number(figures.area_km2, _area_digits(figures.area_km2)), words("unit_area")),
        _figure(words("density"), _density(words, figures), words("unit_density") if is_known else ""),
    ]


def figure(words: Words, indicator: Indicator, value: float | None) -> str:
    """Write a value of an indicator; a count of people as the rounded count it is."""
    if indicator.formula == "people" and value is not None and math.isfinite(value):
        return words.people(int(value))
    return words.number(value, indicator.digits)


def situation_period(words: Words, situation: Situation) -> str:
    """The period the indicator stands for, in words."""
    digits = situation.period.replace("-", "")
    return words.period(int(digits) if digits else None)


def ranking(words: Words, situation: Situation, defaults: Defaults, colours: Sequence[str]) -> Children:
    """Ranking of the grids a click opens; where the map shows a finer level, the first of those below it."""
    parts = _ranks(words, situation, defaults, colours, situation.pick, situation.ranked)
    if situation.pick != situation.shown:
        parts += _ranks(words, situation, defaults, colours, situation.shown, ranked(situation.cells), RANKED_BELOW)
    return parts


def _ranks(
    words: Words,
    situation: Situation,
    defaults: Defaults,
    colours: Sequence[str],
    level: str,
    grids: pd.DataFrame,
    limit: int | None = None,
) -> Children:
    """One ranking with bars; each row is a link to its grid."""
    view, indicator = situation.view, situation.indicator
    highest = float(grids["value"].max()) if len(grids) else math.nan
    first = grids.iloc[:limit]
    rows: Children = []
    for place, (code, name, value, one) in enumerate(
        zip(first.index, first["name"], first["value"], first["class"], strict=True), start=1
    ):
        width = max(0.0, value / highest * 100) if highest and math.isfinite(value) else 0
        rows.append(
            html.A(
                href=search_of(view.but(at=code), defaults),
                className="row here" if code == view.at else "row",
                children=[
                    html.I(place),
                    html.Span(name),
                    html.B(figure(words, indicator, value)),
                    html.U(style={"width": f"{width:.0f}%", "background": colours[one]}),
                ],
            )
        )
    how_many = words("ranking_all" if len(first) == len(grids) else "ranking_first", n=len(first))
    return [
        html.H2([words("ranking", levels=words(f"levels_{level}")), html.Small(how_many)]),
        html.P(f"{words.of(indicator.name)} · {words.of(indicator.unit)}", className="of"),
        html.Div(rows, className="rows"),
    ]


def months(words: Words, situation: Situation, defaults: Defaults) -> Children:
    """Events month by month as bars; each is a link to the view in that month."""
    view, counted = situation.view, situation.months
    highest = max(counted.values(), default=0)
    bars: Children = []
    for month in defaults.periods:
        n = counted.get(month, 0)
        said = f"{words.period(month)} · {words.number(n)} {words('unit_events')}".strip()
        bars.append(
            html.A(
                html.U(style={"height": f"{n / highest * 100:.0f}%" if highest else "0%"}),
                href=search_of(view.but(period=month), defaults),
                className="here" if month == view.period else "",
                title=said,
                **_attribute("aria-label", said),
            )
        )
    ends = [words.period(month) for month in (defaults.periods[:1] + defaults.periods[-1:])]
    chosen = f"{words.period(view.period)} · {words.number(counted.get(view.period or 0, 0))} {words('unit_events')}"
    return [
        html.H2([words("months"), html.Small(chosen.strip())]),
        html.Div(bars, className="bars"),
        html.Div([html.Span(end) for end in ends], className="ends"),
    ]


def legend(
    words: Words, situation: Situation, colours: Sequence[str], rising: str = "", *, points: Sequence[Layer]
) -> Children:
    """Legend of the classes with unit, period, no data, and how many rows were not placed; colour 0 is no data.

    Where single rows may be seen each class has its count of grids, and counts lead to what they count; where not, the
    layers drawn as points are named too, for no panel of layers stands beside the map.
    """
    indicator, digits, breaks = situation.indicator, situation.indicator.digits, situation.breaks
    texts = [words("none"), *class_texts(words, breaks, situation.cells["value"], digits)]
    counts = situation.cells["class"].value_counts()
    rows = []
    for one in (*range(len(texts) - 1, 0, -1), 0):
        n = words.number(int(counts.get(one, 0)))
        label = words("grids_in_class", said=texts[one], n=n)
        opened = [] if situation.view.is_counted else [_counted(words, situation, n, f"grids/{one}", label)]
        rows.append(html.Li([html.I(style={"background": colours[one]}), html.Span(texts[one]), *opened]))
    notes: list[Children] = [*_counts_noted(words, situation), [words("legend_rounded")]]
    if situation.off_by:
        notes.append([words("legend_people_summed", n=situation.off_by)])
    if situation.is_withheld:
        notes.append([words("legend_people_withheld")])
    if rising:
        notes.append([rising])
    if points:
        notes.append([words("legend_points")])
    apart = [*notes[0], *(part for note in notes[1:] for part in (" · ", *note))]
    return [
        html.H2([words.of(indicator.name), html.Small(situation_period(words, situation))]),
        html.P(words("legend_unit", unit=words.of(indicator.unit)), className="of"),
        html.Ul(rows),
        *([_circles(words, points)] if points and situation.view.is_counted else []),
        html.P(apart, className="notes"),
    ]


def _circles(words: Words, points: Sequence[Layer]) -> Component:
    """What the circles of each colour are."""
    named = [html.Span([html.I(style={"background": one.colour}), words.of(one.name)]) for one in points]
    return html.P(named, className="circles")


def _counts_noted(words: Words, situation: Situation) -> list[Children]:
    """What was not placed and what is carried by share, each with its count that leads to it."""
    counted = [("legend_unplaced", words.number(situation.n_unplaced), "unplaced")]
    if situation.n_carried:
        counted.append(("legend_carried", words.number(situation.n_carried, 1), "grids/carried"))
    notes: list[Children] = []
    for key, n, look in counted:
        if situation.view.is_counted:
            notes.append([words(key, n=n)])
        else:
            first, last = words(key, n="\0").split("\0")
            notes.append([first, _counted(words, situation, n, look, words(key, n=n)), last])
    return notes


def _counted(words: Words, situation: Situation, n: str, look: str, label: str) -> Component:
    """A count that leads to what it counts, on the page that shows rows; plain where it is 0."""
    if n == "0":
        return html.B(n)
    view, period = situation.view, situation.period.replace("-", "")
    asked = {"at": situation.frame, "level": situation.shown, "indicator": view.indicator, "period": period}
    asked |= {"edition": str(view.edition or ""), "lang": words.language, "look": look}
    address = "/explore?" + urlencode({key: said for key, said in asked.items() if said}, safe="/")
    return html.A(n, href=address, className="counted", **_attribute("aria-label", label))


def found(words: Words, sought: str, hits: Sequence[tuple[View, str, str, str]], defaults: Defaults) -> Children:
    """Results of a search: name, where it lies, code or kind; each is a link."""
    if not sought.strip():
        return []
    if not hits:
        return [html.P(words("search_none", words=sought.strip()), className="of")]
    return [
        html.A(href=search_of(view, defaults), children=[html.B(name), html.Code(code), html.Span(above)])
        for view, name, above, code in hits
    ]


def notice(words: Words, message: str) -> Children:
    """A line that says what did not work, and why."""
    return [html.P(words("fault")), html.Small(words("fault_hint", message=message))]


def fault(words: Words) -> Children:
    """A line for what nobody foresaw; the reason stands in the log, not on the screen."""
    return [html.P(words("fault"))]


def _figure(name: str, value: str, unit: str, note: str = "") -> Component:
    return html.Div(
        className="figure",
        children=[html.Span(name), html.P([html.B(value), html.Small(unit)]), html.Em(note)],
    )


def _attribute(name: str, value: str) -> dict[str, Any]:
    """One attribute whose name is no word of Python."""
    return {name: value}


def _density(words: Words, figures: Figures) -> str:
    """People for each square kilometre, from the rounded count and so as rough as it."""
    if figures.people is None or not figures.area_km2:
        return words("none")
    return words("about", n=words.number(figures.people / figures.area_km2))


def _area_digits(area_km2: float) -> int:
    return 0 if area_km2 >= 100 else 1 if area_km2 >= 10 else 2

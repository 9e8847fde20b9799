"""The layers of the map as components: switches of the five elements, and the panel in which each layer is set.

Every control is a link to the view it makes, so that an address keeps it and the keyboard reaches it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

from dash import html
from dash.development.base_component import Component

from layers.declare.records import Catalog, Layer
from layers.tables import STATES
from mapapp.drawn import EVERYTHING, FAINTEST, Drawn, Fading, Form, Ground, Only, unheeded
from mapapp.layer_counts import LayerCounts
from mapapp.signs import Signs
from mapapp.situation import Situation
from mapapp.text import Words
from mapapp.view import ELEMENTS, Defaults, View, search_of

Children = list[Component | str]

STEP = 30
"""Percent by which opacity is changed at a time."""

RISING = "population"
"""Indicator offered to stand up beside the one that is coloured, where it is declared."""


def switches(
    catalog: Catalog, words: Words, situation: Situation, defaults: Defaults, colours: dict[str, str]
) -> Children:
    """Switches of the five elements with their counts, and the link that opens the panel of the layers."""
    view, figures = situation.view, situation.figures
    opened = html.A(
        words("layers_close" if view.is_open else "layers_set"),
        href=search_of(view.but(is_open=not view.is_open), defaults),
        className="set",
    )
    rows: Children = [html.H2([words("panel_layers"), opened])]
    for element in ELEMENTS:
        own = [one for one in view.layers if catalog.layers[one.key].element == element]
        rest = tuple(one for one in view.layers if one not in own)
        after = rest if own else in_order(catalog, (*rest, *map(Drawn, defaults.drawable.get(element, ()))))
        if element == "person":
            count, note = words.people(figures.people), words("note_person")
        else:
            count, note = words.number(figures.elements[element]), words("note_event") if element == "event" else ""
        rows.append(
            html.A(
                href=search_of(view.but(layers=after), defaults),
                className="switch on" if own else "switch",
                role="switch",
                title=words("layer_on" if own else "layer_off"),
                **_attributes({"aria-checked": "true" if own else "false", "data-element": element}),
                children=[
                    html.I(style={"color": colours[element]}),
                    html.Span([words(f"element_{element}"), html.Small(note)]),
                    html.B(count),
                ],
            )
        )
    return rows


def in_order(catalog: Catalog, layers: Sequence[Drawn]) -> tuple[Drawn, ...]:
    """Put layers into the order in which they are declared, the uppermost first."""
    return tuple(sorted(layers, key=lambda one: catalog.layers[one.key].order))


def layer_desk(
    catalog: Catalog, signs: Signs, words: Words, situation: Situation, defaults: Defaults, counts: LayerCounts
) -> Children:
    """Panel of the layers: what is on, in the order of drawing, with legend and age; what can be added; the choice."""
    view = situation.view
    if not view.is_open:
        return []
    on = {one.key for one in view.layers}
    off = [layer for layer in catalog.layers.values() if layer.key not in on]

    def link(text: str, to: View, name: str = "", title: str = "", of: str = "") -> Component:
        """A link; what is chosen is said, and a sign that stands for words says them, and of what it is."""
        told = {"aria-current": "true"} if name.endswith("here") else {}
        if of:
            told["aria-label"] = f"{of} · {title or text}"
        return html.A(text, href=search_of(to, defaults), className=name, title=title or text, **_attributes(told))

    def sign(layer: Layer) -> Component:
        picture = html.Img(src=f"/static/signs/{signs.edition}/{layer.icon}.svg", alt="")
        return html.I(picture, style={"background": layer.colour}, className="sign")

    def count(layer: Layer) -> str:
        if layer.element == "person":
            return words.people(situation.figures.people)
        return words.number(counts.inside.get(layer.key))

    drawn: Children = []
    for place, one in enumerate(view.layers):
        layer = catalog.layers[one.key]
        head = [sign(layer), html.Span(words.of(layer.name)), html.B(count(layer))]
        tools = _tools(words, view, place, layer, link)
        foot = html.P(_legend(words, catalog, counts, layer, one, situation), className="notes")
        drawn.append(html.Li([html.Div(head, className="layer"), html.Div(tools, className="tools"), foot]))
    more = [
        html.A(
            [sign(layer), html.Span(words.of(layer.name)), html.B(count(layer))],
            href=search_of(view.but(layers=in_order(catalog, (*view.layers, Drawn(layer.key)))), defaults),
            className="layer off",
            title=words("layer_off"),
        )
        for layer in off
    ]
    return [
        html.H2([words("panel_layers"), link(words("layers_close"), view.but(is_open=False), "set")]),
        html.Div(
            className="scroll",
            children=[
                *_ground(words, situation, catalog, link),
                html.H3(words("layers_on")),
                html.Ul(drawn) if drawn else html.P(words("layers_none"), className="of"),
                html.H3(words("layers_off")),
                html.Div(more, className="more"),
                *_choice(catalog, words, view, link),
            ],
        ),
    ]


def _tools(words: Words, view: View, place: int, layer: Layer, link: Any) -> Children:
    """Form, opacity, order and off of one layer."""
    one, listed, name = view.layers[place], list(view.layers), words.of(layer.name)

    def but(**changed: Any) -> View:
        return view.but(layers=(*listed[:place], replace(one, **changed), *listed[place + 1 :]))

    def moved(by: int) -> View:
        order = [*listed[:place], *listed[place + 1 :]]
        order.insert(place + by, one)
        return view.but(layers=tuple(order))

    tools: Children = []
    if layer.draw == "point":
        tools += [
            link(words(f"form_{form}"), but(form=form), "chip here" if one.form == form else "chip", of=name)
            for form in get_args(Form)
        ]
        tools += _steps(words, link, one.opacity, lambda share: but(opacity=share), name)
    else:
        tools += _steps(words, link, view.opacity("labels"), lambda share: _faded(view, "labels", share), name)
    tools.append(html.Em(""))
    if place:
        tools.append(link("↑", moved(-1), "step", words("layer_up"), of=name))
    if place < len(listed) - 1:
        tools.append(link("↓", moved(1), "step", words("layer_down"), of=name))
    rest = tuple(x for x in listed if x is not one)
    tools.append(link("×", view.but(layers=rest), "step", words("layer_on"), of=name))
    return tools


def _steps(words: Words, link: Any, share: int, to: Callable[[int], View], of: str) -> Children:
    """Two steps and the opacity between them, in percent, of what is called so."""
    return [
        link("−", to(max(FAINTEST, share - STEP)), "step", words("opacity_less"), of=of),
        html.Span(f"{share}%", title=words("opacity")),
        link("+", to(min(100, share + STEP)), "step", words("opacity_more"), of=of),
    ]


def _faded(view: View, part: Fading, share: int) -> View:
    """The same view with a part of the ground as opaque as that."""
    shares = dict(view.faded) | {part: share}
    return view.but(faded=tuple((one, shares[one]) for one in get_args(Fading) if shares.get(one, 100) < 100))


def _legend(words: Words, catalog: Catalog, counts: LayerCounts, layer: Layer, one: Drawn, situation: Situation) -> str:
    """What is drawn of a layer at which zoom, how old its data are, and which choices it does not follow."""
    if layer.element == "person":
        said = words("legend_layer_people")
    elif layer.draw == "grid":
        said = words("legend_layer_grid")
    else:
        said = words(f"legend_layer_{one.form}", zoom=math.ceil(layer.zoom_min))
        if layer.element != "event":
            said += f" · {words('legend_layer_middle')}"
    age = words.age(counts.loaded_at.get(layer.key), catalog.city.zone)
    only, level = situation.view.only, situation.grid.level
    parts = [said, age]
    left = unheeded(layer, only, catalog, situation.shown)
    if left:
        parts.append(words("not_chosen_by", parts=words("and").join(words(f"chosen_{name}") for name in left)))
    if "days" not in left and layer.element == "event" and level == "small" and (only.since or only.until):
        parts.append(words("count_by_month"))
    return " · ".join(parts)


def _ground(words: Words, situation: Situation, catalog: Catalog, link: Any) -> Children:
    """What lies under the layers, and whether grids stand up."""
    view = situation.view

    def steps(part: Fading) -> Children:
        name = words("height" if part == "heights" else f"ground_{part}")
        return _steps(words, link, view.opacity(part), lambda share: _faded(view, part, share), name)

    chips: Children = []
    for ground in get_args(Ground):
        is_hidden = ground in view.hidden
        after = tuple(g for g in get_args(Ground) if (g in view.hidden) != (g == ground))
        chip = link(words(f"ground_{ground}"), view.but(hidden=after), "chip" if is_hidden else "chip here")
        chips.append(html.Div([chip, *([] if is_hidden else steps(ground))], className="tools"))
    offered = dict.fromkeys([view.indicator, *([RISING] if RISING in catalog.indicators else []), view.height])
    rising: Children = [link(words("height_none"), view.but(height=None), "chip" if view.height else "chip here")]
    for key in offered:
        if key is not None:
            name = "chip here" if key == view.height else "chip"
            rising.append(link(words.of(catalog.indicators[key].name), view.but(height=key), name))
    effects = link(words("effects_on"), view.but(with_effects=True), "chip")
    if view.with_effects:
        effects = link(words("effects_off"), view.but(with_effects=False), "chip here")
    return [
        html.H3(words("ground")),
        *chips,
        html.P(_ground_legend(words, situation, catalog), className="notes"),
        html.H3(words("height")),
        html.Div(rising, className="chips"),
        *(_height_tools(words, situation, catalog, steps("heights")) if view.height else []),
        html.P([words("effects_note"), " ", effects], className="no-gpu-only notes"),
    ]


def _height_tools(words: Words, situation: Situation, catalog: Catalog, steps: Children) -> Children:
    """Opacity of the grids that stand up, what their height stands for, and how old that is."""
    name = words.of(catalog.indicators[situation.view.height or ""].name)
    said = f"{words('legend_height', name=name)} · {words.age(situation.loaded_at, catalog.city.zone)}"
    return [html.Div(steps, className="tools"), html.P(said, className="notes")]


def _ground_legend(words: Words, situation: Situation, catalog: Catalog) -> str:
    """What the colours stand for and how old that is, of which day the grids are, and what is not chosen from."""
    edition = next((one.name for one in situation.editions if one.edition == situation.gazetteer.edition), "")
    age = words.age(situation.loaded_at, catalog.city.zone)
    parts = [f"{words.of(situation.indicator.name)} · {age}", words("ground_edition", name=edition)]
    if situation.view.only != EVERYTHING:
        parts.append(words("colours_not_chosen"))
    return " · ".join(parts)


def _choice(catalog: Catalog, words: Words, view: View, link: Any) -> Children:
    """Which rows are drawn: days, states and categories of the events that are on."""
    on = {catalog.layers[one.key].element for one in view.layers}
    only = view.only

    def chips(names: list[tuple[str, str]], chosen: tuple[str, ...], key: Literal["states", "categories"]) -> Component:
        made: Children = []
        for name, said in names:
            after = tuple(n for n, _ in names if (n in chosen) != (n == name))
            to = replace(only, states=after) if key == "states" else replace(only, categories=after)
            made.append(link(said, view.but(only=to), "chip here" if name in chosen else "chip"))
        return html.Div(made, className="chips")

    kinds = [(k, words.of(c.name)) for k, c in catalog.categories.items() if c.table in on and not c.sensitive]
    parts: Children = []
    if "event" in on:
        days = [html.Label([words(f"choose_{key}"), _day(words, key, only)]) for key in ("since", "until")]
        parts += [
            html.H3(words("choose_time")),
            html.Div(days, className="days"),
            html.H3(words("choose_states")),
            chips([(state, words(f"state_{state}")) for state in STATES], only.states, "states"),
        ]
    if kinds:
        parts += [html.H3(words("choose_categories")), chips(kinds, only.categories, "categories")]
    if parts and only != EVERYTHING:
        parts.append(link(words("choose_all"), view.but(only=EVERYTHING), "chip"))
    return parts


def _day(words: Words, key: str, only: Only) -> Component:
    """A field for a day, as its component would be written: Dash has none for the panels outside React."""
    props = {"type": "date", "value": str(getattr(only, key) or ""), "data-ask": key}
    told = {"lang": words.language, "empty": words("choose_day"), "children": [{"type": "input", "props": props}]}
    return cast(Component, {"type": "day-field", "props": told})


def _attributes(named: dict[str, str]) -> dict[str, Any]:
    """Attributes whose names are no words of Python."""
    return named

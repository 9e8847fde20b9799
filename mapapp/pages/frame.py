"""The frame of the page: everything that is there once, whatever is shown; handlers fill it."""

from __future__ import annotations

from typing import Any, cast

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from mapapp import ids
from mapapp.text import Words

_INDEX = """<!DOCTYPE html>
<html lang="zh-CN">
  <head>
    {%metas%}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="dark">
    <title>{%title%}</title>
    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="ENGINE/maplibre-gl.css">
    <link rel="stylesheet" href="/static/casework/day.css">
    <link rel="modulepreload" href="ENGINE/maplibre-gl.mjs" id="engine">
    {%css%}
  </head>
  <body>
    <div id="splash"><span class="mark"></span><span>LOADING</span></div>
    {%app_entry%}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
    <!-- {%favicon%} -->
  </body>
</html>
"""


def index_page(engine: str, words: Words) -> str:
    """Write the HTML around the page; `engine` is the version of maplibre-gl."""
    page = _INDEX.replace("<!-- {%favicon%} -->", "")
    return page.replace("ENGINE", f"/static/maplibre/{engine}").replace("LOADING", words("loading"))


def page(words: Words, other: Words) -> Component:
    """Make the frame, empty; `other` is the other language, for what is said before one is chosen."""
    made = dmc.MantineProvider(
        forceColorScheme="dark",
        theme={"primaryColor": "cyan", "fontFamily": "inherit", "defaultRadius": "sm"},
        children=[
            dcc.Store(id=ids.SOUGHT),
            html.Div(id=ids.MAP, className="map", tabIndex=0, role="application"),
            html.Div(id=ids.HOVER, className="hover-card glass", role="status"),
            html.Div([html.P(words("no_webgl")), html.P(other("no_webgl"))], className="no-webgl-note", role="alert"),
            html.Div(
                [html.P(words("no_engine")), html.P(other("no_engine"))], className="no-engine-note", role="alert"
            ),
            html.Div(id=ids.NOTICE, className="notice", role="alert", **_faults(words, other)),
            html.Div(
                className="screen",
                children=[
                    html.Header(id=ids.TOP, className="top glass"),
                    html.Div(className="side left", children=_left(words)),
                    html.Div(className="side right", children=_right(words)),
                    html.Section(id=ids.MONTHS, className="months glass"),
                ],
            ),
        ],
    )
    return cast(Component, made)


def _faults(*languages: Words) -> dict[str, Any]:
    """What the browser says where it hears nothing, in each language."""
    return {f"data-fault-{words.language}": words("fault") for words in languages}


def _left(words: Words) -> list[Component]:
    return [
        html.Section(
            className="panel glass",
            children=[html.Nav(id=ids.PATH, className="path"), html.Div(id=ids.HEADLINE, className="headline")],
        ),
        html.Section(className="panel glass choosers", children=[_select(ids.INDICATOR), _select(ids.PERIOD)]),
        html.Section(id=ids.LAYERS, className="panel glass"),
        html.Section(id=ids.LEGEND, className="panel glass legend"),
    ]


def _right(words: Words) -> list[Component]:
    return [
        html.Section(
            className="panel glass search",
            children=[
                dmc.TextInput(id=ids.SEARCH, placeholder=words("search"), debounce=150, size="sm"),
                html.Div(id=ids.FOUND, className="found"),
            ],
        ),
        html.Section(id=ids.LAYER_DESK, className="panel glass layer-desk"),
        html.Section(id=ids.RANKING, className="panel glass ranking"),
    ]


def _select(which: str) -> Component:
    """A chooser; what is chosen stands over its input, which has one line, in a section that has as many as needed."""
    made = dmc.Select(
        id=which,
        data=[],
        allowDeselect=False,
        checkIconPosition="right",
        size="sm",
        maxDropdownHeight=420,
        leftSectionPointerEvents="none",
        leftSectionProps={"aria-hidden": "true"},
        comboboxProps={"shadow": "md", "transitionProps": {"duration": 80}},
    )
    return cast(Component, made)

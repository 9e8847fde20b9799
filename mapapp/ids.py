"""Ids of everything on the screen that code speaks to; assets/map.mjs uses the same words."""

from __future__ import annotations

URL = "url"
"""Address of the page: the whole state of the screen."""

SHOWN = "shown"
"""Store: the address that is shown, as the server last understood it."""

MAP = "map"
MAP_STYLE = "map-style"
"""Store: the style of the map, sent once."""

MAP_VIEW = "map-view"
"""Store: what the map shows now; its cells, their classes and what to say of them."""

MAP_PICK = "map-pick"
"""Store: code of the grid that was picked on the map."""

HOVER = "hover"
TOP = "top"
PATH = "path"
HEADLINE = "headline"
INDICATOR = "indicator"
PERIOD = "period"
LAYERS = "layers"
LAYER_DESK = "layer-desk"
"""Panel in which the layers that are on are set."""

RANKING = "ranking"
MONTHS = "months"
LEGEND = "legend"
SEARCH = "search"
FOUND = "found"
NOTICE = "notice"

ALL = tuple(value for name, value in sorted(globals().items()) if name.isupper() and isinstance(value, str))
"""Every id, for the test that each is on the page once."""

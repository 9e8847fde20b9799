"""Ids of everything on the screen that code speaks to; assets/map.mjs uses the same words."""

from __future__ import annotations

MAP = "map"
SOUGHT = "sought"
"""Store: the address of the page with what is searched for."""

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

"""An answer in two parts, for a page that has the cells already: what colours the map first, the rest after it.

Another number on the same cells then costs the page a digit for each before it is painted: names, places and texts of
the cells stay where they are, lists and tables follow.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from mapapp.explore.handlers import Answer

FIRST_PANELS = ("headline", "legend", "notice")
"""Panels that change with the colours of the map."""
TEXTS = ("value", "change")
"""What of the cells is read at one cell, and not drawn."""
LATER = ("periods", "labels", "words", "zone")
"""What scripts are told that only the rest needs."""

WAITS_S = 30.0
"""Seconds that a rest is kept for the page that has its first part."""
WAITING_MOST = 16
"""Rests that are kept, at most; after that they are worked out again."""


class Parts:
    """Rests of answers whose first part has been sent, by what was asked and for which grids."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()

    def keep(self, scope: str, query: str, answer: Answer) -> None:
        """Keep an answer until its rest is asked for."""
        self._waiting[scope, _asked(query)] = (time.monotonic(), answer)
        while len(self._waiting) > WAITING_MOST:
            self._waiting.popitem(last=False)

    def take(self, scope: str, query: str) -> Answer | None:
        """Take an answer whose rest is asked for; None where it has to be worked out again."""
        since, answer = self._waiting.pop((scope, _asked(query)), (0.0, None))
        return answer if time.monotonic() - since < WAITS_S else None


def is_short(answer: Answer, known: str) -> bool:
    """Tell whether a page that has these `known` keys, of its style and of its cells, has the cells of an answer."""
    return known.endswith(f",{answer.told['cells']}")


def first_part(answer: Answer, known: str) -> dict[str, Any]:
    """What colours the map; the style only where it is another than the page has."""
    view = {key: one for key, one in answer.view.items() if key not in ("names", "cells")}
    has_style = known.startswith(f"{answer.told['style']},")
    return {
        "panels": {key: answer.panels[key] for key in FIRST_PANELS},
        "view": view | {"cells": {"shade": answer.view["cells"]["shade"]}},
        "style": None if has_style else answer.style,
        "told": {key: one for key, one in answer.told.items() if key not in LATER},
    }


def rest_part(answer: Answer) -> dict[str, Any]:
    """What follows the first part."""
    return {
        "panels": {key: one for key, one in answer.panels.items() if key not in FIRST_PANELS},
        "told": {key: answer.told[key] for key in LATER},
        "said": {key: answer.view["cells"][key] for key in TEXTS},
    }


def _asked(query: str) -> str:
    return "&".join(one for one in query.split("&") if not one.startswith("known="))

"""What is asked of the explore page, as its address says it: a link asks the same again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from layers.codes import LENGTHS, child_level, level_of
from layers.compare import AGAINSTS, Against
from layers.declare.records import Catalog, Count, Indicator
from layers.draw.looks import RAMPS, THEMES
from layers.gazetteer import Gazetteer
from mapapp.language import Language, language_in
from mapapp.view import edition_asked, said_in

Method = Literal["declared", "quantile", "equal", "natural", "fixed"]

METHODS: tuple[Method, ...] = get_args(Method)
"""Ways to make classes; `declared` is that of the indicator's declaration."""

CLASSES = (3, 4, 5, 6, 7)
"""Numbers of classes to choose from."""

BREAKS_MOST = 8
"""Thresholds that may be given."""


@dataclass(frozen=True)
class Choices:
    """What an address may ask for, and what stands where it says nothing."""

    at: str
    levels: tuple[str, ...]
    indicator: str
    indicators: tuple[str, ...]
    periods: tuple[int, ...]
    period: int | None
    categories: tuple[str, ...]
    editions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question: where, at which level, which number of which time, how classed and coloured, against what."""

    at: str
    level: str
    indicator: str
    period: int | None
    category: str | None
    method: Method
    n: int | None
    breaks: tuple[float, ...]
    against: Against
    ramp: str
    theme: str
    language: Language
    top: str
    edition: int | None = None

    def but(self, **changed: Any) -> Question:
        """The same with something changed."""
        return replace(self, **changed)

    @property
    def frame(self) -> str:
        """Grid whose grids of the level are shown: the one asked for, or the nearest above that has any."""
        return self.at if len(self.at) < LENGTHS[self.level] else self.all_siblings_of(self.at)

    def all_siblings_of(self, code: str) -> str:
        """Grid above that holds a grid of the level and all its siblings, as far as the reader may see."""
        above = list(LENGTHS)[max(list(LENGTHS).index(self.level) - 1, 0)]
        return code[: max(LENGTHS[above], len(self.top))]


def levels_in(gazetteer: Gazetteer, top: str) -> tuple[str, ...]:
    """Levels below the city that there are grids of, the largest first."""
    return tuple(level for level in list(LENGTHS)[1:] if len(gazetteer.inside(top, level)))


def categories_of(catalog: Catalog, indicator: Indicator) -> tuple[str, ...]:
    """Categories an indicator can be narrowed to: those of events it counts, never a sensitive one."""
    tables = {catalog.datasets[name].table for name in indicator.count.datasets}
    if tables != {"event"}:
        return ()
    all_of = [one.key for one in catalog.categories.values() if one.table == "event" and not one.sensitive]
    return tuple(one for one in all_of if not indicator.count.categories or one in indicator.count.categories)


def narrowed(catalog: Catalog, question: Question) -> Catalog:
    """Declarations in which the indicator counts one category only, in its numerator and in its denominator."""
    if question.category is None:
        return catalog
    asked = catalog.indicators[question.indicator]

    def only(count: Count) -> Count:
        return replace(count, categories=(cast(str, question.category),))

    changed = replace(asked, count=only(asked.count), of=only(asked.of) if asked.of else None)
    return replace(catalog, indicators={**catalog.indicators, asked.key: changed})


def read_question(search: str | None, choices: Choices, gazetteer: Gazetteer) -> Question:
    """Read a question from the query part of an address; whatever makes no sense becomes the default."""
    said = said_in(search)
    at = said.get("at", "")
    at = at if at.isdigit() and len(at) in LENGTHS.values() and at in gazetteer else choices.at
    period = said.get("period", "")
    month = int(period) if period.isdigit() and period.isascii() and int(period[:6]) in choices.periods else None
    n = said.get("n", "")
    category, breaks = said.get("category"), read_breaks(said.get("breaks", ""))
    return Question(
        at=at,
        level=_level(said.get("level", ""), at, choices.levels),
        indicator=choices.indicator,
        period=month or choices.period,
        category=category if category in choices.categories else None,
        method=cast(Method, _one_of(said.get("classes"), METHODS)),
        n=int(n) if n in {str(one) for one in CLASSES} else None,
        breaks=breaks,
        against=cast(Against, _one_of(said.get("against"), AGAINSTS)),
        ramp=_one_of(said.get("ramp"), tuple(RAMPS)),
        theme=_one_of(said.get("theme"), THEMES),
        language=language_in(search) or "zh",
        top=choices.at,
        edition=edition_asked(search, choices.editions),
    )


def search_of(question: Question, choices: Choices) -> str:
    """Write a question as the query part of an address; what is default is left out."""
    q = question
    said = {
        "at": q.at if q.at != choices.at else None,
        "level": q.level if q.level not in ("", _level("", q.at, choices.levels)) else None,
        "indicator": q.indicator,
        "period": str(q.period) if q.period and q.period != choices.period else None,
        "category": q.category,
        "classes": q.method if q.method != "declared" else None,
        "n": str(q.n) if q.n else None,
        "breaks": ",".join(f"{one:g}" for one in q.breaks) or None,
        "against": q.against if q.against != "none" else None,
        "ramp": q.ramp if q.ramp != next(iter(RAMPS)) else None,
        "theme": q.theme if q.theme != THEMES[0] else None,
        "edition": str(q.edition) if q.edition is not None else None,
        "lang": q.language if q.language != "zh" else None,
    }
    return "?" + urlencode({key: value for key, value in said.items() if value is not None}, safe=",")


def read_breaks(written: str) -> tuple[float, ...]:
    """Read thresholds such as `5,10,20`; none where they make no sense or do not rise."""
    try:
        found = [float(one) for one in written.replace("\uff0c", ",").replace(" ", "").split(",") if one]
    except ValueError:
        return ()
    rising = all(math.isfinite(one) for one in found) and found == sorted(set(found))
    return tuple(found) if rising and len(found) <= BREAKS_MOST else ()


def _level(said: str, at: str, levels: Sequence[str]) -> str:
    """Level that is shown: the one asked for, else the one below the grid, a small grid's own among its siblings."""
    if said in levels:
        return said
    below = child_level(level_of(at))
    if below == "county":
        below = "large"
    if below in levels:
        return cast(str, below)
    own = level_of(at)
    return own if own in levels else levels[-1] if levels else "large"


def _one_of(said: str | None, allowed: Sequence[str]) -> str:
    return said if said is not None and said in allowed else allowed[0]

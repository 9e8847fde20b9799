"""Grids of the past: a delivery of them after a reform is refused, since it would undo the reform unseen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from etl.copying import Connection
from layers.editions import read_editions
from layers.errors import DeliveryError
from layers.succession import became_sentence

_ALIKE = 1e-3
"""Share by which the area of one grid may differ, drawn twice."""
_MOST_TOLD = 5

_GRIDS = """
select edition, code, name, st_area(geom) as area from pub.grid where edition <= %s and code = any(%s)
order by edition, code
"""


def refuse_past(connection: Connection, edition: int, codes: list[str], names: list[str], shapes: np.ndarray) -> None:
    """Refuse delivered grids of which some are as they were before the edition in force, and are so no longer.

    A code that is no more is of the past, and so are a name and an outline that a reform changed.

    Raises
    ------
    DeliveryError
        There is one; names some of them, the edition in force, and what to do.
    """
    rows = connection.execute(_GRIDS, [edition, codes]).fetchall()
    known = pd.DataFrame(rows, columns=["edition", "code", "name", "area"])
    now, older = known[known["edition"] == edition], known[known["edition"] < edition]
    if older.empty:
        return
    given = pd.DataFrame({"code": codes, "name": names, "area": shapely.area(shapes)})
    gone = set(older["code"]) - set(now["code"])
    past = [*sorted(gone), *sorted((_alike(given, older) - _alike(given, now)) - gone)]
    if not past:
        return
    span = next(one for one in read_editions(connection) if one.edition == edition)
    name = dict(zip(older["code"], older["name"], strict=True))
    told = [became_sentence(connection, code) or f"{code} {name[code]}." for code in past[:_MOST_TOLD]]
    more = f" .. and {len(past) - _MOST_TOLD:,} more" if len(past) > _MOST_TOLD else ""
    raise DeliveryError(
        f"{len(past):,} of these grids are as they were before {span.opened_on}: {' '.join(told)}{more}",
        f"Edition {edition} ({span.name}) is in force: deliver its codes, names and outlines. What is to change again "
        "is a reform: `python -m etl reform PLAN.csv --on DATE`. Nothing was loaded.",
    )


def _alike(given: pd.DataFrame, grids: pd.DataFrame) -> set[str]:
    """Codes delivered under the name and with the area of a grid of that code."""
    both = given.merge(grids, on="code", suffixes=("", "_then"))
    is_alike = (both["name"] == both["name_then"]) & ((both["area"] / both["area_then"] - 1).abs() <= _ALIKE)
    return set(both.loc[is_alike, "code"])

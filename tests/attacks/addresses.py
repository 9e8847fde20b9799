"""Every address there is to read, found at run time: routes with what really stands in their holes, and questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from urllib.parse import urlencode

from knock import SCOPE
from surface import Operation, operations

from layers.database import Database
from layers.declare.records import Catalog
from mapapp.explore.export import KINDS
from mapapp.rights import is_keyed, is_public

STREAMS = {"/live"}
_ROWS = """
select 'edition', e.edition::text, 1 from (select edition from pub.edition where closed_on is null) as e
union all select 'event_id', id::text, 2 from (select id from ops.event where grid_code ^@ %(at)s and gone_on is null
    and not is_sensitive order by id limit 1) as e
union all select 'person_id', id::text, 3 from (select id from vault.person where grid_code ^@ %(at)s order by id
    limit 1) as e
union all select 'number', dataset || '/' || source_key, 4 from (select * from ops.event where grid_code ^@ %(at)s
    order by id limit 1) as e
order by 3
"""


def holes_of(db: Database, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """What really stands in the holes of addresses: rows, layers, levels, a tile of the scope."""
    with db.connect("admin") as admin:
        found = {name: (value,) for name, value, _ in admin.execute(_ROWS, {"at": SCOPE}).fetchall()}
        tile = admin.execute(
            "select floor((ST_X(c) + 180) / 360 * 2048)::int, floor((1 - ln(tan(radians(ST_Y(c)))"
            " + 1 / cos(radians(ST_Y(c)))) / pi()) / 2 * 2048)::int"
            " from (select ST_Centroid(geom) as c from pub.grid where code = %s limit 1) as g",
            [SCOPE],
        ).fetchone()
    assert tile is not None
    drawn = tuple(one.key for one in catalog.layers.values() if one.draw == "point")
    return found | {
        "z": ("11",), "x": (str(tile[0]),), "y": (str(tile[1]),), "version": ("1",), "layer": drawn,
        "how": ("counts", "rows"), "level": ("large", "medium", "small"), "code": (SCOPE,), "frame": (SCOPE,),
        "kind": tuple(dict.fromkeys((*KINDS, "json", "xml"))), "name": ("x",), "path": ("x",),
        "group": ("0", "1", "all", "rounded", "carried"),
    }  # fmt: skip


def addresses(app: Any, db: Database, catalog: Catalog, *, of_people: bool = False) -> Iterator[tuple[Operation, str]]:
    """Every address that is read behind the door, with each thing in its holes and each question it answers.

    With `of_people`, questions are of every indicator in which people are; else of one.
    """
    holes = holes_of(db, catalog)
    rounded = [one.key for one in catalog.indicators.values() if one.is_rounded]
    asked = rounded if of_people else rounded[:1]
    for one in operations(app):
        if one.method != "GET" or is_public("GET", one.template) or is_keyed(one.template) or one.template in STREAMS:
            continue
        filled = [holes.get(name, ("x",)) for name in one.holes]
        for values in product(*filled):
            path = _filled(one, dict(zip(one.holes, values, strict=True)))
            yield from ((one, path + ("?" + said if said else "")) for said in _questions(one.template, asked))


def _filled(one: Operation, values: Mapping[str, str]) -> str:
    path = one.template
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


def _questions(template: str, asked: list[str]) -> Iterator[str]:
    """Queries an address answers: what the map and the explore page are asked, a search, a place, or none."""
    if template == "/api/view" or (template.startswith("/api/explore") and "outlines" not in template):
        for key in asked or [""]:
            yield urlencode({"at": SCOPE, "indicator": key, "level": "small"})
            if "export" not in template:
                yield urlencode({"at": "4499", "indicator": key, "level": "large"})
    elif "search" in template:
        yield from (urlencode({"q": text, "sought": text}) for text in ("449901", "a"))
    elif "nearby" in template:
        yield urlencode({"grids": SCOPE})
    else:
        yield ""

"""The civil affairs department's grids: one GeoPackage, a layer for each level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from etl.demo.delivery import Delivery, Fault
from etl.demo.grids import Grids

HEADINGS = {"code": "编码", "name": "名称", "aliases": "曾用名"}


def deliver_grids(grids: Grids) -> list[Delivery]:
    """Deliver the four levels; with the small grids come three rows too many, each with a fault."""
    made = []
    for level, frame in grids.levels.items():
        rows = pd.DataFrame(frame).rename(columns=HEADINGS)
        rows.insert(3, "绘制单位", "海晏市地理信息中心（虚构）")
        faults: tuple[Fault, ...] = ()
        if level == "small":
            rows, faults = _with_faulty_rows(rows)
        options = {"layer": f"grid_{level}", "crs": "EPSG:4490"}
        made.append(Delivery(f"grid_{level}", "grids.gpkg", rows, "geopackage", options, faults))
    return made


def _with_faulty_rows(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Fault, ...]]:
    """Add a row delivered twice, one whose code is cut short, one without a shape."""
    n = len(rows)
    added = rows.iloc[[0, 1, 2]].copy()
    first, second, third = added["编码"]
    added["编码"] = [first, second[:13], f"{third[:12]}999"]
    added["geom"] = np.array([rows["geom"].iloc[0], rows["geom"].iloc[1], shapely.MultiPolygon()], dtype=object)
    reasons = (("编码", "duplicate_key"), ("编码", "bad_grid_code"), (None, "bad_geometry"))
    faults = tuple(Fault(n + i, heading, reason) for i, (heading, reason) in enumerate(reasons))
    return pd.concat([rows, added], ignore_index=True), faults

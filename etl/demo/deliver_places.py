"""Places: schools, clinics, shelters, hazard points, markets, service centres, each from its own department."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from etl.demo.deliver_people import LAT, LON, degrees
from etl.demo.delivery import Delivery
from etl.demo.dirt import Dirt, coordinates, missing, no_such_digit, plant, set_to, swapped
from etl.demo.ground import Ground
from etl.demo.moments import days_before
from etl.demo.names import Texts
from etl.demo.spots import Spots, geometry_dirt, numbered, scatter


def deliver_places(ground: Ground) -> list[Delivery]:
    """Deliver the places of the city."""
    return [
        _schools(ground),
        _clinics(ground),
        _shelters(ground),
        _hazards(ground),
        _markets(ground),
        _centres(ground),
    ]


def _named(ground: Ground, spots: Spots, ending: npt.NDArray[Any]) -> Texts:
    """Names after the village, numbered when there are more than one."""
    name = pd.Series([m.removesuffix("村").removesuffix("社区") for m in ground.names["medium"][spots.cell]]) + ending
    again = name.groupby(name).cumcount()
    return np.asarray(np.where(again > 0, "第" + (again + 1).astype(str) + name, name), dtype=object)


def _schools(ground: Ground) -> Delivery:
    """Schools: GeoJSON in GCJ-02, as drawn on a phone's map."""
    spots = scatter(ground, "school", 0.08, 24, 1.0)
    rng = spots.rng
    kind = rng.choice(("幼儿园", "小学", "初中", "高中"), spots.n, p=[0.45, 0.36, 0.14, 0.05])
    rows = pd.DataFrame(
        {
            "学校代码": numbered("XX", spots.n),
            "学校名称": _named(ground, spots, kind),
            "办学类型": kind,
            "学生数": np.round(rng.lognormal(5.8, 0.6, spots.n)).astype(int).astype(str),
            "状态": rng.choice(("在办", "停办"), spots.n, p=[0.96, 0.04]),
            "校长": rng.choice(("陈", "林", "黄"), spots.n),
            "geom": spots.points("GCJ-02"),
        }
    )
    lost = rng.integers(spots.n)
    rows.loc[lost, "geom"] = None
    rows["_keep"] = np.arange(spots.n) == lost
    dirt = [
        missing("学校名称"),
        set_to("unknown_code", "办学类型", "夜校"),
        set_to("out_of_range", "学生数", "99999"),
        *geometry_dirt("GCJ-02"),
    ]
    rows, faults = plant(rows, dirt, "学校代码", rng)
    return Delivery("school", "school.geojson", rows, "geojson", {}, faults, 1)


def _clinics(ground: Ground) -> Delivery:
    """Clinics: CSV in UTF-8, coordinates read off Baidu's map (BD-09)."""
    spots = scatter(ground, "clinic", 0.14, 42, 0.5)
    rng = spots.rng
    told = spots.told_in("BD-09")
    kind = rng.choice(("村卫生站", "社区卫生服务站", "卫生院", "医院"), spots.n, p=[0.6, 0.25, 0.1, 0.05])
    rows = pd.DataFrame(
        {
            "机构编码": numbered("YL", spots.n),
            "机构名称": _named(ground, spots, kind),
            "机构类别": kind,
            "床位数": np.where(kind == "医院", rng.integers(40, 400, spots.n), rng.integers(0, 30, spots.n)).astype(
                str
            ),
            LON: degrees(told[:, 0]),
            LAT: degrees(told[:, 1]),
            "执业人数": rng.integers(1, 40, spots.n).astype(str),
        }
    )
    lost = rng.choice(spots.n, 2, replace=False)
    rows.loc[lost, [LON, LAT]] = ""
    rows["_keep"] = np.isin(np.arange(spots.n), lost)
    dirt = [
        missing("机构名称"),
        set_to("unknown_code", "机构类别", "药店"),
        set_to("not_a_number", "床位数", "若干"),
        swapped(LON, LAT),
        coordinates("outside_city", LON, LAT, "116.4074", "39.9042"),
    ]
    rows, faults = plant(rows, dirt, "机构编码", rng)
    return Delivery("clinic", "clinic.csv", rows, "csv", {}, faults, len(lost))


def _shelters(ground: Ground) -> Delivery:
    """Shelters: GeoPackage of areas in EPSG:4490."""
    spots = scatter(ground, "shelter", 0.06, 18, 0.6)
    rng = spots.rng
    half = rng.uniform(0.0002, 0.0008, (spots.n, 2)) * (1.0, 0.7)
    west, south = (spots.lonlat - half).T
    east, north = (spots.lonlat + half).T
    kind = rng.choice(("广场", "体育馆", "村祠堂", "学校操场"), spots.n)
    rows = pd.DataFrame(
        {
            "编号": numbered("BX", spots.n),
            "名称": _named(ground, spots, kind + "避难场所"),
            "容纳人数": np.round(rng.lognormal(6, 0.7, spots.n)).astype(int).astype(str),
            "启用": rng.choice(("是", "否"), spots.n, p=[0.9, 0.1]),
            "管理人": rng.choice(("甲", "乙"), spots.n),
            "geom": shapely.box(west, south, east, north),
        }
    )
    empty = Dirt(
        "empty_geometry", None, lambda rows: rows.assign(geom=np.full(len(rows), shapely.Polygon(), dtype=object))
    )
    dirt = [missing("名称"), set_to("out_of_range", "容纳人数", "-20"), empty]
    rows, faults = plant(rows, dirt, "编号", rng)
    return Delivery("shelter", "shelter.gpkg", rows, "geopackage", {"layer": "shelter", "crs": "EPSG:4490"}, faults)


def _hazards(ground: Ground) -> Delivery:
    """Hazard points: Shapefile in the Gauss-Kruger zone without prefix (EPSG:4547), its table in GBK."""
    spots = scatter(ground, "hazard_point", 0.05, 20, -0.8)
    rng = spots.rng
    kind = rng.choice(("滑坡", "崩塌", "泥石流", "地面塌陷"), spots.n, p=[0.5, 0.3, 0.12, 0.08])
    rows = pd.DataFrame(
        {
            "编号": numbered("DZ", spots.n),
            "名称": _named(ground, spots, kind + "点"),
            "灾害类型": kind,
            "险情等级": rng.choice(("小型", "中型", "大型"), spots.n, p=[0.7, 0.25, 0.05]),
            "威胁人数": rng.poisson(14, spots.n).astype(str),
            "状态": rng.choice(("在册", "已核销"), spots.n, p=[0.85, 0.15]),
            "监测人": rng.choice(("甲", "乙"), spots.n),
            "geom": spots.points("EPSG:4547"),
        }
    )
    lost = rng.integers(spots.n)
    rows.loc[lost, "geom"] = None
    rows["_keep"] = np.arange(spots.n) == lost
    dirt = [
        set_to("unknown_code", "灾害类型", "地震"),
        set_to("not_a_number", "威胁人数", "数十人"),
        *geometry_dirt("EPSG:4547"),
    ]
    rows, faults = plant(rows, dirt, "编号", rng)
    return Delivery("hazard_point", "hazard_point.shp", rows, "shapefile", {"crs": "EPSG:4547"}, faults, 1)


def _markets(ground: Ground) -> Delivery:
    """Markets: a plain workbook, coordinates as numbers."""
    spots = scatter(ground, "market", 0.03, 16, 1.2)
    rng = spots.rng
    rows = pd.DataFrame(
        {
            "市场编号": numbered("SC", spots.n),
            "市场名称": _named(ground, spots, np.full(spots.n, "农贸市场", dtype=object)),
            "摊位数": rng.integers(20, 400, spots.n),
            "开业日期": days_before(ground, spots.n, 1000, rng),
            LON: spots.lonlat[:, 0],
            LAT: spots.lonlat[:, 1],
        }
    ).astype(object)
    dirt = [
        missing("市场名称"),
        set_to("not_a_date", "开业日期", "上月"),
        coordinates("zero_coordinates", LON, LAT, "0", "0"),
    ]
    rows, faults = plant(rows, dirt, "市场编号", rng)
    return Delivery("market", "market.xlsx", rows, "xlsx", {}, faults)


def _centres(ground: Ground) -> Delivery:
    """Service centres: CSV in GBK, one in each village, known by its code alone."""
    rng = ground.rng("service_centre")
    code, first = np.unique([c[:12] for c in ground.codes], return_index=True)
    n = len(code)
    rows = pd.DataFrame(
        {
            "编号": numbered("FW", n),
            "名称": ground.names["medium"][first] + "党群服务中心",
            "村社区编码": code,
            "窗口数": rng.integers(1, 9, n).astype(str),
            "建成日期": days_before(ground, n, 1000, rng),
        }
    ).astype(object)
    lost = rng.integers(n)
    rows.loc[lost, "村社区编码"] = ""
    rows["_keep"] = np.arange(n) == lost
    dirt = [missing("名称"), no_such_digit("bad_grid_code", "村社区编码"), set_to("out_of_range", "窗口数", "900")]
    rows, faults = plant(rows, dirt, "编号", rng)
    return Delivery("service_centre", "service_centre.csv", rows, "csv", {"encoding": "gbk"}, faults, 1)

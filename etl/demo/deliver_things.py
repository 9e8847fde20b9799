"""Things: street lamps, manholes, hydrants and monitoring stations, mostly in a Gauss-Kruger zone with its prefix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.deliver_people import LAT, LON, degrees
from etl.demo.delivery import Delivery
from etl.demo.dirt import FIELD_COUNT, coordinates, lonlat_dirt, missing, plant, set_to, swapped
from etl.demo.ground import Ground
from etl.demo.moments import days_before
from etl.demo.spots import geometry_dirt, metres, numbered, scatter

EAST, NORTH = "横坐标", "纵坐标"
WITH_PREFIX = "EPSG:4526"


def deliver_things(ground: Ground) -> list[Delivery]:
    """Deliver the things of the city."""
    return [_lamps(ground), _manholes(ground), _hydrants(ground), _stations(ground)]


def _lamps(ground: Ground) -> Delivery:
    """Street lamps: CSV in UTF-8, metres in EPSG:4526 (38 stands before the easting)."""
    spots = scatter(ground, "street_lamp", 2.6, 400, 1.2)
    rng = spots.rng
    told = spots.told_in(WITH_PREFIX)
    rows = pd.DataFrame(
        {
            "灯杆编号": numbered("LD", spots.n),
            "光源": rng.choice(("LED", "高压钠灯"), spots.n, p=[0.8, 0.2]),
            "杆高": np.char.mod("%.1f", rng.choice((6.0, 8.0, 10.0, 12.0), spots.n)).astype(object),
            "状态": rng.choice(("正常", "故障"), spots.n, p=[0.97, 0.03]),
            EAST: metres(told[:, 0]),
            NORTH: metres(told[:, 1]),
            "安装日期": days_before(ground, spots.n, 1000, rng),
            "施工单位": rng.choice(("甲公司", "乙公司"), spots.n),
        }
    ).astype(object)
    lost = rng.choice(spots.n, 3, replace=False)
    rows.loc[lost, [EAST, NORTH]] = ""
    rows["_keep"] = np.isin(np.arange(spots.n), lost)
    dirt = [
        set_to("unknown_code", "状态", "待查"),
        set_to("not_a_number", "杆高", "十米"),
        set_to("out_of_range", "杆高", "800"),
        set_to("date_too_early", "安装日期", "1700-01-01"),
        swapped(EAST, NORTH),
        coordinates("zero_coordinates", EAST, NORTH, "0", "0"),
        coordinates("outside_city", EAST, NORTH, "38500000.000", "3800000.000"),
        FIELD_COUNT,
    ]
    rows, faults = plant(rows, dirt, "灯杆编号", rng)
    return Delivery("street_lamp", "street_lamp.csv", rows, "csv", {}, faults, len(lost))


def _manholes(ground: Ground) -> Delivery:
    """Manholes: Shapefile in EPSG:4526, its table in GBK."""
    spots = scatter(ground, "manhole", 2.0, 300, 1.3)
    rng = spots.rng
    rows = pd.DataFrame(
        {
            "井盖编号": numbered("JG", spots.n),
            "类别": rng.choice(("污水", "雨水", "电力", "通信"), spots.n, p=[0.4, 0.4, 0.1, 0.1]),
            "材质": rng.choice(("铸铁", "复合"), spots.n),
            "状态": rng.choice(("完好", "破损", "缺失"), spots.n, p=[0.96, 0.03, 0.01]),
            "geom": spots.points(WITH_PREFIX),
        }
    )
    dirt = [
        missing("类别"),
        set_to("unknown_code", "类别", "其他"),
        set_to("unknown_code", "状态", "不明"),
        *geometry_dirt(WITH_PREFIX),
    ]
    rows, faults = plant(rows, dirt, "井盖编号", rng)
    return Delivery("manhole", "manhole.shp", rows, "shapefile", {"crs": WITH_PREFIX}, faults)


def _hydrants(ground: Ground) -> Delivery:
    """Hydrants: CSV in GBK, metres in EPSG:4547 (no prefix)."""
    spots = scatter(ground, "hydrant", 0.4, 100, 1.1)
    rng = spots.rng
    told = spots.told_in("EPSG:4547")
    rows = pd.DataFrame(
        {
            "编号": numbered("XF", spots.n),
            "类型": rng.choice(("地上", "地下"), spots.n, p=[0.7, 0.3]),
            "水压": np.char.mod("%.2f", rng.uniform(0.1, 0.6, spots.n)).astype(object),
            "状态": rng.choice(("完好", "损坏"), spots.n, p=[0.95, 0.05]),
            EAST: metres(told[:, 0]),
            NORTH: metres(told[:, 1]),
        }
    ).astype(object)
    dirt = [
        set_to("not_a_number", "水压", "偏低"),
        set_to("out_of_range", "水压", "99"),
        set_to("unknown_code", "类型", "墙壁"),
        swapped(EAST, NORTH),
    ]
    rows, faults = plant(rows, dirt, "编号", rng)
    return Delivery("hydrant", "hydrant.csv", rows, "csv", {"encoding": "gbk"}, faults)


def _stations(ground: Ground) -> Delivery:
    """Monitoring stations: CSV in UTF-8, WGS 84."""
    spots = scatter(ground, "monitoring_station", 0.03, 20, -0.3)
    rng = spots.rng
    kind = rng.choice(("雨量", "水位", "墒情"), spots.n)
    rows = pd.DataFrame(
        {
            "站码": numbered("SW", spots.n),
            "站名": ground.names["medium"][spots.cell] + kind + "站",
            "站类": kind,
            "警戒值": np.char.mod("%.1f", rng.uniform(2, 60, spots.n)).astype(object),
            "在线": rng.choice(("在线", "离线"), spots.n, p=[0.93, 0.07]),
            LON: degrees(spots.lonlat[:, 0]),
            LAT: degrees(spots.lonlat[:, 1]),
        }
    ).astype(object)
    dirt = [missing("站名"), set_to("unknown_code", "站类", "气温"), *lonlat_dirt(LON, LAT)[:2]]
    rows, faults = plant(rows, dirt, "站码", rng)
    return Delivery("monitoring_station", "monitoring_station.csv", rows, "csv", {}, faults)

"""What an emergency asks for: homes for the old, rescue teams, and who answers for counties, towns and villages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.deliver_people import LAT, LON, degrees
from etl.demo.delivery import Delivery
from etl.demo.dirt import lonlat_dirt, missing, no_such_digit, plant, set_to
from etl.demo.ground import Ground
from etl.demo.names import words
from etl.demo.numbers import phones
from etl.demo.person_names import given_names, surnames
from etl.demo.spots import numbered, scatter

DUTY_PHONES = "1548"


def deliver_emergency(ground: Ground) -> list[Delivery]:
    """Deliver homes for the old, rescue teams, and officers on duty."""
    return [_care_homes(ground), _rescue_teams(ground), _officers(ground)]


def _care_homes(ground: Ground) -> Delivery:
    """Homes for the old: CSV in UTF-8."""
    spots = scatter(ground, "care_home", 0.02, 12, 0.7)
    rng, n = spots.rng, spots.n
    beds = np.round(rng.lognormal(4.0, 0.5, n)).astype(int)
    rows = pd.DataFrame(
        {
            "机构编号": numbered("YLJG", n),
            "机构名称": ground.names["medium"][spots.cell]
            + rng.choice(words("敬老院 颐养院 康养中心"), n).astype(object),
            "状态": rng.choice(("运营", "停业"), n, p=[0.92, 0.08]),
            "床位数": beds.astype(str),
            "在住人数": np.floor(beds * rng.uniform(0.3, 0.95, n)).astype(int).astype(str),
            LON: degrees(spots.lonlat[:, 0]),
            LAT: degrees(spots.lonlat[:, 1]),
            "院长": surnames(n, rng) + "某",
        }
    ).astype(object)
    rows, faults = plant(rows, [missing("机构名称"), *lonlat_dirt(LON, LAT)[:1]], "机构编号", rng)
    return Delivery("care_home", "care_home.csv", rows, "csv", {}, faults)


def _rescue_teams(ground: Ground) -> Delivery:
    """Rescue teams: a plain workbook, coordinates as numbers."""
    spots = scatter(ground, "rescue_team", 0.015, 10, 0.9)
    rng, n = spots.rng, spots.n
    kind = rng.choice(words("消防 防汛 森林防火 医疗救护 综合"), n).astype(object)
    rows = pd.DataFrame(
        {
            "队伍编号": numbered("JY", n),
            "队伍名称": ground.names["large"][spots.cell] + kind + "救援队",
            "类型": kind,
            "人数": rng.integers(8, 60, n),
            "状态": rng.choice(("备勤", "撤销"), n, p=[0.95, 0.05]),
            LON: spots.lonlat[:, 0],
            LAT: spots.lonlat[:, 1],
        }
    ).astype(object)
    rows, faults = plant(rows, [missing("队伍名称"), set_to("not_a_number", "人数", "若干")], "队伍编号", rng)
    return Delivery("rescue_team", "rescue_team.xlsx", rows, "xlsx", {}, faults)


def _officers(ground: Ground) -> Delivery:
    """Officers on duty: a workbook under a title; one for each county, town and village, with the phone of the post."""
    rng = ground.rng("duty_officer")
    levels = ((6, "县区值班长"), (9, "镇街值班长"), (12, "村社区书记"))
    codes = [np.unique([code[:digits] for code in ground.codes]) for digits, _ in levels]
    code = np.concatenate(codes).astype(object)
    n = len(code)
    male = rng.random(n) < 0.6
    rows = pd.DataFrame(
        {
            "编号": numbered("ZB", n),
            "姓名": surnames(n, rng) + given_names(rng.integers(1965, 1995, n), male, rng),
            "职务": np.repeat([post for _, post in levels], [len(one) for one in codes]),
            "值班电话": phones(n, rng, DUTY_PHONES),
            "所在网格": code,
            "责任网格": code,
        }
    ).astype(object)
    dirt = [missing("姓名"), set_to("bad_phone", "值班电话", "总机转"), no_such_digit("bad_grid_code", "责任网格")]
    rows, faults = plant(rows, dirt, "编号", rng)
    options = {"header_row": 2, "title": "海晏市（虚构）值班责任人名册", "sheet": "值班"}
    return Delivery("duty_officer", "duty_officer.xlsx", rows, "xlsx", options, faults)

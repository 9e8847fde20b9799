"""Disputes the justice department settles: a workbook with real date cells and GCJ-02 coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.coordinates import to_gcj02
from etl.demo.delivery import Delivery
from etl.demo.dirt import Dirt, coordinates, missing, plant, set_to, swapped
from etl.demo.ground import Ground
from etl.demo.kinds import QUARRELS
from etl.demo.moments import N_DAYS, day_weights, draw_moments

OUTCOMES = {"调解成功": 0.88, "不予受理": 0.04, "重复": 0.02, "撤回": 0.06}
LON, LAT = "经度", "纬度"


def deliver_disputes(ground: Ground, n: int) -> Delivery:
    """Deliver `n` disputes, among them those of families, minors and minds: categories marked sensitive."""
    rng = ground.rng("dispute")
    keys = list(QUARRELS)
    share = np.array([QUARRELS[k][1] for k in keys])
    which = rng.choice(len(keys), n, p=share / share.sum())
    weights = day_weights(ground, "new_year", "work", 0)
    days = np.sort(rng.choice(N_DAYS, n, p=weights / weights.sum()))
    reported = draw_moments(days, "work", ground, rng)
    closed = reported + np.round(rng.lognormal(4.6, 0.8, n) * 3600).astype("timedelta64[s]")
    is_open = closed >= ground.end
    crowding = np.array([QUARRELS[k][2] for k in keys])
    cell = np.concatenate([ground.cells(n, ground.people * ground.crowd**c, rng)[None] for c in crowding])[
        which, np.arange(n)
    ]
    spots = ground.points(cell, rng)
    lon, lat = to_gcj02(spots[:, 0], spots[:, 1])
    result = rng.choice(list(OUTCOMES), n, p=list(OUTCOMES.values()))
    rows = pd.DataFrame(
        {
            "纠纷编号": np.char.mod("JF%07d", np.arange(1, n + 1)),
            "受理时间": pd.Series(reported.astype("datetime64[s]").astype(object)),
            "纠纷类型": np.array([QUARRELS[k][0] for k in keys], dtype=object)[which],
            "涉及人数": np.minimum(2 + rng.poisson(0.8, n), 40),
            "涉及金额": np.where(rng.random(n) < 0.4, np.round(rng.lognormal(9, 1.2, n), 2), 0.0),
            "当前状态": np.where(is_open, "调解中", "已结案"),
            "调解结果": np.where(is_open, "", result),
            "办结时间": pd.Series(np.where(is_open, None, closed.astype("datetime64[s]").astype(object))),
            "调解组织": ground.names["large"][cell] + "人民调解委员会",
            "当事人": rng.choice(("陈某", "林某", "黄某", "李某"), n),
            LON: np.round(lon, 7),
            LAT: np.round(lat, 7),
        }
    ).astype(object)
    lost = rng.choice(n, 6, replace=False)
    rows.loc[lost, [LON, LAT]] = None
    rows["_keep"] = np.isin(np.arange(n), lost)
    rows, faults = plant(rows, _dirt(), "纠纷编号", rng)
    options = {"header_row": 2, "title": "海晏市（虚构）矛盾纠纷排查调处台账", "sheet": "台账"}
    return Delivery("dispute", "dispute.xlsx", rows, "xlsx", options, faults, len(lost))


def _dirt() -> list[Dirt]:
    def early(rows: pd.DataFrame) -> pd.DataFrame:
        before = pd.Series([at.replace(year=at.year - 1, day=1) for at in rows["受理时间"]], rows.index, dtype=object)
        return rows.assign(办结时间=before, 当前状态="已结案")

    def later(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(受理时间="2099-06-01 08:00:00", 办结时间=None, 当前状态="调解中")

    return [
        missing("受理时间"),
        set_to("not_a_date", "受理时间", "去年底"),
        Dirt("date_in_future", "受理时间", later),
        Dirt("closed_before_reported", "办结时间", early),
        set_to("unknown_category", "纠纷类型", "其他"),
        set_to("unknown_code", "当前状态", "待定"),
        set_to("not_a_number", "涉及人数", "十余人"),
        set_to("out_of_range", "涉及金额", -500),
        swapped(LON, LAT),
        coordinates("zero_coordinates", LON, LAT, "0", "0"),
        set_to("bad_coordinates", LON, "不详"),
        coordinates("outside_city", LON, LAT, "113.2644", "23.1291"),
    ]

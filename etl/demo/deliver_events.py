"""The command centre's events and their steps: CSV in UTF-8 with BOM, longitude and latitude of WGS 84."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from etl.demo.deliver_people import LAT, LON, degrees
from etl.demo.delivery import Delivery
from etl.demo.dirt import FIELD_COUNT, Dirt, lonlat_dirt, missing, no_such_digit, plant, set_to
from etl.demo.events import OUTCOMES, STATES, Course, department_labels, happen, run_course
from etl.demo.ground import Ground
from etl.demo.kinds import HAPPENINGS
from etl.demo.moments import text_of
from etl.demo.names import Texts

CHANNELS = ("网格员上报", "群众上报", "部门移交")


def deliver_grid_events(ground: Ground, n: int) -> Iterator[Delivery]:
    """Deliver `n` grid events (and some twice), and the steps of those without a fault."""
    rng = ground.rng("grid_event")
    events = happen(ground, n, {key: kind.share for key, kind in HAPPENINGS.items()}, rng)
    course = run_course(events, ground, rng)
    rows, n_unplaced = _event_rows(course, ground, rng)
    dirt = [*moment_dirt("上报时间", "办结时间", "当前状态", clear=("办结时间", "办结时限")), *_event_dirt()]
    rows, faults = plant(rows, dirt, "事件编号", rng)
    spoilt = np.zeros(n, dtype=bool)
    spoilt[[f.row for f in faults if f.row < n]] = True
    yield Delivery("grid_event", "grid_event.csv", rows, "csv", {"encoding": "utf-8-sig"}, faults, n_unplaced)
    del rows, faults  # a million events need the room for their steps
    yield _steps(course, spoilt, ground)


def moment_dirt(reported: str, closed: str, state: str, clear: tuple[str, ...]) -> list[Dirt]:
    """All that goes wrong with moments of reporting and closing, each of it alone."""

    def early(rows: pd.DataFrame) -> pd.DataFrame:
        day_before = (pd.to_datetime(rows[reported]) - pd.Timedelta(days=1)).dt.strftime("%Y-%m-%d %H:%M:%S")
        return rows.assign(**{closed: day_before.astype(object)}).assign(**{state: STATES["closed"]})

    def later(rows: pd.DataFrame) -> pd.DataFrame:
        empty: dict[str, str] = dict.fromkeys(clear, "")
        return rows.assign(**{**empty, reported: "2099-06-01 08:00:00", state: STATES["reported"]})

    return [
        set_to("not_a_date", reported, "昨天上午", "2024-02-30 10:00:00"),
        set_to("date_too_early", reported, "1700-01-01 00:00:00"),
        Dirt("date_in_future", reported, later),
        Dirt("closed_before_reported", closed, early),
    ]


def _event_dirt() -> list[Dirt]:
    return [
        missing("上报时间"),
        set_to("unknown_category", "事件类别", "其他怪事", "9901"),
        set_to("unknown_code", "当前状态", "在办（新）"),
        set_to("unknown_code", "承办部门", "某某局"),
        set_to("too_long", "事件描述", "情况复杂" * 600),
        no_such_digit("bad_grid_code", "网格编码"),
        *lonlat_dirt(LON, LAT),
        FIELD_COUNT,
    ]


def _event_rows(course: Course, ground: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, int]:
    """Rows as the command centre's system exports them, and how many of them no grid holds."""
    events, n = course.events, len(course.events)
    cell = events["cell"].to_numpy()
    rows = pd.DataFrame(
        {
            "事件编号": event_keys(np.arange(n)),
            "事件类别": events["category"].map({k: kind.label for k, kind in HAPPENINGS.items()}),
            "上报时间": text_of(events["reported_at"].to_numpy()),
            "来源": np.where(events["is_on_spot"], CHANNELS[0], rng.choice(CHANNELS, n, p=[0.6, 0.3, 0.1])),
            "当前状态": events["state"].map(STATES),
            "处置结果": events["outcome"].map(OUTCOMES).fillna(""),
            "承办部门": department_labels(events["department"].to_numpy()),
            "紧急": np.where(events["is_urgent"], "是", "否"),
            "就地处置": np.where(events["is_on_spot"], "是", "否"),
            "办结时限": text_of(events["due_at"].to_numpy()),
            "办结时间": text_of(events["closed_at"].to_numpy()),
            "群众评价": events["satisfied"],
            "事件描述": describe(events["category"].to_numpy(), ground.names["medium"][cell], rng),
            "上报人": rng.choice(("甲", "乙", "丙", "丁"), n),
            "网格编码": ground.codes[cell],
            LON: degrees(events["lon"].to_numpy()),
            LAT: degrees(events["lat"].to_numpy()),
        }
    ).astype(object)
    special = rng.choice(n, 24, replace=False)
    boats, lost = special[:12], special[12:]
    sea = ground.at_sea(len(boats), rng)
    rows.loc[boats, LON], rows.loc[boats, LAT] = degrees(sea[:, 0]), degrees(sea[:, 1])
    rows.loc[boats, "网格编码"] = ""
    rows.loc[lost, [LON, LAT, "网格编码"]] = ""
    rows["_keep"] = np.isin(np.arange(n), special)
    coded = rng.choice(np.flatnonzero(~rows["_keep"]), n // 100, replace=False)
    rows.loc[coded, [LON, LAT]] = ""
    rows.loc[coded, "_keep"] = True
    return rows, len(special)


def event_keys(at: np.ndarray) -> Texts:
    """Keys of events by their position."""
    return np.asarray(np.array([f"E{i:08d}" for i in range(1, int(at.max(initial=0)) + 2)], dtype=object)[at])


def describe(categories: np.ndarray, medium: Texts, rng: np.random.Generator) -> Texts:
    """Describe events in a few words."""
    said = np.empty(len(categories), dtype=object)
    for key in np.unique(categories.astype(str)):
        rows = np.flatnonzero(categories == key)
        said[rows] = rng.choice(np.array(HAPPENINGS[key].words, dtype=object), len(rows))
    return np.asarray(medium + rng.choice(("反映", "巡查发现", "村民反映"), len(said)).astype(object) + said)


def _steps(course: Course, spoilt: np.ndarray, ground: Ground) -> Delivery:
    """Steps of the events without a fault."""
    rng = ground.rng("grid_event_step")
    steps = course.steps[~spoilt[course.steps["event"]]]
    event = steps["event"].to_numpy()
    state = steps["state"].to_numpy(dtype=object)
    at_department = np.isin(state, ("handling", "handled", "suspended"))
    handler = department_labels(course.events["department"].to_numpy())[event]
    actor = {
        "reported": "网格员",
        "handling": "承办人",
        "handled": "承办人",
        "suspended": "承办人",
        "checked": "核查员",
    }
    rows = pd.DataFrame(
        {
            "事件编号": event_keys(event),
            "步骤": steps["step_no"].to_numpy().astype(str),
            "时间": text_of(steps["at"].to_numpy()),
            "原状态": pd.Series(steps["from_state"].to_numpy()).map(STATES).fillna(""),
            "状态": pd.Series(state).map(STATES),
            "办理部门": np.where(at_department, handler, "联勤指挥中心"),
            "办理角色": np.where(steps["reason"] == "就地处置", "网格员", pd.Series(state).map(actor).fillna("受理员")),
            "原因": steps["reason"].to_numpy(),
            "系统流水": np.char.mod("%d", np.arange(len(steps)) + 700_000),
        }
    )
    dirt = [
        set_to("unknown_parent", "事件编号", *[f"E9{i:07d}" for i in range(50_000)]),
        set_to("not_a_date", "时间", "待定", "2024-13-01 10:00:00"),
        set_to("unknown_code", "状态", "进行时"),
        missing("时间"),
        FIELD_COUNT,
    ]
    rows, faults = plant(rows, dirt, "步骤", rng, 0.002)
    return Delivery("grid_event_step", "grid_event_step.csv", rows, "csv", {"encoding": "utf-8-sig"}, faults)

"""Calls of the sample city: some at each level, answered and late ones, and departments that work together."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from etl.demo.live import SAMPLE_CITY, Crew
from layers import calls
from layers.access import Scope
from layers.declare.records import Catalog
from layers.queues import Asked, list_cases

WANTS = (
    "路面积水较深，车辆熄火，请支援", "老人走失，请协助寻找", "燃气味很重，请派人检查", "沿街摊点起冲突，请到场",
    "大树倒伏挡住道路", "停电半日，群众来问", "工地扬尘，劝阻无效",
)  # fmt: skip
OPEN_FOR = (4, 22, 45, 75, 200)
"""Minutes the open calls have waited: one for each level, and one that the last level let pass too."""
ANSWERED_AFTER = (6, 25)
"""Minutes after which calls of the last hours were answered."""
OPEN_MOST = 7
"""Open calls; beyond that the oldest is answered when another is made."""


def call_at_every_level(
    crew: Crew, catalog: Catalog, grids: npt.NDArray[np.object_], chance: np.random.Generator, now: datetime
) -> int:
    """Answer what is open of former days, then make calls of late unless some are open; return how many were made."""
    limits = catalog.limits.answer
    with crew.acting("dispatcher") as who:
        left = calls.open_calls(crew.web, who.scope, limits, now=now)
        is_old = left["called_at"] < now - timedelta(hours=8)
        for number in left.loc[is_old, "id"]:
            calls.answer(crew.web, who, int(number))
        if (~is_old).sum() >= len(OPEN_FOR):
            return 0
    departments = list(catalog.departments)
    for minutes in OPEN_FOR:
        _call(crew, grids, chance, now - timedelta(minutes=minutes), _some(departments, chance))
    for minutes in ANSWERED_AFTER:
        at = now - timedelta(hours=3)
        made = _call(crew, grids, chance, at, _some(departments, chance))
        with crew.acting("dispatcher") as who:
            calls.answer(crew.web, who, made, at=at + timedelta(minutes=minutes))
    return len(OPEN_FOR) + len(ANSWERED_AFTER) + call_together(crew, catalog, chance)


def call_together(crew: Crew, catalog: Catalog, chance: np.random.Generator) -> int:
    """Call two departments to a case that one of them is handling; one reports in. None where no case is handled."""
    with crew.acting("dispatcher") as who:
        found = list_cases(crew.web, Scope(SAMPLE_CITY), Asked("open", state="handling"), most=20)
        found = found[~found["is_sensitive"] & found["department"].isin(list(catalog.departments))]
        if found.empty:
            return 0
        case = found.iloc[int(chance.integers(len(found)))]
        other = next(one for one in catalog.departments if one != case["department"])
        made = calls.call(
            crew.web, who, key=uuid.uuid4().hex, grid_code=case["grid_code"], what="请两部门到场会商",
            departments=[case["department"], other], event_id=int(case["id"]),
        )  # fmt: skip
        calls.answer(crew.web, who, made)
    _report_in(crew, made, case["department"])
    return 1


def call_again(
    crew: Crew, catalog: Catalog, grids: npt.NDArray[np.object_], chance: np.random.Generator, now: datetime
) -> None:
    """Make one call more; where many are open, the oldest is answered."""
    _call(crew, grids, chance, now, _some(list(catalog.departments), chance))
    with crew.acting("dispatcher") as who:
        found = calls.open_calls(crew.web, who.scope, catalog.limits.answer, now=now)
        if len(found) > OPEN_MOST:
            calls.answer(crew.web, who, int(found["id"].iloc[0]))


def _call(
    crew: Crew, grids: npt.NDArray[np.object_], chance: np.random.Generator, at: datetime, departments: Sequence[str]
) -> int:
    """A grid worker calls; the first department named reports in."""
    with crew.acting("grid_worker") as who:
        made = calls.call(
            crew.web, who, key=uuid.uuid4().hex, grid_code=str(chance.choice(grids)),
            what=WANTS[int(chance.integers(len(WANTS)))], departments=departments, at=at,
        )  # fmt: skip
    if departments:
        _report_in(crew, made, departments[0])
    return made


def _report_in(crew: Crew, call_id: int, department: str) -> None:
    with crew.acting("department_handler", department) as who:
        calls.report_in(crew.web, who, call_id)


def _some(departments: Sequence[str], chance: np.random.Generator) -> list[str]:
    n = int(chance.integers(0, 3))
    return [str(one) for one in chance.choice(departments, size=min(n, len(departments)), replace=False)]

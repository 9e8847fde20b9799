"""Events: what, when, where, and the way each takes from report to close, cut off where the records end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etl.demo.ground import Ground
from etl.demo.kinds import DEPARTMENTS, HAPPENINGS
from etl.demo.mesh import Ints
from etl.demo.moments import Moments, day_weights, draw_moments
from etl.demo.terrain import Floats

STATES: dict[str, str] = {
    "reported": "上报",
    "accepted": "受理",
    "refused": "不予受理",
    "dispatched": "派遣",
    "handling": "处置中",
    "suspended": "缓办",
    "handled": "已反馈",
    "checked": "已核查",
    "closed": "结案",
}
"""States as deliveries write them."""

OUTCOMES: dict[str, str] = {"settled": "已解决", "not_our_duty": "非职责范围", "duplicate": "重复上报", "void": "无效"}


@dataclass(frozen=True)
class Move:
    """One step of a way: the state it leads to, its usual wait (hours, and a share of the time limit), and why."""

    state: str
    wait_h: float
    of_limit: float = 0.0
    reason: str = ""


_OPENING = (Move("reported", 0), Move("accepted", 0.4), Move("dispatched", 0.5))
_CLOSING = (Move("handled", 0, 0.3), Move("checked", 5), Move("closed", 3))

WAYS: dict[str, tuple[float, tuple[Move, ...]]] = {
    "on_spot": (0.42, (Move("reported", 0), Move("closed", 0.5, 0, "就地处置"))),
    "refused": (0.035, (Move("reported", 0), Move("refused", 1, 0, "不属于受理范围"))),
    "plain": (0.435, (*_OPENING, Move("handling", 2), *_CLOSING)),
    "returned": (
        0.03,
        (
            *_OPENING,
            Move("accepted", 3, 0, "非本部门职责，退回"),
            Move("dispatched", 1),
            Move("handling", 2),
            *_CLOSING,
        ),
    ),
    "suspended": (
        0.03,
        (*_OPENING, Move("handling", 2), Move("suspended", 4, 0, "待材料到位"), Move("handling", 90), *_CLOSING),
    ),
    "rework": (
        0.05,
        (*_OPENING, Move("handling", 2), _CLOSING[0], Move("handling", 5, 0, "核查不通过，返工"), *_CLOSING),
    ),
}
"""The ways an event can take, with their shares."""


@dataclass(frozen=True)
class Course:
    """Events and their steps; `steps` has the event's position, the step's number, moment, states and reason."""

    events: pd.DataFrame
    steps: pd.DataFrame


def happen(ground: Ground, n: int, shares: Mapping[str, float], rng: np.random.Generator) -> pd.DataFrame:
    """Let `n` events happen: category, moment, small grid and point, in order of time."""
    keys = list(shares)
    weight = np.array([shares[k] for k in keys], dtype=float)
    which = rng.choice(len(keys), size=n, p=weight / weight.sum())
    moments = np.empty(n, dtype="datetime64[s]")
    cells = np.empty(n, dtype=np.int64)
    for i, key in enumerate(keys):
        rows = np.flatnonzero(which == i)
        kind = HAPPENINGS[key]
        by_day = day_weights(ground, kind.year, kind.hours, kind.storm)
        days = rng.choice(len(by_day), size=len(rows), p=by_day / by_day.sum())
        moments[rows] = draw_moments(days, kind.hours, ground, rng)
        hot = (
            rng.lognormal(0, 0.7, len(ground.codes))
            * ground.crowd**kind.crowding
            * (0.2 + ground.people * len(ground.codes))
        )
        cells[rows] = ground.cells(len(rows), hot, rng)
    order = np.argsort(moments, kind="stable")
    spots = ground.points(cells[order], rng, 0.0016)
    return pd.DataFrame(
        {
            "category": np.array(keys, dtype=object)[which[order]],
            "reported_at": moments[order],
            "cell": cells[order],
            "lon": spots[:, 0],
            "lat": spots[:, 1],
        }
    )


def run_course(events: pd.DataFrame, ground: Ground, rng: np.random.Generator) -> Course:
    """Take every event along a way; what lies after the end of the records has not happened yet."""
    n = len(events)
    kinds = [HAPPENINGS[k] for k in HAPPENINGS]
    which = pd.Categorical(events["category"], list(HAPPENINGS)).codes
    limit = np.array([k.limit_h for k in kinds])[which]
    urgent = rng.random(n) < np.array([k.urgent_share for k in kinds])[which]
    limit = np.where(urgent & (limit > 0), np.minimum(limit, 4.0), limit)
    share = np.array([s for s, _ in WAYS.values()])
    way = rng.choice(len(WAYS), size=n, p=share / share.sum())
    steps = pd.concat([_along(i, np.flatnonzero(way == i), events, limit, urgent, rng) for i in range(len(WAYS))])
    steps = steps[steps["at"] < ground.end].sort_values(["event", "step_no"], kind="stable", ignore_index=True)
    last = steps.drop_duplicates("event", keep="last").set_index("event").sort_index()
    state = last["state"].to_numpy()
    is_closed = state == "closed"
    on_spot = way == list(WAYS).index("on_spot")
    due = events["reported_at"].to_numpy() + (limit * 3600).astype("timedelta64[s]")
    outcome = rng.choice(list(OUTCOMES), n, p=[0.94, 0.02, 0.025, 0.015])
    answer = np.where(rng.random(n) < 0.94, "满意", "不满意")
    made = events.assign(
        state=state,
        outcome=np.where(is_closed, np.where(on_spot, "settled", outcome), ""),
        due_at=np.where(limit > 0, due, np.datetime64("NaT")),
        closed_at=np.where(is_closed, last["at"].to_numpy(), np.datetime64("NaT")),
        department=np.array([k.department for k in kinds], dtype=object)[which],
        is_urgent=urgent,
        is_on_spot=on_spot,
        satisfied=np.where(is_closed & ~on_spot & (rng.random(n) < 0.45), answer, ""),
    )
    return Course(made, steps)


def _along(
    way: int, rows: Ints, events: pd.DataFrame, limit: Floats, urgent: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Steps of the events `rows`, all of which take one way."""
    moves = list(WAYS.values())[way][1]
    limits = np.where(limit[rows] > 0, limit[rows], 72)[:, None]
    wait = np.array([m.wait_h for m in moves]) + np.array([m.of_limit for m in moves]) * limits
    wait = wait * rng.lognormal(0, 0.75, wait.shape)
    stalls = rng.random(len(rows)) < 0.04
    wait = np.where(stalls[:, None] & (np.array([m.state for m in moves]) == "handled"), wait * 50, wait)
    wait[:, 0] = 0
    start = events["reported_at"].to_numpy().astype("datetime64[s]")[rows][:, None]
    at = start + np.round(np.cumsum(wait, axis=1) * 3600).astype("timedelta64[s]")
    if len(moves) > 2:
        late = at[:, 1:] + np.timedelta64(60, "s")
        at[:, 1:] = np.where(urgent[rows][:, None], late, np.maximum(late, _in_office_hours(late, rng)))
    states = np.array([m.state for m in moves], dtype=object)
    k, n = len(moves), len(rows)
    return pd.DataFrame(
        {
            "event": np.repeat(rows, k),
            "step_no": np.tile(np.arange(1, k + 1), n),
            "at": (at + np.arange(k) * np.timedelta64(1, "s")).ravel(),
            "from_state": np.tile(np.r_[[""], states[:-1]], n),
            "state": np.tile(states, n),
            "reason": np.tile(np.array([m.reason for m in moves], dtype=object), n),
        }
    )


def _in_office_hours(at: Moments, rng: np.random.Generator) -> Moments:
    """Put off what falls in the night to the next morning; the order of the steps of an event stays."""
    day = at.astype("datetime64[D]")
    second = (at - day.astype("datetime64[s]")).astype(int)
    slack = np.sort(rng.integers(0, 5400, at.shape), axis=1)
    morning = day.astype("datetime64[s]") + np.timedelta64(8 * 3600, "s")
    opening = np.where(second < 8 * 3600, morning, morning + np.timedelta64(86_400, "s")) + slack.astype(
        "timedelta64[s]"
    )
    is_night = (second < 8 * 3600) | (second >= 20 * 3600)
    return np.asarray(np.maximum.accumulate(np.where(is_night, opening, at), axis=1))


def department_labels(keys: np.ndarray) -> np.ndarray:
    """Departments as deliveries write them."""
    return pd.Series(keys).map(DEPARTMENTS).to_numpy(dtype=object)

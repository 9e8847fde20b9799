"""The hotline's calls: addresses as people say them, and no coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.deliver_events import describe, moment_dirt
from etl.demo.delivery import Delivery
from etl.demo.dirt import missing, plant, set_to
from etl.demo.events import OUTCOMES, STATES, department_labels, happen, run_course
from etl.demo.ground import Ground
from etl.demo.kinds import CALLS, HAPPENINGS
from etl.demo.mesh import Ints
from etl.demo.moments import text_of
from etl.demo.names import Texts, words
from etl.demo.numbers import phones

ROADS = words("人民路 解放路 工业大道 振兴路 市场街 府前路 环市路 和平街")
MINUTES = "%Y/%m/%d %H:%M"


def deliver_hotline(ground: Ground, n: int) -> Delivery:
    """Deliver `n` calls: CSV in UTF-8."""
    rng = ground.rng("hotline")
    events = run_course(happen(ground, n, CALLS, rng), ground, rng).events
    cell = events["cell"].to_numpy()
    address, is_lost = spoken_addresses(ground, cell, rng)
    rows = pd.DataFrame(
        {
            "工单号": np.char.mod("GD%08d", np.arange(1, n + 1)),
            "来电时间": text_of(events["reported_at"].to_numpy(), MINUTES),
            "诉求类别": events["category"].map({k: kind.label for k, kind in HAPPENINGS.items()}),
            "事发地址": address,
            "诉求内容": _quoted(describe(events["category"].to_numpy(), ground.names["medium"][cell], rng), rng),
            "来电号码": phones(n, rng),
            "承办单位": department_labels(events["department"].to_numpy()),
            "工单状态": events["state"].map(STATES),
            "办理结果": events["outcome"].map(OUTCOMES).fillna(""),
            "答复时限": text_of(events["due_at"].to_numpy(), MINUTES),
            "办结时间": text_of(events["closed_at"].to_numpy(), MINUTES),
            "是否满意": events["satisfied"],
            "话务员": rng.choice(("01", "02", "03", "04", "05"), n),
        }
    ).astype(object)
    rows["_keep"] = is_lost
    dirt = [
        *moment_dirt("来电时间", "办结时间", "工单状态", clear=("办结时间", "答复时限")),
        missing("诉求类别"),
        set_to("unknown_category", "诉求类别", "咨询", "其他"),
        set_to("unknown_code", "工单状态", "回访中"),
        set_to("bad_phone", "来电号码", "未留号码", "123"),
        set_to("rule_broken", "答复时限", "2001/01/01 08:00"),
        set_to("too_long", "诉求内容", "来电人情绪激动，反复陈述。" * 200),
    ]
    rows, faults = plant(rows, dirt, "工单号", rng)
    return Delivery("hotline", "hotline.csv", rows, "csv", {}, faults, int(is_lost.sum()))


def _quoted(said: Texts, rng: np.random.Generator) -> Texts:
    """Write down some complaints with the marks that a CSV file must put into quotes."""
    return np.asarray(np.where(rng.random(len(said)) < 0.02, said + ', 来电人说"请尽快处理"', said))


def spoken_addresses(ground: Ground, cell: Ints, rng: np.random.Generator) -> tuple[Texts, np.ndarray]:
    """Write where each call comes from, and tell which no one can place.

    Most name the group or the grid; some only the village, some only the town; a few use a former name, a few name a
    village that two towns have, and a few say nothing of use.
    """
    n, names = len(cell), ground.names
    how = rng.choice(6, n, p=[0.68, 0.13, 0.10, 0.06, 0.02, 0.01])
    number = np.char.add(rng.integers(1, 180, n).astype(str), "号").astype(object)
    road = rng.choice(np.array(ROADS, dtype=object), n)
    town = names["county"][cell] + names["large"][cell]
    short = rng.random(n) < 0.2
    is_old = (names["former"][cell] != "") & (rng.random(n) < 0.5)
    village = np.where(is_old, names["former"][cell], names["medium"][cell])
    address = np.select(
        [how == 0, how == 1, how == 2, how == 3],
        [
            np.where(short, names["large"][cell], town) + names["small"][cell] + number + "附近",
            town + village + road + number,
            town + road + number + "对面",
            names["county"][cell] + road + "与" + rng.choice(np.array(ROADS, dtype=object), n) + "交叉口",
        ],
        "家门口的小店旁边",
    ).astype(object)
    twice = _repeated_villages(ground)
    if len(twice):
        which = rng.choice(len(twice), n)
        address = np.where(how == 4, np.array(twice, dtype=object)[which] + number, address)
    return address, how >= 4


def _repeated_villages(ground: Ground) -> list[str]:
    """Names of villages that stand in more than one town."""
    medium = pd.DataFrame({"code": [c[:12] for c in ground.codes], "name": ground.names["medium"]}).drop_duplicates()
    n = medium.groupby("name")["code"].nunique()
    return [str(name) for name in n.index[n > 1]]

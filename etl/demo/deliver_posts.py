"""Posts of villagers on the village platform: a CSV file with the group's code, and no place in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.deliver_events import describe, moment_dirt
from etl.demo.delivery import Delivery
from etl.demo.dirt import missing, no_such_digit, plant, set_to
from etl.demo.events import OUTCOMES, STATES, department_labels, happen, run_course
from etl.demo.ground import Ground
from etl.demo.kinds import HAPPENINGS, POSTS
from etl.demo.moments import text_of


def deliver_posts(ground: Ground, n: int) -> Delivery:
    """Deliver `n` posts: CSV in UTF-8; who posted is a column that nobody takes in."""
    rng = ground.rng("village_post")
    events = run_course(happen(ground, n, POSTS, rng), ground, rng).events
    cell = events["cell"].to_numpy()
    rows = pd.DataFrame(
        {
            "帖子编号": np.char.mod("WC%07d", np.arange(1, n + 1)),
            "发布时间": text_of(events["reported_at"].to_numpy()),
            "类别": events["category"].map({key: kind.label for key, kind in HAPPENINGS.items()}),
            "村组代码": ground.codes[cell],
            "内容": describe(events["category"].to_numpy(), ground.names["medium"][cell], rng),
            "承办单位": department_labels(events["department"].to_numpy()),
            "办理状态": events["state"].map(STATES),
            "办理结果": events["outcome"].map(OUTCOMES).fillna(""),
            "办结时间": text_of(events["closed_at"].to_numpy()),
            "村民评价": events["satisfied"],
            "发帖人": rng.choice(("村民甲", "村民乙", "村民丙"), n),
        }
    ).astype(object)
    dirt = [
        *moment_dirt("发布时间", "办结时间", "办理状态", clear=("办结时间",)),
        missing("类别"),
        set_to("unknown_category", "类别", "闲聊", "活动"),
        no_such_digit("bad_grid_code", "村组代码"),
    ]
    rows, faults = plant(rows, dirt, "帖子编号", rng)
    return Delivery("village_post", "village_post.csv", rows, "csv", {}, faults, 0)

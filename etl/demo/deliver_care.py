"""What civil affairs, health, justice and agriculture know of people who are offered care: one list for each group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etl.demo.delivery import Delivery
from etl.demo.dirt import missing, no_such_digit, plant, set_to, wrong_check_digit
from etl.demo.ground import Ground
from etl.demo.households import Population

STATUS = ("在家", "外出", "住院或入住机构", "暂不需要")


@dataclass(frozen=True)
class Group:
    """A group: who of all people may be offered its care, how many of them are, and who answers for them."""

    prefix: str
    offers: tuple[str, ...]
    days: int
    fits: Callable[[pd.DataFrame], pd.Series]
    share: float
    responsible: str = ""


GROUPS: dict[str, Group] = {
    "living_alone": Group(
        "DJ", ("助餐、每半月探访", "紧急呼叫器", "助餐、助洁"), 15,
        lambda p: (p["kind"] == "elder_alone") & (p["age"] >= 65), 0.5,
    ),
    "disabled": Group("CJ", ("辅具适配", "护理补贴", "送服务上门"), 30, lambda p: p["age"] >= 3, 0.015),
    "left_behind": Group(
        "LS", ("课后托管", "儿童主任走访", "亲情视讯"), 30,
        lambda p: (p["kind"] == "grandparents") & (p["age"] < 18), 0.6,
    ),
    "poverty_relapse": Group(
        "FP", ("公益岗位", "小额信贷", "帮扶责任人联系"), 30, lambda p: (p["role"] == 0) & (p["age"] < 80), 0.01
    ),
    "mother_infant": Group(
        "YC", ("产检提醒", "产后访视", "疫苗接种提醒"), 30,
        lambda p: (p["age"] < 3) | (~p["is_male"] & p["age"].between(21, 40)), 0.06,
    ),
    "chronically_ill": Group("MB", ("家庭医生随访", "送药上门"), 90, lambda p: p["age"] >= 55, 0.1),
    "corrections": Group(
        "BF", ("就业帮扶", "法律咨询", "心理辅导"), 30, lambda p: p["age"].between(20, 65), 0.0015, "demo.case_officer"
    ),
    "mental_health": Group(
        "JW", ("免费服药", "康复活动", "家属支持"), 30, lambda p: p["age"] >= 18, 0.0025, "demo.case_officer"
    ),
}  # fmt: skip
"""The groups of `data/care`. Chosen here by lot; in a real city a worker asks each of them."""


def deliver_care(ground: Ground, population: Population) -> list[Delivery]:
    """Deliver the records of every care group: CSV, tied by the code of the small grid."""
    return [_group(ground, population.people, key, group) for key, group in GROUPS.items()]


def _group(ground: Ground, people: pd.DataFrame, key: str, group: Group) -> Delivery:
    rng = ground.rng(f"care_{key}")
    fit = np.flatnonzero((group.fits(people) & (people["number"] != "")).to_numpy(dtype=bool))
    n = min(len(fit), max(12, round(len(fit) * group.share)))
    chosen = people.iloc[np.sort(rng.choice(fit, n, replace=False))]
    last = ground.end.astype("datetime64[D]") - rng.integers(1, round(group.days * 1.3) + 1, n)
    rows = pd.DataFrame(
        {
            "服务编号": pd.Series(np.arange(1, n + 1)).map((group.prefix + "{:06d}").format),
            "姓名": chosen["name"].to_numpy(),
            "身份证号码": chosen["number"].to_numpy(),
            "联系电话": chosen["phone"].to_numpy(),
            "网格编码": ground.codes[chosen["cell"].to_numpy()],
            "责任人账号": group.responsible,
            "服务内容": rng.choice(group.offers, n),
            "目前状况": rng.choice(STATUS, n, p=[0.88, 0.06, 0.04, 0.02]),
            "上次走访": np.datetime_as_string(last),
            "下次走访": np.datetime_as_string(last + group.days),
        }
    ).astype(object)
    if group.responsible:
        dirt = [missing("姓名")]
    else:
        dirt = [
            missing("服务内容"),
            wrong_check_digit("bad_id_number", "身份证号码"),
            set_to("unknown_code", "目前状况", "不详"),
            set_to("date_in_future", "上次走访", "2099-01-01"),
            no_such_digit("bad_grid_code", "网格编码"),
        ]
    rows, faults = plant(rows, dirt, "服务编号", rng)
    return Delivery(f"care_{key}", f"care_{key}.csv", rows, "csv", {}, faults)

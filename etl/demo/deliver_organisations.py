"""Organisations and grid workers: companies, associations and committees, and who walks which small grids."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.deliver_people import LAT, LON, degrees
from etl.demo.delivery import Delivery
from etl.demo.dirt import FIELD_COUNT, lonlat_dirt, missing, no_such_digit, plant, set_to, wrong_check_digit
from etl.demo.ground import Ground
from etl.demo.moments import days_before
from etl.demo.names import Texts, words
from etl.demo.numbers import credit_codes, phones
from etl.demo.person_names import given_names, surnames
from etl.demo.spots import numbered, scatter

CREDIT = "统一社会信用代码"
TRADES = words("零售业 餐饮业 制造业 建筑业 农业 渔业 运输业 软件业 居民服务业")
WORK_PHONES = "1549"


def deliver_organisations(ground: Ground) -> list[Delivery]:
    """Deliver companies, associations with the committees of villages and quarters, and grid workers."""
    return [_companies(ground), _associations(ground), _workers(ground)]


def _county(ground: Ground, cell: np.ndarray) -> Texts:
    return np.array([c[:6] for c in ground.codes[cell]], dtype=object)


def _companies(ground: Ground) -> Delivery:
    """Companies: CSV in GBK; a third has an address and no coordinates."""
    spots = scatter(ground, "company", 1.8, 300, 1.3)
    rng, n = spots.rng, spots.n
    trade = rng.choice(np.array(TRADES, dtype=object), n)
    word = surnames(n, rng) + rng.choice(words("鑫 盛 隆 和 兴 顺 达 丰 源 泰"), n).astype(object)
    rows = pd.DataFrame(
        {
            CREDIT: credit_codes("91", _county(ground, spots.cell), rng),
            "企业名称": "海晏市" + word + np.char.mod("%d号", np.arange(n)).astype(object) + trade + "有限公司",
            "行业": trade,
            "登记状态": rng.choice(("存续", "注销", "吊销"), n, p=[0.9, 0.08, 0.02]),
            "成立日期": np.char.replace(days_before(ground, n, 1000, rng).astype(str), "-", "/").astype(object),
            "从业人数": np.round(rng.lognormal(1.8, 1.0, n)).astype(int).astype(str),
            "法定代表人": surnames(n, rng) + "某",
            "注册地址": ground.addresses(spots.cell, rng),
            LON: degrees(spots.lonlat[:, 0]),
            LAT: degrees(spots.lonlat[:, 1]),
        }
    ).astype(object)
    by_address = rng.random(n) < 0.33
    lost = rng.choice(n, 4, replace=False)
    rows.loc[by_address, [LON, LAT]] = ""
    rows.loc[lost, [LON, LAT, "注册地址"]] = ""
    rows["_keep"] = by_address | np.isin(np.arange(n), lost)
    dirt = [
        missing("企业名称"),
        missing(CREDIT),
        wrong_check_digit("bad_credit_code", CREDIT),
        set_to("unknown_code", "登记状态", "迁出中"),
        set_to("not_a_date", "成立日期", "2019/2/29"),
        set_to("not_a_number", "从业人数", "50人左右"),
        *lonlat_dirt(LON, LAT),
        FIELD_COUNT,
    ]
    rows, faults = plant(rows, dirt, CREDIT, rng)
    return Delivery("company", "company.csv", rows, "csv", {"encoding": "gbk"}, faults, len(lost))


def _associations(ground: Ground) -> Delivery:
    """Associations, and the committee of every village and quarter: CSV in UTF-8, placed by address."""
    rng = ground.rng("association")
    code, first = np.unique([c[:12] for c in ground.codes], return_index=True)
    spots = scatter(ground, "association", 0.16, 40, 1.0)
    cell = np.r_[first, spots.cell]
    n, n_committees = len(cell), len(code)
    is_committee = np.arange(n) < n_committees
    medium, large = ground.names["medium"][cell], ground.names["large"][cell]
    village = np.array([m.endswith("村") for m in medium])
    kind = rng.choice(words("老年人协会 志愿服务队 渔业协会 乡贤理事会 商会"), n).astype(object)
    committee = np.where(village, "村民委员会", "居民委员会").astype(object)
    codes = np.empty(n, dtype=object)
    for start, rows_of in (("54", is_committee & village), ("55", is_committee & ~village), ("51", ~is_committee)):
        codes[rows_of] = credit_codes(start, _county(ground, cell[rows_of]), rng)
    rows = pd.DataFrame(
        {
            CREDIT: codes,
            "名称": large + medium + np.where(is_committee, committee, kind),
            "类别": np.where(is_committee, "自治组织", "社会组织"),
            "状态": rng.choice(("正常", "注销"), n, p=[0.97, 0.03]),
            "成员数": np.where(is_committee, rng.integers(3, 10, n), rng.integers(8, 200, n)).astype(str),
            "住所": ground.addresses(cell, rng),
        }
    ).astype(object)
    lost = rng.choice(n, 2, replace=False)
    rows.loc[lost, "住所"] = ""
    rows["_keep"] = np.isin(np.arange(n), lost)
    dirt = [
        missing("名称"),
        wrong_check_digit("bad_credit_code", CREDIT),
        set_to("unknown_category", "类别", "其他"),
        set_to("out_of_range", "成员数", "9999999"),
    ]
    rows, faults = plant(rows, dirt, CREDIT, rng)
    return Delivery("association", "association.csv", rows, "csv", {}, faults, len(lost))


def _workers(ground: Ground) -> Delivery:
    """Grid workers: a workbook; each walks one to three small grids of one village, and every grid is walked."""
    rng = ground.rng("grid_worker")
    table = pd.DataFrame({"code": ground.codes, "medium": [c[:12] for c in ground.codes]})
    reach = table["medium"].map(dict(zip(m := table["medium"].unique(), rng.integers(1, 4, len(m)), strict=True)))
    table["beat"] = table.groupby("medium").cumcount() // reach
    beats = table.groupby(["medium", "beat"])["code"].agg("、".join).reset_index()
    more = beats.sample(frac=0.6, random_state=np.random.RandomState(int(rng.integers(1 << 30))))
    beats = pd.concat([beats, more]).sort_values("medium", kind="stable", ignore_index=True)
    n = len(beats)
    male = rng.random(n) < 0.5
    rows = pd.DataFrame(
        {
            "工号": numbered("WG", n),
            "姓名": surnames(n, rng) + given_names(rng.integers(1965, 2000, n), male, rng),
            "工作电话": phones(n, rng, WORK_PHONES),
            "所属村社区": beats["medium"],
            "负责网格": beats["code"],
            "身份": rng.choice(("专职", "兼职"), n, p=[0.4, 0.6]),
            "入职日期": days_before(ground, n, 1000, rng),
        }
    ).astype(object)
    dirt = [
        missing("姓名"),
        set_to("bad_phone", "工作电话", "短号666"),
        no_such_digit("bad_grid_code", "负责网格"),
        set_to("unknown_code", "身份", "外包"),
    ]
    rows, faults = plant(rows, dirt, "工号", rng)
    options = {"header_row": 2, "title": "海晏市（虚构）网格员花名册", "sheet": "花名册"}
    return Delivery("grid_worker", "grid_worker.xlsx", rows, "xlsx", options, faults)

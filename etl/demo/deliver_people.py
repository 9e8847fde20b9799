"""What public security and civil affairs know of people: residents, households, allowances for the old."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.demo.delivery import Delivery
from etl.demo.dirt import (
    FIELD_COUNT,
    Dirt,
    change,
    lonlat_dirt,
    missing,
    no_such_digit,
    plant,
    same_as,
    set_to,
    wrong_check_digit,
)
from etl.demo.ground import Ground
from etl.demo.households import ROLES, Population
from etl.demo.mesh import Ints
from etl.demo.moments import days_before
from etl.demo.names import Texts
from etl.demo.terrain import Floats

LON, LAT = "经度", "纬度"
ETHNICITIES = ("汉族", "壮族", "畲族", "回族", "苗族")


def deliver_people(ground: Ground, population: Population) -> list[Delivery]:
    """Deliver residents, households and allowances for the old."""
    return [
        _residents(ground, population),
        _households(ground, population),
        _allowances(ground, population),
    ]


def degrees(values: Floats) -> Texts:
    """Degrees as text with seven digits after the point."""
    return np.asarray(np.char.mod("%.7f", values).astype(object))


def _residents(ground: Ground, population: Population) -> Delivery:
    """Residents: CSV in GBK. Some have no coordinates but a code or an address, a handful nothing at all."""
    rng = ground.rng("resident")
    people, homes = population.people, population.households
    n, home, cell = len(people), people["household"].to_numpy(), people["cell"].to_numpy()
    rows = pd.DataFrame(
        {
            "人员编号": pd.Series(np.arange(1, n + 1)).map("R{:07d}".format),
            "公民身份号码": people["number"],
            "姓名": people["name"],
            "性别": np.where(people["is_male"], "男", "女"),
            "出生日期": np.datetime_as_string(people["born_on"].to_numpy().astype("datetime64[D]")),
            "民族": rng.choice(ETHNICITIES, n, p=[0.975, 0.01, 0.007, 0.004, 0.004]),
            "人员类别": people["residence"],
            "户号": household_keys(home),
            "与户主关系": np.array(ROLES, dtype=object)[people["role"]],
            "联系电话": people["phone"],
            "住址": homes["address"].to_numpy()[home],
            LON: degrees(homes["lon"].to_numpy()[home]),
            LAT: degrees(homes["lat"].to_numpy()[home]),
            "网格编码": ground.codes[cell],
            "登记人": rng.choice(("社区民警", "网格员"), n),
            "更新时间": days_before(ground, n, 900, rng, with_time=True),
        }
    ).astype(object)
    kind = rng.choice(4, n, p=[0.96, 0.02, 0.0195, 0.0005])  # all there, code only, address only, nothing
    rows.loc[kind > 0, [LON, LAT]] = ""
    rows.loc[(kind == 1) | (kind == 3), "住址"] = ""
    rows.loc[kind >= 2, "网格编码"] = ""
    boats = rng.choice(np.flatnonzero(kind == 0), 6, replace=False)
    sea = ground.at_sea(len(boats), rng)
    rows.loc[boats, LON], rows.loc[boats, LAT] = degrees(sea[:, 0]), degrees(sea[:, 1])
    rows.loc[boats, ["住址", "网格编码"]] = ""
    n_unplaced = int((kind == 3).sum()) + len(boats)
    first = int(np.argmax(rows["公民身份号码"] != ""))
    rows["_keep"] = (kind > 0) | np.isin(np.arange(n), [*boats, first]) | (rows["公民身份号码"] == "")
    dirt = [
        *_number_dirt(rows.iloc[first]),
        missing("姓名"),
        set_to("garbled_text", "姓名", "锟斤拷", "张锟斤拷"),
        set_to("unknown_code", "性别", "未知", "X"),
        set_to("unknown_code", "人员类别", "其他"),
        set_to("not_a_date", "出生日期", "1985-02-29", "不详", "19820031"),
        set_to("date_in_future", "出生日期", "2099-01-01"),
        set_to("date_too_early", "出生日期", "1700-01-01"),
        set_to("date_is_nought", "出生日期", "1899-12-30", "1900-01-01", "1900/1/0"),
        set_to("date_is_serial", "出生日期", "31112"),
        set_to("two_digit_year", "出生日期", "85-03-05", "3/5/85"),
        set_to("bad_phone", "联系电话", "123456", "1990000000"),
        no_such_digit("bad_grid_code", "网格编码"),
        *lonlat_dirt(LON, LAT),
        FIELD_COUNT,
    ]
    rows, faults = plant(rows, dirt, "人员编号", rng)
    return Delivery("resident", "resident.csv", rows, "csv", {"encoding": "gbk"}, faults, n_unplaced)


def _number_dirt(first: pd.Series) -> list[Dirt]:
    """All that goes wrong with ID numbers; `first` is the first row that has one, which others are given too."""
    number = "公民身份号码"
    return [
        wrong_check_digit("bad_id_number", number),
        change("old_id_number", number, lambda s: s.str[:6] + s.str[8:17]),
        set_to("digits_lost", number, "4.49901E+17", "449901198501010000"),
        change("disagrees_with_number", "性别", lambda s: s.map({"男": "女", "女": "男"})),
        change("disagrees_with_number", "出生日期", lambda s: s.map(lambda day: "1951-02-03")),
        same_as("duplicate_value", number, first, "出生日期", "性别"),
    ]


def household_keys(home: Ints) -> Texts:
    """Keys of households by their position."""
    return np.asarray(np.array([f"H{i:06d}" for i in range(int(home.max()) + 1)], dtype=object)[home])


def _households(ground: Ground, population: Population) -> Delivery:
    """Households: CSV in UTF-8, no names."""
    rng = ground.rng("household")
    homes = population.households
    n = len(homes)
    rows = pd.DataFrame(
        {
            "户号": household_keys(np.arange(n)),
            "户别": rng.choice(("家庭户", "集体户"), n, p=[0.985, 0.015]),
            "人口数": homes["n_people"].astype(str),
            LON: degrees(homes["lon"].to_numpy()),
            LAT: degrees(homes["lat"].to_numpy()),
            "网格编码": ground.codes[homes["cell"]],
            "门牌": homes["address"],
            "更新时间": days_before(ground, n, 700, rng),
        }
    ).astype(object)
    lost = rng.choice(n, 5, replace=False)
    rows.loc[lost, [LON, LAT, "网格编码"]] = ""
    rows["_keep"] = np.isin(np.arange(n), lost)
    dirt = [
        missing("户别"),
        set_to("unknown_code", "户别", "其他户"),
        set_to("not_a_number", "人口数", "约3人", "三"),
        set_to("out_of_range", "人口数", "300", "-1"),
        *lonlat_dirt(LON, LAT),
        FIELD_COUNT,
    ]
    rows, faults = plant(rows, dirt, "户号", rng)
    return Delivery("household", "household.csv", rows, "csv", {}, faults, len(lost))


def _allowances(ground: Ground, population: Population) -> Delivery:
    """Allowances for people of 80 and more: a workbook under merged titles, tied by the village's code."""
    rng = ground.rng("elder_allowance")
    people = population.people
    old = people[(people["age"] >= 80) & (people["number"] != "")]
    old = old.iloc[np.sort(rng.choice(len(old), int(len(old) * 0.92), replace=False))]
    n = len(old)
    months = ground.end.astype("datetime64[M]") - rng.integers(1, 60, n)
    rows = pd.DataFrame(
        {
            "序号": np.arange(1, n + 1),
            "姓名": old["name"].to_numpy(),
            "身份证号码": old["number"].to_numpy(),
            "性别": np.where(old["is_male"], "男", "女"),
            "补贴标准": np.where(old["age"] >= 100, 500, np.where(old["age"] >= 90, 200, 100)),
            "开始月份": np.datetime_as_string(months),
            "联系电话": old["phone"].to_numpy(),
            "村社区编码": [c[:12] for c in ground.codes[old["cell"]]],
            "开户银行": rng.choice(("农商银行", "邮储银行", "农业银行"), n),
        }
    ).astype(object)
    lost = rng.choice(n, 3, replace=False)
    rows.loc[lost, "村社区编码"] = ""
    rows["_keep"] = np.isin(np.arange(n), lost)
    dirt = [
        missing("姓名"),
        missing("身份证号码"),
        wrong_check_digit("bad_id_number", "身份证号码"),
        set_to("not_a_number", "补贴标准", "一百元"),
        set_to("out_of_range", "补贴标准", 100_000),
        set_to("not_a_date", "开始月份", "2023-13", "去年"),
        set_to("bad_phone", "联系电话", "无手机"),
        no_such_digit("bad_grid_code", "村社区编码"),
    ]
    rows, faults = plant(rows, dirt, "身份证号码", rng)
    options = {"header_row": 3, "title": "海晏市（虚构）高龄津贴发放名册", "sheet": "发放名册"}
    return Delivery("elder_allowance", "elder_allowance.xlsx", rows, "xlsx", options, faults, len(lost))

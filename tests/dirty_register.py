"""A register of clubs with every kind of dirt that deliveries hold, and the reason each row must be refused for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from etl.demo.numbers import credit_codes, id_numbers, phones

CATEGORIES = """
    noise = { zh = "噪音扰民", en = "Noise", table = "event" }
    flood = { zh = "汛情", en = "Flood", table = "event" }
    family_dispute = { zh = "家庭纠纷", en = "Family dispute", table = "event", sensitive = true }
    club = { zh = "社团", en = "Club", table = "organisation" }
"""

DATASET = """
    name = { zh = "社团", en = "Clubs" }
    department = "public_security"
    table = "organisation"
    each_row_is_a = { zh = "一个社团", en = "a club" }
    row_key = ["no"]
    rules = [
        "sex agrees with number",
        "born_on agrees with number",
        "closed_on >= founded_on",
        "closed_on is required if state = 'closed'",
    ]
    [source]
    files = "club*.csv"
    format = "csv"
    crs = "EPSG:4490"
    lon = "经度"
    lat = "纬度"
    grid_code = "网格编码"
    [columns]
    no = { from = "编号", type = "key", required = true }
    name = { from = "名称", type = "text", required = true, max = 60 }
    category = { from = "类别", type = "category", codes = { "社团" = "club" } }
    credit_code = { from = "信用代码", type = "credit_code" }
    chair = { from = "负责人", type = "person_name" }
    number = { from = "身份号码", type = "id_number" }
    sex = { from = "性别", type = "code", codes = { "男" = "male", "女" = "female" } }
    born_on = { from = "出生日期", type = "date" }
    phone = { from = "电话", type = "phone" }
    state = { from = "状态", type = "code", codes = { "正常" = "open", "注销" = "closed" } }
    founded_on = { from = "成立日期", type = "date" }
    closed_on = { from = "注销日期", type = "date" }
    updated_at = { from = "更新时间", type = "moment" }
    is_open = { from = "对外开放", type = "boolean" }
    n_members = { from = "成员数", type = "integer", min = 0, max = 100000 }
    area_m2 = { from = "面积", type = "number", min = 0 }
    [[unique]]
    columns = ["credit_code"]
    [expect]
    rows = [1, 20000000]
    quarantine_share_max = 0.9
"""

Spoil = Callable[[pd.DataFrame, pd.Series], pd.DataFrame]


@dataclass(frozen=True)
class Kind:
    """One kind of dirt: what it is called, what it looks like, the reason it is refused for, and what it does."""

    name: str
    looks: str
    reason: str
    spoil: Spoil
    fields: int = 0


def _puts(name: str, looks: str, reason: str, heading: str, *values: str, **others: str) -> Kind:
    def spoil(rows: pd.DataFrame, clean: pd.Series) -> pd.DataFrame:
        turned = [values[i % len(values)] for i in range(len(rows))]
        return rows.assign(**{heading: pd.Series(turned, rows.index, dtype=object)}, **others)

    return Kind(name, looks, reason, spoil)


def _turns(name: str, looks: str, reason: str, heading: str, how: Callable[[pd.Series], pd.Series]) -> Kind:
    return Kind(name, looks, reason, lambda rows, clean: rows.assign(**{heading: how(rows[heading]).astype(object)}))


def _copies(name: str, looks: str, reason: str, heading: str) -> Kind:
    return Kind(name, looks, reason, lambda rows, clean: rows.assign(**{heading: clean[heading]}))


def _as_is(rows: pd.DataFrame, clean: pd.Series) -> pd.DataFrame:
    return rows


def _swapped(rows: pd.DataFrame, clean: pd.Series) -> pd.DataFrame:
    return rows.assign(经度=rows["纬度"], 纬度=rows["经度"])


def _next_digit(numbers: pd.Series) -> pd.Series:
    return numbers.str[:-1] + numbers.str[-1].map(lambda c: "0" if c == "1" else "1")


KINDS = (
    Kind("field too many", "a separator inside a field without quotes", "wrong_field_count", _as_is, 1),
    Kind("field missing", "a line cut off before its end", "wrong_field_count", _as_is, -1),
    _puts("no key", "编号 empty", "missing_value", "编号", ""),
    _puts("no name", "名称 empty", "missing_value", "名称", ""),
    _puts("blanks for a name", "wide and narrow spaces only", "missing_value", "名称", "　", "   "),
    _puts("NULL for a name", "NULL, N/A", "missing_value", "名称", "NULL", "N/A"),
    _puts("number with its unit", "50人, 3000平方米", "not_a_number", "成员数", "50人", "约30"),
    _puts("number in words", "三十", "not_a_number", "成员数", "三十"),
    _puts("part of a whole", "12.5 members", "not_a_number", "成员数", "12.5"),
    _puts("thousands parted", "1,200", "not_a_number", "面积", '1,200', "1 200"),
    _puts("negative number", "-1", "out_of_range", "成员数", "-1"),
    _puts("number too large", "9999999", "out_of_range", "成员数", "9999999"),
    _puts("day that is none", "2023-02-29", "not_a_date", "成立日期", "2023-02-29", "2024-04-31"),
    _puts("month 13", "2024-13-01", "not_a_date", "成立日期", "2024-13-01"),
    _puts("day first", "25/03/2024", "not_a_date", "成立日期", "25/03/2024"),
    _puts("date in words", "去年", "not_a_date", "成立日期", "去年", "不详"),
    _puts("hour 25", "2026-03-05 25:00:00", "not_a_date", "更新时间", "2026-03-05 25:00:00", "2026-03-05 10:61"),
    _puts("date in the future", "2099-01-01", "date_in_future", "更新时间", "2099-01-01 08:00:00"),
    _puts("date long ago", "1024-05-01", "date_too_early", "成立日期", "1024-05-01", "1899-11-01"),
    _puts("spreadsheet nought", "1899-12-30", "date_is_nought", "成立日期", "1899-12-30", "1899/12/31"),
    _puts("day nought", "1900-01-00", "date_is_nought", "成立日期", "1900-01-00", "0000-00-00"),
    _puts("first day of 1900", "1900-01-01", "date_is_nought", "成立日期", "1900-01-01"),
    _puts("computer nought", "1970-01-01 08:00:00", "date_is_nought", "更新时间", "1970-01-01 08:00:00"),
    _puts("serial number of a day", "45356", "date_is_serial", "成立日期", "45356", "45356.5"),
    _puts("year of two digits", "24-03-05, 3/5/24", "two_digit_year", "成立日期", "24-03-05", "3/5/24"),
    _puts("unknown code", "状态 迁出", "unknown_code", "状态", "迁出", "0"),
    _puts("unknown category", "类别 公司", "unknown_category", "类别", "公司"),
    _puts("neither yes nor no", "对外开放 也许", "unknown_code", "对外开放", "也许", "2"),
    _turns("ID number mistyped", "check digit wrong", "bad_id_number", "身份号码", _next_digit),
    _puts("ID number of no day", "born on 29 February 1985", "bad_id_number", "身份号码", "441521198502290019"),
    _puts("ID number cut off", "17 characters", "bad_id_number", "身份号码", "44990119850101001"),
    _turns("ID number of 15 digits", "the old form", "old_id_number", "身份号码", lambda s: s.str[:6] + s.str[8:17]),
    _puts("ID number as an amount", "4.49901E+17", "digits_lost", "身份号码", "4.49901E+17", "4.49901198501e+17"),
    _puts("ID number rounded", "its last three digits 000", "digits_lost", "身份号码", "449901198501010000"),
    _turns("credit code mistyped", "check character wrong", "bad_credit_code", "信用代码", _next_digit),
    _turns("letter in a credit code", "O for 0, I for 1", "bad_credit_code", "信用代码",
           lambda s: s.str[:10] + "O" + s.str[11:]),
    _puts("phone cut off", "1380000", "bad_phone", "电话", "138000", "1540000000"),
    _puts("phone in words", "无, 未留", "bad_phone", "电话", "无", "未留电话"),
    _turns("another sex than the number's", "女 with a man's number", "disagrees_with_number", "性别",
           lambda s: s.map({"男": "女", "女": "男"})),
    _puts("another birthday than the number's", "a day in another year", "disagrees_with_number", "出生日期",
          "1929-12-31"),
    _puts("closed before founded", "注销日期 before 成立日期", "rule_broken", "注销日期", "1950-01-01"),
    _puts("closed without a day", "状态 注销, no 注销日期", "missing_value", "状态", "注销", 注销日期=""),
    _copies("key twice", "编号 of an earlier row", "duplicate_key", "编号"),
    _copies("another's credit code", "信用代码 of an earlier row", "duplicate_value", "信用代码"),
    _turns("letter in a grid code", "O for 0", "bad_grid_code", "网格编码", lambda s: s.str[:7] + "O" + s.str[8:]),
    _puts("grid code of elsewhere", "another city's", "bad_grid_code", "网格编码", "110101001001001"),
    Kind("coordinates swapped", "latitude first", "swapped_coordinates", _swapped),
    _puts("coordinates nought", "0, 0", "zero_coordinates", "经度", "0", 纬度="0"),
    _puts("coordinates in words", "无", "bad_coordinates", "经度", "无", "不详"),
    _puts("one coordinate only", "no latitude", "bad_coordinates", "纬度", ""),
    _puts("point far away", "another province", "outside_city", "经度", "121.473701", 纬度="31.230416"),
    _puts("letters lost", "锟斤拷, �", "garbled_text", "名称", "锟斤拷俱乐部", "\ufffd\ufffd俱乐部"),
    _puts("endless text", "a name of 2,000 letters", "too_long", "名称", "很长的名称" * 400),
)  # fmt: skip
"""Every kind, at least forty."""


def clean_rows(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Make `n` rows without a fault."""
    male = rng.random(n) < 0.5
    born = np.datetime64("1930-01-01") + rng.integers(0, 29_000, n)
    founded = np.datetime64("1985-01-01") + rng.integers(0, 12_000, n)
    open_ = rng.random(n) < 0.9
    area = np.full(n, "449901", dtype=object)
    east, north = rng.integers(0, 2, n), rng.integers(0, 2, n)
    codes = np.array(["449901001001001", "449901001001002", "449901002001001", "449901002001002"], dtype=object)
    return pd.DataFrame(
        {
            "编号": np.char.mod("C%08d", np.arange(n)),
            "名称": np.char.add("第", np.char.add(np.arange(n).astype(str), "俱乐部")),
            "类别": "社团",
            "信用代码": credit_codes("51", area, rng),
            "负责人": rng.choice(("甲某", "乙某", "丙某某"), n),
            "身份号码": id_numbers(area, born, male),
            "性别": np.where(male, "男", "女"),
            "出生日期": np.datetime_as_string(born),
            "电话": phones(n, rng),
            "状态": np.where(open_, "正常", "注销"),
            "成立日期": np.datetime_as_string(founded),
            "注销日期": np.where(open_, "", np.datetime_as_string(founded + 900)),
            "更新时间": "2026-06-01 10:30:00",
            "对外开放": rng.choice(("是", "否", "1", "0"), n),
            "成员数": rng.integers(3, 900, n).astype(str),
            "面积": rng.integers(20, 9000, n).astype(str),
            "网格编码": codes[2 * north + east],
            "经度": np.char.mod("%.6f", 115.0 + 0.1 * east + rng.uniform(0.01, 0.09, n)),
            "纬度": np.char.mod("%.6f", 22.0 + 0.1 * north + rng.uniform(0.01, 0.09, n)),
        }
    ).astype(object)


def write_register(path: Path, n: int, share: float = 0.5, seed: int = 4499) -> pd.DataFrame:
    """Write `n` rows, `share` of them spoilt, evenly over the kinds; return line, kind and reason of those.

    The first row is clean, and the one whose key and credit code others are given.
    """
    rng = np.random.default_rng(seed)
    rows = clean_rows(n, rng)
    chosen = 1 + rng.permutation(n - 1)[: int(n * share)]
    clean, extra = rows.iloc[0], np.zeros(n, dtype=int)
    sheet = []
    for i, kind in enumerate(KINDS):
        at = np.sort(chosen[i :: len(KINDS)])
        rows.iloc[at] = kind.spoil(rows.iloc[at], clean)[rows.columns]
        extra[at] = kind.fields
        sheet.append(pd.DataFrame({"line": at + 2, "kind": kind.name, "reason": kind.reason}))
    text = rows.to_csv(index=False, lineterminator="\n")
    lines = np.array(text.splitlines(), dtype=object)
    assert len(lines) == n + 1, "no field holds a line break"
    more, fewer = 1 + np.flatnonzero(extra > 0), 1 + np.flatnonzero(extra < 0)
    lines[more] = lines[more] + ",又一栏"
    lines[fewer] = [line.rpartition(",")[0] for line in lines[fewer]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return pd.concat(sheet, ignore_index=True)

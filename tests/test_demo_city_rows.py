"""What the sample city's deliveries say: people, events, organisations that make sense."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers.declare.records import Catalog
from layers.identifiers import birth_and_sex, check_credit_codes, check_id_numbers


def read(folder: Path, dataset: str, encoding: str = "utf-8-sig") -> pd.DataFrame:
    """Clean rows of a delivered CSV file, all as text."""
    sheet = json.loads((folder / "answers.json").read_text(encoding="utf-8"))[dataset]
    bad = {fault["line"] for fault in sheet["faults"]}
    rows = pd.read_csv(
        folder / sheet["file"], encoding=encoding, dtype=str, keep_default_na=False, skiprows=lambda i: i + 1 in bad
    )
    assert len(rows) == sheet["clean"]
    return rows


@pytest.fixture(scope="module")
def residents(city_folder: Path) -> pd.DataFrame:
    return read(city_folder, "resident", "gbk")


@pytest.fixture(scope="module")
def events(city_folder: Path) -> pd.DataFrame:
    rows = read(city_folder, "grid_event")
    for heading in ("上报时间", "办结时间", "办结时限"):
        rows[heading] = pd.to_datetime(rows[heading].replace("", None))
    return rows


def until(folder: Path) -> date:
    return date.fromisoformat(json.loads((folder / "city.json").read_text(encoding="utf-8"))["until"])


def test_id_numbers_are_right_unique_and_nobodys(residents: pd.DataFrame) -> None:
    numbers = residents["公民身份号码"]
    given = residents[numbers != ""]
    assert check_id_numbers(given["公民身份号码"].tolist()).ok.all()
    assert given["公民身份号码"].is_unique
    assert given["公民身份号码"].str.startswith("4499").all(), "unassigned area codes alone"
    assert set(residents["人员类别"][numbers == ""]) == {"境外"}
    born, sex = birth_and_sex(given["公民身份号码"].tolist())
    assert (np.datetime_as_string(born) == given["出生日期"]).all()
    assert (np.where(sex == "male", "男", "女") == given["性别"]).all()


def test_telephones_are_in_a_range_nobody_has(residents: pd.DataFrame, city_folder: Path) -> None:
    phones = residents["联系电话"]
    assert phones[phones != ""].str.fullmatch(r"1540\d{7}").all()
    calls = read(city_folder, "hotline")["来电号码"]
    assert calls.str.fullmatch(r"1540\d{7}").all()


def test_ages_and_households_make_sense(residents: pd.DataFrame, city_folder: Path) -> None:
    year = residents["出生日期"].str[:4].astype(int)
    age = until(city_folder).year - year
    assert age.between(0, 102).all()
    assert 0.09 < (age >= 65).mean() < 0.25
    assert 0.15 < (age < 15).mean() < 0.3
    assert 0.47 < (residents["性别"] == "男").mean() < 0.55
    head = residents[residents["与户主关系"] == "户主"].set_index("户号")["出生日期"]
    children = residents[residents["与户主关系"] == "子女"]
    of_head = children["户号"].map(head).dropna()
    assert (children.loc[of_head.index, "出生日期"] > of_head).all()
    size = residents.groupby("户号").size()
    assert 2.3 < size.mean() < 3.2
    alone_and_old = residents[residents["户号"].map(size) == 1]["出生日期"].str[:4].astype(int)
    assert (until(city_folder).year - alone_and_old >= 65).sum() > 300


def test_a_column_out_of_scope_is_delivered_but_not_declared(residents: pd.DataFrame, catalog: Catalog) -> None:
    assert "民族" in residents.columns
    declared = {column.heading for column in catalog.datasets["resident"].columns}
    assert "民族" not in declared
    assert len(set(residents.columns) - declared) > 1, "others are delivered and not declared, too"


def test_events_lie_in_the_three_years_before_and_have_their_seasons(events: pd.DataFrame, city_folder: Path) -> None:
    reported, end = events["上报时间"], pd.Timestamp(until(city_folder))
    assert reported.max() < end and (end - reported.min()).days <= 3 * 365
    assert ((end - reported).dt.days // 365).value_counts().min() > len(events) * 0.25
    floods = reported[events["事件类别"] == "汛情"].dt.month
    assert floods.between(5, 9).mean() > 0.75
    hour = reported.dt.hour
    orders, noises = (hour[events["事件类别"] == label] for label in ("街面秩序", "噪音扰民"))
    assert orders.between(8, 17).mean() > 0.7
    assert noises.between(18, 23).mean() > 0.5
    assert (reported.dt.day_of_week[events["事件类别"] == "街面秩序"] >= 5).mean() < 0.2


def test_events_have_believable_ends(events: pd.DataFrame) -> None:
    closed = events["当前状态"] == "结案"
    assert (events["办结时间"].notna() == closed).all()
    assert ((events["处置结果"] != "") == closed).all()
    assert (events["办结时间"] >= events["上报时间"])[closed].all()
    assert 0.3 < (events["就地处置"] == "是").mean() < 0.55
    assert {"不予受理", "处置中", "上报"} <= set(events["当前状态"])
    late = events["办结时间"] > events["办结时限"]
    assert 0.02 < late[closed].mean() < 0.4


def test_steps_lead_from_report_to_the_state_of_their_event(events: pd.DataFrame, city_folder: Path) -> None:
    steps = read(city_folder, "grid_event_step")
    steps = steps.merge(events[["事件编号", "当前状态", "上报时间"]], on="事件编号", how="left", validate="many_to_one")
    assert steps["当前状态"].notna().all(), "every step has its event"
    sheet = json.loads((city_folder / "answers.json").read_text(encoding="utf-8"))["grid_event_step"]
    steps = (
        steps.groupby("事件编号").filter(lambda g: g["步骤"].iloc[-1] == str(len(g))) if len(steps) < 2_000 else steps
    )
    at = pd.to_datetime(steps["时间"])
    same = steps["事件编号"] == steps["事件编号"].shift()
    assert (at[same] > at.shift()[same]).all(), "steps go forward in time"
    follows = same & (steps["步骤"].astype(int) == steps["步骤"].shift(fill_value="0").astype(int) + 1)
    assert (steps["原状态"][follows] == steps["状态"].shift()[follows]).all()
    first = steps[steps["步骤"] == "1"]
    assert (first["状态"] == "上报").all()
    assert (pd.to_datetime(first["时间"]) == first["上报时间"]).all()
    last = steps.drop_duplicates("事件编号", keep="last")
    n_cut = len(sheet["faults"])  # an event may have lost its last step to a planted fault
    assert (last["状态"] != last["当前状态"]).sum() <= n_cut
    assert {"缓办", "已核查"} <= set(steps["状态"])
    assert {"核查不通过，返工", "就地处置"} <= set(steps["原因"])


def test_points_lie_in_the_grid_they_claim(events: pd.DataFrame, city_folder: Path) -> None:
    grids = gpd.read_file(city_folder / "grids.gpkg", layer="grid_small").iloc[:300].set_index("编码").geometry
    given = events[(events["经度"] != "") & (events["网格编码"] != "")]
    points = shapely.points(given["经度"].astype(float), given["纬度"].astype(float))
    assert shapely.covers(grids.loc[given["网格编码"]].to_numpy(), points).all()
    assert given["网格编码"].nunique() > 250
    assert given["网格编码"].value_counts().iloc[:30].sum() > len(given) * 0.2, "clustered"


def test_credit_codes_are_right(city_folder: Path) -> None:
    for dataset, encoding in (("company", "gbk"), ("association", "utf-8")):
        codes = read(city_folder, dataset, encoding)["统一社会信用代码"]
        assert check_credit_codes(codes.tolist()).ok.all()
        assert codes.is_unique
        assert (codes.str[2:6] == "4499").all()
        kinds = {"company": {"91"}, "association": {"51", "54", "55"}}
        assert set(codes.str[:2]) == kinds[dataset]


def test_every_small_grid_is_walked(city_folder: Path) -> None:
    book = pd.read_excel(city_folder / "grid_worker.xlsx", header=1, dtype=str, engine="calamine")
    walks = book["负责网格"].str.split("、")
    grids = gpd.read_file(city_folder / "grids.gpkg", layer="grid_small")["编码"].iloc[:300]
    assert set(grids) <= set(walks.explode())
    assert walks.str.len().between(1, 3).all()


def test_the_hotline_has_addresses_alone_some_of_them_ambiguous(city_folder: Path) -> None:
    calls = read(city_folder, "hotline")
    assert not {"经度", "纬度", "网格编码"} & set(calls.columns)
    villages = gpd.read_file(city_folder / "grids.gpkg", layer="grid_medium")["名称"]
    twice = set(villages[villages.duplicated()])
    address = calls["事发地址"]
    assert address.str.contains("组|网格").mean() > 0.5
    without_town = address[~address.str.contains("镇|街道")]
    assert without_town.str.startswith(tuple(twice)).sum() > 10
    assert (address == "家门口的小店旁边").sum() > 5

"""Addresses are tied to the finest grid they name without doubt, never by a guess."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from address_sheet import WAYS, address_sheet

from etl.addresses import tie_addresses
from layers.database import Database

GRIDS = pd.DataFrame(
    [
        ("4499", "city", "海晏市", []),
        ("449901", "county", "临海区", []),
        ("449901001", "large", "香洲街道", ["香洲镇"]),
        ("449901001001", "medium", "文昌社区", []),
        ("449901001001001", "small", "文昌社区第1网格", []),
        ("449901001001003", "small", "文昌社区第3网格", []),
        ("449901001001013", "small", "文昌社区第13网格", []),
        ("449901001002", "medium", "南门社区", []),
        ("449901100", "large", "青石镇", ["青石公社"]),
        ("449901100200", "medium", "桥头村", ["桥头大队", "旧桥"]),
        ("449901100200001", "small", "桥头村1组", []),
        ("449901100200003", "small", "桥头村3组", []),
        ("449901100200012", "small", "桥头村12组", []),
        ("449901100201", "medium", "松洋村", []),
        ("449901100201001", "small", "松洋村1组", []),
        ("449901101", "large", "石鼓镇", []),
        ("449901101200", "medium", "松洋村", []),
        ("449901101200001", "small", "松洋村1组", []),
        ("449901101200002", "small", "松洋村2组", []),
        ("449902", "county", "望潮区", []),
        ("449902100", "large", "龙眠镇", []),
        ("449902100200", "medium", "水田村", []),
        ("449902100200001", "small", "第1网格", []),
        ("449902101", "large", "松涛镇", []),
        ("449902101200", "medium", "水田村", []),
        ("449902101200001", "small", "第1网格", []),
        ("449902101201", "medium", "新桥村", []),
        ("449901101201", "medium", "新桥村", []),
    ],
    columns=["code", "level", "name", "aliases"],
)


def tied(*addresses: str | None) -> list[str | None]:
    return tie_addresses(np.array(addresses, dtype=object), GRIDS)["grid_code"].tolist()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        # full, and with words around it
        ("临海区青石镇桥头村3组12号", "449901100200003"),
        ("海晏市临海区青石镇桥头村3组12号附近", "449901100200003"),
        ("香洲街道文昌社区第3网格8号", "449901001001003"),
        ("桥头村3组", "449901100200003"),
        ("住在桥头村3组的老人", "449901100200003"),
        # numbers in every style
        ("青石镇桥头村第3组", "449901100200003"),
        ("青石镇桥头村三组", "449901100200003"),
        ("青石镇桥头村第三村民小组", "449901100200003"),
        ("青石镇桥头村十二组", "449901100200012"),
        ("青石镇桥头村３组", "449901100200003"),
        ("香洲街道文昌社区3网格", "449901001001003"),
        ("香洲街道文昌社区第十三网格", "449901001001013"),
        ("香洲街道文昌社区03号网格", "449901001001003"),
        ("龙眠镇水田村第1网格", "449902100200001"),
        # endings missing, or longer
        ("青石桥头村", "449901100200"),
        ("青石镇桥头3组", "449901100200003"),
        ("青石镇桥头12号", "449901100200"),
        ("青石镇桥头", "449901100200"),
        ("青石镇桥头村委会3组", "449901100200003"),
        ("青石镇桥头村民委员会", "449901100200"),
        ("香洲街道办事处文昌居委会第1网格", "449901001001001"),
        ("临海香洲街道", "449901001"),
        # other names
        ("青石公社桥头大队3组", "449901100200003"),
        ("香洲镇文昌社区", "449901001001"),
        # traditional characters
        ("臨海區青石鎮橋頭村民委員會第三組", "449901100200003"),
        ("香洲街道辦事處文昌社區居民委員會", "449901001001"),
        # the old words for a group
        ("青石镇桥头村第3生产队", "449901100200003"),
        ("青石镇桥头村三队", "449901100200003"),
        ("青石镇桥头村委3组", "449901100200003"),
        ("香洲街道文昌居委", "449901001001"),
        # spaces and marks between
        ("临海区 青石镇 桥头村 3组", "449901100200003"),
        ("临海区，青石镇，桥头村", "449901100200"),
        # only the upper levels
        ("临海区人民路与解放路交叉口", "449901"),
        ("青石镇人民路3号", "449901100"),
        ("青石镇桥头村8组", "449901100200"),
        ("青石镇桥头村与松洋村交界", "449901100"),
        ("临海区青石镇与石鼓镇之间", "449901"),
    ],
)
def test_the_finest_grid_named_is_found(address: str, code: str) -> None:
    answer = tie_addresses(np.array([address], dtype=object), GRIDS).iloc[0]
    assert (answer["grid_code"], answer["confidence"]) == (code, 1.0)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("桥头村与松洋村交界", "449901"),  # of several named the common parent
        ("石鼓镇桥头村", "449901"),  # no such village in that town
        ("临海区松洋村", "449901"),  # in two of its towns: the county alone is sure
    ],
)
def test_what_leaves_a_doubt_is_not_called_sure(address: str, code: str) -> None:
    answer = tie_addresses(np.array([address], dtype=object), GRIDS).iloc[0]
    assert answer["grid_code"] == code
    assert answer["confidence"] == 0.5
    assert len(answer["candidates"]) > 1


@pytest.mark.parametrize(
    ("address", "candidates"),
    [
        ("松洋村", ("449901100201", "449901101200")),
        ("松洋村1组", ("449901100201001", "449901101200001")),
        ("海晏市松洋村村民委员会", ("449901100201", "449901101200")),
        ("水田村5号", ("449902100200", "449902101200")),
        ("水田村第一网格", ("449902100200001", "449902101200001")),
        ("新桥村", ("449901101201", "449902101201")),
        ("望潮区青石镇", ("449901100", "449902")),
    ],
)
def test_of_one_name_in_two_towns_both_are_named_and_neither_taken(address: str, candidates: tuple[str, ...]) -> None:
    answer = tie_addresses(np.array([address, "桥头村"], dtype=object), GRIDS)
    assert answer["grid_code"].tolist() == [None, "449901100200"]
    assert answer["confidence"].tolist() == [0, 1]
    assert answer["candidates"].tolist() == [candidates, ()]


def test_a_parent_or_a_number_tells_two_of_one_name_apart() -> None:
    assert tied("石鼓镇松洋村1组", "青石镇松洋村1组", "松洋村2组") == [
        "449901101200001",
        "449901100201001",
        "449901101200002",
    ]


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "   ",
        "家门口的小店旁边",
        "人民路3号",
        "海晏市",
        "3组",  # of which village?
        "上桥头村",  # a village we do not know that ends like one we do
        "小青石镇",
        "南门口的菜市场",
        "x" * 500,
    ],
)
def test_what_names_no_grid_without_doubt_is_left_unplaced(address: str | None) -> None:
    answer = tie_addresses(np.array([address], dtype=object), GRIDS).iloc[0]
    assert answer["grid_code"] is None
    assert answer["confidence"] == 0


def test_a_road_that_begins_like_a_quarter_is_not_that_quarter() -> None:
    assert tied("香洲街道南门路8号", "香洲街道南门8号") == ["449901001", "449901001002"]


def test_answers_come_in_the_order_of_the_addresses_however_many() -> None:
    asked = ["桥头村3组", None, "松洋村2组", "桥头村3组", "x"]
    answer = tie_addresses(np.array(asked * 8000, dtype=object), GRIDS)
    assert len(answer) == 40_000
    assert answer["grid_code"].tolist()[-5:] == ["449901100200003", None, "449901101200002", "449901100200003", None]
    distinct = np.array([f"桥头村3组{i}号" for i in range(40_000)], dtype=object)
    assert set(tie_addresses(distinct, GRIDS)["grid_code"]) == {"449901100200003"}


def test_nothing_gives_nothing() -> None:
    assert tie_addresses(np.array([], dtype=object), GRIDS).columns.tolist() == [
        "grid_code",
        "confidence",
        "candidates",
    ]
    assert tie_addresses(np.array(["桥头村"], dtype=object), GRIDS.head(0))["grid_code"].tolist() == [None]
    assert tie_addresses(np.array(["桥头村"], dtype=object), GRIDS.head(1))["grid_code"].tolist() == [None]


@pytest.fixture(scope="module")
def city_grids(small_city: Database) -> pd.DataFrame:
    with small_city.connect("loader") as connection:
        rows = connection.execute("select code, level, name, aliases from pub.grid order by code").fetchall()
    return pd.DataFrame(rows, columns=["code", "level", "name", "aliases"])


def test_the_answer_sheet_of_the_sample_city(city_grids: pd.DataFrame) -> None:
    sheet = address_sheet(city_grids, 3000)
    answer = tie_addresses(sheet["address"].to_numpy(dtype=object), city_grids)
    grid = answer["grid_code"].to_numpy(dtype=object)
    right = np.array([one == other for one, other in zip(grid, sheet["code"], strict=True)])
    alike = sheet["candidates"].str.len().to_numpy() > 0
    wrong = sheet[~right & ~alike].assign(got=grid[~right & ~alike])
    assert alike.sum() >= 100
    assert right[~alike].mean() >= 0.98, wrong.to_string()
    sure = (answer["confidence"] == 1).to_numpy()
    assert sheet[sure & ~right].assign(got=grid[sure & ~right]).to_dict("records") == []
    assert sheet[alike & ~right].to_dict("records") == []
    assert answer.loc[alike, "candidates"].tolist() == sheet.loc[alike, "candidates"].tolist()
    by_way = pd.Series(right).groupby(sheet["how"]).mean()
    assert set(by_way.index) == set(WAYS)
    assert by_way[by_way < 0.95].to_dict() == {}, "every way of writing is understood"

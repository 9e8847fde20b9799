"""A reform of the grids: each kind of change as a small table, what becomes of rows and counts, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.database import Database
from layers.errors import AtlasError, DeliveryError, UnknownNameError
from layers.settings import Settings
from layers.succession import became_of
from tests.deliveries import RESIDENTS
from tests.reforms import ReformTown

LETTERS = """
no | category | reported            | code
L1 | noise    | 2026-05-01 08:00:00 | 449901001001001
L2 | noise    | 2026-05-02 08:00:00 | 449901001001002
L3 | flood    | 2026-05-03 08:00:00 | 449901001002001
L4 | flood    | 2026-06-04 08:00:00 | 449901001002
L5 | flood    | 2026-06-05 08:00:00 | 449901002001001
L6 | noise    | 2026-06-06 08:00:00 | 449901002002002
L7 | noise    | 2026-06-07 08:00:00 | 4499
"""
"""Letters known by a code alone: five in groups, one in a village, one unplaced."""

REPORTS = """
no | category | state    | reported            | updated             | lon    | lat   | note
A1 | noise    | reported | 2026-05-31 23:30:00 | 2026-05-31 23:30:00 | 115.05 | 22.05 | 第一
A2 | noise    | closed   | 2026-06-01 00:30:00 | 2026-06-01 00:30:00 | 115.12 | 22.05 | 第二
A3 | flood    | handling | 2026-06-02 08:00:00 | 2026-06-02 08:00:00 | 115.18 | 22.05 | 第三
A4 | family_dispute | reported | 2026-06-03 08:00:00 | 2026-06-03 08:00:00 | 115.35 | 22.05 | 第四
A5 | flood    | reported | 2026-06-04 08:00:00 | 2026-06-04 08:00:00 | 115.75 | 22.05 | 第五
"""

STEPS = """
no | step | at                  | state
A1 | 1    | 2026-05-31 23:30:00 | reported
A2 | 1    | 2026-06-01 00:30:00 | reported
A2 | 2    | 2026-06-01 09:30:00 | closed
A5 | 1    | 2026-06-04 09:30:00 | reported
"""


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> ReformTown:
    return loaded(db, settings, tmp_path)


@pytest.fixture(scope="module")
def same_town(file_db: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> ReformTown:
    """The town for plans that are refused, which it outlasts as it was."""
    return loaded(file_db, settings, tmp_path_factory.mktemp("town"))


def loaded(db: Database, settings: Settings, folder: Path) -> ReformTown:
    town = ReformTown(db, settings, folder)
    town.deliver("letter.csv", LETTERS)
    town.deliver("report.csv", REPORTS)
    town.deliver("step.csv", STEPS)
    town.deliver("resident.csv", RESIDENTS.replace("22.15", "22.05"))
    report = town.load()
    assert [one.problem for one in report.deliveries if one.status == "refused"] == []
    return town


def grids(town: ReformTown, level: str = "small") -> dict[str, str]:
    found = town.atlas().grids(level)
    return dict(zip(found["grid_code"].str[6:], found["name"], strict=True))


def test_villages_merge_and_their_groups_with_them(town: ReformTown) -> None:
    before = town.counts("report"), town.counts("letter")
    report = town.reform("""
        old_code        | old_name | new_code        | new_name | change
        449901001001    | 一村     | 449901001001    | 新村     | merged
        449901001002    | 二村     | 449901001001    | 新村     | 合并
        449901001001001 |          | 449901001001001 | 甲乙组   | merged
        449901001001002 |          | 449901001001001 | 甲乙组   | merged
        449901001002001 |          | 449901001001003 |          | moved
        449901001002002 |          | 449901001001004 | 丁丁组   | moved
    """)
    assert report.changes == {"merged": 4, "moved": 2}
    assert grids(town, "medium") == {"001001": "新村", "002001": "三村", "002002": "四村"}
    assert grids(town)["001001001"] == "甲乙组" and grids(town)["001001003"] == "丙组"
    assert town.counts("letter") == {"001001001": 2, "001001003": 1, "002001001": 1, "002002002": 1}
    assert town.counts("letter", "medium") == {"001001": 4, "002001": 1, "002002": 1}
    assert town.counts("report") == {"001001001": 3, "002002002": 1}
    assert (town.counts("report", on="2026-06-30"), town.counts("letter", on="2026-06-30")) == before
    steps = town.rows(
        "select e.source_key, s.step_no from ops.event_step s join ops.event e"
        " on (e.town_code, e.id) = (s.town_code, s.event_id) order by 1, 2"
    )
    assert steps == [("A1", 1), ("A2", 1), ("A2", 2), ("A5", 1)]


def test_a_town_gets_another_code_and_nothing_moves(town: ReformTown) -> None:
    report = town.reform("""
        旧编码    | 旧名称 | 新编码    | 新名称 | 变化
        449901002 | 西镇   | 449901007 | 西街道 | 改码
    """)
    assert report.changes == {"re-coded": 1, "followed": 6}
    assert report.n_moved == 3
    assert grids(town, "large") == {"001": "东镇", "007": "西街道"}
    assert town.counts("letter")["007002002"] == 1
    assert town.rows("select distinct town_code from raw.source_registry where source_key in ('A5', 'L5')") == [
        ("449901007",)
    ]
    assert town.rows("select delivered_code, grid_code from ops.event where source_key = 'L5'") == [
        ("449901002001001", "449901007001001")
    ]


def test_a_code_is_used_again_under_a_new_name(town: ReformTown) -> None:
    town.reform("""
        old_code     | new_code     | new_name | change
        449901001002 | 449901001001 |          | re-coded
        449901001001 | 449901001003 |          | re-coded
    """)
    assert grids(town, "medium") == {"001001": "二村", "001003": "一村", "002001": "三村", "002002": "四村"}
    assert town.counts("report") == {"001003001": 1, "001003002": 2, "002002002": 1}
    assert town.counts("report", on="2026-06-30") == {"001001001": 1, "001001002": 2, "002002002": 1}


def test_a_village_moves_to_another_town_with_its_groups(town: ReformTown) -> None:
    town.reform("""
        old_code     | old_name | new_code     | new_name | change
        449901001002 | 二村     | 449901002003 |          | 划转
    """)
    assert grids(town, "medium")["002003"] == "二村"
    west = town.atlas().grids("large").set_index("grid_code")["geom"]["449901002"].bounds
    assert west == pytest.approx((115.2, 22, 115.8, 22.1))
    assert town.counts("letter", "large") == {"001": 2, "002": 4}


def test_a_county_gets_a_new_code(town: ReformTown) -> None:
    plan = """
        old_code | new_code | new_name | change
        449901   | 449905   | 新区     | re-coded
    """
    with pytest.raises(DeliveryError, match=r"lies beside 449901.*by --within"):
        town.reform(plan)
    town.reform(plan, within="4499")
    found = town.atlas().grids("county")
    assert dict(zip(found["grid_code"], found["name"], strict=True)) == {"449905": "新区"}
    assert town.atlas().tally("letter", level="county", by=(), period=None)["n"].tolist() == [6]
    assert town.rows("select count(*) from vault.person where grid_code like '449905%'") == [(2,)]


def test_a_split_needs_outlines_and_carries_the_rest_by_area(town: ReformTown) -> None:
    plan = """
        old_code        | new_code        | new_name | change
        449901001001001 | 449901001001001 | 甲组     | kept
        449901001001002 | 449901001001002 | 乙一组   | split
        449901001001002 | 449901001001003 | 乙二组   | split
    """
    with pytest.raises(Exception, match=r"takes a part of 449901001001002.*--grids FILE"):
        town.reform(plan)
    outlines = {"449901001001002": (115.1, 115.14), "449901001001003": (115.14, 115.2)}
    report = town.reform(plan, outlines=outlines)
    assert report.n_carried == 1
    assert town.counts("report") == {"001001001": 1, "001001002": 1, "001001003": 1, "002002002": 1}
    shared = town.atlas().tally("letter", level="small", by=(), period=None)
    assert dict(zip(shared["grid_code"].str[6:], shared["n"].round(3), strict=True)) == {
        "001001001": 1, "001001002": 0.4, "001001003": 0.6, "001002001": 1, "002001001": 1, "002002002": 1,
    }  # fmt: skip
    assert shared.attrs["n_carried"] == pytest.approx(1)
    assert town.counts("letter", "medium") == {"001001": 2, "001002": 2, "002001": 1, "002002": 1}
    assert town.counts("letter", on="2026-06-30")["001001002"] == 1


def test_the_same_reform_again_is_no_change(town: ReformTown) -> None:
    plan = """
        old_code  | new_code  | new_name | change
        449901002 | 449901002 | 西街道   | renamed
    """
    assert town.reform(plan).status == "done"
    assert town.reform(plan).status == "known"
    assert grids(town, "large") == {"001": "东镇", "002": "西街道"}
    assert town.rows("select edition, opened_on::text, closed_on::text from pub.edition order by 1") == [
        (1, "2023-01-01", "2026-07-01"),
        (2, "2026-07-01", None),
    ]


def test_a_dry_run_changes_nothing(same_town: ReformTown) -> None:
    plan = """
        old_code  | new_code  | new_name | change
        449901002 | 449901009 |          | re-coded
    """
    report = same_town.reform(plan, is_dry=True)
    assert report.status == "dry" and report.became == ["449901002 西镇 -> 449901009 西镇 (re-coded)"]
    assert same_town.rows("select count(*) from pub.edition") == [(1,)]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("449901009 |      | 449901009 | 新 | kept", "line 2, 旧编码 '449901009': no grid in force has this code"),
        ("449901001 | 西镇 | 449901001 | 新 | renamed", "line 2, 旧名称 '西镇': 449901001 is called 东镇"),
        ("449901001 |      | 4499010   |    | re-coded", "line 2, 新编码 '4499010': this cannot be its new code"),
        ("449901001 |      | 449901001 | 新 | kept", "code or name change all the same"),
        ("449901001 |      | 449901001 |    | renamed", "it is called 东镇 already"),
        ("449901001 |      | 449901001 | 新 | re-coded", "this is its old code"),
        ("449901001001 | | 449901001005 | | moved", "it stays in 449901001"),
        ("449901001 |      | 449901002 |    | re-coded", "449901001 东镇、449901002 西镇 would all have this code"),
        ("449901001001 | | 449901008001 | | moved", "there will be no grid 449901008 for it to lie in"),
        ("449901001001 | | 449901001005 | | merged", "nothing else comes to this code"),
        ("449901001001 | | 449901001005 | | split", "has this one line only"),
        ("449901001001 | | 449901001002 | | merged", "449901001001001 甲组、449901001002001 丙组 would all have"),
        ("449901001 | | 449901003 | | recode", "Did you mean recoded?"),
    ],
)
def test_a_wrong_line_is_named_with_its_remedy(same_town: ReformTown, plan: str, said: str) -> None:
    with pytest.raises(Exception) as caught:
        same_town.reform(f"old_code | old_name | new_code | new_name | change\n{plan}")
    assert said in str(caught.value)
    assert same_town.rows("select count(*) from pub.edition") == [(1,)]


def test_all_problems_are_told_at_once(same_town: ReformTown) -> None:
    with pytest.raises(Exception) as caught:
        same_town.reform("""
            old_code  | old_name | new_code  | change
            449901001 | 西镇     | 449901003 | re-coded
            449901007 |          | 449901003 | re-coded
            449901002 |          | 44990     | re-coded
        """)
    assert "plan.csv has 3 problems" in str(caught.value)


def test_gaps_and_overlaps_are_named(town: ReformTown) -> None:
    plan = """
        old_code        | new_code        | new_name | change
        449901001001002 | 449901001001002 | 乙一组   | split
        449901001001002 | 449901001001003 | 乙二组   | split
    """
    outlines = {"449901001001002": (115.1, 115.14), "449901001001003": (115.15, 115.21)}
    with pytest.raises(Exception) as caught:
        town.reform(plan, outlines=outlines)
    text = str(caught.value)
    assert "2 places" in text
    assert "no new grid covers ground of 449901001001002: 11," in text and "at 115.14500, 22.05000" in text
    assert "two new grids lie upon each other: 449901001001003, 449901001002001" in text
    wide = {"449901001001002": (115.1, 115.1400001), "449901001001003": (115.14, 115.2)}
    assert town.reform(plan, outlines=wide).status == "done"  # a centimetre is of drawing


def test_what_is_loaded_later_is_counted_on_the_grids_of_every_day(town: ReformTown) -> None:
    town.reform("""
        old_code     | new_code     | new_name | change
        449901002    | 449901007    | 西街道   | re-coded
        449901001001 | 449901001001 | 新村     | merged
        449901001002 | 449901001001 | 新村     | merged
        449901001001001 | 449901001001001 | 大组 | merged
        449901001001002 | 449901001001001 | 大组 | merged
        449901001002001 | 449901001001002 | 丙组 | moved
        449901001002002 | 449901001001003 | 丁组 | moved
    """)
    town.deliver(
        "letter2.csv",
        LETTERS.splitlines()[1]
        + """
        M1 | noise    | 2026-06-20 08:00:00 | 449901002001002
        M2 | noise    | 2026-06-20 08:00:00 | 449901001001001
        M3 | noise    | 2026-06-20 08:00:00 | 449901001002001
        """,
    )
    town.deliver("report2.csv", REPORTS.replace("A1 ", "B1 ").replace("A2 ", "B2 "))
    town.load("letter", "report")
    assert town.counts("letter") == {
        "001001001": 3, "001001002": 2, "007001001": 1, "007001002": 1, "007002002": 1,
    }  # fmt: skip
    old = town.counts("letter", on="2026-06-30")
    assert old == pytest.approx({
        "001001001": 1.5, "001001002": 1.5, "001002001": 2, "002001001": 1, "002001002": 1, "002002002": 1,
    })  # fmt: skip
    assert sum(old.values()) == pytest.approx(sum(town.counts("letter").values()))
    assert town.counts("report", on="2026-06-30") == {"001001001": 2, "001001002": 3, "002002002": 1}


def test_rows_and_codes_of_the_past_can_be_asked_for(town: ReformTown) -> None:
    town.reform("""
        old_code        | new_code        | new_name | change
        449901002       | 449901007       | 西街道   | re-coded
        449901001001001 | 449901001001001 | 大组     | merged
        449901001001002 | 449901001001001 | 大组     | merged
    """)
    atlas = town.atlas()
    with atlas.connect() as connection:
        became = str(became_of(connection, "449901002001"))
    assert became == "449901002001 三村 became 449901007001 三村, on 2026-07-01."
    with pytest.raises(UnknownNameError, match="449901002 西镇 became 449901007 西街道, on 2026-07-01"):
        atlas.tally("letter", level="small", within="449901002")
    found = atlas.succession("449901001001001")
    assert found[["old_code", "new_code", "change"]].to_numpy().tolist() == [
        ["449901001001001", "449901001001001", "merged"],
        ["449901001001002", "449901001001001", "merged"],
    ]
    then = atlas.features("report", on="2026-06-30", within="449901001001")
    assert sorted(then["grid_code"].str[6:]) == ["001001001", "001001002", "001001002"]
    letters = atlas.features("letter", on="2026-06-30", within="449901002")
    assert sorted(letters["grid_code"].str[6:]) == ["002001001", "002002002"]
    assert len(atlas.features("letter", on="2026-07-01", within="449901007")) == 2
    with pytest.raises(AtlasError, match="No grids are known for 2022-01-01"):
        atlas.grids("small", on="2022-01-01")


def test_published_people_are_carried_as_sums_of_published_cells(town: ReformTown) -> None:
    def people(level: str, on: str) -> dict[str, int]:
        found = town.atlas().people(level, on=on)
        return dict(zip(found["grid_code"].str[6:], found["n"], strict=True))

    before = people("medium", "2026-06-30")
    town.reform("""
        old_code        | new_code        | new_name | change
        449901001001    | 449901001001    | 新村     | merged
        449901001002    | 449901001001    | 新村     | merged
        449901001001001 | 449901001001001 |          | kept
        449901001002001 | 449901001001011 |          | moved
        449901001002002 | 449901001001012 |          | moved
    """)
    assert people("medium", "2026-06-30") == before
    after = town.atlas().people("medium")
    assert dict(zip(after["grid_code"].str[6:], after["n"], strict=True)) == {
        "001001": before["001001"] + before["001002"], "002001": before["002001"], "002002": before["002002"],
    }  # fmt: skip
    assert after.attrs["off_by"]["449901001001"] == 18
    assert town.rows("select distinct edition from pub.people_count") == [(1,)]

"""Near-duplicates and folding: offered with distance and likeness, proposed by words, confirmed, all authors known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from people_at_work import GRID, actor, cases, duplicates, key, prepare, working_catalog
from signing import become, signed

from layers import cases as plain_cases
from layers.access import Scope
from layers.database import Database
from layers.errors import CaseError

CATALOG = working_catalog()
CITY = Scope("4499")

SUGGESTIONS = {
    1: "村口的路灯坏了好几天，晚上看不见路",
    2: "建议给文化广场加装健身器材",
    3: "村口路灯不亮，晚上走路危险",
    4: "希望增加到县城的公交班次",
    5: "文化广场需要健身器材，老人没地方锻炼",
    6: "去县城的公交班次太少了",
}


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


def report(web: Any, who: str, summary: str, lon: float, category: str = "noise") -> int:
    said = cases.Report(key(), category, GRID, position=(lon, 0.1), summary=summary, dataset="call")
    return cases.report(web, CATALOG, actor("resident", account=who), said).id


def test_texts_are_alike_by_their_words() -> None:
    found = duplicates.likeness([SUGGESTIONS[1], SUGGESTIONS[3], SUGGESTIONS[2], "", "？！"])
    assert np.allclose(np.diag(found)[:3], 1) and np.allclose(found, found.T)
    assert found[0, 1] > 0.25 > found[0, 2]
    assert found[0, 3] == 0
    assert duplicates.likeness(["", "。"]).tolist() == [[1, 0], [0, 1]]


def test_suggestions_fold_by_their_words() -> None:
    frame = pd.DataFrame({"id": list(SUGGESTIONS), "summary": list(SUGGESTIONS.values())})
    found = duplicates.propose(frame)
    assert found.groupby("group")["id"].apply(list).tolist() == [[1, 3], [2, 5], [4, 6]]
    assert found["leading"].tolist() == [1, 2, 1, 4, 2, 4]
    assert duplicates.propose(frame.head(1))["leading"].tolist() == [1]


def test_near_and_alike_is_offered_first_and_nothing_else(web: Any) -> None:
    near = report(web, "甲", "工地夜里施工很吵", 0.1)
    other = report(web, "乙", "广场舞音响太大", 0.1002)
    report(web, "丙", "工地夜里施工很吵", 0.2)  # far away
    report(web, "丁", "工地夜里施工很吵", 0.1, "drainage")  # of another category
    report(web, "戊", "家里的事", 0.1, "family_dispute")
    found = duplicates.near(web, CITY, "noise", (0.10001, 0.1), "夜里工地施工，吵得睡不着")
    assert found["id"].tolist() == [near, other]
    assert found["distance_m"].round().tolist() == [1, 21] and found["like"][0] > found["like"][1]
    assert duplicates.near(web, CITY, "family_dispute", (0.1, 0.1)).empty


def shown(web: Any, ids: list[int]) -> list[tuple[int, int]]:
    return [(one, cases.read_case(web, CITY, one).version) for one in ids]


def test_folding_is_confirmed_whole_and_every_author_is_known(web: Any) -> None:
    ids = [report(web, who, "路灯坏了", 0.1) for who in ("甲", "乙", "丙")]
    centre, one = actor("dispatcher"), key()
    leading, *others = shown(web, ids)
    assert duplicates.fold(web, CATALOG, centre, leading, others, key=one) == 2
    assert duplicates.fold(web, CATALOG, centre, leading, others, key=one) == 0, "sent again"
    assert duplicates.authors(web, CITY, ids[0])["id"].tolist() == ids
    assert [cases.read_case(web, CITY, i).outcome for i in ids] == [None, "duplicate", "duplicate"]
    more = [report(web, "丁", "路灯坏了", 0.1), ids[1]]
    with pytest.raises(CaseError):
        duplicates.fold(web, CATALOG, centre, leading, shown(web, more), key=key())
    assert cases.read_case(web, CITY, more[0]).state == "reported", "all or none"


def test_a_group_that_has_changed_is_not_folded(web: Any) -> None:
    ids = [report(web, who, "路灯坏了", 0.1) for who in ("甲", "乙", "丙")]
    centre = actor("dispatcher")
    leading, *others = shown(web, ids)
    for changed in (ids[2], ids[0]):  # one of the others, then the leading one
        case = cases.read_case(web, CITY, changed)
        cases.take_step(web, CATALOG, centre, case, "accept", key=key())
        with pytest.raises(CaseError) as error:
            duplicates.fold(web, CATALOG, centre, leading, others, key=key())
        assert error.value.why == "stale"
        leading, *others = [leading, *shown(web, ids[1:])]
    assert {cases.read_case(web, CITY, one).outcome for one in ids} == {None}


def test_who_was_folded_twice_has_the_answer_of_the_last_leading_case(web: Any) -> None:
    ids = [report(web, who, "路灯坏了", 0.1) for who in ("甲", "乙", "丙")]
    centre = actor("dispatcher")
    for leading, other in ((ids[1], ids[0]), (ids[2], ids[1])):
        duplicates.fold(web, CATALOG, centre, shown(web, [leading])[0], shown(web, [other]), key=key())
    with pytest.raises(CaseError) as error:  # never round in a circle
        cases.take_step(
            web, CATALOG, centre, cases.read_case(web, CITY, ids[2]), "merge", key=key(), duplicate_of=ids[0]
        )
    assert error.value.need == "original"
    assert duplicates.authors(web, CITY, ids[2])["id"].tolist() == ids
    cases.take_step(web, CATALOG, centre, cases.read_case(web, CITY, ids[2]), "accept", key=key())
    for who in ("甲", "乙"):
        told = cases.follow(web, who).iloc[0]
        assert (told["state"], told["outcome"], told["original_state"]) == ("closed", "duplicate", "accepted")
    reopened = cases.read_case(web, CITY, ids[1])
    cases.take_step(web, CATALOG, centre, reopened, "reopen", key=key(), reason="不是同一件事")
    assert duplicates.authors(web, CITY, ids[2])["id"].tolist() == [ids[2]]
    assert duplicates.authors(web, CITY, ids[1])["id"].tolist() == ids[:2]
    assert cases.follow(web, "甲")["original_state"].tolist() == ["accepted"]


def test_two_are_never_merged_into_each_other(web: Any, db: Database) -> None:
    one, other = (report(web, who, "路灯坏了", 0.1) for who in ("甲", "乙"))
    centre = actor("dispatcher")
    seen = [cases.read_case(web, CITY, each) for each in (one, other)]
    waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with signed(db) as second, db.connect("admin", autocommit=True) as admin, ThreadPoolExecutor(1) as pool:
        become(second, centre)
        with web.transaction():
            cases.take_step(web, CATALOG, centre, seen[0], "merge", key=key(), duplicate_of=other)
            late = pool.submit(
                plain_cases.take_step, second, CATALOG, centre, seen[1], "merge", key=key(), duplicate_of=one
            )
            while not admin.execute(waits.encode()).fetchone() and not late.done():
                pass
        with pytest.raises(CaseError) as error:
            late.result()
        assert error.value.need == "original"

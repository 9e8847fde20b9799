"""Rates of the closed loop: exact on published figures, summed upward, and honest about what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from little_city import CATEGORIES, GRIDS, count, fill_grids, indicator, table
from people_at_work import working_catalog
from signing import signed

from layers.access import Scope
from layers.database import Database
from layers.declare.case_records import DuePolicy, Limits
from layers.declare.records import Catalog, Count
from layers.indicators import latest, values
from layers.performance import CASE_COUNTS, RATES, case_counts, case_facts, performance
from layers.periods import read_period

CITY = Scope("4499")
SMALL = [row["code"] for row in table(GRIDS) if len(row["code"]) == 15]

# Tianmen, December 2016: of 1,054 received 996 were filed, 972 due, 911 closed and 737 of them on time.
TIANMEN = """
insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, category, state,
    reported_at, due_at, closed_at, department, is_urgent, is_on_spot, tied_by, is_sensitive, attrs)
select left(grid, 9), grid, 1, 'call', n::text, 1, now(), (array['noise', 'drainage'])[n % 2 + 1],
    case when n > 996 then 'refused' when n <= 911 then 'closed' else 'handling' end,
    '2016-12-02 01:00Z',
    case when n <= 972 then '2016-12-20 01:00Z'::timestamptz when n <= 996 then '2017-01-20 01:00Z' end,
    case when n <= 737 then '2016-12-19 01:00Z'::timestamptz when n <= 911 then '2016-12-25 01:00Z' end,
    (array['water', 'justice'])[n % 2 + 1], false, false, 'code', false, '{}'
from (select n, (%s::text[])[n %% 5 + 1] as grid from generate_series(1, 1054) as n) as made
"""


def share(key: str, over: str, under: str) -> Any:
    return indicator(key, "share", factor=100, count=Count(("call",), cases=over), of=Count(("call",), cases=under))


@pytest.fixture
def tianmen(db: Database) -> Any:
    fill_grids(db)
    with db.connect("loader") as loader:
        loader.execute(TIANMEN.replace("n % 2", "n %% 2").encode(), [SMALL])
    with signed(db) as connection:
        yield connection


def catalog(**more: Any) -> Catalog:
    made = working_catalog(**more)
    return replace(made, indicators={key: share(key, *parts) for key, parts in RATES.items()})


def test_the_figures_of_tianmen(tianmen: Any) -> None:
    made = {}
    for key in ("filing_rate", "closure_rate", "on_time_rate"):
        row = values(tianmen, catalog(), key, CITY, level="city", period="2016-12").iloc[0]
        made[key] = (int(row["numerator"]), int(row["denominator"]), round(float(row["value"]), 2))
    assert made == {
        "filing_rate": (996, 1054, 94.5), "closure_rate": (911, 972, 93.72), "on_time_rate": (737, 972, 75.82),
    }  # fmt: skip


# Yanshuiguan: of 263 problems collected 251 were settled; of the twelve others five were closed and not settled.
YANSHUIGUAN = """
insert into ops.event (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, category, state,
    outcome, reported_at, closed_at, is_urgent, is_on_spot, tied_by, is_sensitive, attrs)
select left(grid, 9), grid, 1, 'call', n::text, 1, now(), 'noise', case when n <= 256 then 'closed' else 'handling' end,
    case when n <= 251 then 'settled' when n <= 256 then 'not_our_duty' end, '2021-12-02 01:00Z',
    case when n <= 256 then '2021-12-19 01:00Z'::timestamptz end, false, false, 'code', false, '{}'
from (select n, (%s::text[])[n %% 5 + 1] as grid from generate_series(1, 263) as n) as made
"""

SHANWEI = {2019: 1965, 2020: 3021, 2021: 4352}
"""Disputes settled in Shanwei, by year."""


def test_the_figures_of_yanshuiguan(db: Database) -> None:
    fill_grids(db)
    with db.connect("loader") as loader:
        loader.execute(YANSHUIGUAN.encode(), [SMALL])
    with signed(db) as connection:
        for level in ("city", "county", "large", "medium", "small"):
            rows = values(connection, catalog(), "settled_rate", CITY, level=level, period="2021-12")
            assert (rows["numerator"].sum(), rows["denominator"].sum()) == (251, 263), level
            if level == "city":
                assert round(float(rows["value"].iloc[0]), 1) == 95.4
        facts = case_facts(connection, CITY, ["call"], read_period("2021"), "Asia/Shanghai")
        assert (facts["state"] == "closed").sum() == 256, "closed is not settled"


def test_disputes_by_year_are_a_trend(db: Database) -> None:
    fill_grids(db)
    for year, n in SHANWEI.items():
        count(db, f"grid | day | category | state | n\n{SMALL[0]} | {year}-06-01 | noise | closed | {n}")
    made = replace(catalog(), indicators={"disputes_by_year": indicator("disputes_by_year", period="year")})
    with signed(db) as connection:
        assert latest(connection, made, "disputes_by_year") == read_period("2021"), "shown first: the last year"
        for year, n in SHANWEI.items():
            rows = values(connection, made, "disputes_by_year", CITY, level="city", period=year)
            assert rows["value"].tolist() == [n]


@pytest.mark.parametrize("level", ["county", "large", "medium", "small"])
def test_numerators_and_denominators_sum_upward(tianmen: Any, level: str) -> None:
    rows = values(tianmen, catalog(), "on_time_rate", CITY, level=level, period="2016-12")
    assert (rows["numerator"].sum(), rows["denominator"].sum()) == (737, 972)
    by = performance(tianmen, catalog(), CITY, "2016-12", by="department")
    assert by[["closed_on_time", "due"]].sum().tolist() == [737, 972]
    assert by["department"].tolist() == ["justice", "water"]
    assert performance(tianmen, catalog(), CITY, "2016-12", by="category")["due"].sum() == 972


def test_a_rate_of_nothing_is_no_data_and_not_zero(tianmen: Any) -> None:
    row = values(tianmen, catalog(), "satisfaction_rate", CITY, level="city", period="2016-12").iloc[0]
    assert (row["denominator"], pd.isna(row["value"])) == (0, True)
    by = performance(tianmen, catalog(), CITY, "2016-12")
    assert by["satisfaction_rate"].isna().all() and (by["answered"] == 0).all()


def test_every_number_clicks_to_its_cases(tianmen: Any) -> None:
    when = read_period("2016-12")
    facts = case_facts(tianmen, Scope("449901001"), ["call"], when, "Asia/Shanghai")
    counts = case_counts(facts, when, "Asia/Shanghai", DuePolicy(date(2016, 1, 1)))
    asked = values(tianmen, catalog(), "on_time_rate", CITY, level="large", period="2016-12")
    row = asked.set_index("grid_code").loc["449901001"]
    assert len(facts.loc[counts["closed_on_time"] == 1, "id"].unique()) == row["numerator"]


SHORT = {
    "NEW": "reported filed dispatched not_returned",
    "DUE": "due due_for_handling handled_on_time",
    "DONE": "closed closed_of_due closed_on_time",
}

ROWS = """
state     | reported   | due        | closed     | filed | steps      | counts for
closed    | 2025-03-03 | 2025-03-10 | 2025-03-10 | yes   | dispatched | NEW DUE DONE
closed    | 2025-03-03 | 2025-04-10 | 2025-03-20 | yes   | dispatched | NEW DUE DONE
closed    | 2025-03-03 | -          | 2025-03-20 | yes   | dispatched | NEW closed without_deadline
closed    | 2025-03-03 | 2025-03-10 | 2025-04-02 | yes   | dispatched | NEW DUE overdue
suspended | 2025-03-03 | 2025-03-10 | -          | yes   | dispatched | NEW DUE overdue
handling  | 2025-02-03 | 2025-03-10 | -          | yes   | sent_back  | DUE overdue sent_back
accepted  | 2025-03-03 | 2025-05-10 | -          | yes   | returned   | reported filed dispatched
refused   | 2025-03-03 | -          | -          | no    | -          | reported
reported  | 2025-02-03 | -          | -          | no    | -          | -
"""


@pytest.mark.parametrize("row", table(ROWS), ids=lambda row: f"{row['state']} {row['due']} {row['closed']}")
def test_what_a_case_counts_for(row: dict[str, str]) -> None:
    def moment(text: str) -> datetime | None:
        return None if text == "-" else datetime.fromisoformat(text).replace(tzinfo=UTC)

    n = int(row["steps"] in ("dispatched", "returned"))
    facts = pd.DataFrame(
        {
            "state": [row["state"]], "outcome": [None], "category": ["noise"], "reported_at": [moment(row["reported"])],
            "due_at": [moment(row["due"])], "closed_at": [moment(row["closed"])],
            "handled_at": [moment("2025-03-09" if row["steps"] != "-" else "-")],
            "is_on_spot": [False], "is_filed": [row["filed"] == "yes"], "is_dispatched": [row["steps"] != "-"],
            "n_dispatched": [n], "n_returned": [int(row["steps"] == "returned")],
            "n_sent_back": [int(row["steps"] == "sent_back")], "n_extended": [0], "is_asked": [False],
            "is_satisfied": [None],
        }
    )  # fmt: skip
    for name in ("reported_at", "due_at", "closed_at", "handled_at"):
        facts[name] = pd.to_datetime(facts[name], utc=True)
    found = case_counts(facts, read_period("2025-03"), "Asia/Shanghai", DuePolicy(date(2025, 1, 1)))
    counted = {name for name in CASE_COUNTS if found[name].iloc[0]}
    words = [SHORT.get(word, word) for word in row["counts for"].replace("-", "").split()]
    assert counted == set(" ".join(words).split())


def test_the_policy_of_the_day_says_what_is_due() -> None:
    limits = Limits(due=(DuePolicy(date(2025, 1, 1), suspended=False), DuePolicy(date(2023, 1, 1), closed_early=False)))
    assert limits.due_on(date(2024, 5, 1)).closed_early is False
    assert limits.due_on(date(2025, 1, 1)).suspended is False
    assert limits.due_on(date(2020, 1, 1)) == DuePolicy(date(2020, 1, 1))
    assert {c.key for c in CATEGORIES} >= {"noise", "drainage"}


def test_the_documentation_has_every_count_and_rate() -> None:
    docs = (Path(__file__).parent.parent / "docs" / "cases.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in docs for name in (*CASE_COUNTS, *RATES))
    assert all(f"| `{key}` | `{over}` | `{under}` |" in docs for key, (over, under) in RATES.items())

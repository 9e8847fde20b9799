"""Correction by request: a value is right at once, and no delivery that still has the wrong one brings it back."""

from __future__ import annotations

import dataclasses
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_forget import COUNTED, HELPED, LI, NAMED, ZHANG, gone
from test_reform_scopes import OUTLINES
from test_reform_scopes import PLAN as REFORM
from typer.testing import CliRunner

from etl.__main__ import app
from etl.amend import Amended, Request, amend
from etl.forget import subject_of
from layers.accounts.audit import read_entries, read_looked
from layers.database import Database
from layers.declare.records import Catalog
from layers.errors import DeliveryError, UnknownNameError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import CHECKOUT, Settings
from tests.deliveries import NOW, RESIDENTS, Town
from tests.reforms import ReformTown

RIGHT = "11010119900307803X"
LATER = NOW.timestamp() + 86_400


@pytest.fixture
def town(db: Database, settings: Settings, tmp_path: Path) -> Town:
    town = Town(db, settings, tmp_path, NAMED)
    deliver(town, "resident.csv", RESIDENTS)
    deliver(town, "helped.csv", HELPED)
    town.load()
    return town


def deliver(town: Town, name: str, text: str, at: float = NOW.timestamp() - 3600) -> Any:
    """Deliver a file that was written an hour before the corrections, or `at` another moment; load it if it can be."""
    os.utime(town.deliver(name, text), (at, at))
    if town.rows("select count(*) from raw.delivery") == [(0,)]:
        return None
    return next(one for one in town.load(re.split(r"\W|_", name)[0]).deliveries if one.file == name)


def again(text: str, n: int = 1) -> str:
    """The same rows in another file: it has a column more that nobody asks for."""
    head, *rows = text.strip().splitlines()
    return "\n".join([f"{head} | beside", *(f"{row} | {n}" for row in rows)])


def correct(
    town: Town, who: str | None, dataset: str | None = None, key: str = "", *, dry_run: bool = False, **values: str
) -> Amended:
    secrets = read_secrets(town.settings)
    subject = subject_of(Sealer(secrets), who, dataset or "", key)
    request = Request(subject, values, "申请 2026-18", "steward", dataset, dry_run)
    return amend(town.db, town.catalog, secrets, request, cache_dir=town.cache, now=NOW)


def known(town: Town, dataset: str = "resident") -> list[tuple[Any, ...]]:
    """Names, numbers and phones kept of a dataset, opened, with the grids."""
    sealer = Sealer(read_secrets(town.settings))
    rows = town.rows(
        "select i.name_sealed, i.number_sealed, i.phone_sealed, p.grid_code from vault.person as p"
        " join vault.identity as i using (town_code, id) where p.dataset = %s order by p.id",
        [dataset],
    )
    return [(*(None if one is None else sealer.open(bytes(one)) for one in row[:3]), row[3]) for row in rows]


def test_a_value_is_right_at_once_and_stays_so(town: Town) -> None:
    assert correct(town, ZHANG, name="张三峰").rows == {"helped": 1, "resident": 1}
    assert known(town)[0][:3] == ("张三峰", ZHANG, "13800000001") and known(town, "helped")[0][0] == "张三峰"
    same = deliver(town, "resident_2.csv", again(RESIDENTS))
    assert (same.n_updated, same.n_unchanged) == (0, 2), "an unchanged delivery stays unchanged"
    new = deliver(town, "resident_3.csv", RESIDENTS.replace("13800000001", "13800000009"))
    assert (new.n_updated, new.notes["amended"]) == (1, 1)
    assert known(town)[0][:3] == ("张三峰", ZHANG, "13800000009"), "what else is new is taken in"
    same = deliver(town, "resident_4.csv", again(RESIDENTS.replace("13800000001", "13800000009")))
    assert (same.n_updated, same.n_unchanged) == (0, 2)
    assert town.rows(COUNTED) == [(5,)]


def test_it_ends_when_the_department_has_corrected_it(town: Town) -> None:
    correct(town, ZHANG, "resident", name="张三峰")
    old = deliver(town, "resident_2.csv", RESIDENTS.replace("张三丰", "张三峰"))
    assert "amendments_ended" not in old.notes, "it was written before the request"
    done = deliver(town, "resident_3.csv", again(RESIDENTS.replace("张三丰", "张三峰")), LATER)
    assert done.notes["amendments_ended"] == 1
    assert town.rows("select ended_by is not null, ended_at is not null from raw.amendment") == [(True, True)]
    same = deliver(town, "resident_4.csv", again(RESIDENTS.replace("张三丰", "张三峰"), 2), LATER)
    assert (same.n_updated, same.n_unchanged) == (0, 2)
    deliver(town, "resident_5.csv", RESIDENTS.replace("张三丰", "张三风"), LATER)
    assert known(town)[0][0] == "张三风", "from then on it is the department's again"


def test_what_the_department_changes_itself_is_taken_in(town: Town) -> None:
    correct(town, ZHANG, "resident", phone="13800000007")
    deliver(town, "resident_2.csv", RESIDENTS.replace("13800000001", "13800000005"))
    assert known(town)[0][2] == "13800000005"
    deliver(town, "resident_3.csv", RESIDENTS)
    assert known(town)[0][2] == "13800000005", "the very file of before is known"
    deliver(town, "resident_3.csv", again(RESIDENTS))
    assert known(town)[0][2] == "13800000007", "and yet the wrong one does not come back"


def test_a_value_may_be_taken_out_and_corrected_again(town: Town) -> None:
    correct(town, ZHANG, "resident", phone="13800000007")
    correct(town, ZHANG, "resident", phone="")
    assert known(town)[0][2] is None
    for at, text in enumerate((RESIDENTS, RESIDENTS.replace("13800000001", "13800000007"))):
        done = deliver(town, f"resident_{at + 2}.csv", again(text))
        assert done.notes["amended"] == 1 and known(town)[0][2] is None, "neither wrong one comes back"
    assert correct(town, ZHANG, "resident", phone="").rows == {}, "it is so already"


def test_a_place_is_corrected_by_its_grid(town: Town) -> None:
    assert known(town)[0][3] == "449901001001001"
    correct(town, ZHANG, "resident", grid_code="449901002001001")
    assert known(town)[0][3] == "449901002001001" and town.rows(COUNTED) == [(5,)]
    query = "select tied_by, geom is null, town_code from vault.person where grid_code = '449901002001001'"
    assert town.rows(query) == [("code", True, "449901002")]
    deliver(town, "resident_2.csv", again(RESIDENTS))
    assert known(town)[0][3] == "449901002001001"
    nearby = RESIDENTS.replace("115.05 | 22.05\n440", "115.06 | 22.06\n440")
    assert deliver(town, "resident_3.csv", nearby).notes["amended"] == 1
    assert known(town)[0][3] == "449901002001001", "another point in the wrong grid is wrong too"
    counted = town.rows("select grid_no, n from vault.tally_medium_day where period = 0 and n <> 0 order by 1")
    assert sum(n for _, n in counted) == 5
    deliver(town, "resident_4.csv", RESIDENTS.replace("115.05 | 22.05\n440", "115.15 | 22.05\n440"))
    assert known(town)[0][3] == "449901001001002", "a third grid is a move"
    done = deliver(town, "resident_5.csv", RESIDENTS.replace("115.05 | 22.05\n440", "115.05 | 22.15\n440"), LATER)
    assert done.notes["amendments_ended"] == 1 and known(town)[0][3] == "449901002001001"


def test_a_corrected_place_follows_a_reform(db: Database, settings: Settings, tmp_path: Path) -> None:
    town = ReformTown(db, settings, tmp_path)
    text = RESIDENTS.replace("115.15 | 22.15", "115.55 | 22.05")
    deliver(town, "resident.csv", text)
    town.load()
    (first, wrong), (second, also) = ((row[1], row[3]) for row in known(town))
    right = "449901001002002"
    assert right not in (wrong, also) and also == "449901002001002"
    correct(town, first, grid_code=right)
    correct(town, second, grid_code=right)
    assert [row[3] for row in known(town)] == [right, right]
    town.reform(REFORM, outlines=OUTLINES)
    assert [row[3] for row in known(town)] == ["449901001001002"] * 2, "the grid has another code now"
    done = deliver(town, "resident_2.csv", again(text))
    assert done.notes["amended"] == 2 and [row[3] for row in known(town)] == ["449901001001002"] * 2


def test_a_number_is_corrected_where_rows_are_known_by_it(town: Town) -> None:
    assert correct(town, ZHANG, number=RIGHT, born_on="1990-03-07").rows == {"helped": 1, "resident": 1}
    for at in range(2):
        done = deliver(town, f"resident_{at + 2}.csv", again(RESIDENTS, at))
        assert (done.n_inserted, done.n_updated, done.n_unchanged) == (0, 0, 2)
    assert known(town)[0][1] == RIGHT and town.rows(COUNTED) == [(5,)]
    assert town.rows("select born_on::text from vault.person where dataset = 'helped' and source_key = 'H1'") == [
        ("1990-03-07",)
    ]
    done = deliver(town, "helped_2.csv", HELPED.replace("赵六", "赵六六"))
    assert (done.n_updated, done.n_gone) == (1, 0)
    correct(town, RIGHT, "resident", name="张三峰")
    done = deliver(town, "resident_5.csv", RESIDENTS.replace(ZHANG, RIGHT), LATER)
    assert (done.notes["amended"], done.notes["amendments_ended"]) == (1, 1)
    assert known(town)[0][:2] == ("张三峰", RIGHT) and len(known(town)) == 2


def test_what_may_not_stand_is_refused_in_words(town: Town) -> None:
    for values, says in (
        ({"phone": "12"}, "phone"),
        ({"number": "11010119900307803"}, "号码"),
        ({"name": "", "born_on": "2990-01-01"}, "helped"),
        ({"number": LI}, "another row under this number"),
        ({"grid_code": "449901009001001"}, "no grid"),
    ):
        with pytest.raises(DeliveryError, match=says):
            correct(town, ZHANG, **values)
    with pytest.raises(UnknownNameError, match="colour"):
        correct(town, ZHANG, colour="red")
    gone(town, RIGHT)
    with pytest.raises(DeliveryError, match="deleted by request"):
        correct(town, ZHANG, number=RIGHT)
    assert known(town)[0] == ("张三丰", ZHANG, "13800000001", "449901001001001")
    assert town.rows("select count(*) from raw.amendment") == [(0,)]


def test_the_log_has_it_before_and_a_dry_run_changes_nothing(town: Town) -> None:
    assert correct(town, ZHANG, dry_run=True, name="张三峰").rows == {"helped": 1, "resident": 1}
    assert known(town)[0][0] == "张三丰" and town.rows("select count(*) from raw.amendment") == [(0,)]
    with pytest.raises(DeliveryError):
        correct(town, ZHANG, phone="12")
    correct(town, None, "helped", "H2", name="赵七")
    correct(town, ZHANG, number=RIGHT)
    with town.db.connect("door") as door:
        entries = read_entries(door, kind="person_change")[::-1]
        (subject,) = Sealer(read_secrets(town.settings)).subjects([RIGHT], "", [""])
        looked = read_looked(door, subject)
    assert [one.detail["done"] for one in entries[:4]] == ["correction asked"] * 3 + ["corrected"]
    assert [one.detail["done"] for one in looked][:2] == ["correction asked", "correction asked"], "under both numbers"
    assert looked[-1].detail["done"] == "corrected" and looked[-1].account == "steward"
    told = str([dataclasses.astuple(one) for one in entries])
    assert not any(text in told for text in (ZHANG, RIGHT, "张", "赵"))


def test_who_is_forgotten_leaves_no_correction_behind(town: Town) -> None:
    correct(town, ZHANG, number=RIGHT)
    gone(town, RIGHT)
    assert town.rows("select count(*) from raw.amendment") == [(0,)]
    done = deliver(town, "resident_2.csv", again(RESIDENTS))
    assert done.n_forgotten == 1 and len(known(town)) == 1, "by the key of before"


def test_workers_hold_it_too(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setenv("LOCAL_DIR", str(town.settings.local_dir))
    monkeypatch.setenv("DATABASE_URL", town.db.url("admin"))
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    correct(town, ZHANG, "resident", name="张三峰")
    path = town.deliver("resident_2.csv", RESIDENTS.replace("13800000001", "13800000009"))
    os.utime(path, (NOW.timestamp() - 3600,) * 2)
    town.load("resident", executor="processes:1")
    assert known(town)[0][:3] == ("张三峰", ZHANG, "13800000009")


def test_the_command_corrects(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr("layers.database.open_database", lambda settings: town.db)
    monkeypatch.setenv("LOCAL_DIR", str(town.settings.local_dir))
    monkeypatch.setenv("CATALOG_DIR", str(town.catalog_dir))

    def run(*words: str) -> str:
        words = ("amend", "--why", "申请 2026-18", "--field", "name", *words)
        done = CliRunner().invoke(app, words, catch_exceptions=False, input=f"{ZHANG}\n张三峰\n")
        assert done.exit_code == 0 and ZHANG not in done.output
        return done.output

    assert "resident: 1 rows would be corrected" in run("--dry-run")
    assert "helped: 1 rows were corrected" in run()
    assert "not so already" in run()


@pytest.mark.soak
def test_rows_of_the_sample_city_are_read_back_as_they_were_delivered(
    writable_city: Database, settings: Settings, catalog: Catalog, tmp_path: Path
) -> None:
    """One person of each dataset gets another phone, or name; nothing else of the row is changed by that."""
    people = {key: one for key, one in catalog.datasets.items() if one.table == "person"}
    kept = (
        "select to_jsonb(p) - '{delivery_id,version}'::text[], p.subject from vault.person as p"
        " where p.dataset = %s and p.gone_on is null and p.has_number order by p.id limit 1"
    )
    secrets, changed = read_secrets(settings), 0
    for key, dataset in people.items():
        name = next((c.key for c in dataset.columns if c.type in ("phone", "person_name")), None)
        with writable_city.connect("loader") as loader:
            row = loader.execute(kept, [key]).fetchone()
        if row is None or name is None:
            continue
        asked = Request(bytes(row[1]), {name: "13912345678" if "phone" in name else "张三峰"}, "w", "me", key)
        done = amend(writable_city, catalog, secrets, asked, cache_dir=tmp_path, now=datetime.now(UTC))
        assert done.rows == {key: 1}
        with writable_city.connect("loader") as loader:
            assert loader.execute(kept, [key]).fetchone() == row, key
        changed += 1
    assert changed >= 9

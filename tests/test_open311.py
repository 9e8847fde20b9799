"""Open311 GeoReport v2: filing, following and paging from outside, every answer held to the published schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from databases import copy_of
from deliveries import Town, write_declarations
from georeport import GeoReport
from hypothesis import given
from hypothesis import strategies as st
from open311_schemas import as_texts, from_xml, validate
from remote import serving as serving_on
from serving import serving
from signing import carry_on, sign_in
from typer.testing import CliRunner

from etl.fetch import Fetcher, read_hosts
from layers import cases
from layers.accounts import keys
from layers.errors import AtlasError, UnknownNameError
from mapapp.__main__ import app as commands
from mapapp.commands import key as key_commands
from mapapp.open311.answers import write

EVENT = """
    name = { zh = "网格事件", en = "Grid events" }
    department = "command_centre"
    table = "event"
    each_row_is_a = { zh = "一件事件", en = "an event" }
    row_key = ["no"]
    [source]
    files = "%s.csv"
    format = "csv"
    crs = "EPSG:4326"
    lon = "long"
    lat = "lat"
    [columns]
    no = { from = "service_request_id", type = "key", required = true }
    category = { from = "service_code", type = "category", required = true }
    reported_at = { from = "requested_datetime", type = "moment", required = true }
    updated_at = { from = "updated_datetime", type = "moment" }
    summary = { from = "description", type = "text" }
"""
FETCHED = EVENT.replace(
    "    [columns]", '    [fetch]\n    kind = "open311"\n    url = "http://127.0.0.1"\n    [columns]'
)
DECLARED = {
    "datasets/grid_event.toml": EVENT % "event",
    "datasets/request.toml": FETCHED % "request",
    "limits.toml": """
    [normal]
    any = { amount = 5, unit = "working_days" }
    [urgent]
    any = { amount = 2, unit = "urgent_hours" }
    """,
}
HERE = {"service_code": "noise", "lat": "22.05", "long": "115.05", "description": "夜里<装修> & 噪音"}
V2 = "/open311/v2"


@pytest.fixture(scope="module")
def town(settings: Any, server: Any, template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with copy_of(template, server, settings) as copy:
        made = Town(copy, settings, tmp_path_factory.mktemp("town"))
        made.catalog = write_declarations(made.catalog_dir, DECLARED)
        made.load("grid_small")
        yield made


@pytest.fixture(scope="module")
def running(town: Town) -> Iterator[Any]:
    with serving(town.db, town.catalog, town.settings) as server:
        yield server


@pytest.fixture(scope="module")
def key(town: Town) -> str:
    return add(town, "harbour")


@pytest.fixture
def ask(running: Any, key: str) -> Any:
    """Ask with the harbour's key, or another, in JSON or another format."""

    def go(path: str, form: dict[str, str] | None = None, *, by: str = key, **more: Any) -> httpx.Response:
        parts = {"api_key": by} if by else {}
        if form is not None:
            return running.browser().ask(V2 + path, form | parts, **more)
        return running.browser().ask(V2 + path, params=parts | more.pop("params", {}), **more)

    return go


def add(town: Town, name: str, **more: Any) -> str:
    with town.db.connect("door") as door:
        return keys.add_key(door, town.catalog, name, **more)


def file(ask: Any, **more: str) -> str:
    (told,) = validate("filed", ask("/requests.json", HERE | more).json())
    return told["service_request_id"]


def move(town: Town, number: int, *steps: str) -> None:
    """Let the command centre take steps of a case."""
    session = sign_in(town.db, "dispatcher")
    with town.db.connect("web", autocommit=True) as web:
        carry_on(web, session)
        for step in steps:
            case = cases.read_case(web, session.actor.scope, number)
            cases.take_step(
                web, town.catalog, session.actor, case, step, key=step, reason="重复来件", department="command_centre",
                outcome="not_our_duty",
            )  # fmt: skip


def test_services_and_their_definitions_are_as_published(ask: Any) -> None:
    told = validate("services", ask("/services.json").json())
    assert {one["service_code"]: one["type"] for one in told} == {
        "noise": "realtime", "flood": "realtime", "family_dispute": "batch",
    }  # fmt: skip
    assert told[0]["description"] == "噪音扰民：受理后 5 工作日内办结"
    assert ask("/services.json", params={"lang": "en"}).json()[0]["service_name"] == "Noise"
    one = validate("service_definition", ask("/services/noise.json").json())
    assert [(a["code"], [v["key"] for v in a["values"]]) for a in one["attributes"]] == [
        ("is_urgent", ["false", "true"])
    ]
    missing = ask("/services/zebra.json")
    assert missing.status_code == 404 and "zebra" in validate("errors", missing.json())[0]["description"]


def test_xml_says_what_json_says(ask: Any) -> None:
    number = file(ask)
    for path, root in {
        "/services": "services",
        "/services/noise": "service_definition",
        f"/requests/{number}": "service_requests",
        "/services/zebra": "errors",
    }.items():
        for more in ({}, {"extensions": "true"}):
            as_json, as_xml = (ask(f"{path}.{kind}", params=more) for kind in ("json", "xml"))
            assert as_xml.headers["content-type"] == "text/xml; charset=utf-8"
            assert as_xml.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
            assert from_xml(as_xml.content, root) == as_texts(as_json.json()), path


@given(st.text())
def test_whatever_somebody_writes_the_xml_can_be_read(words: str) -> None:
    body = write("xml", "service_requests", [{"description": words}])
    ((_, read),) = from_xml(body, "service_requests")[0].items()
    kept = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", words)
    assert (read or "").split() == kept.split()


def test_a_report_is_a_case_of_the_channel_and_is_followed(ask: Any, town: Town) -> None:
    number = file(
        ask, **{"attribute[is_urgent]": "true", "first_name": "三", "last_name": "张", "phone": "13800000001"}
    )
    (case,) = town.rows(
        "select channel, dataset, is_urgent, grid_code, tied_by, summary, attrs::text from ops.event where id = %s",
        [number],
    )
    assert case == ("open311", "grid_event", True, "449901001001001", "point", HERE["description"], "{}")
    (log,) = town.rows("select account, actor, step from ops.event_step where event_id = %s", [number])
    assert log == ("key harbour", "resident", "report")
    (one,) = validate("requests", ask(f"/requests/{number}.json").json())
    assert (one["status"], one["description"], one["lat"], one["long"]) == ("open", HERE["description"], 22.05, 115.05)
    assert one["address"].endswith("第1网格") and one["address_id"] == "449901001001001"
    move(town, int(number), "accept", "dismiss")
    (one,) = validate("requests with extensions", ask(f"/requests/{number}.json", params={"extensions": "true"}).json())
    assert one["status"] == "closed" and one["updated_datetime"] == one["extended_attributes"]["closed_datetime"]
    assert one["extended_attributes"] | {"closed_datetime": ""} == {
        "closed_datetime": "", "state": "closed", "outcome": "not_our_duty", "channel": "open311",
    }  # fmt: skip
    assert [note["type"] for note in one["notes"]] == ["reported", "accepted", "closed"]
    assert "重复来件" not in str(one), "nobody's words but one's own"
    assert one["expected_datetime"] is not None, "the promise made when it was accepted"


def test_a_resend_is_one_request(ask: Any, town: Town) -> None:
    sent = [ask("/requests.json", HERE, headers={"idempotency-key": "r1"}).json() for _ in range(2)]
    assert sent[0] == sent[1]
    other = add(town, "pier")
    assert ask("/requests.json", HERE, by=other, headers={"idempotency-key": "r1"}).json() != sent[0]


def test_a_sensitive_report_gets_a_token_and_its_number_once_accepted(ask: Any, town: Town, running: Any) -> None:
    headers = {"idempotency-key": "s1"}
    (told,) = validate(
        "filed", ask("/requests.json", HERE | {"service_code": "family_dispute"}, headers=headers).json()
    )
    (again,) = ask("/requests.json", HERE | {"service_code": "family_dispute"}, headers=headers).json()
    assert again == told
    path = f"/tokens/{told['token']}"
    assert validate("token", ask(f"{path}.json").json())[0]["service_request_id"] is None
    ((number,),) = town.rows("select id from ops.event where category = 'family_dispute'")
    assert ask(f"/requests/{number}.json").status_code == 404, "not before it is accepted"
    move(town, number, "accept")
    assert validate("token", ask(f"{path}.json").json())[0]["service_request_id"] == str(number)
    assert from_xml(ask(f"{path}.xml").content, "service_requests")[0]["service_request_id"] == str(number)
    assert validate("requests", ask(f"/requests/{number}.json").json())[0]["service_code"] == "family_dispute"
    other = add(town, "quay")
    assert ask(f"{path}.json", by=other).status_code == 404, "another's token"
    assert ask(f"/requests/{number}.json", by=other).status_code == 404
    assert all(one["service_code"] != "family_dispute" for one in ask("/requests.json").json()), "in no list"
    assert ask("/tokens/nothing.json").status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"service_code": ""}, 400, "service_code was not provided"),
        ({"service_code": "zebra"}, 404, "'zebra' was not found"),
        ({"lat": "", "long": ""}, 400, "place was not provided"),
        ({"lat": "91"}, 400, "lat has to be"),
        ({"long": ""}, 400, "long has to be"),
        ({"lat": "nan"}, 400, "lat has to be"),
        ({"lat": "23.9"}, 400, "in no grid"),
        ({"lat": "", "long": "", "address_id": "449902"}, 400, "address_id has to be"),
        ({"description": "长" * 4001}, 400, "4000 characters"),
        ({"attribute[is_urgent]": "maybe"}, 400, "true or false"),
        ({"jurisdiction_id": "449999"}, 404, "jurisdiction_id"),
        ({"jurisdiction_id": "city.gov"}, 404, "jurisdiction_id"),
    ],
    ids=str,
)
def test_a_report_that_makes_no_sense_is_told_so(
    ask: Any, town: Town, change: dict[str, str], status: int, said: str
) -> None:
    before = town.rows("select count(*) from ops.event")
    told = ask("/requests.json", HERE | change)
    assert (told.status_code, said in validate("errors", told.json())[0]["description"]) == (status, True), told.text
    assert town.rows("select count(*) from ops.event") == before


def test_a_place_may_be_a_grid_or_words(ask: Any, town: Town) -> None:
    nowhere = {"lat": "", "long": ""}
    by_code = file(ask, **nowhere, address_id="449901002001")
    by_words = file(ask, **nowhere, address_string="人民路 12 号", jurisdiction_id="449901")
    rows = town.rows("select grid_code, tied_by, geom is null, summary from ops.event where id in (%s, %s) order by id",
                     [by_code, by_words])  # fmt: skip
    assert rows == [
        ("449901002001", "code", True, HERE["description"]),
        ("449901", "code", True, HERE["description"] + "\n人民路 12 号"),
    ]


def test_without_a_key_there_is_nothing_until_one_is_open(running: Any, ask: Any, town: Town) -> None:
    number = file(ask, lat="22.0512345", long="115.0512345")
    for path in ("/services.json", "/requests.xml", f"/requests/{number}.json", "/tokens/x.json"):
        for by in ("", "wrong", "x" * 43, "键"):
            assert ask(path, by=by).status_code == 403, (path, by)
    add(town, "everybody", is_open=True)
    with pytest.raises(AtlasError, match="is open"):
        add(town, "everybody.else", is_open=True)
    assert ask("/services.json", by="").status_code == 200
    (one,) = validate("requests", ask(f"/requests/{number}.json", by="").json())
    assert (one["description"], one["lat"], one["long"]) == (None, 22.051, 115.051), "no words, and not the very spot"
    assert (ask(f"/requests/{number}.json").json()[0]["lat"]) == 22.0512345
    assert ask("/requests.json", HERE, by="").status_code == 403, "who has no key sends nothing"
    with town.db.connect("door") as door:
        keys.disable_key(door, "everybody")
    assert ask("/services.json", by="").status_code == 403


def test_a_key_reaches_as_far_as_its_scope(ask: Any, town: Town) -> None:
    narrow = add(town, "east.village", scope="449901002")
    near, far = {"lat": "22.15"}, {"lat": "22.05"}
    assert ask("/requests.json", HERE | near, by=narrow).status_code == 200
    assert ask("/requests.json", HERE | far, by=narrow).status_code == 400
    assert {one["address_id"][:9] for one in ask("/requests.json", by=narrow).json()} == {"449901002"}
    assert ask("/requests.json", by=narrow, params={"jurisdiction_id": "449901001"}).status_code == 404
    whole = {one["address_id"][:9] for one in ask("/requests.json", params={"jurisdiction_id": "449901001"}).json()}
    assert whole == {"449901001"}


def test_requests_are_filtered_and_paged(ask: Any, town: Town) -> None:
    numbers = [file(ask, service_code="flood") for _ in range(5)]
    move(town, int(numbers[0]), "refuse")

    def found(**more: str) -> list[str]:
        return [one["service_request_id"] for one in validate("requests", ask("/requests.json", params=more).json())]

    assert found(service_code="flood") == numbers[::-1]
    assert found(service_code="flood", status="open") == numbers[:0:-1]
    assert found(service_code="flood", status="closed") == numbers[:1]
    assert found(service_code="flood", status="open,closed") == numbers[::-1]
    assert found(service_code="family_dispute,flood", page="2", page_size="2") == numbers[2:0:-1]
    assert found(service_code="flood", page="4", page_size="2") == []
    assert found(service_request_id=f"{numbers[1]},x,{numbers[0]}", status="open") == [numbers[1], numbers[0]]
    now = datetime.now(UTC)
    later = {"start_date": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert found(service_code="flood", **later) == []
    assert found(service_code="flood", updated_after=later["start_date"]) == []
    assert found(service_code="flood", end_date=later["start_date"], start_date="") == numbers[::-1]
    long = {"start_date": "2025-01-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}
    for wrong in ({"start_date": "2026-01-01"}, long, {"page": "0"}, {"page_size": "many"}, {"status": "done"}):
        told = ask("/requests.json", params=wrong)
        assert told.status_code == 400 and validate("errors", told.json()), wrong


def test_an_independent_client_follows_what_it_filed(running: Any, town: Town, key: str) -> None:
    """The client library `georeport` reads; it has no call that files, which plain HTTP does."""
    with serving_on(running.app) as port:
        root = f"http://127.0.0.1:{port}{V2}"
        sent = [httpx.post(f"{root}/requests.json", data=HERE | {"api_key": key}).json() for _ in range(2)]
        number = sent[0][0]["service_request_id"]
        move(town, int(number), "accept")
        add(town, "readers", is_open=True)
        for kind in ("json", "xml"):
            client = GeoReport(root, jurisdiction="4499", output_format=kind)
            assert {one["service_code"] for one in client.get_service_list()} >= {"noise", "flood"}
            assert client.get_service_definition("noise")["service_code"] == "noise"
            one = client.get_service_request(number)
            assert (one["service_request_id"], one["status"], one["service_code"]) == (number, "open", "noise")
            listed = client.get_service_requests(service_code="noise", status="open")
            assert number in {one["service_request_id"] for one in listed}
        told = validate("discovery", httpx.get(f"http://127.0.0.1:{port}/open311/discovery.json").json())
        assert told["endpoints"][0]["url"] == root


def test_the_maps_own_fetch_loads_from_it(running: Any, town: Town, key: str, ask: Any) -> None:
    file(ask)
    dataset = town.catalog.datasets["request"]
    with serving_on(running.app) as port:
        assert dataset.fetch is not None
        url = f"http://127.0.0.1:{port}{V2}?api_key={key}"
        fetched = replace(dataset, fetch=replace(dataset.fetch, url=url))
        town.catalog = replace(town.catalog, datasets=dict(town.catalog.datasets) | {"request": fetched})
        fetcher = Fetcher(read_hosts((f"http://127.0.0.1:{port}",)), {}, datetime.now(UTC) + timedelta(seconds=2))
        (done,) = town.load("request", fetcher=fetcher, now=datetime.now(UTC)).deliveries
    assert done.status == "loaded", done.problem
    pairs = town.rows(
        "select a.grid_code = b.grid_code, a.category = b.category, a.summary is not distinct from b.summary,"
        " a.reported_at - b.reported_at < interval '1 s'"
        " from ops.event a join ops.event b on b.source_key = a.id::text and b.dataset = 'request'"
        " where a.dataset = 'grid_event' and a.source_key like 'harbour/%' and not a.is_sensitive"
        " and a.geom is not null"
    )
    assert len(pairs) > 5 and set(pairs) == {(True, True, True, True)}


def test_the_commands_keep_keys(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr(key_commands, "open_database", lambda settings: town.db)

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands, ["key", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    secret = run("add", "ferry", "--scope", "449901").split()[-1]
    assert "ferry" in run("list") and secret not in run("list")
    with town.db.connect("admin") as admin:
        kept = admin.execute(
            "select name, key_hash = sha256(%s) from auth.key where scope = '449901'", [secret.encode()]
        )
        assert kept.fetchall() == [("ferry", True)]
    run("disable", "ferry")
    assert "disabled" in next(line for line in run("list").splitlines() if "ferry" in line)
    for wrong, error in (("ferry", AtlasError), ("A", AtlasError)):
        with pytest.raises(error):
            CliRunner().invoke(commands, ["key", "add", wrong], catch_exceptions=False)
    with pytest.raises(UnknownNameError):
        CliRunner().invoke(commands, ["key", "disable", "nobody"], catch_exceptions=False)

"""The form for everybody: off until it is switched on, guarded, and followed by a receipt that tells no words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people_at_work import GRID, actor, cases, key, prepare, working_catalog
from PIL import Image
from serving import Browser, Server, serving
from signing import become, signed

from layers import photos
from layers.access import Scope
from layers.database import Database
from layers.declare.case_records import Calendar, Limit, Limits
from layers.errors import CaseError, SettingError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import read_settings
from mapapp import form

CATALOG = working_catalog()
LIMITED = working_catalog(calendar=Calendar(), limits=Limits(normal={"any": Limit(1, "working_days")}))
CITY = Scope("4499")
WORDS = "路口积水，<b>车过不去</b>"
SAID = {"category": "drainage", "community": GRID[:12], "words": WORDS}


@pytest.fixture
def web(db: Database) -> Any:
    prepare(db)
    with signed(db, autocommit=True) as connection:
        yield connection


@pytest.fixture
def on(web: Any, db: Database, settings: Any) -> Iterator[Server]:
    with serving(db, CATALOG, settings, public_pages=("form",)) as server:
        yield server


def slip(browser: Browser) -> dict[str, str]:
    """What an open form carries."""
    page = browser.ask("/form").text
    return dict(re.findall(r'name="(receipt|opened_at|proof)" value="([^"]+)"', page))


def picture(colour: str) -> bytes:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010E] = "secret words"
    Image.new("RGB", (40, 20), colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def n_cases(db: Database) -> int:
    with db.connect("admin") as admin:
        return int(admin.execute("select count(*) from ops.event").fetchone()[0])


def test_a_form_is_taken_in_once_and_followed_by_its_receipt(on: Server, db: Database, web: Any) -> None:
    browser = on.browser()
    said = slip(browser) | SAID
    sent, again = browser.ask("/form", said), browser.ask("/form", said)
    assert (sent.status_code, again.status_code, n_cases(db)) == (200, 200, 1)
    receipt = said["receipt"]
    assert receipt in sent.text and browser.cookies == {}
    told = browser.ask("/form/follow", {"receipt": f" {receipt.upper()} "})
    assert told.status_code == 200 and "已上报" in told.text and "排水" in told.text
    assert "车过不去" not in told.text and "一社区" not in told.text
    assert browser.ask("/form/follow", {"receipt": "aaaaa-aaaaa-aaaaa-aaaaa"}).status_code == 404
    with db.connect("admin") as admin:
        row = admin.execute("select source_key, channel, grid_code, summary from ops.event").fetchone()
        logged = admin.execute("select account, actor from ops.event_step").fetchall()
    assert row is not None and row[1:] == ("resident", GRID[:12], WORDS)
    assert receipt not in str(row) and receipt not in str(logged), "of a receipt only the digest is kept"


def test_what_is_missing_is_said_and_what_was_written_stays(on: Server, db: Database) -> None:
    browser = on.browser()
    for wrong, words in (
        ({"category": ""}, "请选择类别"), ({"category": "family_dispute"}, "请选择类别"),
        ({"community": ""}, "请选择社区"), ({"community": "449902"}, "请选择社区"),
        ({"words": " "}, "请说明情况"), ({"lon": "50", "lat": "50"}, "不在本市"),
        ({"lon": "x", "lat": "1"}, "不在本市"),
    ):  # fmt: skip
        answer = browser.ask("/form", slip(browser) | SAID | wrong)
        assert answer.status_code == 422 and words in answer.text, wrong
        if "words" not in wrong:
            assert "车过不去&lt;/b&gt;" in answer.text and "<b>车过不去" not in answer.text
    assert n_cases(db) == 0
    answer = browser.ask("/form?lang=en", slip(browser) | SAID | {"words": ""})
    assert "Say what it is about" in answer.text


def test_a_position_counts_more_than_the_community(on: Server, db: Database) -> None:
    browser = on.browser()
    assert browser.ask("/form", slip(browser) | SAID | {"lon": "0.1", "lat": "0.1"}).status_code == 200
    with db.connect("admin") as admin:
        assert admin.execute("select grid_code, tied_by from ops.event").fetchone() == (GRID, "point")


def test_a_form_that_is_not_ours_is_refused(on: Server, db: Database) -> None:
    browser = on.browser()
    said = slip(browser) | SAID
    for wrong in (
        {"receipt": "mine!"}, {"proof": "0" * 64}, {"proof": "é"}, {"opened_at": "1"}, {"opened_at": "x" * 40},
    ):  # fmt: skip
        answer = browser.ask("/form", said | wrong)
        assert answer.status_code == 403 and "请再提交一次" in answer.text, wrong
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert browser.ask("/form", said, headers=headers).status_code == 403
    assert n_cases(db) == 0


def test_a_form_lies_open_for_hours_and_no_longer(settings: Any) -> None:
    sealer, now = Sealer(read_secrets(settings)), datetime.now(UTC)
    opened = form.open_slip(sealer, now)
    given = {"receipt": opened.receipt, "opened_at": str(opened.opened_at), "proof": opened.proof}
    assert form.read_slip(sealer, given, now + timedelta(hours=3)) == opened
    assert form.read_slip(sealer, given, now + timedelta(hours=5)) is None
    assert form.read_slip(sealer, given, now - timedelta(hours=1)) is None
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", opened.receipt)
    assert form.open_slip(sealer, now).receipt != opened.receipt


def test_one_address_cannot_send_without_end(on: Server, db: Database) -> None:
    browser = on.browser()
    answers = [browser.ask("/form", slip(browser) | SAID | {"words": ""}).status_code for _ in range(10)]
    assert set(answers) == {422}
    assert browser.ask("/form", slip(browser) | SAID).status_code == 429
    other = on.browser("127.0.0.7")
    assert other.ask("/form", slip(other) | SAID).status_code == 200
    assert n_cases(db) == 1
    looks = [browser.ask("/form/follow", {"receipt": "a"}).status_code for _ in range(32)]
    assert looks[0] == 404 and looks[-1] == 429


def test_a_session_changes_nothing_of_it(on: Server, web: Any, db: Database) -> None:
    """Who is signed in reports here as anybody does: in nobody's name."""
    from signing import sign_in

    browser = on.browser()
    browser.cookies = {"session": sign_in(db, "dispatcher").token}
    assert browser.ask("/form", slip(browser) | SAID).status_code == 200
    with db.connect("admin") as admin:
        assert admin.execute("select actor from ops.event_step").fetchone() == ("resident",)


def test_a_page_that_is_none_is_refused_at_the_start() -> None:
    assert read_settings({"PUBLIC_PAGES": "form"}).public_pages == ("form",)
    assert read_settings({}).public_pages == ()
    with pytest.raises(SettingError, match="no page to be switched on"):
        read_settings({"PUBLIC_PAGES": "form,accounts"})


def test_sensitive_things_are_not_reported_here() -> None:
    assert "family_dispute" not in form.offered(CATALOG) and "noise" in form.offered(CATALOG)


def test_a_report_is_taken_back_by_its_receipt_once_and_not_while_it_is_dealt_with(
    on: Server, db: Database, web: Any
) -> None:
    browser = on.browser()
    said, other = slip(browser) | SAID, slip(browser) | SAID
    for one in (said, other):
        browser.ask("/form", one)
    asked = {"receipt": said["receipt"]}
    page = browser.ask("/form/follow", asked).text
    number = {"case": re.findall(r'name="case" value="(\d+)"', page)[0]}
    assert browser.ask("/form/withdraw", asked | number).status_code == 422, "no reason"
    strange = browser.ask("/form/withdraw", {"receipt": other["receipt"], "reason": "已解决"} | number)
    assert strange.status_code == 422, "somebody else's report"
    for _ in range(2):
        taken = browser.ask("/form/withdraw", asked | number | {"reason": "已解决"})
        assert taken.status_code == 200 and "已撤回" in taken.text and "撤回这件反映" not in taken.text
    with db.connect("admin") as admin:
        steps = admin.execute("select step, reason from ops.event_step where event_id = %s", [number["case"]])
        assert steps.fetchall() == [("report", None), ("withdraw", "已解决")]
    (waiting,) = cases.follow(web, other["receipt"])["id"]
    for step in ("accept", "dispatch", "take_on"):
        case = cases.read_case(web, CITY, waiting)
        who = actor("department_handler" if step == "take_on" else "dispatcher")
        cases.take_step(web, CATALOG, who, case, step, key=key(), department="water" if step == "dispatch" else None)
        offered = browser.ask("/form/follow", {"receipt": other["receipt"]}).text
        assert ("撤回这件反映" in offered) == (step != "take_on")
    late = {"receipt": other["receipt"], "case": str(waiting), "reason": "已解决"}
    assert "不能撤回" in browser.ask("/form/withdraw", late).text


def test_a_clock_ends_where_a_report_is_taken_back(on: Server, web: Any) -> None:
    browser = on.browser()
    said = slip(browser) | SAID
    browser.ask("/form", said)
    (number,) = cases.follow(web, said["receipt"])["id"]
    cases.take_step(web, LIMITED, actor("dispatcher"), cases.read_case(web, CITY, number), "accept", key=key())
    assert (cases.read_case(web, CITY, number).promise or {})["clock_at"]
    browser.ask("/form/withdraw", {"receipt": said["receipt"], "case": str(number), "reason": "已解决"})
    assert (cases.read_case(web, CITY, number).promise or {"clock_at": 1})["clock_at"] is None


def test_photos_of_a_form_are_made_anew_and_three_at_the_most(on: Server, db: Database, web: Any) -> None:
    browser = on.browser()
    said = slip(browser) | SAID

    def send(*pictures: bytes, **more: str) -> int:
        files = [("photo", (f"{n}.jpg", one, "image/jpeg")) for n, one in enumerate(pictures)]
        return browser.ask("/form", said | more, files=files).status_code

    red, blue, green = (picture(colour) for colour in ("red", "blue", "green"))
    assert send(b"<svg/>") == send(red, red, red, red) == 422
    assert send(red, blue) == send(red, blue) == 200, "sent twice"
    with db.connect("admin") as admin:
        kept = admin.execute("select taken_by, jpeg from ops.photo").fetchall()
    assert len(kept) == 2 and {one[0][:8] for one in kept} == {"receipt "}
    assert all(b"secret" not in jpeg for _, jpeg in kept)
    jpeg = photos.clean(green)
    photos.add_by_receipt(web, said["receipt"], jpeg)
    with pytest.raises(CaseError):
        photos.add_by_receipt(web, said["receipt"], photos.clean(picture("white")))
    with pytest.raises(CaseError):
        photos.add_by_receipt(web, "somebody else's", jpeg)
    become(web, actor("dispatcher"))
    (number,) = cases.follow(web, said["receipt"])["id"]
    assert len(photos.list_photos(web, CITY, number)) == 3

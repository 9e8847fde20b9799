"""The form for everybody: off until it is switched on, guarded, and followed by a receipt that tells no words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people_at_work import GRID, prepare, working_catalog
from serving import Browser, Server, serving
from signing import signed

from layers.access import Scope
from layers.database import Database
from layers.errors import SettingError
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import read_settings
from mapapp import form

CATALOG = working_catalog()
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

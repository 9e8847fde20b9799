"""Accounts and sessions, by HTTP as a browser and by the commands: who gets in, and what puts them out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from databases import copy_of
from serving import Browser, Server, serving
from typer.testing import CliRunner

from layers.access import ROLES
from layers.accounts import records
from layers.accounts.sessions import digest
from layers.accounts.sign_in import MOST_FAILED
from layers.database import Database
from layers.errors import AtlasError, SettingError, UnknownNameError
from layers.settings import read_settings
from mapapp.__main__ import app as commands
from mapapp.commands import account as account_commands

DEPARTMENTS = ("water", "justice")


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def open_server(here: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(here, catalog, settings) as running:
        yield running


@pytest.fixture
def door(here: Database) -> Iterator[Any]:
    with here.connect("door", autocommit=True) as connection:
        yield connection


_COUNT = iter(range(1000))


@pytest.fixture
def one(door: Any) -> tuple[str, str]:
    """A fresh leader: account and password."""
    account = f"leader.{next(_COUNT)}"
    return account, records.add_account(door, account, "leader", "449901")


def entries(door: Any, account: str) -> list[tuple[str, str | None]]:
    found = door.execute("select kind, detail ->> 'why' from audit.entry where subject = %s order by id", [account])
    return [tuple(row) for row in found.fetchall()]


def test_who_knows_the_password_gets_in_and_out_again(open_server: Server, door: Any, one: Any) -> None:
    browser = open_server.browser()
    assert browser.ask("/account").status_code == 401
    assert browser.sign_in(one[0], "not it at all") == 403
    assert browser.cookies == {}
    assert browser.sign_in(*one) == 303
    page = browser.ask("/account")
    assert page.status_code == 200 and one[0] in page.text and "449901" in page.text
    before = dict(browser.cookies)
    assert browser.ask("/sign-out", {}).status_code == 303
    browser.cookies = before
    assert browser.ask("/account").status_code == 401
    kinds = entries(door, one[0])
    assert kinds == [("account", None), ("sign_in_refused", "wrong"), ("sign_in", None), ("sign_out", None)]


def test_only_digests_are_kept(open_server: Server, door: Any, one: Any) -> None:
    browser = open_server.browser()
    browser.sign_in(*one)
    token = browser.cookies["session"]
    assert door.execute("select 1 from auth.session where token_hash = %s", [digest(token)]).fetchone() == (1,)
    said = str(door.execute("select to_json(a)::text, to_json(s)::text from auth.account a, auth.session s").fetchall())
    assert token not in said and one[1] not in said and "$argon2id$" in said


def test_a_sign_in_renews_the_session(open_server: Server, one: Any) -> None:
    browser = open_server.browser()
    browser.cookies["session"] = fixed = "x" * 43
    browser.sign_in(*one)
    first = browser.cookies["session"]
    browser.sign_in(*one)
    assert len({fixed, first, browser.cookies["session"]}) == 3
    for old in (fixed, first):
        browser.cookies["session"] = old
        assert browser.ask("/account").status_code == 401


ENDINGS: dict[str, Callable[[Any, str], Any]] = {
    "disabled": records.disable_account,
    "scope": lambda door, who: records.set_scope(door, who, "449902"),
    "role": lambda door, who: records.set_scope(door, who, "449901", role="analyst"),
    "reset": records.reset_account,
    "password": lambda door, who: records.set_password(door, who, "quite another 4711"),
    "idle": lambda door, who: door.execute("update auth.session set seen_at = now() - interval '31 min'"
                                           " where account = %s", [who]),
    "absolute": lambda door, who: door.execute("update auth.session set ends_at = now() where account = %s", [who]),
    "removed": lambda door, who: door.execute("delete from auth.session where account = %s", [who]),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_session_ends_at_once_with(open_server: Server, door: Any, one: Any, ending: str) -> None:
    browser = open_server.browser()
    browser.sign_in(*one)
    assert browser.ask("/account").status_code == 200
    ENDINGS[ending](door, one[0])
    assert browser.ask("/account").status_code == 401


def test_five_wrong_attempts_lock_the_account(open_server: Server, door: Any, one: Any) -> None:
    browser = open_server.browser("127.0.0.2")
    answers = [
        browser.ask("/sign-in", {"account": one[0], "password": f"guess number {n}"}) for n in range(MOST_FAILED)
    ]
    locked = browser.ask("/sign-in", {"account": one[0], "password": one[1]})
    nobody = browser.ask("/sign-in", {"account": "nobody.at.all", "password": "x"})
    assert {answer.status_code for answer in (*answers, locked, nobody)} == {403}
    assert len({answer.text for answer in (*answers, locked, nobody)}) == 1, "an answer tells what was wrong"
    door.execute("update auth.account set locked_until = now() where account = %s", [one[0]])
    assert browser.sign_in(*one) == 303


def test_one_address_has_so_many_attempts(here: Database, catalog: Any, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("mapapp.porter.REFUSED_MOST", 3)
    with serving(here, catalog, settings) as running:
        browser, other = running.browser("127.0.0.3"), running.browser("127.0.0.4")
        with here.connect("door") as door:
            password = records.add_account(door, "spray", "leader", "4499")
        for n in range(3):
            browser.sign_in(f"nobody{n}", "x")
        assert browser.sign_in("spray", password) == 403
        assert other.sign_in("spray", password) == 303


def test_a_second_factor_is_asked_for_and_taken_once(open_server: Server, one: Any) -> None:
    browser, secret = open_server.browser(), pyotp.random_base32()
    browser.sign_in(*one)
    totp = pyotp.TOTP(secret)
    now = datetime.now(UTC)
    assert browser.ask("/account", {"do": "totp", "secret": secret, "code": "000000"}).status_code == 403
    used = totp.at(now - timedelta(seconds=30))
    assert browser.ask("/account", {"do": "totp", "secret": secret, "code": used}).status_code == 200
    again = open_server.browser()
    assert again.sign_in(*one) == 403
    assert again.sign_in(*one, used) == 403, "a code is taken once"
    assert again.sign_in(*one, totp.at(now + timedelta(seconds=30))) == 303


def test_a_role_may_need_a_second_factor(here: Database, door: Any, catalog: Any, settings: Any) -> None:
    admin, leader = f"admin.{next(_COUNT)}", f"leader.{next(_COUNT)}"
    words = {admin: records.add_account(door, admin, "security_admin", "4499"),
             leader: records.add_account(door, leader, "leader", "4499")}  # fmt: skip
    needs = read_settings({"LOCAL_DIR": str(settings.local_dir), "TWO_FACTORS": "security_admin, auditor"})
    with serving(here, catalog, needs) as running:
        other, browser, secret = running.browser(), running.browser(), pyotp.random_base32()
        assert other.sign_in(leader, words[leader]) == 303 and other.ask("/").status_code == 200
        assert browser.sign_in(admin, words[admin]) == 303
        for form in (None, {"do": "disable", "account": leader}):
            sent = browser.ask("/accounts", form)
            assert (sent.status_code, sent.headers["location"]) == (303, "/account")
        assert other.ask("/account").status_code == 200, "nothing was done"
        assert "您的角色需要动态口令" in browser.ask("/account").text
        code = pyotp.TOTP(secret).now()
        assert browser.ask("/account", {"do": "totp", "secret": secret, "code": code}).status_code == 200
        assert browser.ask("/accounts").status_code == 200
    with pytest.raises(SettingError, match="king"):
        read_settings({"TWO_FACTORS": "king"})


def test_ones_own_password_is_changed_with_the_present_one(open_server: Server, one: Any) -> None:
    browser = open_server.browser()
    browser.sign_in(*one)
    new = "Haiyan 2026 spring"
    assert browser.ask("/account", {"do": "password", "password": "wrong", "new": new}).status_code == 403
    assert browser.ask("/account", {"do": "password", "password": one[1], "new": "short"}).status_code == 400
    assert browser.ask("/account", {"do": "password", "password": one[1], "new": new}).status_code == 303
    assert browser.sign_in(one[0], new) == 303


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil"]
)
def test_a_sign_in_leads_to_no_other_site(open_server: Server, one: Any, path: str) -> None:
    form = {"account": one[0], "password": one[1]}
    assert open_server.browser().ask("/sign-in", form, params={"next": path}).headers["location"] == "/"


def test_script_in_an_address_is_text_on_the_page(open_server: Server) -> None:
    page = open_server.browser().ask("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_the_demonstration_is_one_click_and_only_there(here: Database, catalog: Any, settings: Any) -> None:
    with serving(here, catalog, settings, is_demo=True) as demo:
        pages = {}
        for role in ROLES:
            browser = demo.browser()
            assert browser.ask("/sign-in", {"demo": role}).status_code == 303
            assert browser.ask("/account").status_code == 200
            pages[role] = browser
        assert demo.browser().ask("/sign-in", {"demo": "root"}).status_code == 403
        kept = pages["security_admin"].ask("/accounts").text
        assert "<td>demo.leader</td><td>领导</td><td>领导</td>" in kept, "called by the role"
        assert "虚构" in demo.browser().ask("/sign-in").text
    with serving(here, catalog, settings) as earnest:
        assert earnest.browser().ask("/sign-in", {"demo": "leader"}).status_code == 403
        browser = Browser(earnest, "127.0.0.1")
        browser.cookies = pages["leader"].cookies
        assert browser.ask("/account").status_code == 401


def test_the_first_account_is_made_once(db: Database) -> None:
    with db.connect("door") as door:
        password = records.add_first_account(door, "4499")
        assert password and records.add_first_account(door, "4499") is None
        assert records.find_account(door, "admin").role == "security_admin"


def test_accounts_that_make_no_sense_are_refused(door: Any) -> None:
    for words in (("Li Wei", "leader", "4499"), ("li", "leader", "44990"), ("li", "department_handler", "4499")):
        with pytest.raises(AtlasError):
            records.add_account(door, *words)
    with pytest.raises(UnknownNameError, match="king"):
        records.add_account(door, "li", "king", "4499")
    with pytest.raises(UnknownNameError, match="nowhere"):
        records.add_account(door, "li", "data_steward", "4499", department="nowhere", departments=DEPARTMENTS)


def test_the_security_admin_keeps_accounts_on_a_page(open_server: Server, door: Any) -> None:
    admin, password = f"admin.{next(_COUNT)}", ""
    password = records.add_account(door, admin, "security_admin", "4499")
    browser = open_server.browser()
    browser.sign_in(admin, password)
    name = f"page.{next(_COUNT)}"
    form = {"do": "add", "account": name, "name": "<b>Li", "role": "leader", "scope": "449901", "department": ""}
    made = browser.ask("/accounts", form)
    assert made.status_code == 200 and "<b>Li" not in made.text and "&lt;b&gt;Li" in made.text
    first = made.text.split(f"{name}: ")[1].split("<")[0]
    leader = open_server.browser()
    assert leader.sign_in(name, first) == 303
    assert leader.ask("/accounts").status_code == leader.ask("/accounts", {"do": "reset"}).status_code == 404
    handle = digest(leader.cookies["session"]).hex()
    assert handle in browser.ask("/accounts").text
    assert browser.ask("/accounts", {"do": "end", "session": handle}).status_code == 200
    assert leader.ask("/account").status_code == 401
    for change in ({"do": "disable"}, {"do": "enable"}, {"do": "reset"}, {"do": "scope", "scope": "449902"}):
        assert browser.ask("/accounts", {"account": name} | change).status_code == 200
    assert browser.ask("/accounts", {"account": name, "do": "scope", "scope": "3201"}).status_code == 400
    assert records.find_account(door, name).scope == "449902"


def test_a_wall_is_let_in_by_the_code_it_shows_and_put_out_by_one_click(open_server: Server, door: Any) -> None:
    n = next(_COUNT)
    password = records.add_account(door, f"admin.{n}", "security_admin", "4499")
    for role in ("wall", "leader"):
        records.add_account(door, f"{role}.{n}", role, "449901")
    admin, wall, thief = (open_server.browser() for _ in range(3))
    admin.sign_in(f"admin.{n}", password)
    shown = wall.ask("/pair")
    code = re.findall(r'class="code">([A-Z2-9]{8})<', shown.text)[0]
    assert shown.headers["refresh"] == "5" and code in wall.ask("/pair").text, "the code stays while it is waited for"
    thief.cookies["pairing"] = f"{'x' * 43}.{code}"
    form = {"do": "pair", "code": code.lower(), "label": "Hall"}
    assert admin.ask("/accounts", form | {"account": f"leader.{n}"}).status_code == 400
    assert admin.ask("/accounts", form | {"account": f"wall.{n}", "code": "AAAAAAAA"}).status_code == 400
    assert admin.ask("/accounts", form | {"account": f"wall.{n}"}).status_code == 200
    assert thief.ask("/pair").status_code == 200 and "session" not in thief.cookies
    kept = wall.cookies["pairing"]
    assert wall.ask("/pair").status_code == 303
    assert wall.ask("/account").status_code == 200
    thief.cookies["pairing"] = kept
    assert thief.ask("/pair").status_code == 200 and "session" not in thief.cookies, "a code lets one screen in"
    door.execute("update auth.session set seen_at = now() - interval '20 days' where account = %s", [f"wall.{n}"])
    assert wall.ask("/account").status_code == 200
    handle = digest(wall.cookies["session"]).hex()
    admin.ask("/accounts", {"do": "end", "session": handle})
    assert wall.ask("/account").status_code == 401


def test_the_commands_keep_accounts(here: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(account_commands, "open_database", lambda settings: here)

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands, ["account", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "shown this once" in run("add", "wang", "--role", "grid_worker", "--scope", "449901001001001")
    assert "449901002" in run("scope", "wang", "449901002")
    run("disable", "wang")
    assert "disabled" in next(line for line in run("list").splitlines() if "wang" in line)
    run("enable", "wang")
    assert "shown this once" in run("reset", "wang")

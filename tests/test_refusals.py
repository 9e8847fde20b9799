"""What is refused is said in the reader's language: each error a page can show, each address that leads nowhere."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import copy_of
from serving import Browser, Server, serving

import layers
import mapapp
from layers.access import ROLES
from layers.database import Database
from layers.errors import AreaError, AtlasError, CaseError, DeclarationError, UnknownNameError
from layers.lifecycle import NEEDS
from layers.settings import CHECKOUT
from mapapp.api import form
from mapapp.refusals import refusal
from mapapp.text import read_words

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b[A-Za-z]+ [a-z]+ [a-z]+\b")
"""Three words on end: names, codes and kinds of files are none."""
WORDS = read_words()
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def in_its_language(text: str, language: str) -> None:
    bare = re.sub(r"<style.*?</style>|<[^>]*>", "\n", text, flags=re.S)
    if language == "zh":
        assert CHINESE.search(bare) and not ENGLISH.search(bare), bare
    else:
        assert ENGLISH.search(bare) and not CHINESE.search(bare.replace("中文", "")), bare


# every kind of error, and every word by which one is said


def kinds() -> list[type[AtlasError]]:
    """Every error there is, found after all modules are read."""
    for room in (layers, mapapp):
        for one in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not one.name.endswith("__main__") and ".migrations" not in one.name:
                importlib.import_module(one.name)
    found, waiting = [AtlasError], [AtlasError]
    while waiting:
        waiting += (more := waiting.pop().__subclasses__())
        found += more
    return found


def test_every_kind_of_error_is_said_in_both_languages() -> None:
    made = {AreaError: ("point", "No."), CaseError: ("gone", "No."), UnknownNameError: ("level", "x", ["y"])}
    made[DeclarationError] = (["x"],)  # type: ignore[assignment]
    found = kinds()
    assert len(found) > 8
    for kind in found:
        error = kind(*made.get(kind, ("This cannot be done here.", "Do something else.")))
        in_its_language(refusal(WORDS["zh"], error), "zh")
        assert refusal(WORDS["en"], error) and not CHINESE.search(refusal(WORDS["en"], error))


def whys() -> list[tuple[str, str, frozenset[str]]]:
    """Where an error says why in a word: beginning of its text, the word, and what is told to fill the text in."""
    found = []
    first = {"CaseError": "case_why_", "AreaError": "near_why_"}
    for path in [*(CHECKOUT / "layers").rglob("*.py"), *(CHECKOUT / "mapapp").rglob("*.py")]:
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            named = {one.arg: one.value for one in call.keywords if one.arg}
            told = frozenset(named) - {"why", "need", "message", "hint"}
            if call.func.id in first and call.args and isinstance(call.args[0], ast.Constant):
                found.append((first[call.func.id], str(call.args[0].value), frozenset()))
            elif call.func.id.endswith("Error") and isinstance(named.get("why"), ast.Constant):
                found.append(("refused_", str(named["why"].value), told))  # type: ignore[attr-defined]
    return found


def test_every_word_by_which_an_error_is_said_has_its_text() -> None:
    found = whys()
    assert {"no_grid", "no_grids", "account_taken", "password_weak", "crossing", "stale"} <= {
        why for _, why, _ in found
    }
    own = {f"refused_{kind.why}" for kind in kinds() if kind.why} | {f"refused_{why}" for _, why, _ in found}
    assert {key for key in WORDS["zh"].texts if key.startswith("refused_")} <= own | {"refused_other"}
    for start, why, told in found:
        text = WORDS["zh"].texts[start + why]
        for said in (text.zh, text.en):
            assert set(re.findall(r"\{(\w+)\}", said)) <= told, (why, said)


MACHINES = ("mapapp/intake.py", "mapapp/api/intake.py")
"""Rooms that only programs ask, which read the sentence of an error."""


def needs_in(path: Path) -> set[str]:
    """What the code of a file may say is missing: the fourth of a CaseError, or what `_needed` looks for."""
    found = set()
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            at = {"CaseError": 3, "_needed": 1}.get(call.func.id, len(call.args))
            given = [*call.args[at : at + 1], *(one.value for one in call.keywords if one.arg == "need")]
            found |= {str(one.value) for one in given if isinstance(one, ast.Constant)}
    return found


def test_everything_that_may_be_missing_has_its_text(db: Database) -> None:
    with db.connect("loader") as connection:
        asked = "select prosrc from pg_proc where prosrc like '%MQ004%'"
        functions = [body for (body,) in connection.execute(asked).fetchall()]
    details = [part for body in functions for part in re.findall(r"detail = (.*?);", body, re.DOTALL)]
    found = set(NEEDS) | {need for part in details for need in re.findall(r"(?:detail = |then |else |^)'(\w+)'", part)}
    assert {"found", "problem", "measure", "purpose", "visited_on"} <= found, "those of the database"
    for path in [*(CHECKOUT / "layers").rglob("*.py"), *(CHECKOUT / "mapapp").rglob("*.py")]:
        if str(path.relative_to(CHECKOUT)) not in (*MACHINES, "mapapp/form.py"):
            found |= needs_in(path)
    assert {"inside", "position", "words", "grid"} <= found, "those of the pages"
    assert {need for need in found if f"need_{need}" not in WORDS["zh"].texts} == set()
    assert needs_in(CHECKOUT / "mapapp/form.py") <= set(form.NEEDS), "the form has words of its own"
    assert {f"form_need_{need}" for need in form.NEEDS} <= WORDS["zh"].texts.keys()


# every error that a page was seen to show


@pytest.fixture(scope="module")
def city(small_city: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    with serving(small_city, catalog, settings, is_demo=True) as server:
        yield server


@pytest.fixture(scope="module")
def bare(file_db: Database, catalog: Any, settings: Any) -> Iterator[Server]:
    """A server over a database in which nothing is."""
    with serving(file_db, catalog, settings, is_demo=True) as server:
        yield server


def signed_in(server: Server, role: str) -> Browser:
    browser = server.browser()
    assert browser.ask("/sign-in", {"demo": role}).status_code == 303
    return browser


def texts(part: Any) -> Iterator[str]:
    """Texts in an answer that holds components."""
    if isinstance(part, dict):
        yield from texts(part["props"].get("children", "") if "props" in part else list(part.values()))
    elif isinstance(part, list):
        for one in part:
            yield from texts(one)
    elif part:
        yield str(part)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "path",
    ["rows/999999", "rows/abc", "rows/123", "outlines/1-1/large/9", "outlines/1-1/large/3201", "export/exe"],
)
def test_what_explore_cannot_show(city: Server, path: str, language: str) -> None:
    asked = f"/api/explore/{path}" + ("?lang=en" if language == "en" else "")
    answer = signed_in(city, "leader").ask(asked)
    assert answer.status_code in (404, 409)
    is_json = answer.headers["content-type"] == "application/json"
    in_its_language("\n".join(texts(json.loads(answer.text))) if is_json else answer.text, language)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/api/view", "/api/explore", "/api/watch", "/api/names"])
def test_what_there_is_to_show_of_nothing(bare: Server, path: str, language: str) -> None:
    answer = signed_in(bare, "dispatcher").ask(path + ("?lang=en" if language == "en" else ""))
    assert answer.status_code == 409
    in_its_language("\n".join(texts(json.loads(answer.text))), language)
    assert ("尚未导入网格" if language == "zh" else "No grids have been loaded yet") in answer.text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/cases", "/command", "/report", "/figures"])
def test_a_page_that_cannot_be_written_says_so_on_a_page(bare: Server, path: str, language: str) -> None:
    answer = signed_in(bare, "dispatcher").ask(path + ("?lang=en" if language == "en" else ""), headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    in_its_language(answer.text, language)
    assert ("尚未导入网格" if language == "zh" else "No grids have been loaded yet") in answer.text
    assert 'href="/' in answer.text


ADD = {"do": "add", "account": "li.one", "role": "leader", "scope": "449901", "department": ""}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "form",
    [
        ADD | {"account": "L"},
        ADD | {"account": "demo.leader"},
        ADD | {"role": "king"},
        ADD | {"role": "department_handler"},
        ADD | {"department": "nowhere"},
        ADD | {"scope": "3201"},
        ADD | {"scope": "44x"},
        {"do": "disable", "account": "nobody"},
        {"do": "reset", "account": "demo.leader"},
        {"do": "scope", "account": "demo.leader", "scope": "9"},
        {"do": "pair", "account": "demo.leader", "code": "AAAAAAAA"},
        {"do": "pair", "account": "demo.wall", "code": "AAAAAAAA"},
        {"do": "link", "account": "demo.leader", "subject": "li"},
    ],
    ids=lambda form: "-".join(form.values()),
)
def test_what_the_page_of_accounts_refuses(bare: Server, form: dict[str, str], language: str) -> None:
    admin = signed_in(bare, "security_admin")
    answer = admin.ask("/accounts" + ("?lang=en" if language == "en" else ""), form, headers=BROWSER)
    assert answer.status_code == 400
    said = re.search(r'<p class="alarm">(.*?)</p>', answer.text, re.S)
    assert said is not None
    in_its_language(said[1], language)


# addresses that lead nowhere


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", ROLES)
def test_a_person_gets_a_page_and_a_machine_the_bare_answer(bare: Server, role: str, language: str) -> None:
    browser, lang = signed_in(bare, role), "?lang=en" if language == "en" else ""
    shut = "/explore" if role in ("security_admin", "auditor", "wall") else "/accounts"
    for path in ("/no/such/page", shut, "/answer/" + "x" * 43, "/static/casework/none.mjs"):
        answer = browser.ask(path + lang, headers=BROWSER)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        in_its_language(answer.text, language)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert 'href="/account' in answer.text or 'href="/sign-in' in answer.text
        plain = browser.ask(path + lang)
        assert plain.status_code == 404 and "<" not in plain.text, path
    home = re.search(
        r'href="(/[^"]*)">(?:打开首页|Open the first page)', browser.ask(shut + lang, headers=BROWSER).text
    )
    assert home is not None and browser.ask(home[1], headers=BROWSER).status_code in (200, 503)


def test_who_comes_from_an_english_page_reads_english_and_can_switch(bare: Server) -> None:
    browser = signed_in(bare, "leader")
    answer = browser.ask("/nowhere?a=1", headers=BROWSER | {"referer": "http://127.0.0.1:8050/?lang=en"})
    in_its_language(answer.text, "en")
    assert 'class="language" href="?a=1"' in answer.text
    assert 'class="language" href="?a=1&amp;lang=en"' in browser.ask("/nowhere?a=1", headers=BROWSER).text


def test_a_form_that_is_out_of_date_leads_back_to_its_page(bare: Server) -> None:
    admin = signed_in(bare, "security_admin")
    admin.cookies["_csrf_token"] = "old"
    answer = admin.ask("/accounts", {"do": "disable", "account": "demo.leader"}, headers=BROWSER)
    assert answer.status_code == 403 and 'href="/accounts"' in answer.text
    assert "refresh" not in answer.headers, "a form is never sent again by itself"
    in_its_language(answer.text, "zh")
    for far in ("//elsewhere.example/accounts", "/%5Celsewhere.example/accounts"):
        away = admin.ask(f"http://127.0.0.1:8050{far}", {"do": "disable"}, headers=BROWSER)
        assert away.status_code == 403 and "elsewhere" not in away.text, "no link leads off this server"


def test_what_makes_no_sense_is_said_on_a_page_too(bare: Server) -> None:
    browser = signed_in(bare, "dispatcher")
    for path, status in (("/cases/one/abc", 404), ("/x%00", 404), ("/cases/one/abc/photo", 404)):
        answer = browser.ask(path, headers=BROWSER)
        assert answer.status_code == status
        in_its_language(answer.text, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_database_that_is_away_is_said_and_the_next_request_goes_on(
    template: Database, catalog: Any, settings: Any, server: Any, language: str
) -> None:
    lang = "?lang=en" if language == "en" else ""
    ended = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s and usename like %s"
    with copy_of(template, server, settings) as here, serving(here, catalog, settings, is_demo=True) as running:
        browser = signed_in(running, "leader")
        with here.connect("admin", autocommit=True) as owner:
            for login in ("%door%", "%web%"):
                for headers in (BROWSER, {}):
                    owner.execute(ended, [here.name, login])
                    answer = browser.ask(f"/api/explore/months{lang}", headers=headers)
                    assert answer.status_code == 503, (login, answer.text)
                    if headers:
                        in_its_language(answer.text, language)
                    assert ("refresh" in answer.headers) == bool(headers), "a screen on a wall asks again by itself"
        assert browser.ask(f"/explore{lang}", headers=BROWSER).status_code == 200, "who asks is known again"

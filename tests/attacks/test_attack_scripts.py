"""Script in every text there is: each page is opened in a browser, and nothing runs and nothing is put into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from busy import fill_up
from chromium import WITHOUT_GPU, open_chromium
from databases import copy_of
from knock import SCOPE
from playwright.sync_api import Browser, Error, Page
from poison import PAYLOAD, SHOWN, poison, poisoned
from serving import listening, serving
from signing import cookies, sign_in
from surface import operations
from test_attack_inputs import role_for

from layers.access import ROLES, AccountRole, Scope
from layers.accounts.sessions import Session
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from mapapp.app import create_app
from mapapp.pages import accounts
from mapapp.porter import make_porter
from mapapp.rights import SWITCHED, is_public, may_open

WATCH = """
window.__broken = [], window.__flying = 0, window.print = () => {};
document.addEventListener("securitypolicyviolation", (e) => {  // the library of charts sets styles, and is refused
  if (!e.violatedDirective.startsWith("style-")) window.__broken.push(`${e.violatedDirective} ${e.sample}`);
});
const sent = window.fetch;
window.fetch = (...asked) => { window.__flying += 1; return sent(...asked).finally(() => { window.__flying -= 1; }); };
"""
NO_MAP = "HTMLCanvasElement.prototype.getContext = () => null;"
"""Without the map, whose drawing takes most of the time."""

FOUND = """() => [
  ...(window.__owned ? ["a script ran"] : []),
  ...(window.__broken ?? []).map((one) => `against the policy: ${one}`),
  ...[...document.querySelectorAll("[data-owned], [onerror], [onclick]")].map((one) => `an element: ${one.outerHTML}`),
  ...[...document.querySelectorAll("a")].map((one) => one.getAttribute("href") ?? one.getAttribute("xlink:href") ?? "")
    .filter((href) => /^\\s*(javascript|data|vbscript):/i.test(href)).map((href) => `a link: ${href}`),
].map((one) => one.slice(0, 120))"""
IDLE = """() => new Promise((tell) => {
  const look = (calm) => calm > 8 ? tell(true) : requestAnimationFrame(() =>
    look(document.readyState === "complete" && !window.__flying ? calm + 1 : 0));
  look(0);
})"""
OPEN_ALL = """(most) => [...document.querySelectorAll(
  "tbody tr, li[data-id], [role=tab], summary, button[type=button], button:not([type])")]
  .filter((one) => one.offsetParent && !/sign-out/.test(one.outerHTML)).slice(0, most).map((one) => one.click())"""
ALL = 40
"""As much as is opened on one page."""
SEEN = f"() => document.documentElement.innerHTML.split('{SHOWN}').length - 1"


@dataclass
class Opened:
    """What was wrong with a page that was opened, and how often a hostile text stood in it."""

    faults: list[str] = field(default_factory=list)
    n_seen: int = 0


@dataclass(frozen=True)
class Place:
    """Where hostile texts are served: database, application, address, and addresses that lead to what was made."""

    db: Database
    app: Any
    address: str
    led: dict[str, str]


@pytest.fixture(scope="module")
def place(settings: Any, server: Any, city_template: Database, catalog: Catalog) -> Iterator[Place]:
    """A city in which everything that can be written down is a script, declarations too."""
    with copy_of(city_template, server, settings) as copy:
        for role in ROLES:
            sign_in(copy, role, scope=SCOPE, department="water")
        with serving(copy, catalog, settings) as writing:
            led = fill_up(writing, copy, catalog, PAYLOAD)
        done = set(poison(copy, [PAYLOAD]))
        assert {"auth.account.name", "ops.call.what", "ops.event.summary", "pub.grid.name", "ops.place.name"} <= done
        atlas = Atlas(poisoned(catalog, PAYLOAD), copy, "web", Scope(catalog.city.code))
        app = create_app(atlas, make_porter(atlas, settings, is_demo=False), public_pages=tuple(SWITCHED.values()))
        with listening(app) as address:
            yield Place(copy, app, address, led)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium(WITHOUT_GPU) as browser:
        yield browser


def open_page(browser: Browser, address: str, session: Session | None, path: str, most: int) -> Opened:
    """Open a page and as much on it as `most`; where that is all, search in it and go over it with the mouse too."""
    context, opened = browser.new_context(viewport={"width": 1000, "height": 700}), Opened()
    context.add_init_script(WATCH if most == ALL else WATCH + NO_MAP)
    if session is not None:
        context.add_cookies([
            {"name": "session", "value": session.token, "url": address},
            {"name": "_csrf_token", "value": session.form_token, "url": address},
        ])  # fmt: skip
    page = context.new_page()
    page.on("dialog", lambda box: (opened.faults.append(f"a box: {box.message}"), box.dismiss())[0])
    page.goto(address + path)
    look(page, opened)
    for one in page.locator("input[type=search]:visible").all() if most == ALL else ():
        one.fill(SHOWN[:3])
        look(page, opened)
    page.evaluate(OPEN_ALL, most)
    look(page, opened)
    for x, y in ((200, 300), (500, 350), (800, 300), (800, 600)) if most == ALL else ():
        page.mouse.move(x, y)
        look(page, opened)
    context.close()
    return opened


def look(page: Page, opened: Opened) -> None:
    """Wait until nothing is on its way, and keep what is wrong."""
    page.wait_for_function("() => document.readyState === 'complete'")
    try:
        page.evaluate(IDLE)
        opened.faults += page.evaluate(FOUND)
        opened.n_seen = max(opened.n_seen, page.evaluate(SEEN))
    except Error as error:
        if "navigation" not in str(error):  # a click led on: to another page, which is opened by itself
            raise


def pages(place: Place) -> list[str]:
    """Addresses of pages: those of routes with no hole that answer so, and those that were made."""
    with httpx.Client(base_url=place.address) as client:
        found = list(place.led.values())
        for one in operations(place.app):
            if one.method == "GET" and not one.holes and one.template != "/live":
                role = None if is_public("GET", one.template) else role_for(one.template)
                said = cookies(sign_in(place.db, role, scope=SCOPE, department="water")) if role else {}
                if client.get(one.template, headers=said).headers.get("content-type", "").startswith("text/html"):
                    found.append(one.template)
    return found


def attack(place: Place, browser: Browser, roles: Sequence[AccountRole], most: int) -> dict[str, Opened]:
    """Every page as whoever may open it, by address and role; one of them where not all is opened."""
    found = {}
    for path in pages(place):
        whose = [None] if is_public("GET", path) else [one for one in roles if may_open(one, path)]
        for role in whose if most == ALL else whose[:1]:
            session = sign_in(place.db, role, scope=SCOPE, department="water") if role else None
            found[f"{path} {role}"] = open_page(browser, place.address, session, path, most)
    return found


def test_a_script_in_a_text_is_a_text(place: Place, browser: Browser) -> None:
    found = attack(place, browser, ["dispatcher", "security_admin", "auditor"], most=3)
    assert {at: one.faults for at, one in found.items() if one.faults} == {}
    assert sum(one.n_seen > 0 for one in found.values()) > 8, "hostile texts were there"


def test_without_escaping_and_without_policy_it_would_run(
    place: Place, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sign_in(place.db, "security_admin", scope=SCOPE)
    monkeypatch.setattr(accounts, "escape", str)
    put_in = open_page(browser, place.address, session, "/accounts", 0).faults
    assert any("an element" in one for one in put_in) and any("against the policy" in one for one in put_in)
    assert "a script ran" not in put_in, "the policy holds where escaping does not"
    monkeypatch.setattr(place.app, "_page_headers", ())
    assert "a script ran" in open_page(browser, place.address, session, "/accounts", 0).faults


@pytest.mark.soak
def test_a_script_in_a_text_is_a_text_to_everybody(place: Place, browser: Browser, capsys: Any) -> None:
    found = attack(place, browser, ROLES, most=ALL)
    with capsys.disabled():
        print(f"\nscripts: {len(found)} pages opened, {sum(one.n_seen for one in found.values())} hostile texts seen")
    assert {at: one.faults for at, one in found.items() if one.faults} == {}

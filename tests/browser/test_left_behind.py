"""What a browser keeps of whoever reported with it, once they have signed out and somebody else has signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from field import HERE, PHONE, at_work, fill, open_page
from people_at_work import prepare, working_catalog
from playwright.sync_api import Browser, Page, expect
from screen import serving
from test_care import enrol

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.duplicates import likeness
from layers.seal import Sealer
from layers.secrets import read_secrets
from layers.settings import Settings

NAMED = "周三丰家漏水，电话"
PHONE_NUMBER = "13900001234"
IDENTITY = "11010519491231002X"
KEPT = """async () => {
  const found = [localStorage, sessionStorage].map((one) => JSON.stringify({ ...one }));
  found.push(document.cookie);
  for (const name of await caches.keys()) {
    const shelf = await caches.open(name);
    for (const asked of await shelf.keys()) {
      found.push(asked.url, await (await shelf.match(asked, { ignoreVary: true })).text());
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const done = (asked) => new Promise((resolve, reject) => {
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    const base = await done(indexedDB.open(name));
    for (const store of base.objectStoreNames) {
      found.push(JSON.stringify(await done(base.transaction(store).objectStore(store).getAll())));
    }
    base.close();
  }
  return found.join("\\n");
}"""
"""Everything that a browser keeps for a site and a script of it can read."""


@pytest.fixture
def little(db: Database, settings: Settings) -> Iterator[str]:
    prepare(db)
    enrol(db, Sealer(read_secrets(settings)))
    likeness(["words", "are read once"])  # reading the dictionary takes longer than a phone waits
    with serving(Atlas(working_catalog(), db, "web", Scope("4499")), settings) as address:
        yield address


def kept(page: Page) -> set[str]:
    """The canaries that are found in what the browser keeps."""
    found = page.evaluate(KEPT)
    return {one for one in (PHONE_NUMBER, NAMED, IDENTITY, "乙二", "demo.grid_worker") if one in found}


def test_nothing_of_anybody_is_kept_after_signing_out(browser: Browser, little: str) -> None:
    with at_work(browser, little, "grid_worker", "/report", **PHONE | HERE) as screen:
        page = screen.page
        page.wait_for_selector("body[data-kept=ready]")
        page.context.set_offline(True)
        before = len(screen.faults)
        fill(screen, NAMED + PHONE_NUMBER)
        page.click("#send")
        expect(page.locator("#outbox li")).to_have_count(1)
        assert kept(page) == {NAMED, PHONE_NUMBER, "demo.grid_worker"}, "what waits to be sent would be found"
        page.context.set_offline(False)
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
        expect(page.locator("#mine li[data-id]")).to_have_count(1)
        expect(page.locator("#outbox li")).to_have_count(0)
        screen.faults[before:] = [one for one in screen.faults[before:] if "ERR_INTERNET_DISCONNECTED" not in one]
        assert kept(page) == {"demo.grid_worker"}, "what was sent is kept no longer"
        fill(screen, NAMED + PHONE_NUMBER)
        assert kept(page) >= {NAMED, PHONE_NUMBER}, "a draft would be found"
        page.goto(f"{little}/account")
        page.click("form[action='/sign-out'] button")
        page.wait_for_url("**/sign-in*")
        assert kept(page) == set(), "who signs out leaves nothing"
        screen.sign_in("dispatcher")
        open_page(screen, "/report")
        page.wait_for_selector("body[data-kept=ready]")
        assert kept(page) == set()
        expect(page.locator("#words")).to_have_value("")


def test_what_is_opened_of_a_person_is_kept_nowhere(browser: Browser, little: str) -> None:
    with at_work(browser, little, "grid_worker", "/care", **PHONE | HERE) as screen:
        page = screen.page
        page.locator("#records tbody tr[data-id]").first.click()
        page.select_option(".identity select", "visit")
        page.locator("[data-field=number]").click()
        expect(page.locator(".opened")).to_have_text(IDENTITY)
        assert kept(page) == set()
        open_page(screen, "/report")
        page.wait_for_selector("body[data-kept=ready]")
        assert kept(page) == {"demo.grid_worker"}

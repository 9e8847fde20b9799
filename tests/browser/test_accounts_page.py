"""The page of accounts in a real browser: the other language keeps what is half typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from databases import copy_of
from playwright.sync_api import Browser, Page, expect
from screen import Screen, serving

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database

pytestmark = pytest.mark.browser


@pytest.fixture
def admin(
    browser: Browser, template: Database, server: Any, settings: Any, catalog: Any
) -> Iterator[Screen]:  # fmt: skip
    """A page of who keeps accounts, over a database of its own."""
    with (
        copy_of(template, server, settings) as here,
        serving(Atlas(catalog, here, "web", Scope(catalog.city.code)), settings) as address,
    ):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        screen = Screen(context.new_page(), address)
        screen.sign_in("security_admin")
        screen.page.goto(f"{address}/accounts")
        yield screen
        context.close()
        assert screen.faults == []
        assert screen.hosts <= {urlsplit(address).netloc}


TYPED = """() => [...document.querySelectorAll('main form :is(input:not([type=hidden]), select)')]
  .map((one) => one.value)"""


def test_the_other_language_keeps_what_is_half_typed(admin: Screen) -> None:
    page = admin.page
    add, pair = (page.locator(f"form:has(button[value={do}])") for do in ("add", "pair"))
    add.locator("[name=account]").fill("li.si")
    add.locator("[name=name]").fill("李四")
    add.locator("[name=role]").select_option("department_handler")
    add.locator("[name=scope]").fill("449901")
    pair.locator("[name=label]").fill("大厅")
    row = page.locator("tr:has-text('demo.leader') form")
    row.locator("[name=scope]").fill("449902")
    typed = page.evaluate(TYPED)
    for language, said, closed in (("en", "Accounts", "账号"), ("zh-CN", "账号", "Accounts")):
        page.locator(".language").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("(lang) => document.documentElement.lang === lang", arg=language)
        assert page.evaluate(TYPED) == typed
        assert said in page.title() and closed not in page.title()
        assert ("lang=en" in page.url) == (language == "en")
    assert "demo" not in page.evaluate("() => JSON.stringify({ ...sessionStorage, ...localStorage })")
    page.locator(".language").click()
    page.wait_for_function("() => document.documentElement.lang === 'en'")
    add.locator("button[value=add]").click()
    expect(page.locator("p.alarm")).to_contain_text("belongs to a department")
    assert page.evaluate(TYPED)[:5] == [*typed[:4], ""], "what was refused stands there again"
    page.locator(".language").click()
    page.wait_for_function("() => document.documentElement.lang === 'zh-CN'")
    assert page.evaluate(TYPED)[:5] == [*typed[:4], ""] and page.locator("p.alarm").count() == 0
    add.locator("[name=department]").select_option("water")
    add.locator("button[value=add]").click()
    expect(page.locator("p[data-kept=made]")).to_contain_text("li.si: ")
    password = page.locator("p[data-kept=made]").inner_text()
    page.locator(".language").click()
    page.wait_for_function("() => document.documentElement.lang === 'en'")
    assert page.locator("p[data-kept=made]").inner_text() == password, "it is shown this once"
    assert page.evaluate(TYPED)[:2] == ["", ""]
    admin.faults = [said for said in admin.faults if "400" not in said]  # that was asked for
    page.goto(f"{admin.address}/account")
    page.wait_for_load_state()
    own_account_in_the_other_language(page, "li.si", password.partition(": ")[2])


def own_account_in_the_other_language(page: Page, account: str, password: str) -> None:
    """A second factor that is being set is the same one, and what is typed stays; then somebody signs out."""
    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url("**/sign-in*")
    page.fill("[name=account]", account)
    page.fill("[name=password]", password)
    page.locator("form:has([name=password]) button").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url, wait_until="commit")
    page.goto(f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}/account")
    page.fill("[name=code] >> nth=-1", "123")
    page.fill("[name=new]", "half a pass")
    secret, typed = page.locator("code").inner_text(), page.evaluate(TYPED)
    for language in ("en", "zh-CN"):
        page.locator(".language").click()
        page.wait_for_function("(lang) => document.documentElement.lang === lang", arg=language)
        assert page.locator("code").inner_text() == page.locator("[name=secret]").input_value() == secret
        assert page.evaluate(TYPED) == typed
    page.evaluate("() => sessionStorage.setItem('draft x', '1')")
    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url("**/sign-in*")
    assert page.evaluate("() => sessionStorage.length") == 0

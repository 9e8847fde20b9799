"""Charts under the policy of the pages: no style or script is refused, and nothing of a chart is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from test_explore_page import explore

if TYPE_CHECKING:
    from screen import Screen

REFUSED = """addEventListener("securitypolicyviolation", (event) =>
  (window.__refused ??= []).push(event.effectiveDirective))"""
POINT = """() => {
  const one = document.querySelector(".plot .points path");
  one.scrollIntoView({ block: "center" });
  const box = one.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def test_a_chart_is_drawn_and_answers_without_a_refused_style(screen: Screen) -> None:
    page = screen.page
    page.add_init_script(REFUSED)
    explore(screen)
    page.wait_for_selector(".plot .main-svg")
    x, y = page.evaluate(POINT)
    page.mouse.move(x - 4, y - 4)
    page.mouse.move(x, y)
    page.wait_for_selector(".plot .hovertext")
    assert page.evaluate("() => window.__refused ?? []") == []
    edge = page.locator(".plot .hovertext path").evaluate("(one) => getComputedStyle(one).stroke")
    line = page.locator(".plot .js-line").evaluate("(one) => getComputedStyle(one).stroke")
    assert edge == line != "none", "its edge has the colour of the line"
    page.evaluate("() => document.body.setAttribute('style', 'color: red')")
    page.wait_for_function("() => window.__refused?.includes('style-src-attr')")
    screen.faults.clear()  # what was just refused would be found

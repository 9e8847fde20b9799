"""The message catalogue: every text in both languages, and neither leaks into the other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from mapapp.pages.casework import SPOKEN
from mapapp.text import CATALOGUE, read_words

PAGES = Path(CATALOGUE).parent
SAID = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
ENGLISH_WORD = re.compile(r"[A-Za-z]{2,}")

# Names of products and units that Chinese text keeps as they are, and the names of the languages themselves.
LEFT_AS_IT_IS = {"MB", "WebGL", "Chrome", "Edge", "Firefox", "km²", "English", "WebGL2",
                 "PNG", "JPEG", "WebP", "SVG", "XLSX", "CSV", "GeoJSON", "Parquet"}  # fmt: skip


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", SAID)
def test_every_text_is_there_in_both_languages(key: str) -> None:
    assert set(SAID[key]) == {"zh", "en"}
    assert all(isinstance(text, str) for text in SAID[key].values())
    if key not in {"unit_events", "unit_people"}:
        assert all(SAID[key].values())


@pytest.mark.parametrize("key", [key for key in SAID if key != "other_language"])
def test_neither_language_leaks_into_the_other(key: str) -> None:
    assert not CHINESE.search(SAID[key]["en"])
    bare = re.sub(r"\{\w+\}", "", SAID[key]["zh"])
    assert not {word for word in ENGLISH_WORD.findall(bare) if word not in LEFT_AS_IT_IS}


@pytest.mark.parametrize("key", SAID)
def test_both_languages_are_filled_in_alike(key: str) -> None:
    month_names = {"period_month", "day"}
    if key not in month_names:
        assert braces(SAID[key]["zh"]) == braces(SAID[key]["en"])


def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in PAGES.rglob("*.py"))


def test_every_text_is_used() -> None:
    text = sources().replace("'", '"')  # within an f-string
    dynamic = re.findall(
        r"\w+_",
        "level_ levels_ element_ note_ role_ do_ kind_ audit_ theme_ against_ classes_ ramp_ export_ column_ state_"
        " behind_ page_ wall_ figure_ form_ ground_ choose_ chosen_ legend_layer_ noted_ turned_ " + " ".join(SPOKEN),
    )
    months = {f"{name}" for name in SAID if SAID[name]["zh"].endswith("月") and len(SAID[name]["en"]) == 3}
    unused = [k for k in SAID if f'"{k}"' not in text and not k.startswith(tuple(dynamic)) and k not in months]
    assert unused == []


def test_no_text_of_the_screen_is_outside_the_catalogue() -> None:
    pages = [path for path in PAGES.rglob("*.py") if path.name != "__main__.py" and path.parent.name != "commands"]
    for path in [*pages, *PAGES.rglob("*.mjs"), *PAGES.rglob("*.js")]:
        found = CHINESE.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found}"


def test_numbers_people_and_periods_are_written_as_each_language_does() -> None:
    words = read_words()
    zh, en = words["zh"], words["en"]
    assert (zh.number(1234.56, 1), en.number(None), zh.number(float("nan"))) == ("1,234.6", "No data", "无数据")
    assert (zh.people(1230), en.people(1230)) == ("约 1,230", "about 1,230")
    assert (zh.people(0), en.people(None)) == ("<10", "No data")
    assert (zh.period(202603), en.period(202603)) == ("2026年3月", "Mar 2026")
    assert (zh.period(2026), en.period(2026), zh.period(None)) == ("2026年", "2026", "现状")

"""The texts of the screen in Chinese and English, and how numbers, months and counts of people are written."""

from __future__ import annotations

import calendar
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from layers.declare.records import Text

CATALOGUE = Path(__file__).with_name("text.toml")


@dataclass(frozen=True)
class Words:
    """The message catalogue in one language."""

    language: str
    texts: Mapping[str, Text]

    def __call__(self, key: str, **filled: object) -> str:
        """Say a text of the catalogue, its braces filled in."""
        return self.texts[key].said(self.language).format(**filled)

    def of(self, text: Text) -> str:
        """Say a declared text."""
        return text.said(self.language)

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number with thousands apart; the words for "no data" where there is none."""
        return self("none") if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"

    def people(self, n: int | None) -> str:
        """Write a rounded count of people as what it is: about so many, or fewer than ten."""
        if n is None:
            return self("none")
        return self("about", n=f"{n:,}") if n else self("under_ten")

    def period(self, number: int | None) -> str:
        """Write a month (yyyymm) or a year (yyyy); the words for "present state" where there is none."""
        if not number:
            return self("period_now")
        if number < 10_000:
            return self("period_year", year=number)
        year, month = divmod(number, 100)
        name = self(calendar.month_name[month].lower()) if self.language == "en" else ""
        return self("period_month", year=year, month=month, name=name)

    def name(self, name: str) -> str:
        """Say the name of an account; one of the demonstration has the key of its role, and is called by that role."""
        key = f"role_{name}"
        return self(key) if key in self.texts else name

    def moment(self, moment: datetime, zone: str) -> str:
        """Write a moment in the city's zone."""
        at = moment.astimezone(ZoneInfo(zone))
        return f"{self.day(at)} {at:%H:%M}"

    def age(self, loaded_at: datetime | None, zone: str) -> str:
        """Say how old data are: the moment they came in, or that there are none yet."""
        return self("data_as_of", moment=self.moment(loaded_at, zone)) if loaded_at else self("no_data_yet")

    def day(self, day: date) -> str:
        """Write a day as the language does."""
        name = self(calendar.month_name[day.month].lower()) if self.language == "en" else ""
        return self("day", year=day.year, month=day.month, day=day.day, name=name)


def read_words(path: Path = CATALOGUE) -> dict[str, Words]:
    """Read the message catalogue; one `Words` for `zh` and one for `en`."""
    with path.open("rb") as file:
        said = tomllib.load(file)
    texts = {key: Text(zh=both["zh"], en=both["en"]) for key, both in said.items()}
    return {language: Words(language, texts) for language in ("zh", "en")}

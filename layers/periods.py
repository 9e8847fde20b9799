"""Periods as people write them: `2026`, `2026-03`, `2026-03-05`; and moments, from days of the city's zone."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from layers.errors import AtlasError

Step = Literal["year", "month", "day"]

_WRITTEN = re.compile(r"([12]\d{3})(?:-?(\d{2})(?:-?(\d{2}))?)?")
_STEPS: dict[int, Step] = {4: "year", 6: "month", 8: "day"}


@dataclass(frozen=True)
class Period:
    """A civil year, month or day: `number` is yyyy, yyyymm or yyyymmdd, as tallies keep it."""

    number: int

    @property
    def step(self) -> Step:
        """How long it is: year, month or day."""
        return _STEPS[len(str(self.number))]

    @property
    def first_on(self) -> date:
        """First day of it."""
        digits = str(self.number)
        return date(int(digits[:4]), int(digits[4:6] or 1), int(digits[6:8] or 1))

    @property
    def past_on(self) -> date:
        """First day past it."""
        first = self.first_on
        if self.step == "year":
            return date(first.year + 1, 1, 1)
        days = calendar.monthrange(first.year, first.month)[1] if self.step == "month" else 1
        return first + timedelta(days=days)

    @property
    def months(self) -> list[int]:
        """Its months as yyyymm; the month it lies in, for a day."""
        if self.step == "year":
            return [self.number * 100 + month for month in range(1, 13)]
        return [int(str(self.number)[:6])]

    def __str__(self) -> str:
        """As it is written: `2026-03`."""
        digits = str(self.number)
        return "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)


def read_period(written: str | int | date | Period) -> Period:
    """Read a period: `2026`, `2026-03`, `2026-03-05`, 202603 or a day.

    Raises
    ------
    AtlasError
        It is none of these, or there is no such day.
    """
    if isinstance(written, Period):
        return written
    found = _WRITTEN.fullmatch(str(written.date() if isinstance(written, datetime) else written).strip())
    if found is None:
        raise AtlasError(f"{written!r} is not a period.", "Write a year, a month or a day: 2026, 2026-03, 2026-03-05.")
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        date(year, month, day)
    except ValueError as error:
        raise AtlasError(f"There is no {written}.", "Look at the month and the day.") from error
    return Period(int("".join(part for part in found.groups() if part)))


def months_between(first: int, last: int) -> list[int]:
    """List the months from `first` to `last`, both as yyyymm and both in it."""
    spans = range(first // 100 * 12 + first % 100 - 1, last // 100 * 12 + last % 100)
    return [month // 12 * 100 + month % 12 + 1 for month in spans]


def moment(written: str | date | None, zone: str) -> datetime | None:
    """Give the moment that a bound of time means; a day, month or year means its first moment in the zone.

    Parameters
    ----------
    written
        `2026-01-01`, `2026-01`, `2026`, `2026-01-01T08:00`, a date or a datetime; without a zone it is the city's.
    zone
        Time zone of the city.

    Raises
    ------
    AtlasError
        It is no date.
    """
    if written is None:
        return None
    if isinstance(written, str) and len(written.strip()) > 10:
        try:
            written = datetime.fromisoformat(written.strip())
        except ValueError as error:
            raise AtlasError(f"{written!r} is no moment.", "Write it like 2026-01-01 or 2026-01-01T08:00.") from error
    if isinstance(written, datetime):
        return written if written.tzinfo else written.replace(tzinfo=ZoneInfo(zone))
    return datetime.combine(read_period(written).first_on, time(), ZoneInfo(zone))

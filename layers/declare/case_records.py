"""What the declarations of the closed loop become: working time, limits, what is due, and where cases go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Unit = Literal["urgent_hours", "working_hours", "working_days", "calendar_days"]
Minutes = tuple[int, int]
"""From and to, in minutes of the day; `to` is at most 1440."""

CASE_COUNTS = (
    "reported", "filed", "settled", "settled_on_spot", "due", "closed_of_due", "closed_on_time", "overdue", "sent_back",
    "due_for_handling", "handled_on_time", "extended", "dispatched", "not_returned", "closed", "asked", "answered",
    "satisfied", "without_deadline",
)  # fmt: skip
"""What cases are counted for in a period; `layers.performance` has the definitions."""


@dataclass(frozen=True)
class Year:
    """Public holidays and make-up working days of a year that were published."""

    holidays: tuple[date, ...]
    make_up_days: tuple[date, ...]


@dataclass(frozen=True)
class Calendar:
    """When work is done (`calendar.toml`)."""

    slots: tuple[Minutes, ...] = ((480, 720), (840, 1080))
    years: Mapping[int, Year] = field(default_factory=dict)


@dataclass(frozen=True)
class Limit:
    """How much time a case may take."""

    amount: float
    unit: Unit


@dataclass(frozen=True)
class DuePolicy:
    """Which cases are due in a period, from a day on."""

    since: date
    closed_early: bool = True
    suspended: bool = True


@dataclass(frozen=True)
class Limits:
    """What is promised (`limits.toml`); the key `any` is for every category that has no line."""

    normal: Mapping[str, Limit] = field(default_factory=dict)
    urgent: Mapping[str, Limit] = field(default_factory=dict)
    answer: Mapping[str, int] = field(default_factory=dict)
    report_in: int | None = None
    due: tuple[DuePolicy, ...] = ()
    reopens: tuple[str, ...] = ()

    def limit(self, category: str, *, is_urgent: bool) -> Limit | None:
        """Find the limit of a case; None where none was declared."""
        table = self.urgent if is_urgent else self.normal
        return table.get(category) or table.get("any")

    def due_on(self, day: date) -> DuePolicy:
        """Find the policy that holds on a day: the last one that began by then, or the usual one."""
        return next(
            (p for p in sorted(self.due, key=lambda p: p.since, reverse=True) if p.since <= day), DuePolicy(day)
        )


@dataclass(frozen=True)
class Route:
    """Where some cases go (one `[[routes]]` of `routing.toml`); what is left out matches everything.

    Without a department it sends a case to the one on whose duty its category is.
    """

    department: str | None = None
    categories: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    days: Literal["any", "working", "off"] = "any"
    hours: Minutes = (0, 1440)
    """From and to; a window that ends before it begins goes over midnight."""
    season: tuple[int, int] = (101, 1232)
    """First day and first day no longer, as mmdd; may go over New Year."""
    urgent: bool | None = None

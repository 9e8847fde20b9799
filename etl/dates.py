"""Whether days and moments make sense: after the future, before the register, and the noughts of spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Context
from etl.masks import Mask, flags
from etl.refusals import Refusals

_PAST_ONLY = ("born_on", "reported_at", "closed_at", "updated_at", "at", "read_at", "measured_on",
              "visited_on")  # fmt: skip
_FIRST = date(1900, 1, 2)
"""First day taken for one: what lies before it is an error, and the last days before it are noughts."""

_NOUGHT_DAYS = (date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1))
"""What an empty cell becomes when a spreadsheet or a database writes it as a day."""


def check_dates(columns: Mapping[str, pa.Array], text: Mapping[str, pa.Array], context: Context, to: Refusals) -> None:
    """Refuse days that are a nought, too early, or still to come where only the past makes sense."""
    zone = ZoneInfo(context.catalog.city.zone)
    tomorrow = (context.now.astimezone(zone) + timedelta(days=1)).date()
    for column in context.dataset.columns:
        values, delivered = columns[column.key], text[column.heading]
        if not pa.types.is_temporal(values.type):
            continue
        first, end = _bounds(values.type, tomorrow, zone)
        early = flags(pc.less(values, first))
        if pa.types.is_timestamp(values.type):
            early |= flags(pc.equal(values.cast(pa.int64()), 0))
        if early.any():
            to.add("date_is_nought", column.heading, early & _is_nought(values, zone), delivered)
            to.add("date_too_early", column.heading, early, delivered)
        if column.key in _PAST_ONLY:
            to.add("date_in_future", column.heading, flags(pc.greater_equal(values, end)), delivered)


def _bounds(kind: pa.DataType, tomorrow: date, zone: ZoneInfo) -> tuple[pa.Scalar, pa.Scalar]:
    if pa.types.is_date32(kind):
        return pa.scalar(_FIRST, kind), pa.scalar(tomorrow, kind)
    first, end = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in (_FIRST, tomorrow))
    return pa.scalar(first, kind), pa.scalar(end, kind)


def _is_nought(values: pa.Array, zone: ZoneInfo) -> Mask:
    days = values
    nought = None
    if pa.types.is_timestamp(values.type):
        nought = flags(pc.equal(values.cast(pa.int64()), 0))  # 1970-01-01 in Greenwich: no time was set
        local = pc.local_timestamp(values.cast(pa.timestamp("us", str(zone))))
        days = local.cast(pa.timestamp("s"), safe=False).cast(pa.date32(), safe=False)
    found = flags(pc.is_in(days, pa.array(_NOUGHT_DAYS, pa.date32())))
    return found if nought is None else found | nought

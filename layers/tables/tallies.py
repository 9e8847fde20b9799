"""Counts of rows by grid, time, dataset, category and state; and the published counts of people.

A tally row with `delta_id` 0 is a sum; the others are signed changes, appended by the transaction that changed the
rows and folded into the sum by a job. A reader adds both, and no writer ever waits for another.

Tallies of person datasets and of sensitive categories stand in `vault`, the same tables under the same names; they
reach a screen only through `people_count`.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, Double, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Count, Moment, Small, town_check


class Tally:
    """A count; grid_no is the grid of the level in the name, or one above it for rows known no finer."""

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of the grid")
    grid_no: Mapped[Count] = mapped_column(
        primary_key=True, autoincrement=False, comment="pub.grid, and so the edition"
    )
    period: Mapped[Count] = mapped_column(
        primary_key=True, autoincrement=False, comment="yyyymm or yyyymmdd of the civil day; 0 for things without time"
    )
    dataset_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="pub.dataset")
    category_no: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="pub.category; 0 for none"
    )
    state_no: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="position in layers.tables.events.STATES from 1; 0 for none"
    )
    delta_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False, comment="0: the sum; else a change")
    n: Mapped[Count] = mapped_column(comment="rows, or the signed change of them")


def _args(schema: str, table: str) -> tuple[Index, Index, dict[str, str]]:
    # A heatmap is a period, a dataset and a category over all grids; the rest is carried along, so that it is answered
    # from the index alone.
    keys, carried = ("period", "dataset_no", "category_no", "grid_no"), ["town_code", "state_no", "n"]
    # Changes are few at any time; folding finds them without looking through the sums.
    changes = Index(f"ix_{table}_delta_id", "delta_id", postgresql_where=text("delta_id <> 0"))
    return Index(f"ix_{table}_period", *keys, postgresql_include=carried), changes, {"schema": schema}


class TallySmallMonth(Tally, Base):
    """Small grid by month."""

    __tablename__ = "tally_small_month"
    __table_args__ = _args("pub", "tally_small_month")


class TallyMediumDay(Tally, Base):
    """Medium grid by day."""

    __tablename__ = "tally_medium_day"
    __table_args__ = _args("pub", "tally_medium_day")


class TallyLargeMonth(Tally, Base):
    """Large grid by month."""

    __tablename__ = "tally_large_month"
    __table_args__ = _args("pub", "tally_large_month")


class SealedTallySmallMonth(Tally, Base):
    """Small grid by month, of people and of sensitive categories."""

    __tablename__ = "tally_small_month"
    __table_args__ = _args("vault", "tally_small_month")


class SealedTallyMediumDay(Tally, Base):
    """Medium grid by day, of people and of sensitive categories."""

    __tablename__ = "tally_medium_day"
    __table_args__ = _args("vault", "tally_medium_day")


class SealedTallyLargeMonth(Tally, Base):
    """Large grid by month, of people and of sensitive categories."""

    __tablename__ = "tally_large_month"
    __table_args__ = _args("vault", "tally_large_month")


class CarriedTally(Base):
    """Part of a count that a grid has by share, and not row by row: a reform split the grid the rows were known in.

    Rows known no finer are counted at the grid above all parts; what each part is given here is taken from that one.
    """

    __tablename__ = "tally_carried"
    __table_args__ = (
        Index("ix_tally_carried_dataset_no", "dataset_no", "grid_no"),
        {"schema": "pub"},
    )

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of the grid")
    grid_no: Mapped[Count] = mapped_column(
        primary_key=True, autoincrement=False, comment="pub.grid, and so the edition"
    )
    period: Mapped[Count] = mapped_column(
        primary_key=True, autoincrement=False, comment="yyyymmdd of the civil day; 0 for things without time"
    )
    dataset_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="pub.dataset")
    category_no: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="pub.category; 0 for none"
    )
    state_no: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="position in layers.tables.events.STATES from 1; 0 for none"
    )
    n: Mapped[float] = mapped_column(Double, comment="rows given to this grid; negative where they are taken from")


class PeopleCount(Base):
    """A published count of people: a multiple of 10 within 9 of the truth.

    A parent is the sum of its children and of a rounded rest, those known no finer than the parent.
    """

    __tablename__ = "people_count"
    __table_args__ = (
        town_check(),
        CheckConstraint("n >= 0 and mod(n, 10) = 0", name="rounded"),
        Index("ix_people_count_month", "month", "edition", "breakdown", "cell", "grid_code"),
        {"schema": "pub"},
    )

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of the grid")
    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="edition of the grids")
    month: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False, comment="yyyymm")
    breakdown: Mapped[Code] = mapped_column(primary_key=True, comment="declared breakdown; `all` is the total")
    cell: Mapped[Code] = mapped_column(primary_key=True, comment="cell of the breakdown; `all` is the total")
    grid_code: Mapped[Code] = mapped_column(primary_key=True, comment="grid of any level")
    n: Mapped[Count] = mapped_column(comment="people, rounded")
    published_at: Mapped[Moment] = mapped_column(comment="when it was worked out")


class PeopleTold(Base):
    """What releases told of a grid and a breakdown, beside the true counts; figures stay where these do."""

    __tablename__ = "people_told"
    __table_args__ = {"schema": "vault"}  # noqa: RUF012

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of the grid")
    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="edition of the grids")
    breakdown: Mapped[Code] = mapped_column(primary_key=True, comment="declared breakdown; `all` is the total")
    node: Mapped[Code] = mapped_column(
        primary_key=True, comment="grid of any level; with a plus: who is known to it and to no grid below it"
    )
    cells: Mapped[str] = mapped_column(comment="cells of the breakdown, in order")
    counts: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="people in each cell when the release was made")
    figures: Mapped[list[int]] = mapped_column(ARRAY(Integer), comment="what was published of them; -1: nothing")
    least: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), comment="lowest figure published since the grid is in all counts what it is; -1: none"
    )
    most: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), comment="highest figure published since the grid is in all counts what it is; -1: none"
    )


class PeopleWithheld(Base):
    """A level that a breakdown of people is not published on; the levels above it are."""

    __tablename__ = "people_withheld"
    __table_args__ = (
        CheckConstraint("reason in ('no_solution', 'attack', 'declared')", name="reason"),
        {"schema": "pub"},
    )

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="edition of the grids")
    month: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False, comment="yyyymm")
    breakdown: Mapped[Code] = mapped_column(primary_key=True, comment="declared breakdown")
    digits: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="length of the codes of that level"
    )
    reason: Mapped[str] = mapped_column(
        comment="no_solution: nothing adds up under the published totals; attack: a small count could be narrowed;"
        " declared: finer than its declaration allows"
    )

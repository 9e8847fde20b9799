"""Calls of grids and the departments that report in."""

from __future__ import annotations

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Moment, TownRow, town_check


class Call(TownRow, Base):
    """A call of a grid: it goes up the tree until somebody answers."""

    __tablename__ = "call"
    __table_args__ = (
        town_check(),
        CheckConstraint("(answered_at is null) = (answered_by is null)", name="answered"),
        UniqueConstraint("town_code", "request_key"),
        Index("ix_call_grid_code", "grid_code", postgresql_where=text("answered_at is null")),
        Index("ix_call_event_id", "event_id", postgresql_where=text("event_id is not null")),
        {"schema": "ops"},
    )

    grid_code: Mapped[Code] = mapped_column(comment="grid that calls")
    request_key: Mapped[Code] = mapped_column(comment="chosen by the sender: a resend does nothing twice")
    event_id: Mapped[Big | None] = mapped_column(comment="event it is about")
    called_at: Mapped[Moment] = mapped_column(comment="when it was made")
    called_by: Mapped[Code] = mapped_column(comment="account that called")
    what: Mapped[str] = mapped_column(comment="what is needed, in words")
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="departments called together; the first leads")
    answered_at: Mapped[Moment | None] = mapped_column(comment="when it was answered; NULL: open")
    answered_by: Mapped[Code | None] = mapped_column(comment="account that answered")
    answered_code: Mapped[Code | None] = mapped_column(comment="grid above for which it was answered")


class ReportIn(TownRow, Base):
    """A department that reported in on a call."""

    __tablename__ = "report_in"
    __table_args__ = (
        ForeignKeyConstraint(["town_code", "call_id"], ["ops.call.town_code", "ops.call.id"]),
        UniqueConstraint("town_code", "call_id", "department"),
        {"schema": "ops"},
    )

    call_id: Mapped[Big] = mapped_column(comment="call it reports in on")
    department: Mapped[Code] = mapped_column(comment="department that reports in")
    at: Mapped[Moment] = mapped_column(comment="when")
    account: Mapped[Code] = mapped_column(comment="account that reported in")


class PassOn(TownRow, Base):
    """A level that passed a call on to the next before its time was over."""

    __tablename__ = "pass_on"
    __table_args__ = (
        ForeignKeyConstraint(["town_code", "call_id"], ["ops.call.town_code", "ops.call.id"]),
        UniqueConstraint("town_code", "call_id", "from_code"),
        {"schema": "ops"},
    )

    call_id: Mapped[Big] = mapped_column(comment="call it passed on")
    from_code: Mapped[Code] = mapped_column(comment="grid above that held it")
    at: Mapped[Moment] = mapped_column(comment="when")
    account: Mapped[Code] = mapped_column(comment="account that passed it on")
    reason: Mapped[str | None] = mapped_column(comment="why, in words")

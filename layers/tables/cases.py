"""What moves cases along and what is said of them: transitions, promises, visits back, photos, the echo wall."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Moment, Small, TownRow, one_of

UNITS = ("urgent_hours", "working_hours", "working_days", "calendar_days")
"""In what a time limit is counted."""


class Transition(Base):
    """One allowed transition of the closed loop; each step taken here points at its row."""

    __tablename__ = "transition"
    __table_args__ = (UniqueConstraint("step", "from_state", "state"), {"schema": "ops"})

    step: Mapped[str] = mapped_column(primary_key=True, comment="name of the step")
    from_state: Mapped[str] = mapped_column(primary_key=True, comment="state it is taken from; empty: makes a case")
    state: Mapped[str] = mapped_column(comment="state it leads to")
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="who may take it")
    needs: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="what it needs, see layers.lifecycle")
    clock: Mapped[str] = mapped_column(comment="what it does to the clock of the promise; empty: nothing")


class Promise(TownRow, Base):
    """A promise made on a case: amount and unit frozen when made, and how much of it is used."""

    __tablename__ = "promise"
    __table_args__ = (
        one_of("unit", UNITS),
        ForeignKeyConstraint(["town_code", "event_id"], ["ops.event.town_code", "ops.event.id"]),
        UniqueConstraint("town_code", "event_id", "round"),
        {"schema": "ops"},
    )

    event_id: Mapped[Big] = mapped_column(comment="event it was made on")
    round: Mapped[Small] = mapped_column(comment="1 for the first; another department or a reopening makes the next")
    department: Mapped[Code | None] = mapped_column(comment="whose clock it is; NULL until dispatched")
    made_at: Mapped[Moment] = mapped_column(comment="when it was made")
    amount: Mapped[float] = mapped_column(Double, comment="how much time, in its unit")
    unit: Mapped[str] = mapped_column(comment="urgent_hours, working_hours, working_days or calendar_days")
    used: Mapped[float] = mapped_column(Double, comment="how much of it was used before clock_at, in its unit")
    clock_at: Mapped[Moment | None] = mapped_column(comment="since when the clock runs; NULL: it stands still")
    due_at: Mapped[Moment | None] = mapped_column(comment="when it falls due; NULL while the clock stands still")
    is_provisional: Mapped[bool] = mapped_column(comment="reaches into a year whose make-up days are not yet published")


class VisitBack(TownRow, Base):
    """One time somebody was asked whether a closed case is settled, and the answer."""

    __tablename__ = "visit_back"
    __table_args__ = (
        one_of("way", ("link", "phone")),
        CheckConstraint("(answered_at is null) = (is_satisfied is null)", name="answered"),
        ForeignKeyConstraint(["town_code", "event_id"], ["ops.event.town_code", "ops.event.id"]),
        Index("ix_visit_back_event_id", "event_id"),
        Index("ix_visit_back_token_hash", "token_hash", postgresql_where=text("token_hash is not null")),
        {"schema": "ops"},
    )

    event_id: Mapped[Big] = mapped_column(comment="event it is about")
    asked_at: Mapped[Moment] = mapped_column(comment="when it was asked")
    asked_by: Mapped[Code] = mapped_column(comment="account that asked")
    way: Mapped[str] = mapped_column(comment="link or phone")
    token_hash: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="SHA-256 of the token in the link; the token itself is kept nowhere"
    )
    answered_at: Mapped[Moment | None] = mapped_column(comment="when it was answered; NULL: not answered")
    is_satisfied: Mapped[bool | None] = mapped_column(
        comment="the answer; NULL: not answered, which is neither yes nor no"
    )
    reason: Mapped[str | None] = mapped_column(comment="why, in the words of who answered")
    declined_at: Mapped[Moment | None] = mapped_column(comment="when the wish to reopen was declined")
    declined_by: Mapped[Code | None] = mapped_column(comment="account that declined it")
    decline_reason: Mapped[str | None] = mapped_column(comment="why it was declined")


class Photo(TownRow, Base):
    """A photo of a case, made anew without metadata."""

    __tablename__ = "photo"
    __table_args__ = (
        ForeignKeyConstraint(["town_code", "event_id"], ["ops.event.town_code", "ops.event.id"]),
        UniqueConstraint("town_code", "event_id", "sha256"),
        {"schema": "ops"},
    )

    event_id: Mapped[Big] = mapped_column(comment="event it shows")
    sha256: Mapped[bytes] = mapped_column(
        LargeBinary, comment="digest of the picture: the same one again is the same photo"
    )
    taken_by: Mapped[Code] = mapped_column(comment="account that sent it, or the digest of a receipt")
    at: Mapped[Moment] = mapped_column(comment="when it was sent")
    width: Mapped[Small] = mapped_column(comment="pixels")
    height: Mapped[Small] = mapped_column(comment="pixels")
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, comment="the picture")


class Echo(TownRow, Base):
    """What the problem and echo wall says of a case: released by a person, withdrawn by one."""

    __tablename__ = "echo"
    __table_args__ = (
        CheckConstraint("num_nonnulls(withdrawn_at, withdrawn_by, withdraw_reason) in (0, 3)", name="withdrawn_whole"),
        ForeignKeyConstraint(["town_code", "event_id"], ["ops.event.town_code", "ops.event.id"]),
        Index("ix_echo_shown", "town_code", "event_id", unique=True, postgresql_where=text("withdrawn_at is null")),
        Index("ix_echo_released_at", "released_at", postgresql_where=text("withdrawn_at is null")),
        {"schema": "ops"},
    )

    event_id: Mapped[Big] = mapped_column(comment="event it is about")
    problem: Mapped[str] = mapped_column(comment="what is the matter, in the words of who released it")
    measure: Mapped[str] = mapped_column(comment="what is done about it")
    result: Mapped[str | None] = mapped_column(comment="what came of it; NULL: nothing yet")
    released_at: Mapped[Moment] = mapped_column(comment="when it was released")
    released_by: Mapped[Code] = mapped_column(comment="account that released it")
    withdrawn_at: Mapped[Moment | None] = mapped_column(comment="when it was taken from the wall; NULL: it is shown")
    withdrawn_by: Mapped[Code | None] = mapped_column(comment="account that took it away")
    withdraw_reason: Mapped[str | None] = mapped_column(comment="why")

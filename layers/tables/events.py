"""Events and the steps that move them along."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import (
    TIED_BY,
    Base,
    Big,
    Code,
    Count,
    ElementRow,
    Moment,
    Small,
    TownRow,
    metadata,
    one_of,
    town_check,
)

STATES = ("reported", "accepted", "refused", "dispatched", "handling", "suspended", "handled", "checked", "closed")
"""States of an event in the order of the closed loop; `refused` (not accepted) and `closed` are ends."""

change_no = Sequence("change_no", schema="ops", metadata=metadata)
"""Number of each step taken here, in the order in which they were committed."""

OUTCOMES = ("settled", "not_our_duty", "duplicate", "void")
"""What a closed event came to; "closed" alone is not "settled"."""


class Event(ElementRow, Base):
    """Something that happened and has to be dealt with."""

    __tablename__ = "event"
    __table_args__ = (
        PrimaryKeyConstraint("id", "town_code"),  # batches come in the order of their ids: made with little sorting
        town_check(),
        one_of("tied_by", TIED_BY),
        one_of("state", STATES),
        one_of("outcome", OUTCOMES),
        Index("ix_event_geom", "geom", postgresql_using="gist"),
        Index("ix_event_grid_code", "grid_code", "reported_at"),
        Index("ix_event_reported_at", "reported_at", postgresql_using="brin"),
        Index(
            "ix_event_open",
            "grid_code",
            postgresql_where=text("state not in ('refused', 'closed') and gone_on is null"),
        ),
        {"schema": "ops"},
    )

    category: Mapped[Code] = mapped_column(comment="declared category")
    state: Mapped[str] = mapped_column(comment="where it stands in the closed loop")
    outcome: Mapped[str | None] = mapped_column(comment="what it came to; NULL until closed, or not said")
    reported_at: Mapped[Moment] = mapped_column(comment="when it was reported: its day and month in all counts")
    due_at: Mapped[Moment | None] = mapped_column(comment="the promise, frozen when made; NULL: no time limit")
    closed_at: Mapped[Moment | None] = mapped_column(comment="when it was closed; NULL: open")
    department: Mapped[Code | None] = mapped_column(comment="who handles it")
    channel: Mapped[str | None] = mapped_column(comment="how it came in: grid_worker, hotline, resident, department")
    is_urgent: Mapped[bool] = mapped_column(comment="its time limit runs through nights and holidays")
    is_on_spot: Mapped[bool] = mapped_column(comment="reported and settled by the grid worker in one step")
    is_satisfied: Mapped[bool | None] = mapped_column(comment="the resident's answer; NULL: not answered")
    summary: Mapped[str | None] = mapped_column(comment="the reporter's words: never on the wall, never in `pub`")
    version: Mapped[Count] = mapped_column(server_default="1", comment="compare-and-set")


class EventStep(TownRow, Base):
    """One step of an event: who, when, from, to, why. Appended, never edited.

    Steps taken here go through `pub.take_step` alone and are held to `ops.transition`; delivered ones are the history
    of another system and stand as delivered, without the name of a step.

    An event that moves to another town takes its steps along: insert the event there, copy its steps, delete the old
    steps, delete the old event. Deleting an event does not delete its log.
    """

    __tablename__ = "event_step"
    __table_args__ = (
        ForeignKeyConstraint(["town_code", "event_id"], ["ops.event.town_code", "ops.event.id"]),
        ForeignKeyConstraint(
            ["step", "from_state", "state"],
            ["ops.transition.step", "ops.transition.from_state", "ops.transition.state"],
        ),
        one_of("state", STATES),
        CheckConstraint(
            "delivery_id is not null or step is not null and (from_state is not null or (step, state) ="
            " ('report', 'reported')) and account is not null and actor is not null and change_no is not null",
            name="made_here",
        ),
        UniqueConstraint("town_code", "event_id", "step_no"),
        UniqueConstraint("town_code", "event_id", "request_key"),
        Index("ix_event_step_account", "account", postgresql_where=text("step = 'report'")),
        Index("ix_event_step_duplicate_of", "duplicate_of", postgresql_where=text("duplicate_of is not null")),
        Index("ix_event_step_change_no", "change_no", postgresql_where=text("change_no is not null")),
        {"schema": "ops"},
    )

    event_id: Mapped[Big] = mapped_column(comment="event it belongs to")
    step_no: Mapped[Small] = mapped_column(comment="1, 2, 3 .. in order of time")
    at: Mapped[Moment] = mapped_column(comment="when it was taken")
    from_state: Mapped[str | None] = mapped_column(comment="NULL for the first step")
    state: Mapped[str] = mapped_column(comment="state the step led to")
    department: Mapped[Code | None] = mapped_column(comment="department concerned")
    actor: Mapped[str | None] = mapped_column(comment="role that took the step")
    reason: Mapped[str | None] = mapped_column(comment="why, in the words of the source")
    delivery_id: Mapped[Big | None] = mapped_column(comment="raw.delivery that brought it; NULL: made here")
    step: Mapped[str | None] = mapped_column(comment="name of the step in ops.transition; NULL: delivered")
    account: Mapped[Code | None] = mapped_column(comment="account that took the step; NULL: delivered")
    request_key: Mapped[Code | None] = mapped_column(comment="chosen by the sender: a resend does nothing twice")
    until_at: Mapped[Moment | None] = mapped_column(comment="end of the suspension, or the deadline put off to")
    duplicate_of: Mapped[Big | None] = mapped_column(comment="event it was merged into")
    change_no: Mapped[Big | None] = mapped_column(comment="place in the order of commits; NULL: delivered")
    recorded_at: Mapped[Moment | None] = mapped_column(
        comment="when it was written here; later than `at` where it was sent late"
    )

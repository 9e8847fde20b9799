"""The care register: which datasets bring its records, and the visits made."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Day, Moment, Small, TownRow, one_of

CARE_ROLES = ("grid_worker", "case_officer")
"""Who visits people who are offered care."""


class CareGroup(Base):
    """A declared group of people who are offered care; the records are the rows its dataset brings."""

    __tablename__ = "care_group"
    __table_args__ = (UniqueConstraint("dataset"), one_of("role", CARE_ROLES), {"schema": "vault"})

    care_group: Mapped[Code] = mapped_column(primary_key=True, comment="declared care group")
    dataset: Mapped[Code] = mapped_column(comment="dataset of vault.person that brings its records")
    department: Mapped[Code] = mapped_column(comment="unit that answers for it")
    role: Mapped[str] = mapped_column(comment="who visits")
    visit_days: Mapped[Small] = mapped_column(comment="days from one visit to the next")
    is_restricted: Mapped[bool] = mapped_column(comment="only the account named in a record sees it")


class CareVisit(TownRow, Base):
    """A visit to somebody who is offered care, as the worker wrote it down."""

    __tablename__ = "care_visit"
    __table_args__ = (
        UniqueConstraint("town_code", "person_id", "account", "request_key"),
        Index("ix_care_visit_person_id", "person_id", "visited_on"),
        one_of("status", ("at_home", "away", "in_care", "declined")),
        {"schema": "vault"},
    )

    person_id: Mapped[Big] = mapped_column(comment="row of vault.person that is the care record")
    care_group: Mapped[Code] = mapped_column(comment="declared care group of that record")
    account: Mapped[Code] = mapped_column(comment="account of who visited")
    request_key: Mapped[str] = mapped_column(comment="made up by the browser: the same again is the same visit")
    visited_on: Mapped[Day] = mapped_column(comment="day of the visit")
    status: Mapped[str] = mapped_column(comment="how the person was found: at_home, away, in_care or declined")
    found: Mapped[str | None] = mapped_column(comment="the worker's words; NULL: none")
    at: Mapped[Moment] = mapped_column(comment="when it was written down")


FIELDS = ("name", "number", "phone")
"""What of a person is opened, one at a time."""

PURPOSES = ("visit", "contact", "emergency", "correction")
"""What for."""


class Opening(TownRow, Base):
    """One field of one person that an account asked to see: read once, within a minute, by who asked."""

    __tablename__ = "opening"
    __table_args__ = (
        one_of("field", FIELDS),
        one_of("purpose", PURPOSES),
        Index("ix_opening_id", "id"),
        Index("ix_opening_account", "account", "asked_at"),
        {"schema": "vault"},
    )

    row_id: Mapped[Big] = mapped_column(comment="row whose identity it is")
    event_id: Mapped[Big | None] = mapped_column(comment="case it is opened for; NULL: the care record itself")
    field: Mapped[str] = mapped_column(comment="name, number or phone")
    purpose: Mapped[str] = mapped_column(comment="what for: visit, contact, emergency or correction")
    account: Mapped[Code] = mapped_column(comment="who asked")
    asked_at: Mapped[Moment] = mapped_column(comment="when it was asked for and logged")
    txid: Mapped[Big] = mapped_column(comment="transaction that logged it, which has to be committed before the read")
    used_at: Mapped[Moment | None] = mapped_column(comment="when it was read; NULL: not yet")


class VisitList(TownRow, Base):
    """A list a worker takes along: masked, marked with who and when, for one day."""

    __tablename__ = "visit_list"
    __table_args__ = (Index("ix_visit_list_token_hash", "token_hash"), {"schema": "vault"})

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the token in its address")
    account: Mapped[Code] = mapped_column(comment="whose list it is")
    made_at: Mapped[Moment] = mapped_column(comment="when it was made")
    ends_at: Mapped[Moment] = mapped_column(comment="when it is worth nothing any more")
    person_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), comment="care records on it")

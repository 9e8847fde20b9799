"""People, places, things, organisations, and what is measured of them.

Events have a module of their own. Whatever could name a resident stands in `vault.identity` alone, encrypted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import (
    TIED_BY,
    Base,
    Big,
    Code,
    Day,
    ElementRow,
    GridRow,
    Moment,
    Small,
    SourceRow,
    TownRow,
    one_of,
    town_check,
)

SEXES = ("male", "female")
"""Sexes a register knows."""

RESIDENCES = ("registered", "floating", "from_abroad", "left_behind")
"""Kinds of population (GB/T 31000)."""

LINK_KINDS = ("lives_in", "belongs_to", "happened_at", "concerns")
"""How two rows belong together."""


def _element_args(table: str, schema: str, *more: Any) -> tuple[Any, ...]:
    """Keys and indexes every element table has.

    That a source key stands once only is held by `raw.source_registry`; rows come in the order of their ids, so that
    the primary key is made without sorting.
    """
    return (
        PrimaryKeyConstraint("id", "town_code"),
        town_check(),
        one_of("tied_by", TIED_BY),
        Index(f"ix_{table}_geom", "geom", postgresql_using="gist"),
        Index(f"ix_{table}_grid_code", "grid_code"),
        *more,
        {"schema": schema},
    )


class Person(ElementRow, Base):
    """A person as one dataset knows them; `subject` ties the same person across datasets without naming them."""

    __tablename__ = "person"
    __table_args__ = _element_args(
        "person",
        "vault",
        Index("ix_person_subject", "subject"),
        Index("ix_person_care", "dataset", "grid_code", postgresql_where=text("is_sensitive")),
        one_of("sex", SEXES),
        one_of("residence", RESIDENCES),
        CheckConstraint("source_key !~ '(^|[^0-9A-Za-z])[0-9]{17}[0-9Xx]($|[^0-9A-Za-z])'", name="key_is_no_number"),
    )

    subject: Mapped[bytes] = mapped_column(LargeBinary, comment="HMAC of the ID number, or of (dataset, source key)")
    has_number: Mapped[bool] = mapped_column(comment="false: no valid ID number, a subject of its own, counted apart")
    sex: Mapped[str | None] = mapped_column(comment="male or female; NULL: not known")
    born_on: Mapped[Day | None] = mapped_column(comment="day of birth; NULL: not known")
    residence: Mapped[str | None] = mapped_column(comment="registered, floating, from_abroad or left_behind")
    household: Mapped[Code | None] = mapped_column(comment="source key of the household it lives in")


class Identity(TownRow, Base):
    """Name, ID number and phone behind a row of any table, by that row's id; encrypted, key outside the database."""

    __tablename__ = "identity"
    __table_args__ = (
        Index("ix_identity_name_token", "name_token"),
        Index("ix_identity_phone_token", "phone_token"),
        {"schema": "vault"},
    )

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of that row", sort_order=-4)
    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="id of the row whose name this is", sort_order=-4
    )
    dataset: Mapped[Code] = mapped_column(comment="dataset of that row")
    key_id: Mapped[str] = mapped_column(comment="which key encrypted it")
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, comment="full name, encrypted")
    number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, comment="ID number, encrypted")
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, comment="phone, encrypted")
    name_token: Mapped[bytes | None] = mapped_column(LargeBinary, comment="HMAC of the normalised name: exact search")
    phone_token: Mapped[bytes | None] = mapped_column(LargeBinary, comment="HMAC of the phone: exact search")
    mask_sealed: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="name, ID number and phone with stars, as a list may show them, encrypted"
    )


class Place(ElementRow, Base):
    """A place: school, clinic, shelter, hazard point, market, dwelling."""

    __tablename__ = "place"
    __table_args__ = _element_args("place", "ops", Index("ix_place_dataset", "dataset", "grid_code"))

    category: Mapped[Code | None] = mapped_column(comment="declared category")
    name: Mapped[str | None] = mapped_column(comment="what it is called")
    state: Mapped[str | None] = mapped_column(comment="its present state, as declared")


class Thing(ElementRow, Base):
    """A thing: street lamp, manhole, hydrant, monitoring station."""

    __tablename__ = "thing"
    __table_args__ = _element_args("thing", "ops", Index("ix_thing_dataset", "dataset", "grid_code"))

    category: Mapped[Code | None] = mapped_column(comment="declared category")
    name: Mapped[str | None] = mapped_column(comment="what it is called")
    state: Mapped[str | None] = mapped_column(comment="its present state, as declared")


class Organisation(ElementRow, Base):
    """An organisation: company, association, committee; a household is one of that kind."""

    __tablename__ = "organisation"
    __table_args__ = _element_args("organisation", "ops", Index("ix_organisation_dataset", "dataset", "grid_code"))

    category: Mapped[Code | None] = mapped_column(comment="declared category")
    name: Mapped[str | None] = mapped_column(comment="never a resident's name: a household has none")
    state: Mapped[str | None] = mapped_column(comment="its present state, as declared")
    credit_code: Mapped[Code | None] = mapped_column(comment="unified social credit code (GB 32100)")


class Measure(SourceRow, Base):
    """A department's own figure for a grid and a period: subsidies, village accounts."""

    __tablename__ = "measure"
    __table_args__ = (
        town_check(),
        UniqueConstraint("dataset", "source_key", "town_code"),
        Index("ix_measure_grid_code", "grid_code", "measured_on"),
        {"schema": "ops"},
    )

    measure: Mapped[str] = mapped_column(comment="what is measured, as declared")
    measured_on: Mapped[Day] = mapped_column(comment="first day of the period")
    value: Mapped[float] = mapped_column(Double, comment="the figure, in the unit declared")


class Reading(TownRow, Base):
    """What a thing showed at a moment: a water level, a fill level."""

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("town_code", "dataset", "thing_key", "measure", "read_at"),
        {"schema": "ops"},
    )

    dataset: Mapped[Code] = mapped_column(comment="dataset of the thing")
    thing_key: Mapped[Code] = mapped_column(comment="source key of the thing")
    measure: Mapped[str] = mapped_column(comment="what is read, as declared")
    read_at: Mapped[Moment] = mapped_column(comment="when it was read")
    value: Mapped[float] = mapped_column(Double, comment="the figure, in the unit declared")
    delivery_id: Mapped[Big] = mapped_column(comment="raw.delivery that brought it")


class Link(TownRow, Base):
    """Two rows that belong together: lives in, belongs to, happened at, concerns. Lies in the town of the first."""

    __tablename__ = "link"
    __table_args__ = (
        one_of("kind", LINK_KINDS),
        UniqueConstraint("town_code", "from_id", "kind", "to_id"),
        Index("ix_link_to_id", "to_id"),
        {"schema": "ops"},
    )

    from_id: Mapped[Big] = mapped_column(comment="id of the first row")
    kind: Mapped[str] = mapped_column(comment="lives_in, belongs_to, happened_at or concerns")
    to_id: Mapped[Big] = mapped_column(comment="id of the second row")
    to_town_code: Mapped[Code] = mapped_column(comment="town the second row lies in")
    delivery_id: Mapped[Big | None] = mapped_column(comment="raw.delivery that brought it; NULL: made here")


class FormerGrid(Base):
    """Where a row without a point was tied in an earlier edition: a merger would otherwise forget it."""

    __tablename__ = "former_grid"
    __table_args__ = (town_check(), Index("ix_former_grid_id", "id", "edition"), {"schema": "ops"})

    town_code: Mapped[Code] = mapped_column(primary_key=True, comment="9 digits: town of that grid")
    id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False, comment="id of the row, of any table")
    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="the earlier edition")
    grid_code: Mapped[Code] = mapped_column(comment="finest grid known in that edition")


class Visit(GridRow, Base):
    """A grid worker's visit or patrol, and what was found."""

    __tablename__ = "visit"
    __table_args__ = (
        town_check(),
        UniqueConstraint("dataset", "source_key", "town_code"),
        Index("ix_visit_grid_code", "grid_code", "visited_at"),
        {"schema": "ops"},
    )

    dataset: Mapped[Code] = mapped_column(comment="dataset it was delivered in, or `visit` when made here")
    source_key: Mapped[Code] = mapped_column(comment="the deliverer's own key of the visit, unique in the dataset")
    visited_at: Mapped[Moment] = mapped_column(comment="when it began")
    worker_key: Mapped[Code | None] = mapped_column(comment="source key of the grid worker")
    concerns_id: Mapped[Big | None] = mapped_column(comment="row visited, of any table")
    found: Mapped[str | None] = mapped_column(comment="the worker's words: never in `pub`")
    delivery_id: Mapped[Big | None] = mapped_column(comment="raw.delivery that brought it; NULL: made here")
    updated_at: Mapped[Moment] = mapped_column(comment="when it was last changed")


class GridWorker(SourceRow, Base):
    """Who walks which grids; the work phone is a matter of duty, not a resident's."""

    __tablename__ = "grid_worker"
    __table_args__ = (
        town_check(),
        UniqueConstraint("dataset", "source_key", "town_code"),
        Index("ix_grid_worker_grid_code", "grid_code"),
        Index("ix_grid_worker_walks", "walks", postgresql_using="gin"),
        {"schema": "ops"},
    )

    name: Mapped[str] = mapped_column(comment="name on the duty list")
    work_phone: Mapped[str | None] = mapped_column(comment="phone of the post, not a private one")
    walks: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="codes of the small grids walked")
    attrs: Mapped[dict[str, Any]] = mapped_column(comment="declared columns that are not of the core")

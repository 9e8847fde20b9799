"""Older versions of rows: what was known, from one moment to another."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, GridRow, Moment, town_check


class PastRow(GridRow):
    """A version of a row of any element table; the row itself as JSON, the columns it is found by beside it."""

    dataset: Mapped[Code] = mapped_column(comment="dataset it was delivered in")
    source_key: Mapped[Code] = mapped_column(comment="key of the row in that dataset")
    of_id: Mapped[Big] = mapped_column(comment="id of the row whose version this was")
    delivery_id: Mapped[Big] = mapped_column(comment="raw.delivery that wrote this version")
    valid_from: Mapped[Moment] = mapped_column(comment="when it was loaded")
    valid_to: Mapped[Moment] = mapped_column(comment="when it was replaced")
    content: Mapped[dict[str, Any]] = mapped_column(comment="the whole row as it was, gone_on included")


class Past(PastRow, Base):
    """A version of a row that a later delivery replaced: what was known of it from one moment to another."""

    __tablename__ = "past"
    __table_args__ = (town_check(), Index("ix_past_dataset", "dataset", "source_key"), {"schema": "ops"})


class SealedPast(PastRow, Base):
    """As `ops.past` for people; identities stand in it encrypted as they were."""

    __tablename__ = "past"
    __table_args__ = (town_check(), Index("ix_past_dataset", "dataset", "source_key"), {"schema": "vault"})

    identity: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="names, numbers and phones of that version, encrypted as they were"
    )

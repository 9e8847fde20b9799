"""What came in and what became of it: deliveries, quarantine, the registry of source keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, Sequence
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Count, Moment, Small, metadata

delivery_id = Sequence("delivery_id", schema="raw", metadata=metadata)
quarantine_id = Sequence("quarantine_id", schema="raw", metadata=metadata)


class Delivery(Base):
    """One delivered file, loaded in one transaction. The same file of the same dataset is loaded once.

    n_read = n_inserted + n_updated + n_unchanged + n_quarantined, checked before commit.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("uq_delivery_dataset_content_hash", "dataset", "content_hash", unique=True),
        {"schema": "raw"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, delivery_id, primary_key=True, server_default=delivery_id.next_value(), autoincrement=False
    )
    dataset: Mapped[Code]
    file_name: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the file")
    n_bytes: Mapped[Big]
    edition: Mapped[Small]
    loaded_at: Mapped[Moment]
    loaded_by: Mapped[str]
    declaration: Mapped[dict[str, Any]] = mapped_column(comment="the dataset's declaration as it was used")
    n_read: Mapped[Count]
    n_inserted: Mapped[Count]
    n_updated: Mapped[Count]
    n_unchanged: Mapped[Count]
    n_quarantined: Mapped[Count]
    n_unplaced: Mapped[Count] = mapped_column(comment="of the rows loaded, those in no grid below the city")
    report: Mapped[dict[str, Any]] = mapped_column(comment="seconds by step, reasons counted, repairs, dropped columns")


class Quarantine(Base):
    """A delivered row that was not loaded, with the reason and the remedy. The row itself is sealed."""

    __tablename__ = "quarantine"
    __table_args__ = (
        ForeignKeyConstraint(["delivery_id"], ["raw.delivery.id"], ondelete="CASCADE"),
        Index("ix_quarantine_delivery_id", "delivery_id", "line"),
        {"schema": "raw"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger, quarantine_id, primary_key=True, server_default=quarantine_id.next_value(), autoincrement=False
    )
    delivery_id: Mapped[Big]
    dataset: Mapped[Code]
    line: Mapped[Count] = mapped_column(comment="line of the file, the heading being line 1")
    source_key: Mapped[Code | None]
    field: Mapped[str | None] = mapped_column(comment="heading of the offending column")
    value: Mapped[str | None] = mapped_column(comment="offending value; masked where it names a person")
    reason: Mapped[str] = mapped_column(comment="key of the reason, see etl.reasons")
    remedy: Mapped[str]
    row_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="whole row as JSON, encrypted as identities are")


class SourceRegistry(Base):
    """Where the row of a source key lies: finds the old row when something moves, and decides between late copies."""

    __tablename__ = "source_registry"
    __table_args__ = {"schema": "raw"}  # noqa: RUF012

    dataset: Mapped[Code] = mapped_column(primary_key=True)
    source_key: Mapped[Code] = mapped_column(primary_key=True)
    town_code: Mapped[Code]
    id: Mapped[Big]
    row_hash: Mapped[Big] = mapped_column(comment="64-bit hash of what was loaded: equal means unchanged")
    updated_at: Mapped[Moment]

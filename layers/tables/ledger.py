"""What came in and what became of it: deliveries, quarantine, the registry of source keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Count, Day, Moment, Small, metadata, one_of, row_id

delivery_id = Sequence("delivery_id", schema="raw", metadata=metadata)
quarantine_id = Sequence("quarantine_id", schema="raw", metadata=metadata)


class Delivery(Base):
    """One delivered file, loaded in one transaction. The same file of the same dataset is loaded once.

    n_read = n_inserted + n_updated + n_unchanged + n_quarantined + n_forgotten, checked before commit.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("dataset", "content_hash", "declaration_hash"),
        CheckConstraint(
            "n_read = n_inserted + n_updated + n_unchanged + n_quarantined + n_forgotten", name="sums_agree"
        ),
        {"schema": "raw"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger,
        delivery_id,
        primary_key=True,
        server_default=delivery_id.next_value(),
        autoincrement=False,
        comment="number of the delivery",
    )
    dataset: Mapped[Code] = mapped_column(comment="declared dataset it was taken in as")
    file_name: Mapped[str] = mapped_column(comment="name of the file, without its folder")
    content_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the file")
    n_bytes: Mapped[Big] = mapped_column(comment="size of the file")
    edition: Mapped[Small] = mapped_column(comment="edition of the grids its rows were tied to")
    loaded_at: Mapped[Moment] = mapped_column(comment="when it was loaded")
    loaded_by: Mapped[str] = mapped_column(comment="who or what loaded it")
    declaration: Mapped[dict[str, Any]] = mapped_column(comment="the dataset's declaration as it was used")
    n_read: Mapped[Count] = mapped_column(comment="rows in the file")
    n_inserted: Mapped[Count] = mapped_column(comment="rows that are new")
    n_updated: Mapped[Count] = mapped_column(comment="rows that replaced an older copy")
    n_unchanged: Mapped[Count] = mapped_column(comment="rows known already, or older than what is known")
    n_quarantined: Mapped[Count] = mapped_column(comment="rows refused, each in raw.quarantine")
    n_unplaced: Mapped[Count] = mapped_column(comment="of the rows loaded, those in no grid below the city")
    report: Mapped[dict[str, Any]] = mapped_column(comment="seconds by step, reasons counted, repairs, dropped columns")
    declaration_hash: Mapped[bytes] = mapped_column(
        LargeBinary, comment="SHA-256 of what the declaration says of loading: another one loads the file again"
    )
    grids_version: Mapped[Count] = mapped_column(comment="version of the grids of that edition")
    n_forgotten: Mapped[Count] = mapped_column(comment="rows of people who were deleted by request, not taken in")


class Reform(Base):
    """A reform of the grids that was carried out. The same plan for the same day is carried out once."""

    __tablename__ = "reform"
    __table_args__ = (UniqueConstraint("content_hash"), {"schema": "raw"})

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="edition it opened")
    file_name: Mapped[str] = mapped_column(comment="name of the plan, without its folder")
    content_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of day, plan and outlines")
    carried_out_at: Mapped[Moment] = mapped_column(comment="when it was carried out")
    carried_out_by: Mapped[str] = mapped_column(comment="who carried it out")
    report: Mapped[dict[str, Any]] = mapped_column(
        comment="grids by kind of change and by level, rows tied by point and by succession, seconds"
    )


RESOLUTIONS = ("loaded", "refused_again", "outdated", "withdrawn")
"""How a row leaves the quarantine."""


class Quarantine(Base):
    """A delivered row that was not loaded, with the reason and the remedy. The row itself is sealed.

    It is open until a later delivery resolves it, and kept after that.
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        ForeignKeyConstraint(["delivery_id"], ["raw.delivery.id"], ondelete="CASCADE"),
        one_of("resolution", RESOLUTIONS),
        CheckConstraint("num_nonnulls(resolved_at, resolved_by, resolution) in (0, 3)", name="resolved_whole"),
        Index("ix_quarantine_delivery_id", "delivery_id", "line"),
        Index("ix_quarantine_open", "dataset", "source_key", postgresql_where="resolved_at is null"),
        {"schema": "raw"},
    )

    id: Mapped[int] = mapped_column(
        BigInteger,
        quarantine_id,
        primary_key=True,
        server_default=quarantine_id.next_value(),
        autoincrement=False,
        comment="number of the quarantined row",
    )
    delivery_id: Mapped[Big] = mapped_column(comment="delivery it came in")
    dataset: Mapped[Code] = mapped_column(comment="dataset of that delivery")
    line: Mapped[Count] = mapped_column(comment="line of the file, the heading being line 1")
    source_key: Mapped[Code | None] = mapped_column(comment="key of the row, where it could be read and names nobody")
    field: Mapped[str | None] = mapped_column(comment="heading of the offending column")
    value: Mapped[str | None] = mapped_column(comment="offending value; masked where it names a person")
    reason: Mapped[str] = mapped_column(comment="key of the reason, see etl.reasons")
    remedy: Mapped[str] = mapped_column(comment="what the deliverer should do")
    row_sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="whole row as JSON, encrypted as identities are")
    row_hash: Mapped[Big | None] = mapped_column(
        comment="keyed hash of the row as delivered: the same row refused again is one"
    )
    rest_hash: Mapped[Big | None] = mapped_column(
        comment="keyed hash of the row without the offending field: finds it again where it has no key"
    )
    version_at: Mapped[Moment | None] = mapped_column(
        comment="when the source changed the row, where that could be read"
    )
    open_since: Mapped[Moment] = mapped_column(comment="when the row was first refused")
    resolved_at: Mapped[Moment | None] = mapped_column(comment="when it left the quarantine; NULL: open")
    resolved_by: Mapped[Big | None] = mapped_column(comment="raw.delivery by which it left")
    resolution: Mapped[str | None] = mapped_column(
        comment="loaded: came corrected; refused_again: a later refusal stands for it; outdated: a newer version is"
        " loaded; withdrawn: a full delivery no longer has it"
    )


class SourceRegistry(Base):
    """Where the row of a source key lies: finds the old row when something moves, and decides between late copies."""

    __tablename__ = "source_registry"
    __table_args__ = (
        # keys differ early, datasets never: compared in this order the key is made in a third of the time
        PrimaryKeyConstraint("source_key", "dataset"),
        Index("ix_source_registry_dataset", "dataset", postgresql_using="brin"),
        {"schema": "raw"},
    )

    dataset: Mapped[Code] = mapped_column(primary_key=True, comment="declared dataset")
    source_key: Mapped[Code] = mapped_column(primary_key=True, comment="the deliverer's own key of the row")
    town_code: Mapped[Code] = mapped_column(comment="town the row lies in now")
    id: Mapped[Big] = mapped_column(comment="id of the row")
    row_hash: Mapped[Big] = mapped_column(comment="64-bit hash of what was loaded: equal means unchanged")
    updated_at: Mapped[Moment] = mapped_column(comment="when the source last changed what was loaded")
    gone_on: Mapped[Day | None] = mapped_column(comment="day since which a full delivery no longer has it")


class Staging(Base):
    """Batches done by workers, sealed, until the loader takes them in; empty when nobody loads."""

    __tablename__ = "staging"
    __table_args__ = {"schema": "raw"}  # noqa: RUF012

    delivery: Mapped[str] = mapped_column(primary_key=True, comment="one load of one file, named at random")
    batch: Mapped[Count] = mapped_column(
        primary_key=True, autoincrement=False, comment="number of the batch in its file, from 0"
    )
    content: Mapped[bytes] = mapped_column(LargeBinary, comment="what became of its rows, encrypted as identities are")


class HeldIndex(Base):
    """A key or index dropped for a first load, to be made again; empty outside the transaction of that load."""

    __tablename__ = "held_index"
    __table_args__ = (
        ForeignKeyConstraint(
            ["table_name", "never"],
            ["raw.held_index.table_name", "raw.held_index.position"],
            name="fk_held_index_table_name",
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("position > 0", name="position"),
        CheckConstraint("never = -1", name="never"),
        {"schema": "raw"},
    )

    table_name: Mapped[str] = mapped_column(primary_key=True, comment="table it belongs to")
    position: Mapped[Small] = mapped_column(
        primary_key=True, autoincrement=False, comment="order in which it is made again"
    )
    statement: Mapped[str] = mapped_column(comment="statement that makes it")
    never: Mapped[Small] = mapped_column(
        server_default=text("-1"),
        comment="position of no row: what is still held when its transaction ends takes that back",
    )


class Recount(Base):
    """A change of rows, not yet counted on older editions or, of people, not yet published; empty when all are."""

    __tablename__ = "recount"
    __table_args__ = {"schema": "raw"}  # noqa: RUF012

    id: Mapped[Big] = mapped_column(
        row_id,
        primary_key=True,
        server_default=row_id.next_value(),
        autoincrement=False,
        comment="number of the change",
    )
    dataset: Mapped[Code] = mapped_column(comment="dataset whose rows changed")


class Tombstone(Base):
    """Somebody whose rows were deleted by request: what is delivered of the same subject is not taken in."""

    __tablename__ = "tombstone"
    __table_args__ = {"schema": "raw"}  # noqa: RUF012

    subject: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="as in vault.person: a keyed token, from which nobody can be told"
    )
    made_at: Mapped[Moment] = mapped_column(comment="when the rows were deleted")
    why: Mapped[str] = mapped_column(comment="number or date of the request; names nobody")


class Amendment(Base):
    """A value of a person that was corrected by request; deliveries that still have the wrong one give way to it."""

    __tablename__ = "amendment"
    __table_args__ = (PrimaryKeyConstraint("dataset", "source_key", "field"), {"schema": "raw"})

    dataset: Mapped[Code] = mapped_column(comment="declared dataset")
    source_key: Mapped[Code] = mapped_column(comment="key of the row as its department delivers it")
    row_key: Mapped[Code] = mapped_column(
        comment="key of the row as it stands here; another one where the key itself was corrected"
    )
    field: Mapped[str] = mapped_column(comment="column of the declaration, or grid_code for the place")
    edition: Mapped[Small] = mapped_column(comment="edition of the grids it was made on")
    value_sealed: Mapped[bytes] = mapped_column(
        LargeBinary, comment="encrypted: the right value, and those that are wrong"
    )
    made_at: Mapped[Moment] = mapped_column(comment="when it was corrected")
    why: Mapped[str] = mapped_column(comment="number or date of the request; names nobody")
    ended_at: Mapped[Moment | None] = mapped_column(comment="when the department delivered the right value itself")
    ended_by: Mapped[Big | None] = mapped_column(comment="delivery that had it")

"""What was done and by whom, and the seals that show that nothing of it was changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, Sequence
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import Base, Big, Code, Count, Moment, metadata

KINDS = (
    "sign_in",
    "sign_in_refused",
    "sign_out",
    "account",
    "scope",
    "session",
    "person_read",
    "rows_view",
    "person_change",
    "export",
    "quarantine_view",
    "case_step",
    "release",
)
"""What an entry can be about."""

entry_id = Sequence("entry_id", schema="audit", metadata=metadata)


class Entry(Base):
    """One thing that was done. Entries are written and never changed."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        Index("ix_entry_at", "at"),
        Index("ix_entry_account", "account", "at"),
        {"schema": "audit"},
    )

    id: Mapped[Big] = mapped_column(
        entry_id,
        primary_key=True,
        server_default=entry_id.next_value(),
        autoincrement=False,
        comment="number of the entry",
    )
    at: Mapped[Moment] = mapped_column(comment="when it was done")
    kind: Mapped[str] = mapped_column(comment="what was done")
    account: Mapped[Code | None] = mapped_column(comment="who did it")
    role: Mapped[str | None] = mapped_column(comment="with which role")
    scope: Mapped[Code | None] = mapped_column(comment="inside which scope")
    subject: Mapped[str | None] = mapped_column(comment="to what: an account, a case, a delivery")
    detail: Mapped[dict[str, Any]] = mapped_column(comment="the rest; never a name or number of a resident")


class Seal(Base):
    """A minute of entries under the head of a chain of digests; the head is also kept outside the database."""

    __tablename__ = "seal"
    __table_args__ = ({"schema": "audit"},)

    seal_no: Mapped[Count] = mapped_column(primary_key=True, autoincrement=False, comment="number of the seal, from 1")
    at: Mapped[Moment] = mapped_column(comment="when it was made")
    last_id: Mapped[Big] = mapped_column(comment="last entry under it")
    n: Mapped[Count] = mapped_column(comment="entries under it, those of former seals left out")
    head: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the former head and these entries")

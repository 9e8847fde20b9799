"""Accounts, sessions, pairings of wall screens, the ranges of analysts' own logins, and keys of other systems."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from layers.access import AccountRole
from layers.tables.base import Base, Big, Code, Count, Moment, Small

_ROLES = ", ".join(f"'{role}'" for role in get_args(AccountRole))


class Account(Base):
    """Who may sign in: one role, inside one scope."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("subject"),
        CheckConstraint("account ~ '^[a-z0-9][a-z0-9._-]{1,63}$'", name="account"),
        CheckConstraint(f"role in ({_ROLES})", name="role"),
        CheckConstraint("scope ~ '^[0-9]+$' and length(scope) in (4, 6, 9, 12, 15)", name="scope"),
        {"schema": "auth"},
    )

    account: Mapped[Code] = mapped_column(primary_key=True, comment="what is typed to sign in")
    name: Mapped[str] = mapped_column(comment="who or what it is, as others see it")
    role: Mapped[str] = mapped_column(comment="what it is for")
    scope: Mapped[Code] = mapped_column(comment="grid it may see, and everything below")
    department: Mapped[Code | None] = mapped_column(comment="declared department; NULL: none")
    argon2_hash: Mapped[str | None] = mapped_column(comment="digest of what is typed; NULL: signs in otherwise")
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, comment="second factor, encrypted; NULL: none")
    totp_step: Mapped[Big | None] = mapped_column(comment="last step of time used, so that none is used twice")
    subject: Mapped[str | None] = mapped_column(comment="issuer and subject at the identity provider")
    is_disabled: Mapped[bool] = mapped_column(comment="may not sign in")
    is_demo: Mapped[bool] = mapped_column(comment="of the demonstration: signs in by one click, on loopback only")
    n_failed: Mapped[Small] = mapped_column(comment="failed attempts in a row")
    locked_until: Mapped[Moment | None] = mapped_column(comment="no attempt counts before")
    created_at: Mapped[Moment] = mapped_column(comment="when it was made")


class Session(Base):
    """A browser that is signed in; only the digest of its token is kept."""

    __tablename__ = "session"
    __table_args__ = (
        ForeignKeyConstraint(["account"], ["auth.account.account"], ondelete="CASCADE"),
        CheckConstraint("kind in ('person', 'screen')", name="kind"),
        Index("ix_session_account", "account"),
        {"schema": "auth"},
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, comment="SHA-256 of the token")
    account: Mapped[Code] = mapped_column(comment="who is signed in")
    kind: Mapped[str] = mapped_column(comment="person, or the screen of a wall")
    label: Mapped[str] = mapped_column(comment="address it began from, or name of the screen")
    began_at: Mapped[Moment] = mapped_column(comment="when it began")
    seen_at: Mapped[Moment] = mapped_column(comment="last request, to the minute")
    ends_at: Mapped[Moment] = mapped_column(comment="when it ends at the latest")
    idle_s: Mapped[Count] = mapped_column(comment="seconds without a request after which it has ended")


class Pairing(Base):
    """A screen that waits to be let in: the code it shows, until the security admin types it."""

    __tablename__ = "pairing"
    __table_args__ = (
        ForeignKeyConstraint(["account"], ["auth.account.account"], ondelete="CASCADE"),
        {"schema": "auth"},
    )

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, comment="SHA-256 of the code shown")
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the secret in the screen's cookie")
    account: Mapped[Code | None] = mapped_column(comment="account it was let in as; NULL: not yet")
    label: Mapped[str | None] = mapped_column(comment="name of the screen")
    ends_at: Mapped[Moment] = mapped_column(comment="when the code is worth nothing any more")


class Analyst(Base):
    """An analyst's own login in the database, and the codes it may see."""

    __tablename__ = "analyst"
    __table_args__ = (
        CheckConstraint("low ~ '^[0-9]+$' and high > low", name="range"),
        {"schema": "auth"},
    )

    login: Mapped[Code] = mapped_column(primary_key=True, comment="name of the login")
    low: Mapped[Code] = mapped_column(comment="first code it may see")
    high: Mapped[Code] = mapped_column(comment="first code past the end")
    is_demo: Mapped[bool] = mapped_column(comment="of the demonstration: goes when the map is served in earnest")


class Key(Base):
    """A key by which another system sends reports and reads what became of them."""

    __tablename__ = "key"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9._-]{1,63}$'", name="name"),
        CheckConstraint("scope ~ '^[0-9]+$' and length(scope) in (4, 6, 9, 12, 15)", name="scope"),
        Index("ix_key_open", "is_open", unique=True, postgresql_where=text("is_open and not is_disabled")),
        {"schema": "auth"},
    )

    name: Mapped[Code] = mapped_column(
        primary_key=True, comment="whose key it is; stands in the log of what comes by it"
    )
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the key; the key itself is kept nowhere")
    channel: Mapped[Code] = mapped_column(comment="how what comes by it came in")
    dataset: Mapped[Code] = mapped_column(comment="dataset of events that its reports belong to")
    scope: Mapped[Code] = mapped_column(comment="grid it may report in and read, and everything below")
    is_open: Mapped[bool] = mapped_column(
        comment="whoever comes without a key reads as its holder, and sends nothing; one at the most"
    )
    is_disabled: Mapped[bool] = mapped_column(comment="opens nothing")
    made_at: Mapped[Moment] = mapped_column(comment="when it was made")

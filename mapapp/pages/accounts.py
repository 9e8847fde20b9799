"""The security admin's page: accounts, and who is signed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from layers.access import ROLES
from layers.accounts.records import Account
from layers.accounts.sessions import OpenSession, Session
from mapapp.pages.plain import button, choice, field, form, page, said, table
from mapapp.text import Words


def accounts_page(
    words: Words,
    session: Session,
    accounts: Sequence[Account],
    sessions: Sequence[OpenSession],
    departments: Mapping[str, str],
    *,
    zone: str,
    names: Mapping[str, str],
    has_provider: bool = False,
    message: str = "",
    given: Mapping[str, str] | None = None,
) -> str:
    """Write the page of accounts and sessions; every change is a form of its own.

    `names` are those of the grids, by code.
    `given` is what a form was sent with that was refused: it stands in it again, and `message` says why.
    """
    lang = "?lang=en" if words.language == "en" else ""

    def send(inside: str) -> str:
        return form(f"/accounts{lang}", inside, form_token=session.form_token, kind="row")

    asked = {
        "do_add": _fields_to_add(words, session, departments, _of(given, "add")),
        "do_pair": _fields_to_pair(words, accounts, _of(given, "pair")),
    } | ({"do_link": _fields_to_link(words, accounts, _of(given, "link"))} if has_provider else {})
    rows = [[*_told(words, one, departments, names), send(_changes(words, one))] for one in accounts]
    open_rows = [
        [
            escape(one.account), escape(words(f"kind_{one.kind}")), escape(one.label),
            words.moment(one.began_at, zone), words.moment(one.seen_at, zone),
            send(_hidden("session", one.handle) + button(words("do_end"), name="do", value="end")),
        ]
        for one in sessions
    ]  # fmt: skip
    heads = [words(key) for key in ("account", "account_name", "role", "scope", "department", "state", "change")]
    open_heads = [words(key) for key in ("account", "kind", "began_from", "began_at", "seen_at", "change")]
    body = (
        f'<p><a href="/account{lang}">{escape(words("own_account"))}</a></p>'
        + said(message, "alarm", kept="made" if given is None else "")
        + "".join(f"<section><h2>{escape(words(do))}</h2>{send(inside)}</section>" for do, inside in asked.items())
        + f"<section><h2>{escape(words('accounts'))}</h2>{table(heads, rows)}</section>"
        + f"<section><h2>{escape(words('sessions'))}</h2>{table(open_heads, open_rows)}</section>"
        + '<script type="module" src="/static/casework/turn.mjs"></script>'
    )
    other = "/accounts?lang=en" if words.language == "zh" else "/accounts"
    return page(words, words("accounts"), body, other=other, wide=True)


def _told(words: Words, one: Account, departments: Mapping[str, str], names: Mapping[str, str]) -> list[str]:
    """What the table tells of an account."""
    department = departments.get(one.department, one.department) if one.department else ""
    scope = f"{names.get(one.scope, '')} {one.scope}".strip()
    told = (one.account, words.name(one.name), words(f"role_{one.role}"), scope, department, _state_of(words, one))
    return [escape(part) for part in told]


def _changes(words: Words, one: Account) -> str:
    """Buttons and field by which an account is changed."""
    do = "enable" if one.is_disabled else "disable"
    parts = _hidden("account", one.account) + button(words(f"do_{do}"), name="do", value=do)
    if not one.is_demo:
        parts += button(words("do_reset"), name="do", value="reset")
    parts += f'<input name="scope" value="{escape(one.scope)}" size="15" aria-label="{escape(words("scope"))}">'
    return parts + button(words("do_scope"), name="do", value="scope")


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _state_of(words: Words, one: Account) -> str:
    """What keeps an account out, and how it comes in where not by a password alone."""
    told = {
        "disabled": one.is_disabled,
        "locked": one.locked_until,
        "linked": one.is_linked,
        "two_factors": one.has_totp,
    }
    return " · ".join(words(key) for key, is_so in told.items() if is_so)


def _of(given: Mapping[str, str] | None, do: str) -> Mapping[str, str]:
    """What was sent with one form, nothing of what was sent with another."""
    return given if given is not None and given.get("do") == do else {}


def _field(given: Mapping[str, str], name: str, label: str, *, value: str = "", more: str = "") -> str:
    """Write a field that holds what it was sent with."""
    typed = " data-typed" if given.get(name, value) != value else ""
    return field(name, label, value=given.get(name, value), more=more + typed)


def _fields_to_add(
    words: Words, session: Session, departments: Mapping[str, str], given: Mapping[str, str]
) -> str:  # fmt: skip
    own = session.actor.scope.code
    add = _field(given, "account", words("account"), more="required") + _field(given, "name", words("account_name"))
    roles = [(role, words(f"role_{role}")) for role in ROLES]
    add += choice("role", words("role"), roles, given.get("role", "leader"))
    add += _field(given, "scope", words("scope"), value=own, more='required inputmode="numeric"')
    known = [("", words("no_department")), *departments.items()]
    add += choice("department", words("department"), known, given.get("department", ""))
    return add + button(words("do_add"), name="do", value="add", kind="first")


def _fields_to_pair(words: Words, accounts: Sequence[Account], given: Mapping[str, str]) -> str:
    walls = [(one.account, one.account) for one in accounts if one.role == "wall"]
    pair = _field(given, "code", words("pair_code"), more='required size="10"')
    pair += _field(given, "label", words("pair_label"))
    pair += choice("account", words("account"), walls, given.get("account", ""))
    return pair + button(words("do_pair"), name="do", value="pair", kind="first")


def _fields_to_link(words: Words, accounts: Sequence[Account], given: Mapping[str, str]) -> str:
    people = [(one.account, one.account) for one in accounts if not one.is_demo and one.role != "wall"]
    link = choice("account", words("account"), people, given.get("account", ""))
    link += _field(given, "subject", words("link_subject"), more="required")
    return link + button(words("do_link"), name="do", value="link", kind="first")

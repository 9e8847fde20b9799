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
    has_provider: bool = False,
    message: str = "",
) -> str:
    """Write the page of accounts and sessions; every change is a form of its own."""
    lang = "?lang=en" if words.language == "en" else ""
    token, action = session.form_token, f"/accounts{lang}"

    def send(inside: str) -> str:
        return form(action, inside, form_token=token, kind="row")

    def changes(one: Account) -> str:
        who = _hidden("account", one.account)
        do = "enable" if one.is_disabled else "disable"
        parts = who + button(words(f"do_{do}"), name="do", value=do)
        if not one.is_demo:
            parts += button(words("do_reset"), name="do", value="reset")
        parts += f'<input name="scope" value="{escape(one.scope)}" size="15" aria-label="{escape(words("scope"))}">'
        return send(parts + button(words("do_scope"), name="do", value="scope"))

    def department(one: Account) -> str:
        return departments.get(one.department, one.department) if one.department else ""

    add, pair = _fields_to_add(words, session, departments), _fields_to_pair(words, accounts)
    rows = [
        [
            escape(one.account), escape(words.name(one.name)), escape(words(f"role_{one.role}")),
            escape(one.scope), escape(department(one)), escape(_state_of(words, one)), changes(one),
        ]
        for one in accounts
    ]  # fmt: skip
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
    asked = [("do_add", add), ("do_pair", pair)]
    if has_provider:
        asked.append(("do_link", _fields_to_link(words, accounts)))
    body = (
        f'<p><a href="/account{lang}">{escape(words("own_account"))}</a></p>'
        + said(message, "alarm")
        + "".join(f"<section><h2>{escape(words(do))}</h2>{send(inside)}</section>" for do, inside in asked)
        + f"<section><h2>{escape(words('accounts'))}</h2>{table(heads, rows)}</section>"
        + f"<section><h2>{escape(words('sessions'))}</h2>{table(open_heads, open_rows)}</section>"
    )
    other = "/accounts?lang=en" if words.language == "zh" else "/accounts"
    return page(words, words("accounts"), body, other=other, wide=True)


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


def _fields_to_add(words: Words, session: Session, departments: Mapping[str, str]) -> str:
    add = field("account", words("account"), more="required") + field("name", words("account_name"))
    add += choice("role", words("role"), [(role, words(f"role_{role}")) for role in ROLES], "leader")
    add += field("scope", words("scope"), value=session.actor.scope.code, more='required inputmode="numeric"')
    add += choice("department", words("department"), [("", words("no_department")), *departments.items()])
    return add + button(words("do_add"), name="do", value="add", kind="first")


def _fields_to_pair(words: Words, accounts: Sequence[Account]) -> str:
    walls = [(one.account, one.account) for one in accounts if one.role == "wall"]
    pair = field("code", words("pair_code"), more='required size="10"') + field("label", words("pair_label"))
    pair += choice("account", words("account"), walls) + button(words("do_pair"), name="do", value="pair", kind="first")
    return pair


def _fields_to_link(words: Words, accounts: Sequence[Account]) -> str:
    people = [(one.account, one.account) for one in accounts if not one.is_demo and one.role != "wall"]
    link = choice("account", words("account"), people) + field("subject", words("link_subject"), more="required")
    return link + button(words("do_link"), name="do", value="link", kind="first")

"""Routes of who keeps accounts and who reads the audit: `/accounts` and `/audit`."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from layers.access import Actor, Scope
from layers.accounts import audit, records
from layers.accounts.screens import let_in
from layers.accounts.sessions import end_by_handle, list_sessions
from layers.errors import AtlasError
from layers.periods import moment
from layers.tables.audit import KINDS
from mapapp.api.sign_in import read_form, words_of
from mapapp.desk import Desk
from mapapp.pages.accounts import accounts_page
from mapapp.pages.audit import MOST, audit_page
from mapapp.pages.noted import Noted
from mapapp.porter import Porter
from mapapp.refusals import refusal
from mapapp.visitor import visitor


def keeping_routes(desk: Desk, porter: Porter) -> APIRouter:
    """Make the routes `/accounts` and `/audit`."""
    routes, zone = APIRouter(), desk.catalog.city.zone

    def show(request: Request, message: str, refused: dict[str, str] | None = None) -> Response:
        with porter.connection() as connection:
            accounts = records.list_accounts(connection, visitor().actor.scope)
            kept = {one.account for one in accounts}
            sessions = [one for one in list_sessions(connection) if one.account in kept]
        words, known = words_of(desk, request), desk.catalog.departments
        departments = {key: words.of(known[key].name) if key in known else key for key in porter.departments}
        written = accounts_page(
            words, visitor(), accounts, sessions, departments, zone=zone, has_provider=porter.provider is not None,
            names=desk.grid_names(words), message=message, given=refused,
        )  # fmt: skip
        return HTMLResponse(written, 200 if refused is None else 400)

    @routes.get("/accounts")
    async def accounts(request: Request) -> Response:
        """Accounts, and who is signed in."""
        return await asyncio.to_thread(show, request, "")

    @routes.post("/accounts")
    async def change(request: Request) -> Response:
        """Add or change an account, or end a session."""
        given = await read_form(request)
        try:
            message = await asyncio.to_thread(keep, porter, given)
        except AtlasError as error:
            return await asyncio.to_thread(show, request, refusal(words_of(desk, request), error), given)
        return await asyncio.to_thread(show, request, message)

    @routes.get("/audit")
    async def entries(request: Request) -> Response:
        """What was done, filtered by kind, account and days."""
        asked = {key: request.query_params.get(key, "") for key in ("kind", "account", "since", "until", "before")}
        own = visitor().actor.scope
        within = None if own.code == desk.catalog.city.code else own
        noted = Noted(words_of(desk, request), desk.catalog)
        return HTMLResponse(await asyncio.to_thread(_audit, porter, noted, asked, within, zone))

    return routes


def _audit(porter: Porter, noted: Noted, asked: dict[str, str], within: Scope | None, zone: str) -> str:
    """Read what the page of the audit asks for, and write it; a filter that makes no sense is none."""
    before = asked["before"]
    asked["kind"] = asked["kind"] if asked["kind"] in KINDS else ""
    kind, since, until = asked["kind"] or None, _day(asked["since"], zone), _day(asked["until"], zone)
    with porter.connection() as connection:
        found = audit.read_entries(
            connection,
            kind=kind,
            account=asked["account"] or None,
            since=since,
            until=until,
            within=within,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
            limit=MOST,
        )
        most = audit.read_most(connection, since, until, kind=kind, within=within)
    return audit_page(noted, found, most, zone=zone, **asked)


def keep(porter: Porter, given: dict[str, str]) -> str:
    """Do what a form of the accounts page asks for; return what there is to say, such as a new password.

    Raises
    ------
    AtlasError
        It cannot be done, or the account or the new scope lies outside the scope of who keeps accounts.
    """
    by, account, do = visitor().actor, given.get("account", ""), given.get("do", "")
    scope = given.get("scope", "")
    with porter.connection() as connection:
        if do in ("disable", "enable", "reset", "scope", "pair", "link"):
            records.find_account(connection, account, by.scope)
        match do:
            case "add":
                password = records.add_account(
                    connection, account, given.get("role", ""), by.scope.within(scope).code, name=given.get("name", ""),
                    department=given.get("department") or None, departments=porter.departments, by=by,
                )  # fmt: skip
                return f"{account}: {password}"
            case "disable":
                records.disable_account(connection, account, by=by)
            case "enable":
                records.enable_account(connection, account, by=by)
            case "reset":
                return f"{account}: {records.reset_account(connection, account, by=by)}"
            case "scope":
                records.set_scope(connection, account, by.scope.within(scope).code, by=by)
            case "link":
                _link(connection, porter, account, given.get("subject", "").strip(), by)
            case "pair":
                let_in(connection, given.get("code", ""), account, given.get("label", ""), by=by)
            case "end":
                handle, kept = given.get("session", ""), records.list_accounts(connection, by.scope)
                whose = end_by_handle(connection, handle, [one.account for one in kept])
                if whose is not None:
                    audit.write(connection, "session", by, whose, done="ended")
    return ""


def _link(connection: records.Connection, porter: Porter, account: str, subject: str, by: Actor) -> None:
    if porter.provider is None:
        raise AtlasError("There is no identity provider.", "Whoever runs the map sets OIDC_ISSUER.", why="no_provider")
    if not subject:
        raise AtlasError("Nobody was named.", "Type who it is at the identity provider.", why="no_subject")
    records.link_account(connection, account, f"{porter.provider.settings.issuer} {subject}", by=by)


def _day(text: str, zone: str) -> datetime | None:
    try:
        return moment(text or None, zone)
    except AtlasError:
        return None

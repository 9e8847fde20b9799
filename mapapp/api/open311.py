"""Routes of Open311 GeoReport v2: services, their definitions, requests, tokens; in JSON and XML, by a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import Response

from layers.accounts.keys import OPEN311
from layers.requests import Holder, find_holder
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.open311 import filing, requests, services
from mapapp.open311.answers import FORMATS, RequestError, write

Told = Callable[[psycopg.Connection[Any], Holder], Any]

START = "/open311/v2"


def open311_routes(desk: Desk) -> APIRouter:
    """Make the routes of `/open311`."""
    routes = APIRouter()

    @routes.get("/open311/discovery.{kind}")
    async def discovery(request: Request, kind: str) -> Response:
        """Where the endpoint is."""
        base = str(request.base_url).rstrip("/") + "/open311"
        return await answer(
            desk, request, kind, "discovery", lambda *_: services.discovery(base, words_of(desk, request))
        )

    @routes.get(START + "/services.{kind}")
    async def listed(request: Request, kind: str) -> Response:
        """What may be reported."""
        return await answer(
            desk, request, kind, "services", lambda *_: services.list_services(desk.catalog, words_of(desk, request))
        )

    @routes.get(START + "/services/{code}.{kind}")
    async def defined(request: Request, code: str, kind: str) -> Response:
        """What a report of a service may say."""
        words = words_of(desk, request)
        return await answer(
            desk, request, kind, "service_definition", lambda *_: services.define_service(desk.catalog, code, words)
        )

    @routes.get(START + "/requests.{kind}")
    async def found(request: Request, kind: str) -> Response:
        """Requests of a time, or by their numbers."""
        return await answer(desk, request, kind, "service_requests", reading(desk, request))

    @routes.get(START + "/requests/{number}.{kind}")
    async def one(request: Request, number: str, kind: str) -> Response:
        """One request."""
        return await answer(desk, request, kind, "service_requests", reading(desk, request, number))

    @routes.get(START + "/tokens/{token}.{kind}")
    async def token(request: Request, token: str, kind: str) -> Response:
        """The number of the request that a token stands for."""
        return await answer(
            desk, request, kind, "service_requests", lambda connection, _: [filing.find_token(connection, token)]
        )

    add_filing(routes, desk)
    return routes


def add_filing(routes: APIRouter, desk: Desk) -> None:
    """Add the route that files a request."""

    @routes.post(START + "/requests.{kind}")
    async def filed(request: Request, kind: str) -> Response:
        """File a request."""
        async with request.form() as sent:  # closes the files that came along
            form = {name: value for name, value in sent.items() if isinstance(value, str)}
        args = args_of(request) | form
        key, resend = key_of(request, form), request.headers.get("idempotency-key", "")[:200]

        def tell(connection: psycopg.Connection[Any], holder: Holder) -> list[dict[str, Any]]:
            if holder.is_open or holder.channel != OPEN311:
                raise RequestError(403, "api_key was not provided, or is not for reports by Open311.")
            scope = requests.jurisdiction_of(desk, connection, holder, args)
            words = words_of(desk, request)
            return [filing.file_request(desk, connection, holder, args, words, key=key, resend=resend, scope=scope)]

        return await answer(desk, request, kind, "service_requests", tell, form)


def reading(desk: Desk, request: Request, number: str | None = None) -> Told:
    """Make the function that reads requests, or one of them."""
    args = args_of(request) | ({"service_request_id": number} if number is not None else {})

    def tell(connection: psycopg.Connection[Any], holder: Holder) -> list[dict[str, Any]]:
        scope = requests.jurisdiction_of(desk, connection, holder, args)
        asked = requests.read_asked(args, datetime.now(UTC))
        shown = requests.list_requests(desk, connection, scope, asked, words_of(desk, request))
        if number is not None and not shown:
            raise RequestError(404, "service_request_id was not found.")
        return shown

    return tell


async def answer(
    desk: Desk, request: Request, kind: str, root: str, tell: Told, form: Mapping[str, str] | None = None
) -> Response:
    """Answer in the format the address ends in, with what the key of the request lets through, or with the faults."""

    def run() -> Any:
        with desk.keyed(key_of(request, form or {})) as connection:
            holder = find_holder(connection)
            if holder is None:
                raise RequestError(403, "api_key is missing, or opens nothing.")
            if kind not in FORMATS:
                raise RequestError(400, f"There is no format {kind[:16]!r}: addresses end in .xml or .json.")
            return tell(connection, holder)

    written = kind if kind in FORMATS else "json"
    try:
        body, status = write(written, root, await asyncio.to_thread(run)), 200
    except RequestError as error:
        body, status = write(written, "errors", error.told), error.status
    return Response(body, status, headers={"content-type": FORMATS[written]})


def args_of(request: Request) -> dict[str, str]:
    """Arguments of an address; one that comes several times is a list, as if with commas."""
    return {name: ",".join(request.query_params.getlist(name)) for name in request.query_params}


def key_of(request: Request, form: Mapping[str, str]) -> str:
    """Key of a request: of its form, its address, or its authorization; empty where there is none."""
    bearer = request.headers.get("authorization", "")
    sent = bearer[7:] if bearer.lower().startswith("bearer ") else ""
    key = form.get("api_key") or request.query_params.get("api_key") or sent
    return key if key.isascii() and key.isprintable() else "?"

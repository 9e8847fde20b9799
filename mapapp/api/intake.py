"""Routes for sources of reports: items are sent, followed and answered, by the source's key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from layers.accounts.keys import OPEN311
from layers.errors import AccessError, AtlasError, CaseError
from layers.requests import Holder, find_holder
from mapapp import intake
from mapapp.api.casework import STATUS
from mapapp.api.open311 import key_of
from mapapp.desk import Desk
from mapapp.shape import read_json

Told = Callable[[psycopg.Connection[Any], Holder], Any]


def intake_routes(desk: Desk) -> APIRouter:
    """Make the routes of `/intake`."""
    routes = APIRouter()

    @routes.post("/intake/items")
    async def take(request: Request) -> Response:
        """Take items in."""
        sent = await sent_by(request)
        return await answer(desk, request, lambda connection, holder: intake.take_items(desk, connection, holder, sent))

    @routes.get("/intake/items/{number:path}")
    async def one(request: Request, number: str) -> Response:
        """How an item stands."""
        return await answer(desk, request, lambda connection, _: intake.read_item(connection, number))

    @routes.get("/intake/changes")
    async def changes(request: Request) -> Response:
        """What was done with the source's items."""
        asked = [request.query_params.get("after", "0"), request.query_params.get("most", "1000")]

        def tell(connection: psycopg.Connection[Any], _: Holder) -> Mapping[str, Any]:
            if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in asked):
                raise CaseError("missing", "after and most are whole numbers.", "Begin with after=0.", "after")
            return intake.read_changes(connection, int(asked[0]), int(asked[1]))

        return await answer(desk, request, tell)

    @routes.post("/intake/answers/{number:path}")
    async def answered(request: Request, number: str) -> Response:
        """Whether the resident is satisfied."""
        sent = await sent_by(request)

        def tell(connection: psycopg.Connection[Any], _: Holder) -> Mapping[str, Any]:
            return intake.answer_item(connection, number, sent if isinstance(sent, Mapping) else {})

        return await answer(desk, request, tell)

    return routes


async def sent_by(request: Request) -> Any:
    """Read what was sent as JSON; nothing where it is none."""
    return read_json(await request.body())


async def answer(desk: Desk, request: Request, tell: Told) -> Response:
    """Answer with what the source's key lets through, or with what could not be done and the remedy."""

    def run() -> Any:
        with desk.keyed(key_of(request, {})) as connection:
            holder = find_holder(connection)
            if holder is None or holder.is_open or holder.channel == OPEN311:
                raise AccessError("The key is missing, or opens nothing here.", "Send `Authorization: Bearer KEY`.")
            return tell(connection, holder)

    try:
        return JSONResponse(await asyncio.to_thread(run))
    except AtlasError as error:
        why = getattr(error, "why", "")
        told = {"message": error.message, "hint": error.hint, "why": why, "need": getattr(error, "need", "")}
        return JSONResponse(told, 403 if isinstance(error, AccessError) else STATUS.get(why, 422))

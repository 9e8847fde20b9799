"""Routes of folding at the command centre: which suggestions are alike, and that a group of them is one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mapapp import folding
from mapapp.api.casework import answer, said
from mapapp.desk import Desk


def folding_routes(desk: Desk) -> APIRouter:
    """Make the routes of folding."""
    routes = APIRouter()

    @routes.get("/cases/alike")
    async def alike(request: Request) -> Response:
        """Groups of cases that may be one."""
        return await answer(folding.propose_groups, desk, dict(request.query_params))

    @routes.post("/cases/fold")
    async def fold(request: Request) -> Response:
        """Fold a group that somebody confirmed."""
        return await answer(folding.fold, desk, await said(request))

    return routes

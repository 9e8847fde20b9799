"""Routes of who reports from the field: `/report`, what its page sends, and the script that keeps it without a net."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from layers import duplicates
from mapapp import report
from mapapp.api.casework import STATIC, answer, said, written
from mapapp.api.sign_in import words_of
from mapapp.desk import Desk
from mapapp.pages.report import report_page


def report_routes(desk: Desk, engine: str) -> APIRouter:
    """Make the routes of `/report`; `engine` is the version of maplibre-gl."""
    routes = APIRouter()

    @routes.get("/report")
    async def page(request: Request) -> Response:
        """The page: a form, what waits to be sent, and one's own reports."""
        shown = await written(report_page, desk, words_of(desk, request), engine)
        shown.background = BackgroundTask(duplicates.warm_up)
        return shown

    @routes.get("/report/worker.js")
    async def worker() -> Response:
        """The script that keeps the page where there is no connection; it may look after the page itself."""
        headers = {"service-worker-allowed": "/report", "cache-control": "no-cache"}
        return FileResponse(STATIC / "worker.js", media_type="text/javascript", headers=headers)

    @routes.get("/report/mine")
    async def mine() -> Response:
        """One's own reports and visits."""
        return await answer(report.list_mine, desk)

    @routes.post("/report/around")
    async def around(request: Request) -> Response:
        """The grid at a position, and what was reported near it."""
        return await answer(report.look_around, desk, await said(request))

    @routes.post("/report/report")
    async def send_report(request: Request) -> Response:
        """Report."""
        return await answer(report.send_report, desk, await said(request))

    @routes.post("/report/visit")
    async def send_visit(request: Request) -> Response:
        """Write down a visit."""
        return await answer(report.send_visit, desk, await said(request))

    return routes

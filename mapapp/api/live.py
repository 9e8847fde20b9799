"""The route `/live`: what has just happened, as an event stream that goes on where a page left off."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from mapapp.live import PAGES_MOST, Live
from mapapp.visitor import visitor


def live_routes(live: Live) -> APIRouter:
    """Make the route `/live`."""
    routes = APIRouter()

    @routes.get("/live")
    async def stream(request: Request, since: str = "") -> Response:
        """Tell what happens, from the number a page saw last (`Last-Event-ID`, or `since`), or from now on."""
        if live.n_pages >= PAGES_MOST:
            return Response("Too many pages are open.\n", 503, media_type="text/plain", headers={"retry-after": "10"})
        said = request.headers.get("last-event-id") or since
        number = int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None

        async def lines() -> AsyncIterator[bytes]:
            yield b"retry: 1500\n\n"
            async for told in live.follow(session, number):
                yield b"".join(one.line for one in told)

        session = visitor()
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)

    return routes

"""Servers on loopback that stand for other systems: two that behave, and many that do not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

FEATURES = [
    {
        "type": "Feature",
        "id": n,
        "properties": {"no": f"Y{n}", "note": "院子"},
        "geometry": {"type": "Point", "coordinates": [115.05 + n / 1000, 22.05]},
    }
    for n in range(25)
]

REQUESTS = [
    {
        "service_request_id": f"R{n}",
        "status": "open" if n % 3 else "closed",
        "service_name": "noise",
        "requested_datetime": f"2026-{month:02}-{day:02}T08:00:00Z",
        "updated_datetime": f"2026-{month:02}-{day:02}T09:00:00Z",
        "lat": 22.05,
        "long": 115.05,
        "media_url": None,
        "extra": ["a", "b"],
    }
    for n, (month, day) in enumerate((month, day) for month in (1, 2, 3, 4, 5, 6) for day in range(1, 28, 2))
]


def make_app() -> FastAPI:
    """A server with a collection and an endpoint that behave, and with others that do not."""
    app = FastAPI()

    def page(request: Request, base: str, features: list[Any], **more: Any) -> dict[str, Any]:
        limit, offset = min(int(request.query_params["limit"]), 10), int(request.query_params.get("offset", 0))
        shown = features[offset : offset + limit]
        links = [{"rel": "self", "href": str(request.url)}]
        if offset + limit < len(features):
            links.append({"rel": "next", "href": f"{base}?limit=10&offset={offset + limit}"})
        said = {"type": "FeatureCollection", "features": shown, "links": links}
        return said | {"numberMatched": len(features), "numberReturned": len(shown)} | more

    @app.get("/collections/{name}/items")
    def items(request: Request, name: str) -> Any:
        base = f"/collections/{name}/items"
        if name == "elsewhere":
            return RedirectResponse("http://127.0.0.2/collections/yards/items")
        if name == "moved":
            return RedirectResponse(f"/collections/yards/items?{request.query_params}")
        if name == "round":
            return RedirectResponse(str(request.url))
        if name == "secret" and request.headers.get("authorization") != "Bearer 1":
            return JSONResponse({}, status_code=401)
        if name == "foreign":
            return page(request, "http://127.0.0.2/items", FEATURES)
        if name == "circle":
            return {**page(request, base, FEATURES), "links": [{"rel": "next", "href": str(request.url)}]}
        if name == "short":
            return page(request, base, FEATURES, numberMatched=26)
        if name == "fewer":
            return page(request, base, FEATURES, numberReturned=99)
        if name == "endless":
            offset = int(request.query_params.get("offset", 0)) + 1
            links = [{"rel": "next", "href": f"{base}?limit=10&offset={offset}"}]
            return {"features": FEATURES * 40, "links": links}
        if name == "list":
            return [1, 2]
        return page(request, base, FEATURES)

    @app.get("/{kind}/requests.json")
    def requests(kind: str, start_date: datetime, end_date: datetime, page: int = 1, page_size: int = 1000) -> Any:
        size = min(page_size, 5 if kind == "paged" else 4)
        found = [r for r in REQUESTS if start_date <= datetime.fromisoformat(str(r["requested_datetime"])) <= end_date]
        if (end_date - start_date).days > 90:
            return JSONResponse([{"code": 400, "description": "at most 90 days"}], status_code=400)
        first = (page - 1) * size if kind == "paged" else 0
        return found[first : first + size]

    return app


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    """Serve an app on a free port of loopback."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()  # who comes before the server is up waits
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def answering(speak: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that reads a request and then says what `speak` says, whatever that is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    accepted, _ = listening.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), accepted:
                    talk = context.wrap_socket(accepted, server_side=True) if context else accepted
                    talk.recv(65536)
                    speak(talk)
                    talk.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()

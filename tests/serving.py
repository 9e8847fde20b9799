"""The whole server without a network: asked by a browser that keeps its cookies."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare.records import Catalog
from layers.settings import Settings
from mapapp.app import create_app
from mapapp.base.base import Base
from mapapp.porter import Porter, make_porter

HERE = "http://127.0.0.1:8050"


class Server:
    """One server; browsers of it keep their cookies apart."""

    def __init__(self, app: Any, porter: Porter, loop: asyncio.AbstractEventLoop) -> None:
        self.app, self.porter, self.loop = app, porter, loop

    def browser(self, address: str = "127.0.0.1") -> Browser:
        return Browser(self, address)


class Browser:
    """Sends what a browser sends: cookies, the origin, and the form's token where it has one."""

    def __init__(self, server: Server, address: str) -> None:
        self.server, self.address = server, address
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, form: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        method = more.pop("method", "GET" if form is None else "POST")
        headers = {"origin": HERE, **more.pop("headers", {})}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        if form is not None and "_csrf_token" in self.cookies:
            form = {"form_token": self.cookies["_csrf_token"]} | form

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.server.app, client=(self.address, 1))
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as http:
                return await http.request(method, path, headers=headers, data=form, **more)

        answer = self.server.loop.run_until_complete(go())
        for said in answer.headers.get_list("set-cookie"):
            key, _, value = said.partition(";")[0].partition("=")
            self.cookies[key] = value
            if "Max-Age=0" in said:
                del self.cookies[key]
        return answer

    def sign_in(self, account: str, password: str, code: str = "") -> int:
        return self.ask("/sign-in", {"account": account, "password": password, "code": code}).status_code


@contextmanager
def serving(
    db: Database,
    catalog: Catalog,
    settings: Settings,
    *,
    is_demo: bool = False,
    public_pages: tuple[str, ...] = (),
    base: Base | None = None,
) -> Iterator[Server]:
    """Run the server of a database, its lifespan with it."""
    atlas = Atlas(catalog, db, "web", Scope(catalog.city.code))
    porter = make_porter(atlas, settings, is_demo=is_demo)
    app: Any = create_app(atlas, porter, public_pages=public_pages, base=base)
    loop = asyncio.new_event_loop()
    life = app.app.app.router.lifespan_context(app.app.app)
    loop.run_until_complete(life.__aenter__())
    try:
        yield Server(app, porter, loop)
    finally:
        loop.run_until_complete(life.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Serve an app at a port of its own, at the address given."""
    with socket.socket(proto=socket.IPPROTO_TCP) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [ear]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{ear.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)

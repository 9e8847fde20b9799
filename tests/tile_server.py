"""A server of tiles on loopback that answers as it is told, and notes what it was asked."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

PINK = (255, 0, 170)


def picture(colour: tuple[int, int, int] = PINK) -> bytes:
    """A tile of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(out, "PNG")
    return out.getvalue()


class Tiles:
    """What the server was asked, and how it answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []
        self.status, self.body = 200, picture()
        self.headers: dict[str, str] = {}
        self.waits = False
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving_tiles() -> Iterator[Tiles]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tiles.asked.append(self.path)
            if tiles.waits:
                tiles.released.wait(30)
            self.send_response(tiles.status)
            for name, value in {"content-length": str(len(tiles.body)), **tiles.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(tiles.body)

        def log_message(self, *_: object) -> None:
            return

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # whoever asked did not wait

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tiles = Tiles(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield tiles
    finally:
        tiles.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

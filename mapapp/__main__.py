"""Serve the map: `python -m mapapp`."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys

import uvicorn

from layers.errors import EXIT_CODES, AtlasError, SettingError
from layers.settings import Settings, read_settings


def main() -> int:
    """Open the atlas and serve it until interrupted; returns the exit code."""
    try:
        settings = read_settings(os.environ)
        listening = listen(settings)
        with listening:
            return _serve(settings, listening)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return EXIT_CODES.get(type(error), 1)


def listen(settings: Settings) -> socket.socket:
    """Take the port, before anything that takes time.

    Raises
    ------
    SettingError
        Somebody else has it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SettingError(
            f"Port {settings.port} on {settings.host} cannot be had: {error.strerror}.",
            f"Perhaps the map runs already: look at http://{settings.host}:{settings.port}. "
            f"Or choose another port: PORT={settings.port + 1} python -m mapapp.",
        ) from error
    return listening


def _serve(settings: Settings, listening: socket.socket) -> int:
    from layers.atlas import open_atlas
    from mapapp.app import create_app

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    atlas = open_atlas(settings, role="web")
    atlas.database.connect("web").close()  # says in one sentence what is wrong, before anybody opens the page
    app = create_app(atlas)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=2, server_header=False, proxy_headers=False, ws="none"
        )
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"The map is at http://{host}:{settings.port} (stop it with Ctrl+C).", flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
        server.run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())

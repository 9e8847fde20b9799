"""Serve the map until interrupted."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Mapping

import uvicorn

from layers.errors import SettingError
from layers.settings import Settings
from mapapp.names import is_loopback
from mapapp.porter import Porter

SWITCH_S = 0.0005
"""Seconds a thread that works something out may keep the interpreter. Each write to a screen gives it away: at the
usual 5 ms, telling five hundred screens waited for seconds."""


def serve(settings: Settings, environ: Mapping[str, str]) -> int:
    """Open the atlas and serve it until interrupted; returns the exit code.

    Raises
    ------
    SettingError
        The port or the certificate cannot be had.
    """
    with listen(settings) as listening:
        return _serve(settings, listening, environ)


def listen(settings: Settings) -> socket.socket:
    """Take the port, before anything that takes time.

    Raises
    ------
    SettingError
        Somebody else has it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # said to be TCP, so that asyncio sends small answers at once and does not wait 40 ms for the receiver (TCP_NODELAY)
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


def _serve(settings: Settings, listening: socket.socket, environ: Mapping[str, str]) -> int:
    from layers.atlas import open_atlas
    from mapapp.app import create_app
    from mapapp.base.base import open_base
    from mapapp.base.sources import read_base
    from mapapp.check import findings
    from mapapp.porter import make_porter

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    atlas = open_atlas(settings, role="web")
    atlas.database.connect("web").close()  # says in one sentence what is wrong, before anybody opens the page
    wrong = list(findings(settings, environ, atlas.database))
    if wrong:
        raise SettingError("The map is not served like this:\n" + "\n".join(f"  {one}" for one in wrong))
    is_secure = settings.tls_cert is not None
    porter = make_porter(atlas, settings, is_demo=is_loopback(settings.host) and not is_secure)
    base = open_base(read_base(settings), settings.local_dir / "cache" / "base")
    app = create_app(atlas, porter, is_secure=is_secure, public_pages=settings.public_pages, base=base)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            timeout_graceful_shutdown=2,
            server_header=False,
            proxy_headers=False,
            ws="none",
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
    )
    sys.setswitchinterval(SWITCH_S)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    tell_first(porter)
    scheme = "https" if is_secure else "http"
    print(f"The map is at {scheme}://{host}:{settings.port} (stop it with Ctrl+C).", flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
        server.run(sockets=[listening])
    return 0


def tell_first(porter: Porter) -> None:
    """Add the first account where there is none and tell its password, once; the demonstration needs none."""
    if porter.is_demo:
        return
    with porter:
        password = porter.add_first()
    if password is not None:
        print(f"First account: admin, password {password}. It is shown this once: sign in and change it.", flush=True)

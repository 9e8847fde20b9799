"""Start, stop, look at or remove the private database server: `python -m layers.server start`."""

from __future__ import annotations

import os
import sys

from layers.errors import EXIT_CODES, AtlasError
from layers.server import ensure_server, read_server, remove_server, stop_server
from layers.settings import read_settings

USAGE = """Usage: python -m layers.server start | stop | status | remove

  start   make the private cluster where there is none yet, and start it
  stop    stop it; the data stay
  status  say whether it runs, and where
  remove  stop it and remove it with everything in it
"""


def main(words: list[str]) -> int:
    """Run one verb; returns the exit code."""
    try:
        settings = read_settings(os.environ)
        match words:
            case ["start"]:
                server = ensure_server(settings)
                print(f"PostGIS is ready at {server.host}:{server.port}.")
            case ["stop"]:
                stop_server(settings)
            case ["remove"]:
                remove_server(settings)
            case ["status"]:
                server = read_server(settings)
                print(f"Runs at {server.host}:{server.port}.")
            case _:
                print(USAGE, end="", file=sys.stderr)
                return 2
    except AtlasError as error:
        print(error, file=sys.stderr)
        return EXIT_CODES[type(error)]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

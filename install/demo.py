"""The demonstration from nothing to the map: run by `make demo` once everything is installed.

Each part is a command of its own that can also be run by hand; this only runs them in order and says what it is doing.
What is done already costs nothing: the cluster runs, the deliveries lie there, the loader knows them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from install.errors import SetupError
from install.progress import say
from install.stamp import is_done, mark_of, set_done

CHECKOUT = Path(__file__).resolve().parent.parent
WHOLE = "answers.json"
"""The file that is there when a folder of deliveries is whole."""


def main(words: Sequence[str]) -> int:
    """Run the demonstration; the words are options of `python -m etl demo build`. Returns the exit code."""
    os.chdir(CHECKOUT)
    try:
        check_port(os.environ)
        run("Starting the database server", "layers.server", "start")
        build_deliveries(os.environ, words)
        run("Bringing the database to the schema of this version", "layers.migrations", "upgrade")
        run("Loading the deliveries", "etl", "run")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `make demo` goes on from here; `make down` stops the database server.", file=sys.stderr)
        return 130
    live_beside(os.environ)
    return open_map()


def live_beside(environ: Mapping[str, str]) -> None:
    """Let made-up cases be reported and handled beside the map, which this process becomes; they end with it."""
    if environ.get("LIVE", "yes") == "no":
        return
    log = Path(environ.get("LOCAL_DIR") or ".local") / "demo-live.log"
    words = ["etl", "demo", "live", "--catch-up", "--rate", "0.5", "--beside", str(os.getpid())]
    with log.open("wb") as file:
        subprocess.Popen([sys.executable, "-m", *words], stdout=file, stderr=subprocess.STDOUT)
    say(f"Made-up cases come in while the map is open (see {log}); `make demo LIVE=no` leaves the city still.")


def open_map() -> NoReturn:
    """Become the map's server, so that Ctrl-C reaches it."""
    say("Opening the map. Ctrl-C ends it; `make down` then stops the database server.")
    os.execv(sys.executable, [sys.executable, "-m", "mapapp"])


def check_port(environ: Mapping[str, str]) -> None:
    """Look whether the map's port is free, before anything long is begun.

    Raises
    ------
    SetupError
        Another program has it.
    """
    named = environ.get("PORT", "8050")
    if not (named.isdigit() and 0 < int(named) < 65536):
        raise SetupError(f"PORT is {named!r}.", "It has to be a number from 1 to 65535, such as 8050.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(named)))
        except PermissionError as error:
            raise SetupError(
                f"Port {named} is for root only.", "Choose one above 1023: `make demo PORT=8051`."
            ) from error
        except OSError as error:
            raise SetupError(
                f"Port {named} is in use, perhaps by a map that is open already (http://127.0.0.1:{named}).",
                "End that program, or choose another port: `make demo PORT=8051`.",
            ) from error


def build_deliveries(environ: Mapping[str, str], options: Sequence[str]) -> None:
    """Build the sample city's deliveries, unless those of these options are there. They come whole or not at all."""
    if environ.get("DELIVERY_DIR"):
        say(f"Taking the deliveries in {environ['DELIVERY_DIR']}.")
        return
    local = Path(environ.get("LOCAL_DIR") or ".local").resolve()
    folder, stamp = local / "deliveries", local / "stamps" / "deliveries"
    words = tuple(options) or ("--size", "full")
    mark = mark_of([], *words)
    if (folder / WHOLE).exists() and (not options or is_done(stamp, mark)):
        say(f"The deliveries are in {folder}.")
        return
    run("Building the sample city's deliveries", "etl", "demo", "build", *words, "--out", str(folder))
    set_done(stamp, mark)


def run(title: str, module: str, *words: str) -> None:
    """Run one of our commands, its output on the screen.

    Raises
    ------
    SetupError
        It failed, and has said why.
    """
    say(f"{title} ..")
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-m", module, *words], check=False)
    if done.returncode != 0:
        command = " ".join(("python -m", module, *words))
        raise SetupError(f"{title} failed.", f"The reason stands above; the command was `{command}`.")
    say(f"{title}: done in {time.monotonic() - begin:.0f} s.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

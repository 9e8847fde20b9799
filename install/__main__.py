"""Set the checkout up, stop it, or take it away: `python3 -m install [setup|check|demo|test|bench|down|clean]`.

`check` brings what the checks without a database need; `test` brings a browser and a font besides,
`bench` also a peer to measure against.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from install.clean import clean, stop
from install.errors import SetupError
from install.node import ensure_node
from install.progress import LOG, say
from install.python import check_version, ensure_python, find_home
from install.system import ensure_packages

CHECKOUT = Path(__file__).resolve().parent.parent
TARGETS = ("setup", "check", "demo", "test", "bench", "down", "clean")


def set_up(target: str) -> None:
    """Bring everything a target needs; a second run finds it in place."""
    begin = time.monotonic()
    check_version()
    os.chdir(CHECKOUT)
    home = find_home(CHECKOUT, os.environ)
    _check_writable(CHECKOUT)
    if os.environ.get("CONDA_PREFIX") and not home.is_conda:
        say("The active conda environment has no PostGIS in it, so .venv is used; environment.yml makes one that has.")
    ensure_packages(target, os.environ, is_conda=home.is_conda)
    ensure_python(CHECKOUT, home)
    ensure_node(CHECKOUT, home)
    say(f"Set-up is complete ({time.monotonic() - begin:.1f} s).")


def main(words: list[str]) -> int:
    """Run the set-up for one target; returns the exit code."""
    target = words[0] if words else "setup"
    if len(words) > 1 or target not in TARGETS:
        say(f"Usage: python3 -m install [{'|'.join(TARGETS)}]")
        return 2
    try:
        if target == "down":
            stop(CHECKOUT, os.environ)
        elif target == "clean":
            clean(CHECKOUT, os.environ)
        else:
            set_up(target)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the command again to go on from here.", file=sys.stderr)
        return 130
    return 0


def _check_writable(checkout: Path) -> None:
    try:
        (checkout / LOG).parent.mkdir(exist_ok=True)
        (checkout / LOG).touch()
    except OSError as error:
        raise SetupError(
            f"{checkout} cannot be written: {error.strerror}.",
            "Run the command as the user whom the folder belongs to.",
        ) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

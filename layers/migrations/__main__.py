"""Command line: `python -m layers.migrations upgrade | downgrade | check`."""

from __future__ import annotations

import os
import sys

from layers.database import open_database
from layers.errors import EXIT_CODES, AtlasError
from layers.migrations import differences, downgrade, upgrade
from layers.settings import read_settings

USAGE = """python -m layers.migrations upgrade [REVISION]     make the database where missing and bring it up to date
python -m layers.migrations downgrade REVISION   go back to a revision; `base` removes every table and its rows
python -m layers.migrations check                say where the models and the database disagree"""


def main(words: list[str]) -> int:
    """Run one command and return its exit code."""
    match words:
        case ["upgrade", *rest] if len(rest) <= 1:
            upgrade(open_database(read_settings(os.environ)), *rest)
        case ["downgrade", revision]:
            downgrade(open_database(read_settings(os.environ)), revision)
        case ["check"]:
            found = differences(open_database(read_settings(os.environ)))
            print("\n".join(found) or "Models and database agree.")
            return 1 if found else 0
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except AtlasError as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_CODES[type(error)])

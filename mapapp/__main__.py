"""The map's commands: `python -m mapapp` serves it, `account` keeps the accounts.

What goes wrong ends in a sentence that says what is the matter and how to mend it, and in the exit code of that kind of
error (`layers.errors.EXIT_CODES`); never in a traceback.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.exceptions import TyperException

from layers.errors import EXIT_CODES, AtlasError
from layers.settings import read_settings
from mapapp.commands import account

app = typer.Typer(help="民情地图 The map.", add_completion=False)
app.add_typer(account.app, name="account")


@app.callback(invoke_without_command=True)
def serve(context: typer.Context) -> None:
    """提供地图服务 Serve the map until interrupted."""
    context.obj = read_settings(os.environ)
    if context.invoked_subcommand is None:
        from mapapp.serve import serve as serve_map

        raise typer.Exit(serve_map(context.obj))


def main() -> int:
    """Run one command and return its exit code."""
    try:
        code = app(standalone_mode=False)
    except AtlasError as error:
        print(error, file=sys.stderr)
        return EXIT_CODES.get(type(error), 1)
    except TyperException as error:
        usage: Any = error  # what the words of a command line are refused with
        usage.show()
        return int(usage.exit_code)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())

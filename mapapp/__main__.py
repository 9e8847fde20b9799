"""The map's commands: `python -m mapapp` serves it, `account` and `key` keep who may enter, `vault` what names people.

What goes wrong ends in a sentence that says what is the matter and how to mend it, and in the exit code of that kind of
error (`layers.errors.EXIT_CODES`); never in a traceback.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from layers.errors import EXIT_CODES, AtlasError
from layers.settings import read_settings
from mapapp.commands import account, audit, key, vault

app = typer.Typer(help="民情地图 The map.", add_completion=False)
app.add_typer(account.app, name="account")
app.add_typer(audit.app, name="audit")
app.add_typer(key.app, name="key")
app.add_typer(vault.app, name="vault")


@app.callback(invoke_without_command=True)
def serve(context: typer.Context) -> None:
    """提供地图服务 Serve the map until interrupted."""
    context.obj = read_settings(os.environ)
    if context.invoked_subcommand is None:
        from mapapp.serve import serve as serve_map

        raise typer.Exit(serve_map(context.obj, os.environ))


@app.command()
def check(context: typer.Context) -> None:
    """检查能否上线 Say what must not be when the map is served; the map does not start while anything is found."""
    from layers.database import open_database
    from mapapp.check import findings, overdue

    database = open_database(context.obj)
    found = list(findings(context.obj, os.environ, database))
    if found:
        typer.echo("\n".join(found))
        raise typer.Exit(2)
    typer.echo("\n".join(["The map may be served.", *overdue(database, datetime.now(UTC))]))


@app.command()
def certificate(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names and addresses the map is opened under.")],
) -> None:
    """签发证书 Make an own authority and a certificate by it, for serving beyond this machine."""
    from mapapp.certificate import make_certificate

    authority, made, key = make_certificate(context.obj.local_dir / "tls", names)
    typer.echo(f"Have each screen trust {authority}, then serve with\n  TLS_CERT={made} TLS_KEY={key} HOST=0.0.0.0")


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

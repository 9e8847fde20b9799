"""`python -m mapapp audit`: seal what is new, verify what was sealed."""

from __future__ import annotations

import typer

from layers.accounts import audit
from layers.database import open_database
from layers.settings import Settings
from mapapp.porter import heads_file

app = typer.Typer(help="审计 The audit.", no_args_is_help=True)


@app.command()
def seal(context: typer.Context) -> None:
    """封存新的审计记录 Seal the entries that are new; the running map does so each minute."""
    settings: Settings = context.obj
    with open_database(settings).connect("door", autocommit=True) as connection:
        n = audit.seal(connection, heads_file(settings))
    typer.echo(f"{n} entries sealed.")


@app.command()
def verify(context: typer.Context) -> None:
    """核对审计记录 Compare every entry with its seal, and the seals with the file outside the database."""
    settings: Settings = context.obj
    with open_database(settings).connect("door", autocommit=True) as connection:
        found = list(audit.verify(connection, heads_file(settings)))
    typer.echo("\n".join(found) or "Every entry is as it was sealed.")
    if found:
        raise typer.Exit(1)

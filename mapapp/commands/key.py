"""`python -m mapapp key`: add, list, disable. Keys by which other systems send reports and follow them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from layers.accounts import keys
from layers.database import open_database
from layers.declare import read_catalog
from layers.settings import Settings

app = typer.Typer(help="接口密钥 Keys of other systems.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Whose key it is.")]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    channel: Annotated[str, typer.Option(help="open311, or the channel of a dataset, such as hotline.")] = keys.OPEN311,
    scope: Annotated[str | None, typer.Option(help="Grid it may report in; the whole city when left out.")] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Whoever comes without a key reads as its holder.")] = False,
) -> None:
    """添加密钥 Add a key and show it, once."""
    settings: Settings = context.obj
    catalog = read_catalog(settings.catalog_dir)
    with open_database(settings).connect("door") as door:
        secret = keys.add_key(door, catalog, name, channel=channel, scope=scope, is_open=is_open)
    if is_open:
        typer.echo(f"{name}: whoever comes without a key may read in {scope or catalog.city.code} from now on.")
    else:
        typer.echo(f"{name}: {channel}, {scope or catalog.city.code}. Key, shown this once: {secret}")


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """列出密钥 List the keys."""
    settings: Settings = context.obj
    with open_database(settings).connect("door") as door:
        found = keys.list_keys(door)
    shown = Table("key", "channel", "dataset", "scope", "made", "state", box=None)
    for one in found:
        state = "disabled" if one.is_disabled else "open" if one.is_open else ""
        shown.add_row(one.name, one.channel, one.dataset, one.scope, f"{one.made_at:%Y-%m-%d}", state)
    Console().print(shown)


@app.command()
def disable(context: typer.Context, name: Name) -> None:
    """停用密钥 Disable a key; it opens nothing from now on."""
    settings: Settings = context.obj
    with open_database(settings).connect("door") as door:
        keys.disable_key(door, name)
    typer.echo(f"{name} opens nothing any more.")

"""`python -m mapapp vault`: renew the key of the identities, and tell a person who looked."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from layers.accounts import audit
from layers.database import open_database
from layers.declare import read_catalog
from layers.errors import AtlasError
from layers.rotation import left
from layers.rotation import reseal as seal_anew
from layers.seal import Sealer
from layers.secrets import forget_keys as drop_keys
from layers.secrets import read_secrets, renew_key
from layers.settings import Settings

app = typer.Typer(help="保险库 The vault.", no_args_is_help=True)


@app.command()
def renew(context: typer.Context) -> None:
    """更换密钥 Make a new key: all is sealed with it from now on, the former one is kept to open with."""
    made = renew_key(context.obj)
    typer.echo(f"The key is {made.identity_key_id} now. Restart the map, then run `python -m mapapp vault reseal`.")


@app.command()
def reseal(context: typer.Context) -> None:
    """重新加密 Seal anew what is sealed with a former key; it may be interrupted and run again."""
    settings: Settings = context.obj
    done = seal_anew(open_database(settings), Sealer(read_secrets(settings)), typer.echo)
    typer.echo(f"{sum(done.values()):,} rows were sealed anew. `python -m mapapp vault forget-keys` ends it.")


@app.command("forget-keys")
def forget_keys(context: typer.Context) -> None:
    """弃用旧密钥 Forget the former keys, once nothing is sealed with them."""
    settings: Settings = context.obj
    found = left(open_database(settings), Sealer(read_secrets(settings)))
    if found:
        raise AtlasError(
            f"The former key is still needed for {', '.join(found)}.", "Run `python -m mapapp vault reseal` first."
        )
    drop_keys(settings)
    typer.echo("The former keys are forgotten. Backups made before can no longer be read with these secrets.")


@app.command()
def looked(
    context: typer.Context,
    number: Annotated[str, typer.Option(prompt=True, hide_input=True, help="ID number; empty for who has none.")],
    dataset: Annotated[str, typer.Option(help="Dataset of a person without ID number.")] = "",
    key: Annotated[str, typer.Option(help="Source key there.")] = "",
) -> None:
    """查询记录 List who opened or changed what of a person, for that person."""
    settings: Settings = context.obj
    zone = ZoneInfo(read_catalog(settings.catalog_dir).city.zone)
    (subject,) = Sealer(read_secrets(settings)).subjects([number.strip() or None], dataset, [key])
    with open_database(settings).connect("door", autocommit=True) as connection:
        found = audit.read_looked(connection, subject)
    for one in found:
        told = one.detail
        at = f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}"
        if one.kind == "person_change":
            fields = ", ".join(told.get("fields", []))
            typer.echo(f"{at} {one.account}: {told['done']} {fields}".rstrip() + f" ({told['why']})")
            continue
        of_case = f" case {told['case']}" if told.get("case") else ""
        refused = " (refused)" if told.get("refused") else ""
        typer.echo(f"{at} {one.account} ({one.role}): {told['field']} for {told['purpose']}{of_case}{refused}")
    if not found:
        typer.echo("Nobody opened anything.")

"""`python -m mapapp account`: add, list, disable, enable, scope, reset. Run by whoever runs the installation."""

from __future__ import annotations

from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from layers.accounts import logins, records
from layers.database import open_database
from layers.declare import read_catalog
from layers.errors import SettingError
from layers.settings import Settings

app = typer.Typer(help="账号 Accounts.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="What is typed to sign in.")]


@app.command()
def add(
    context: typer.Context,
    account: Account,
    role: Annotated[str, typer.Option(help="leader, analyst, dispatcher, department_handler, grid_worker, ..")],
    scope: Annotated[str | None, typer.Option(help="Grid it may see; the whole city when left out.")] = None,
    department: Annotated[str | None, typer.Option(help="Declared department.")] = None,
    name: Annotated[str, typer.Option(help="Who it is, as others see it.")] = "",
) -> None:
    """添加账号 Add an account and show its first password, once."""
    catalog = read_catalog(_settings(context).catalog_dir)
    with _door(context) as connection:
        password = records.add_account(
            connection,
            account,
            role,
            scope or catalog.city.code,
            name=name,
            department=department,
            departments=catalog.departments,
        )
    typer.echo(f"{account}: {role}, {scope or catalog.city.code}. Password, shown this once: {password}")


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """列出账号 List the accounts."""
    with _door(context) as connection:
        found = records.list_accounts(connection)
    shown = Table("account", "role", "scope", "department", "state", box=None)
    for one in found:
        state = "disabled" if one.is_disabled else "demo" if one.is_demo else "two factors" if one.has_totp else ""
        shown.add_row(one.account, one.role, one.scope, one.department or "", state)
    Console().print(shown)


@app.command()
def disable(context: typer.Context, account: Account) -> None:
    """停用账号 Disable an account; its sessions end at once."""
    with _door(context) as connection:
        records.disable_account(connection, account)
    typer.echo(f"{account} is disabled, and its sessions have ended.")


@app.command()
def enable(context: typer.Context, account: Account) -> None:
    """启用账号 Let a disabled account sign in again."""
    with _door(context) as connection:
        records.enable_account(connection, account)
    typer.echo(f"{account} may sign in.")


@app.command()
def scope(
    context: typer.Context,
    account: Account,
    code: Annotated[str, typer.Argument(help="Grid it may see from now on.")],
    role: Annotated[str | None, typer.Option(help="Another role too.")] = None,
) -> None:
    """更改范围 Give an account another scope; its sessions end at once."""
    with _door(context) as connection:
        records.set_scope(connection, account, code, role=role)
    typer.echo(f"{account} may see {code}, and its sessions have ended.")


@app.command()
def reset(context: typer.Context, account: Account) -> None:
    """重设密码 Give an account a new password, shown once; second factor, lock and sessions go."""
    with _door(context) as connection:
        password = records.reset_account(connection, account)
    typer.echo(f"{account}: new password, shown this once: {password}")


@app.command()
def link(
    context: typer.Context,
    account: Account,
    subject: Annotated[str, typer.Argument(help="Who it is at the identity provider: its `sub`, or OIDC_CLAIM.")],
) -> None:
    """关联统一身份 Let an account sign in by the identity provider, and by no password any more."""
    openid = _settings(context).openid
    if openid is None:
        raise SettingError("There is no identity provider.", "Set OIDC_ISSUER, OIDC_CLIENT and OIDC_SECRET_FILE.")
    with _door(context) as connection:
        records.link_account(connection, account, f"{openid.issuer} {subject}")
    typer.echo(f"{account} signs in at {openid.issuer} as {subject}.")


@app.command()
def login(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the login; atlas_analyst is the one notebooks here share.")],
    scope: Annotated[str | None, typer.Option(help="Grid it may see; the whole city when left out.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Take it away.")] = False,
) -> None:
    """分析员数据库账号 Give an analyst a login of the database, bound to a scope; its password is shown once."""
    database = open_database(_settings(context))
    with database.connect("admin") as admin, database.connect("door") as door:
        if end:
            logins.end_login(admin, door, name)
            typer.echo(f"{name} sees nothing any more.")
            return
        city = read_catalog(_settings(context).catalog_dir).city.code
        password = logins.give_login(admin, door, name, scope or city, city=city)
    typer.echo(f"{name} may see {scope or city} in the database.")
    if password:
        typer.echo(f"Its address, shown this once: ANALYST_URL={database.url_of(name, password)}")


@app.command(name="logins")
def list_logins(context: typer.Context) -> None:
    """列出分析员数据库账号 List analysts' logins of the database."""
    with _door(context) as connection:
        found = logins.list_logins(connection)
    shown = Table("login", "scope", "state", box=None)
    for one in found:
        shown.add_row(one.login, one.scope, "demo" if one.is_demo else "")
    Console().print(shown)


def _settings(context: typer.Context) -> Settings:
    settings = context.obj
    assert isinstance(settings, Settings)
    return settings


def _door(context: typer.Context) -> psycopg.Connection[Any]:
    return open_database(_settings(context)).connect("door")

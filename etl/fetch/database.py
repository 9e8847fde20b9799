"""A table or view of a PostgreSQL database, into one CSV or GeoJSON file.

The server writes the file itself (COPY): no row passes through Python. It is asked in a transaction that can only read,
and for the declared columns alone; what nobody declared does not leave it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import IO, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from etl.sources import headings_of
from layers.declare.records import Dataset
from layers.errors import DeliveryError, SettingError
from layers.hosts import Host, find_spot

_KEPT = ("user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
"""What is taken from the address; anything else could lead elsewhere."""


def fetch_table(hosts: Sequence[Host], address: str, dataset: Dataset, out: IO[bytes]) -> int:
    """Write the declared columns of a table; return how many rows.

    Parameters
    ----------
    hosts
        Hosts that may be connected to.
    address
        `postgresql://user:password@host:port/database`; `postgresql+psycopg://` will do.
    dataset
        Whose `[fetch]` names the table.
    out
        Where the file goes.

    Raises
    ------
    SettingError
        The address makes no sense, or its host is not allowed.
    DeliveryError
        The database does not let us in, or has no such table or column, or the file grows too large.
    """
    fetch = dataset.fetch
    assert fetch is not None and fetch.table is not None
    try:
        with _connect(hosts, address, fetch.minutes_max) as connection:
            query = _query(connection, dataset, fetch.table)
            return _copy(connection, query, dataset, out)
    except psycopg.errors.QueryCanceled as error:
        raise DeliveryError(
            f"{fetch.table} takes longer than {fetch.minutes_max} minutes.", "Raise minutes_max in [fetch]."
        ) from error
    except psycopg.Error as error:
        said = (error.diag.message_primary or str(error)).strip().splitlines()[0]
        raise DeliveryError(
            f"The table {fetch.table} cannot be fetched: {said}.",
            f"Check the variable {fetch.secret}, and that its user may read the table.",
        ) from error


def _connect(hosts: Sequence[Host], address: str, minutes: int) -> psycopg.Connection[Any]:
    scheme, _, rest = address.partition("://")
    try:
        given = {k: str(v) for k, v in conninfo_to_dict(f"postgresql://{rest}").items() if v is not None}
    except psycopg.ProgrammingError as error:
        raise _no_address() from error
    name, port = given.get("host", ""), given.get("port", "5432")
    if scheme.partition("+")[0] not in ("postgresql", "postgres") or not name or name.startswith("/"):
        raise _no_address()
    if "," in name or not port.isdigit():
        raise _no_address()
    spot = find_spot(hosts, "postgresql", name, int(port))
    kept: dict[str, Any] = {key: given[key] for key in _KEPT if key in given}
    if "sslmode" not in kept:
        kept |= {"sslmode": "verify-full"} | ({} if "sslrootcert" in kept else {"sslrootcert": "system"})
    options = f"-c default_transaction_read_only=on -c statement_timeout={minutes}min -c timezone=UTC -c datestyle=ISO"
    connection = psycopg.connect(
        host=spot.name,
        hostaddr=spot.address,
        port=spot.port,
        connect_timeout=10,
        application_name="atlas fetch",
        client_encoding="utf8",
        options=options,
        **kept,
    )
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _no_address() -> SettingError:
    return SettingError(
        "The secret of [fetch] holds no address of one PostgreSQL server.",
        "It must look like postgresql://user:password@host:5432/database.",
    )


def _query(connection: psycopg.Connection[Any], dataset: Dataset, table: str) -> sql.Composed:
    name = sql.Identifier(*table.split("."))
    there = connection.execute(sql.SQL("select * from {} where false").format(name)).description or []
    geometry = connection.execute("select oid from pg_catalog.pg_type where typname = 'geometry'").fetchall()
    shapes = [column.name for column in there if (column.type_code,) in geometry]
    columns, wanted = [column.name for column in there], headings_of(dataset)
    for heading in wanted:
        if heading not in columns:
            near = difflib.get_close_matches(heading, columns, n=3, cutoff=0.3) or columns
            raise DeliveryError(
                f"The table {table} has no column {heading} (dataset {dataset.key}).",
                f"It has {', '.join(near)}: mend `from` in {dataset.key}.toml.",
            )
    by_key = [c.heading for c in dataset.columns if c.key in dataset.row_key]
    order = sql.SQL(" order by {}").format(sql.SQL(", ").join(map(sql.Identifier, by_key))) if by_key else sql.SQL("")
    if dataset.source.format == "csv":
        chosen: sql.Composable = sql.SQL(", ").join(map(sql.Identifier, wanted))
        form = sql.SQL("format csv, header true, encoding 'UTF8'")
    else:
        chosen, form = _feature(shapes, wanted, table), sql.SQL("format text, encoding 'UTF8'")
    return sql.SQL("copy (select {} from {}{}) to stdout ({})").format(chosen, name, order, form)


def _feature(shapes: Sequence[str], wanted: Sequence[str], table: str) -> sql.Composed:
    if len(shapes) != 1:
        raise DeliveryError(
            f"The table {table} has {len(shapes)} columns of geometry ({', '.join(shapes) or 'none'}).",
            "Name a view with exactly one, or fetch it as csv with `lon` and `lat`.",
        )
    pairs = sql.SQL(", ").join(part for heading in wanted for part in (sql.Literal(heading), sql.Identifier(heading)))
    return sql.SQL(
        "json_build_object('type', 'Feature', 'properties', json_build_object({}), "
        "'geometry', st_asgeojson({}, 15, 0)::json)"
    ).format(pairs, sql.Identifier(shapes[0]))


def _copy(connection: psycopg.Connection[Any], query: sql.Composed, dataset: Dataset, out: IO[bytes]) -> int:
    """Write what the server sends; each piece is a row, ended by a line break, which in JSON stands nowhere else."""
    assert dataset.fetch is not None
    is_json, left = dataset.source.format == "geojson", dataset.fetch.mb_max << 20
    if is_json:
        out.write(b'{"type": "FeatureCollection", "features": [\n')
    with connection.cursor() as cursor:
        with cursor.copy(query) as pieces:
            first = True
            for piece in pieces:
                data = bytes(piece)
                if is_json:  # in the text form of COPY a backslash stands doubled
                    data = (b"" if first else b",") + data.replace(b"\\\\", b"\\")
                first = False
                left -= len(data)
                if left < 0:
                    raise DeliveryError(
                        f"The table {dataset.fetch.table} is larger than {dataset.fetch.mb_max} MB.",
                        "Raise mb_max in [fetch] when so much is really meant.",
                    )
                out.write(data)
        if is_json:
            out.write(b"]}\n")
        return cursor.rowcount

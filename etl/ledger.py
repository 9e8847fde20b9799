"""The ledger of deliveries: what a file is worth, whether it was loaded before, and what became of it."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

from psycopg.types.json import Jsonb

from etl.copying import Connection
from etl.report import DeliveryReport
from layers.declare.records import Catalog, Dataset
from layers.errors import AtlasError, DeliveryError

Known = Literal["new", "otherwise", "as_declared"]

_DATASET_LOCKS = 4490
_CHUNK = 1 << 20

_OPEN = """
insert into raw.delivery (dataset, file_name, content_hash, n_bytes, edition, loaded_at, loaded_by, declaration,
    declaration_hash, grids_version, n_read, n_inserted, n_updated, n_unchanged, n_quarantined, n_unplaced, n_forgotten,
    report)
select %(dataset)s, %(file)s, %(content)s, %(size)s, %(edition)s, %(now)s, %(by)s, %(declaration)s, %(hash)s,
    coalesce((select version from pub.edition where edition = %(edition)s), 0), 0, 0, 0, 0, 0, 0, 0, '{}'
returning id
"""
_CLOSE = """
update raw.delivery set n_read = %s, n_inserted = %s, n_updated = %s, n_unchanged = %s, n_quarantined = %s,
    n_unplaced = %s, n_forgotten = %s, report = %s
where id = %s
"""


def parts_of(path: Path, file_format: str) -> list[Path]:
    """All files a delivery consists of: a Shapefile has several."""
    if file_format != "shapefile" or path.suffix.lower() != ".shp":
        return [path]
    return sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in _SHAPEFILE)


_SHAPEFILE = (".shp", ".dbf", ".shx", ".prj", ".cpg")


def hash_file(path: Path, dataset: Dataset) -> tuple[bytes, int]:
    """SHA-256 and size of a delivery.

    Raises
    ------
    DeliveryError
        The file cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    try:
        for part in parts_of(path, dataset.source.format):
            with part.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
    except OSError as error:
        raise DeliveryError(
            f"{path.name} cannot be read: {error.strerror}.", "Give the loader's user the right to read it."
        ) from error
    if dataset.source.layer or dataset.source.sheet:
        digest.update(f"{dataset.source.layer}|{dataset.source.sheet}".encode())
    if size == 0:
        raise DeliveryError(f"{path.name} is empty.", "Ask the department to send it again.")
    return digest.digest(), size


def lock_dataset(
    connection: Connection, dataset: str, say: Callable[[str], None] | None = None, *, waits: bool = True
) -> bool:
    """Take the dataset's lock until the transaction ends; return whether another loader had to be waited for.

    Raises
    ------
    DeliveryError
        Another loader has it, and it is not to be waited for.
    """
    row = connection.execute("select pg_try_advisory_xact_lock(%s, hashtext(%s))", [_DATASET_LOCKS, dataset]).fetchone()
    if row and row[0]:
        return False
    if not waits:
        raise DeliveryError(
            f"Another loader is at work on {dataset}, and it was not to be waited for.",
            "Run the same command again later, or without --no-wait.",
        )
    if say is not None:
        say(f"{dataset}: another loader is at work on it, waiting for it to end")
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [_DATASET_LOCKS, dataset])
    return True


def hash_declaration(dataset: Dataset, catalog: Catalog) -> bytes:
    """SHA-256 of what the declarations say of loading a dataset: names for the screen and bounds are left out."""
    told = asdict(dataset)
    for key in ("name", "each_row_is_a", "licence", "department", "expect", "delivery", "fetch"):
        told.pop(key, None)
    told["source"].pop("files")
    for column in told["columns"]:
        column.pop("name")
    told["datum"] = dataset.source.datum and asdict(catalog.datums[dataset.source.datum])
    told["sealed"], told["zone"] = _sealed(dataset, catalog), catalog.city.zone
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).digest()


def meaning_of(dataset: Dataset, catalog: Catalog) -> str:
    """What makes another row of the same values: a row that means something else now is written anew."""
    columns = [(c.key, c.type) for c in dataset.columns]
    told = [dataset.table, dataset.category, dataset.sensitive, dataset.source.crs, _sealed(dataset, catalog), columns]
    return json.dumps(told)


def _sealed(dataset: Dataset, catalog: Catalog) -> list[str]:
    return sorted(c.key for c in catalog.categories.values() if c.sensitive and c.table == dataset.table)


def loaded_before(connection: Connection, dataset: str, content_hash: bytes, declaration: bytes) -> Known:
    """Whether this very file was loaded before, under the declaration as it is or only under another."""
    row = connection.execute(
        "select count(*), count(*) filter (where declaration_hash = %s)"
        " from raw.delivery where dataset = %s and content_hash = %s",
        [declaration, dataset, content_hash],
    ).fetchone()
    n, same = row or (0, 0)
    return "as_declared" if same else "otherwise" if n else "new"


def open_delivery_row(
    connection: Connection,
    dataset: Dataset,
    path: Path,
    content: tuple[bytes, int],
    declaration: bytes,
    edition: int,
    now: datetime,
) -> int:
    """Write the delivery into the ledger, its counts still zero; return its id."""
    row = connection.execute(
        _OPEN,
        {
            "dataset": dataset.key,
            "file": path.name,
            "content": content[0],
            "size": content[1],
            "edition": edition,
            "now": now,
            "by": getpass.getuser(),
            "declaration": Jsonb(asdict(dataset)),
            "hash": declaration,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def close_delivery_row(connection: Connection, delivery_id: int, report: DeliveryReport) -> None:
    """Write what became of the delivery, once the sums agree.

    Raises
    ------
    AtlasError
        Rows read are not rows loaded, unchanged, quarantined and forgotten.
    """
    told = report.n_inserted + report.n_updated + report.n_unchanged + report.n_quarantined + report.n_forgotten
    row = connection.execute("select count(*) from raw.quarantine where delivery_id = %s", [delivery_id]).fetchone()
    if told != report.n_read or row is None or row[0] != report.n_quarantined:
        raise AtlasError(
            f"{report.file}: of {report.n_read} rows read, {told} are accounted for.",
            "Nothing was loaded. This is a fault of the loader: please report it with the file.",
        )
    connection.execute(
        _CLOSE,
        [
            report.n_read,
            report.n_inserted,
            report.n_updated,
            report.n_unchanged,
            report.n_quarantined,
            report.n_unplaced,
            report.n_forgotten,
            Jsonb(report.ledger_entry()),
            delivery_id,
        ],
    )

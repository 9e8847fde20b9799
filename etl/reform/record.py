"""What was asked of a reform, what became of it, and the line in the ledger that keeps it from being done twice."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

from psycopg.types.json import Jsonb

from etl.copying import Connection

_KEEP = """
insert into raw.reform (edition, file_name, content_hash, carried_out_at, carried_out_by, report)
values (%s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Order:
    """A reform as it is asked for: plan, first day, outlines if any; `is_dry`: only say what would happen.

    `within` is the part of the tree that the plan may change, the county of its first line where nothing is said.
    """

    plan: Path
    on: date
    grids: Path | None = None
    name: str = ""
    tolerance_m2: float = 100.0
    is_dry: bool = False
    within: str | None = None

    def content(self) -> bytes:
        """SHA-256 of all that was delivered for it, the day included."""
        digest = hashlib.sha256(self.on.isoformat().encode())
        for path in (self.plan, self.grids):
            if path is not None and path.is_file():
                digest.update(path.read_bytes())
        return digest.digest()


@dataclass
class ReformReport:
    """What became of a reform; `status` is done, known (carried out before) or dry.

    `changes` counts old grids by kind of change, those that only follow the grid above as `followed`; `grids` has the
    number of grids before and after by level. Rows: tied by point, by succession, carried by share, moved to another
    town. `became` says of each listed grid what it is now, `scopes` of accounts whose scope changed or needs a look.
    """

    edition: int
    on: date
    status: str = "done"
    changes: dict[str, int] = field(default_factory=dict)
    grids: dict[str, tuple[int, int]] = field(default_factory=dict)
    became: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    n_by_point: int = 0
    n_by_succession: int = 0
    n_carried: int = 0
    n_moved: int = 0
    n_tally_rows: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


def carried_out(connection: Connection, order: Order) -> int | None:
    """Edition that this very plan opened, when it was carried out before."""
    row = connection.execute("select edition from raw.reform where content_hash = %s", [order.content()]).fetchone()
    return None if row is None else int(row[0])


def keep_record(connection: Connection, order: Order, report: ReformReport, now: datetime) -> None:
    """Write down that the reform was carried out."""
    entry = {key: value for key, value in asdict(report).items() if key not in ("edition", "on", "became")}
    connection.execute(_KEEP, [report.edition, order.plan.name, order.content(), now, getpass.getuser(), Jsonb(entry)])


def sentences(report: ReformReport) -> Iterator[str]:
    """Say what became of a reform, a sentence at a time."""
    if report.status == "known":
        yield "这次调整以前做过，没有变动 This reform was carried out before, nothing to do."
        return
    yield from report.became
    told = ", ".join(f"{kind} {n:,}" for kind, n in sorted(report.changes.items()))
    yield f"网格 Grids: {told}"
    before_after = ", ".join(f"{level} {was:,} -> {now:,}" for level, (was, now) in report.grids.items())
    yield f"各级 Levels: {before_after}"
    if report.status == "dry":
        yield f"试算，没有变动 A dry run: on {report.on} this would open edition {report.edition}; nothing was changed."
        return
    yield (
        f"数据 Rows: {report.n_by_point:,} by point, {report.n_by_succession:,} by succession"
        f" (of them {report.n_carried:,} carried by share), {report.n_moved:,} moved to another town"
    )
    for said in report.scopes:
        yield f"账号范围 Scope of {said}"
    yield f"第 {report.edition} 版网格自 {report.on} 起施行 Edition {report.edition} holds from {report.on} on."

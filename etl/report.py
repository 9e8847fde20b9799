"""Report: what became of each delivery, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from etl.reasons import REASONS

_SHOWN = 5
_WIDE = 100
"""Columns a screen must have for the names of the files to be shown beside those of the datasets."""
_COUNTED = ("读入\nread", "新增\nnew", "更新\nupdated", "不变\nsame", "退回\nrefused", "未落格\nunplaced", "秒\ns")
_UNCOUNTED = {"known": "已入库", "refused": "[red]未入库[/red]"}

_KEPT = (
    "reasons", "tied", "dropped", "out_of_scope", "filled", "repeats", "alike", "accepted", "notes", "seconds",
    "n_stale", "n_moved", "n_gone", "n_returned", "n_repaired",
)  # fmt: skip
"""What the ledger keeps as JSON; the other counts have columns."""


@dataclass
class DeliveryReport:
    """What became of one delivered file.

    `status` is `loaded`, `known` (the same file was loaded before) or `refused` (nothing of it was loaded; `problem`
    says why). n_read = n_inserted + n_updated + n_unchanged + n_quarantined + n_forgotten, the last
    being rows of people who were deleted by request.
    """

    dataset: str
    file: str
    status: str = "loaded"
    n_read: int = 0
    n_inserted: int = 0
    n_updated: int = 0
    n_unchanged: int = 0
    n_quarantined: int = 0
    n_unplaced: int = 0
    n_forgotten: int = 0
    n_stale: int = 0
    n_moved: int = 0
    n_gone: int = 0
    n_returned: int = 0
    n_repaired: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    tied: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    out_of_scope: list[str] = field(default_factory=list)
    filled: dict[str, int] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    alike: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    problem: str = ""
    exit_code: int = 0

    def ledger_entry(self) -> dict[str, Any]:
        """The part that the ledger keeps as JSON."""
        return {name: value for name, value in asdict(self).items() if name in _KEPT}


@dataclass(frozen=True)
class RunReport:
    """What became of a whole run: one report for each delivery, and what was found beside them."""

    deliveries: Sequence[DeliveryReport]
    absent: Sequence[str] = ()
    strangers: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 when every delivery was taken in, else the code of the first that was not."""
        return next((d.exit_code for d in self.deliveries if d.exit_code), 0)

    def as_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(
            {
                "deliveries": [asdict(d) for d in self.deliveries],
                "absent": list(self.absent),
                "strangers": list(self.strangers),
                "seconds": round(self.seconds, 3),
                "exit_code": self.exit_code,
            },
            ensure_ascii=False,
            indent=1,
            default=str,
        )


def write_json(report: RunReport, path: Path) -> None:
    """Write the report to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.as_json() + "\n", encoding="utf-8")


def print_report(report: RunReport, console: Console) -> None:
    """Print the report as a table, and below it what somebody has to look at."""
    with_file = console.width >= _WIDE
    table = Table(
        title="报送数据入库 Deliveries", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for heading in ("数据集\ndataset", "文件\nfile") if with_file else ("数据集\ndataset",):
        table.add_column(heading, overflow="fold")
    for heading in _COUNTED:
        table.add_column(heading, justify="right", no_wrap=True)
    for d in report.deliveries:
        named = (d.dataset, d.file) if with_file else (d.dataset,)
        counts = (d.n_read, d.n_inserted, d.n_updated, d.n_unchanged, d.n_quarantined, d.n_unplaced)
        told = [f"{n:,}" for n in counts] if d.status == "loaded" else [_UNCOUNTED[d.status], *[""] * 5]
        table.add_row(*named, *told, f"{d.seconds.get('total', 0):.1f}")
    console.print(table)
    for line in _lines(report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(report: RunReport) -> list[str]:
    lines = []
    for d in report.deliveries:
        if d.problem:
            lines.append(f"✗ {d.dataset}: {d.problem}")
        if d.reasons:
            said = "，".join(f"{REASONS[r].name.zh} {r} {n:,}" for r, n in sorted(d.reasons.items()))
            lines.append(f"{d.dataset} 退回 refused: {said}")
        if d.out_of_scope:
            lines.append(f"{d.dataset}: 不得收集，已丢弃 out of scope, dropped: {'、'.join(d.out_of_scope)}")
        if d.dropped:
            lines.append(f"{d.dataset}: 未声明，已丢弃 not declared, dropped: {'、'.join(d.dropped)}")
        for columns, n in d.repeats.items():
            lines.append(f"{d.dataset}: {columns} 在不同键下重复 stands under other keys too: {n:,}")
        if d.alike:
            most = sorted(d.alike.items(), key=lambda item: (-item[1], item[0]))
            said = "；".join(f"{names} {n:,}" for names, n in most[:_SHOWN]) + ("；.." if len(most) > _SHOWN else "")
            lines.append(f"{d.dataset}: 地址可指多处 addresses that mean several places: {said}")
            lines.append(f"  逐行 row by row: python -m etl unplaced {d.dataset}")
        if d.accepted:
            lines.append(
                f"{d.dataset}: 已由 {d.accepted['by']} 确认收下 accepted: {' '.join(d.accepted['in_spite_of'])}"
            )
        lines += [f"{d.dataset}: {name} {said}" for name, value in d.notes.items() if (said := _said(value))]
    if report.absent:
        lines.append(f"无文件 no file for: {', '.join(report.absent)}")
    lines += report.strangers
    return lines


def _said(value: Any) -> str:
    """A note as it is printed: nothing for nothing, long lists by their length and beginning."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {n:,}" for name, n in value.items() if n)
    if isinstance(value, list):
        more = ", .." if len(value) > _SHOWN else ""
        return f"{len(value):,} ({', '.join(map(str, value[:_SHOWN]))}{more})" if value else ""
    if isinstance(value, str):
        return value
    return f"{value:,}" if value else ""

"""Lines of a reform's plan: a table a civil-affairs clerk fills in, read as it stands, with every problem told at once.

| heading          | what stands there                                                     |
|------------------|-----------------------------------------------------------------------|
| 旧编码 old_code  | code of a grid of the edition in force                                |
| 旧名称 old_name  | what it is called there; may be empty, and is compared when given     |
| 新编码 new_code  | its code from the day of the reform on                                |
| 新名称 new_name  | its name from then on; may be empty when the name stays               |
| 变化 change      | 保留 kept, 更名 renamed, 改码 re-coded, 合并 merged, 拆分 split, 划转 moved |
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from etl.sources.encoding import find_encoding
from layers.codes import LENGTHS
from layers.errors import DeliveryError

HEADINGS = {
    "old_code": ("旧编码", "old_code", "old code"),
    "old_name": ("旧名称", "old_name", "old name"),
    "new_code": ("新编码", "new_code", "new code"),
    "new_name": ("新名称", "new_name", "new name"),
    "change": ("变化", "change", "变更", "kind of change"),
}
"""Headings by what stands below them; the first is the one that is shown."""

CHANGES = {
    "kept": ("保留", "kept", "不变"),
    "renamed": ("更名", "renamed", "改名"),
    "re-coded": ("改码", "re-coded", "recoded"),
    "merged": ("合并", "merged", "并入"),
    "split": ("拆分", "split"),
    "moved": ("划转", "moved", "划入"),
}
"""Kinds of change and how they may be written; the first is the one that is shown."""

_KIND_OF = {word: kind for kind, words in CHANGES.items() for word in words}
_MOST_TOLD = 40


@dataclass(frozen=True)
class Line:
    """One line of the plan: what becomes of one old grid, or of one part of it; `line` is its number in the file."""

    line: int
    old_code: str
    old_name: str
    new_code: str
    new_name: str
    change: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of one line, and how to mend it; line 0 stands for the plan as a whole."""

    line: int
    field: str
    value: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}, {HEADINGS[self.field][0]} {self.value!r}: " if self.line else ""
        return f"{where}{self.what} {self.remedy}"


def refuse(problems: Iterable[Problem], name: str) -> None:
    """Raise when there is any problem, and name all of them.

    Raises
    ------
    DeliveryError
        There is one.
    """
    told = sorted(problems, key=lambda one: (one.line, one.field))
    if not told:
        return
    more = [f"  .. and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
    raise DeliveryError(
        f"{name} has {len(told)} problem{'s' if len(told) > 1 else ''}:\n"
        + "\n".join([f"  {one}" for one in told[:_MOST_TOLD]] + more),
        "Nothing was changed. Mend the lines named above, then run the same command again.",
    )


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a plan; empty lines are left out.

    Raises
    ------
    DeliveryError
        The file cannot be read, a heading is missing, or a line cannot be understood; all problems at once.
    """
    if not path.is_file():
        raise DeliveryError(f"There is no file {path}.", "Name the table of the reform, saved as CSV.")
    text = path.read_text(encoding=find_encoding(path)).removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first and "," not in first else ",")
    head = [cell.strip() for cell in next(rows, [])]
    at = {key: next((head.index(word) for word in words if word in head), -1) for key, words in HEADINGS.items()}
    lacking = [HEADINGS[key][0] for key in ("old_code", "new_code", "change") if at[key] < 0]
    if lacking:
        raise DeliveryError(
            f"{path.name} has no column {'、'.join(lacking)}.",
            f"The headings are {'、'.join(words[0] for words in HEADINGS.values())}, or "
            f"{', '.join(words[1] for words in HEADINGS.values())}.",
        )
    lines, problems = [], list[Problem]()
    for cells in rows:
        values = {key: cells[i].strip() if 0 <= i < len(cells) else "" for key, i in at.items()}
        if not any(values.values()):
            continue
        kind = _KIND_OF.get(values["change"].casefold(), "")
        if not kind:
            problems.append(_unknown_change(rows.line_num, values["change"]))
        lines.append(Line(rows.line_num, **{**values, "change": kind}))
    refuse(problems, path.name)
    if not lines:
        raise DeliveryError(f"{path.name} holds no line.", "Write a line for each grid that changes.")
    return lines


def outside(lines: Iterable[Line], within: str | None) -> list[Problem]:
    """Find the lines that change grids beside the part of the tree the plan is of: one county's is not another's."""
    told = list(lines)
    part = within or told[0].old_code[: LENGTHS["county"]]
    return [
        Problem(
            line.line, name, code, f"it lies beside {part}, whose plan this is.",
            "Give each county a plan of its own, or name the part of the tree that it may change by --within.",
        )
        for line in told
        for name, code in (("old_code", line.old_code), ("new_code", line.new_code))
        if not code.startswith(part)
    ]  # fmt: skip


def _unknown_change(line: int, value: str) -> Problem:
    near = difflib.get_close_matches(value, _KIND_OF, n=1, cutoff=0.5)
    words = "、".join(f"{zh} ({en})" for zh, en, *_ in CHANGES.values())
    hint = f"Did you mean {near[0]}? " if near else ""
    return Problem(line, "change", value, "there is no such change.", f"{hint}Write one of {words}.")

"""What becomes of every grid: the lines of the plan, and all that follows from them for the grids nobody listed.

A grid without a line follows the grid above it: it keeps its last three digits, its name and its outline. So a town
that gets another code needs one line, and so does a village that moves with its groups.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from etl.reform.lines import Line, Problem
from layers.codes import LENGTHS, parent_of

_JOINS = ("merged", "split")


@dataclass(frozen=True)
class Step:
    """One old grid, or a part of it, and the new grid it becomes; `line` 0: it follows the grid above."""

    old: str
    new: str
    change: str
    line: int


@dataclass(frozen=True)
class Plan:
    """Steps of all old grids, by code, and the name of every new one."""

    steps: tuple[Step, ...]
    names: Mapping[str, str]

    @property
    def news(self) -> dict[str, list[str]]:
        """New grids of each old one."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            found.setdefault(step.old, []).append(step.new)
        return found

    @property
    def olds(self) -> dict[str, list[str]]:
        """Old grids of each new one."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            found.setdefault(step.new, []).append(step.old)
        return found


def make_plan(
    lines: Sequence[Line], grids: pd.DataFrame, gone: Mapping[str, str] | None = None
) -> tuple[Plan, list[Problem]]:
    """Work out what becomes of every grid, and what is wrong with the lines.

    Parameters
    ----------
    lines
        Lines of the plan.
    grids
        Grids of the edition in force, by code: code, name, aliases.
    gone
        What became of codes of older editions, a sentence each.
    """
    known = {code: (name, aliases) for code, name, aliases in zip(grids.code, grids.name, grids.aliases, strict=True)}
    problems = [one for line in lines for one in _line_problems(line, known, gone or {})]
    wrong = {one.line for one in problems}
    usable = [line for line in lines if line.line not in wrong]
    steps, more = _steps(usable, list(known))
    plan = Plan(tuple(steps), _names(usable, steps, known))
    if not problems:  # what follows from a wrong line would only hide it
        problems += [*more, *_together(usable, steps, known), *_places(steps), *_named_twice(usable, plan, known)]
    return plan, problems


def _line_problems(
    line: Line, known: Mapping[str, tuple[str, list[str]]], gone: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with a line by itself."""
    old, new = line.old_code, line.new_code

    def problem(field: str, value: str, what: str, remedy: str) -> Problem:
        return Problem(line.line, field, value, what, remedy)

    if old not in known:
        near = difflib.get_close_matches(old, [c for c in known if len(c) == len(old)] or known, n=2, cutoff=0.6)
        if old in gone:
            yield problem("old_code", old, gone[old], "Write the code of today.")
            return
        hint = f"The nearest are {', '.join(f'{code} {known[code][0]}' for code in near)}." if near else ""
        yield problem("old_code", old, "no grid in force has this code.", hint or "Write a code of the present grids.")
        return
    name, aliases = known[old]
    if line.old_name and line.old_name not in (name, *aliases):
        yield problem("old_name", line.old_name, f"{old} is called {name}.", "Mend the code or the name.")
    city = next(iter(known))[: LENGTHS["city"]]
    if not new.isdigit() or len(new) != len(old) or not new.startswith(city) or len(new) == LENGTHS["city"]:
        remedy = f"Write {len(old)} digits that begin with {city}, since {old} has as many."
        yield problem("new_code", new, "this cannot be its new code.", remedy)
        return
    yield from _change_problems(line, name)


def _change_problems(line: Line, name: str) -> Iterator[Problem]:
    """Where the kind of change does not agree with codes and names."""
    old, new, same = line.old_code, line.new_code, line.new_name in ("", name)
    said = line.change
    if said == "kept" and (old != new or not same):
        kind = "改码 re-coded" if old != new else "更名 renamed"
        yield Problem(line.line, "change", "保留", "code or name change all the same.", f"Write {kind}.")
    if said == "renamed" and (old != new or same):
        what = "its code changes too." if old != new else f"it is called {name} already."
        yield Problem(line.line, "change", "更名", what, "Write 改码 re-coded, or give the new name.")
    if said == "re-coded" and old == new:
        yield Problem(line.line, "new_code", new, "this is its old code.", "Give the new one, or write 保留 kept.")
    if said == "moved" and parent_of(old) == parent_of(new):
        yield Problem(line.line, "new_code", new, f"it stays in {parent_of(old)}.", "Write 改码 re-coded, or mend it.")


def _steps(lines: Sequence[Line], codes: Sequence[str]) -> tuple[list[Step], list[Problem]]:
    """Steps of all old grids: those of the lines, else what follows from the grid above."""
    told: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        told[line.old_code].append(line)
    steps: dict[str, list[Step]] = {}
    problems = []
    for code in sorted(codes, key=lambda one: (len(one), one)):
        if code in told:
            steps[code] = [Step(code, line.new_code, line.change, line.line) for line in told[code]]
            continue
        above = parent_of(code)
        news = {step.new for step in steps[above]} if above in steps else {above or ""}
        if len(news) > 1:
            remedy = "Add a line that says where it goes."
            problems.append(Problem(steps[above or ""][0].line, "old_code", above or "", f"{code} lies in it.", remedy))
        new = min(news) + code[len(above or "") :]
        steps[code] = [Step(code, new, "kept" if new == code else "re-coded", 0)]
    return [step for code in sorted(steps) for step in steps[code]], problems


def _together(
    lines: Sequence[Line], steps: Sequence[Step], known: Mapping[str, tuple[str, list[str]]]
) -> Iterator[Problem]:
    """Where several lines do not agree: parts of one grid, grids that come to one code."""
    by_old, by_new = defaultdict(list), defaultdict(list)
    for step in steps:
        by_old[step.old].append(step)
        by_new[step.new].append(step)
    for old, parts in by_old.items():
        if len({part.new for part in parts}) < len(parts):
            yield Problem(parts[-1].line, "new_code", parts[-1].new, f"{old} has this line twice.", "Leave one out.")
        elif len(parts) > 1:
            for part in parts:
                if part.change != "split":
                    remedy = "Write 拆分 split on each of them."
                    yield Problem(part.line, "change", part.change, f"{old} has {len(parts)} lines.", remedy)
        elif parts[0].change == "split":
            yield Problem(parts[0].line, "change", "拆分", f"{old} has this one line only.", "Add its other parts.")
    for new, parts in by_new.items():
        alone = [part for part in parts if part.change not in _JOINS]
        clash = len(parts) > 1 and (len(alone) > 1 or any(part.old != new for part in alone))
        if clash:
            line = max(part.line for part in parts)
            olds = "、".join(f"{part.old} {known[part.old][0]}" for part in parts)
            remedy = "Write 合并 merged where they become one; else give each a line with a code of its own."
            yield Problem(line, "new_code", new, f"{olds} would all have this code.", remedy)
        elif len(parts) == 1 and parts[0].change == "merged":
            yield Problem(
                parts[0].line, "new_code", new, "nothing else comes to this code.", "Add what it merges with."
            )


def _places(steps: Sequence[Step]) -> Iterator[Problem]:
    """Where a new grid lies in none."""
    new = {step.new for step in steps}
    for step in steps:
        above = parent_of(step.new)
        if above is not None and above not in new:
            remedy = f"Add a line that makes {above}, or mend the code."
            yield Problem(step.line, "new_code", step.new, f"there will be no grid {above} for it to lie in.", remedy)


def _named_twice(lines: Sequence[Line], plan: Plan, known: Mapping[str, tuple[str, list[str]]]) -> Iterator[Problem]:
    """Where a new grid has several names, or none."""
    said: dict[str, str] = {}
    for line in lines:
        if line.new_name and said.setdefault(line.new_code, line.new_name) != line.new_name:
            what = f"{line.new_code} is called {said[line.new_code]} in another line."
            yield Problem(line.line, "new_name", line.new_name, what, "Write the same name in both.")
    first = {step.new: step.line for step in reversed(plan.steps)}
    for code, line_no in first.items():
        if code not in plan.names:
            yield Problem(line_no, "new_name", "", f"{code} has no name yet.", "Write it into one of its lines.")


def _names(lines: Sequence[Line], steps: Sequence[Step], known: Mapping[str, tuple[str, list[str]]]) -> dict[str, str]:
    """Name of each new grid: the one that is written, else that of the only old one, or of the one that stays."""
    names = {line.new_code: line.new_name for line in lines if line.new_name}
    olds: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        olds[step.new].append(step)
    for new, parts in olds.items():
        stays = [part for part in parts if part.old == new] or (parts if len(parts) == 1 else [])
        if new not in names and stays and (stays[0].change != "split" or stays[0].old == new):
            names[new] = known[stays[0].old][0]
    return names

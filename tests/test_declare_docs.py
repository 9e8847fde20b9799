"""The reference of declarations has the keys that are read, no more and no fewer, with what they must be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layers.declare import case_keys, emergency_keys, keys
from layers.declare.core_columns import CORE, NEEDED, WORDS, reserved
from layers.declare.kinds import Key, Shape

DOCS = (Path(__file__).parent.parent / "docs" / "declarations.md").read_text(encoding="utf-8")

SHAPES = {
    "`city.toml`": keys.CITY,
    "`departments.toml`": keys.DEPARTMENT,
    "`categories.toml`": keys.CATEGORY,
    "`datums.toml`": keys.DATUM,
    "`datasets/NAME.toml`": keys.DATASET,
    "`[source]`": keys.SOURCE,
    "`[columns]`": keys.COLUMN,
    "`[fetch]`": keys.FETCH,
    "`[expect]`": keys.EXPECT,
    "`[[unique]]`": keys.UNIQUE,
    "`layers/NAME.toml`": keys.LAYER,
    "`indicators/NAME.toml`": keys.INDICATOR,
    "`[count]` and `[of]`": keys.COUNT,
    "`[people]`": emergency_keys.PART,
    "`[classes]`": keys.CLASSES,
    "`scenarios/NAME.toml`": keys.SCENARIO,
    "`breakdowns/NAME.toml`": keys.BREAKDOWN,
    "`care/NAME.toml`": keys.CARE,
    "`calendar.toml`": keys.CALENDAR,
    "`[years]`": case_keys.YEAR,
    "`limits.toml`": keys.LIMITS,
    "`[normal]` and `[urgent]`": case_keys.LIMIT,
    "`[[due]]`": case_keys.DUE,
    "`routing.toml`": keys.ROUTING,
    "`[[routes]]`": case_keys.ROUTE,
    "`retention.toml`": keys.RETENTION,
    "`[[rules]]`": keys.RETENTION_RULE,
    "`emergency.toml`": keys.EMERGENCY,
    "`[protected]`": emergency_keys.TARGET,
    "`[resources]`": emergency_keys.RESOURCE,
    "`[care]`": emergency_keys.CARE,
}


def rows(heading: str, first: str) -> list[list[str]]:
    """Cells of the table under a heading whose first column is called `first`."""
    section = re.split(r"^#+ ", DOCS.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = section[section.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def default(key: Key) -> str:
    if key.needed:
        return "needed"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    if isinstance(key.default, int | float):
        return f"`{key.default:g}`"
    return f'`"{key.default}"`' if key.default and isinstance(key.default, str) else ""


@pytest.mark.parametrize("heading", SHAPES)
def test_every_key_is_in_the_reference(heading: str) -> None:
    wanted = [[f"`{key.name}`", key.kind.says, default(key)] for key in SHAPES[heading].keys]
    assert [cells[:3] for cells in rows(heading, "key")] == wanted
    assert all(len(cells) == 4 for cells in rows(heading, "key")), "each has a meaning"


def test_no_table_of_keys_is_left_out() -> None:
    shapes = [
        value
        for value in (*vars(keys).values(), *vars(case_keys).values(), *vars(emergency_keys).values())
        if isinstance(value, Shape) and value.says != keys.TITLE.says
    ]
    assert {shape.says for shape in SHAPES.values()} == {shape.says for shape in shapes}


def test_every_column_type_and_formula_is_in_the_reference() -> None:
    assert [cells[0] for cells in rows("`[columns]`", "type")] == [f"`{type_}`" for type_ in keys.COLUMN_TYPES]
    formula = next(key.kind for key in keys.INDICATOR.keys if key.name == "formula")
    assert [cells[0].strip("`") for cells in rows("`indicators/NAME.toml`", "formula")] == list(formula.words)  # type: ignore[attr-defined]


def test_every_core_column_is_in_the_reference() -> None:
    wanted = [
        [
            f"`{table}`",
            ", ".join(
                f"{f'**{key}**' if key in NEEDED.get(table, ()) else key} ({' '.join(types)})"
                for key, types in columns.items()
            ),
        ]
        for table, columns in CORE.items()
    ]
    assert rows("`[columns]`", "table") == wanted


def test_core_columns_are_columns_of_their_tables() -> None:
    from layers.declare.core_columns import _MODELS

    sealed = {"person": {"name", "number", "phone"}}
    keys_of_others = {"event_step": {"event_key"}}  # looked up while loading
    assert set(CORE) == set(keys.TABLES)
    for table, columns in CORE.items():
        there = {column.name for column in _MODELS[table].__table__.columns}
        assert set(columns) - there == sealed.get(table, set()) | keys_of_others.get(table, set()), table
        assert not reserved(table) & set(columns)
        assert {key for of, key in WORDS if of == table} <= set(columns)
        assert all(set(types) <= set(keys.COLUMN_TYPES) for types in columns.values())

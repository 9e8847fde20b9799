"""How long what is kept of people is kept, and what for: records, keys and checks of `retention.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from layers.declare.kinds import Key, ListOf, OneOf, Shape
from layers.declare.values import a_text, whole
from layers.tables import metadata

if TYPE_CHECKING:
    from layers.declare.check_datasets import Said
    from layers.declare.records import Catalog, Text


@dataclass(frozen=True)
class Rule:
    """Columns of one table that say something of a person, what for, and how long."""

    table: str
    columns: tuple[str, ...]
    purpose: Text
    do: Literal["keep", "delete", "clear"] = "keep"
    days: int | None = None
    since: str | None = None
    of: str | None = None
    by: str = "id"


@dataclass(frozen=True)
class Retention:
    """The register: every column that says something of a person, and the patterns of those that do not."""

    rules: tuple[Rule, ...] = ()
    impersonal: tuple[str, ...] = ()


def retention_shapes(title: Shape) -> tuple[Shape, Shape]:
    """Make the shapes of `retention.toml` and of its rules; `title` is a text in both languages."""
    rule = Shape(
        "[[rules]]",
        (
            Key("table", a_text("vault.person"), needed=True),
            Key("columns", ListOf(a_text("born_on")), needed=True),
            Key("purpose", title, needed=True),
            Key("do", OneOf(("keep", "delete", "clear")), default="keep"),
            Key("days", whole(1, 36500, 365)),
            Key("since", a_text("gone_on")),
            Key("of", a_text("ops.event")),
            Key("by", a_text("event_id"), default="id"),
        ),
        lambda name, values: Rule(**values),
    )
    whole_file = Shape(
        "retention.toml",
        (
            Key("rules", ListOf(rule), default=()),
            Key("impersonal", ListOf(a_text("*.town_code")), default=()),
        ),
        lambda name, values: Retention(**values),
    )
    return whole_file, rule


def _tables_are_there(retention: Retention, catalog: Catalog) -> Said:
    for at, rule in enumerate(retention.rules):
        for key, name in (("table", rule.table), ("of", rule.of)):
            if name is not None and name not in metadata.tables:
                yield ("rules", at, key), f"there is no table {name}; write its schema too, as in vault.person."
        table = metadata.tables.get(rule.table)
        if table is None:
            continue
        for column in (*rule.columns, *([rule.by] if rule.of else [])):
            if column not in table.columns:
                yield ("rules", at, "columns"), f"{rule.table} has no column {column}; correct it."


def _rules_can_be_kept(retention: Retention, catalog: Catalog) -> Said:
    for at, rule in enumerate(retention.rules):
        if (rule.do == "keep") != (rule.days is None) or (rule.days is None) != (rule.since is None):
            says = 'what is deleted or cleared needs days and since, and do = "keep" has neither.'
            yield ("rules", at, "do"), says
            continue
        dated: Any = metadata.tables.get(rule.of or rule.table)
        if rule.since is not None and dated is not None and rule.since not in dated.columns:
            yield ("rules", at, "since"), f"{dated.fullname} has no column {rule.since}; name the day or moment."
        if rule.do == "clear" and rule.table in metadata.tables:
            columns = metadata.tables[rule.table].columns
            for column in rule.columns:
                if column in columns and not columns[column].nullable:
                    says = f'{rule.table}.{column} cannot be empty; write do = "delete".'
                    yield ("rules", at, "columns"), says


CHECKS = ((_tables_are_there, ("rules",)), (_rules_can_be_kept, ("rules",)))

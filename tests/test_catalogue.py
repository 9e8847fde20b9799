"""The rules the schema keeps, read from the database's own catalogue: for later distribution, and for who sees what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import copy_of

from layers.database import Database
from layers.migrations import differences
from layers.tables import SCHEMAS, metadata

REFERENCE = {
    "pub.edition",
    "pub.people_withheld",
    "pub.grid",
    "pub.succession",
    "pub.grid_shape",
    "pub.dataset",
    "pub.category",
    "ops.transition",
    "vault.care_group",
}
"""Small and the same everywhere; never point at data tables."""

LOCAL = {
    *(
        "raw.delivery",
        "raw.quarantine",
        "raw.held_index",
        "raw.source_registry",
        "raw.staging",
        "raw.reform",
        "raw.recount",
        "raw.tombstone",
        "raw.amendment",
    ),
    *("auth.account", "auth.session", "auth.pairing", "auth.analyst", "auth.key", "audit.entry", "audit.seal"),
}
"""Kept in one place: accounts, audit, the ledger, and the registry that finds a row's town."""

NAMING = {
    "auth.account.name": "of an account",
    "auth.key.name": "of a key",
    "pub.edition.name": "of an edition",
    "pub.grid.name": "of a grid",
    "ops.place.name": "of a place",
    "ops.thing.name": "of a thing",
    "ops.organisation.name": "of an organisation; a household has none",
    "ops.grid_worker.name": "on the duty list",
    "ops.grid_worker.work_phone": "of the post",
    "raw.delivery.file_name": "of a file",
    "raw.reform.file_name": "of a file",
    "raw.held_index.table_name": "of a table",
    "pub.dataset.table_name": "of a table",
    "vault.identity.name_sealed": "encrypted",
    "vault.identity.number_sealed": "encrypted",
    "vault.identity.phone_sealed": "encrypted",
    "vault.identity.name_token": "keyed token",
    "vault.identity.phone_token": "keyed token",
    "vault.person.has_number": "whether there is one",
}
"""Columns that sound as if they could name somebody, each with why it does not."""

CODES = {"code", "dataset", "source_key", "category", "department", "credit_code", "breakdown", "cell", "household"}


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def admin(here: Database) -> Iterator[psycopg.Connection[Any]]:
    with here.connect("admin", autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def keys(admin: psycopg.Connection[Any]) -> list[tuple[str, str, str, list[str]]]:
    """Every primary and unique key, indexes included: table, key, kind and columns in order."""
    return admin.execute(
        """
        select t.relnamespace::regnamespace || '.' || t.relname, i.relname::text,
               case when x.indisprimary then 'p' else 'u' end,
               array(select a.attname::text from unnest(x.indkey) with ordinality k (no, at)
                     join pg_attribute a on a.attrelid = t.oid and a.attnum = k.no order by k.at)
        from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
        where x.indisunique and t.relnamespace::regnamespace::text = any(%s) order by 1, 2
        """,
        [list(SCHEMAS)],
    ).fetchall()


def tables(admin: psycopg.Connection[Any]) -> set[str]:
    rows = admin.execute(
        "select schemaname || '.' || tablename from pg_tables where schemaname = any(%s)", [list(SCHEMAS)]
    )
    return {name for (name,) in rows}


def data_tables(admin: psycopg.Connection[Any]) -> set[str]:
    return tables(admin) - REFERENCE - LOCAL


def test_models_and_database_agree(here: Database, admin: psycopg.Connection[Any]) -> None:
    assert differences(here) == []
    assert tables(admin) == set(metadata.tables), "a table has no model, or a model no table"
    assert tables(admin) >= REFERENCE | LOCAL


def test_checks_in_models_and_database_agree(admin: psycopg.Connection[Any]) -> None:
    in_models = {
        (name, str(check.name))
        for name, table in metadata.tables.items()
        for check in table.constraints
        if type(check).__name__ == "CheckConstraint"
    }
    rows = admin.execute(
        "select conrelid::regclass::text, conname from pg_constraint where contype = 'c'"
        " and connamespace::regnamespace::text = any(%s)",
        [list(SCHEMAS)],
    ).fetchall()
    assert {(table, name) for table, name in rows} == {(table, f"{name}") for table, name in in_models}


def test_primary_keys_of_data_tables_hold_the_town(admin: psycopg.Connection[Any], keys: Any) -> None:
    primary = {table: columns for table, _, kind, columns in keys if kind == "p"}
    assert [table for table in data_tables(admin) if "town_code" not in primary.get(table, [])] == []


def test_keys_of_elements_begin_with_the_id_they_are_loaded_by(keys: Any) -> None:
    """Rows come in the order of their ids: the key of a million is then made without sorting."""
    elements = {"vault.person", "ops.event", "ops.place", "ops.thing", "ops.organisation"}
    primary = {table: columns for table, _, kind, columns in keys if kind == "p" and table in elements}
    assert primary == {table: ["id", "town_code"] for table in elements}


def test_unique_keys_of_data_tables_hold_the_town(admin: psycopg.Connection[Any], keys: Any) -> None:
    assert [key for table, key, _, columns in keys if table in data_tables(admin) and "town_code" not in columns] == []


def test_town_is_an_ordinary_text_column_that_is_never_null(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        """
        select table_schema || '.' || table_name, data_type, is_nullable, is_generated, collation_name
        from information_schema.columns where column_name = 'town_code' and table_schema = any(%s)
        """,
        [list(SCHEMAS)],
    ).fetchall()
    assert {row[0] for row in rows} == data_tables(admin) | {"raw.source_registry"}
    assert {row[1:] for row in rows} == {("text", "NO", "NEVER", "C")}


def test_every_row_with_a_grid_is_held_to_the_town_of_that_grid(admin: psycopg.Connection[Any]) -> None:
    with_grid = admin.execute(
        "select table_schema || '.' || table_name from information_schema.columns"
        " where column_name = 'grid_code' and table_schema = any(%s)",
        [list(SCHEMAS)],
    ).fetchall()
    checked = admin.execute(
        "select conrelid::regclass::text from pg_constraint where contype = 'c'"
        " and pg_get_constraintdef(oid) = "
        "'CHECK ((town_code = \"left\"(rpad(grid_code, 9, ''0''::text), 9)))'"
    ).fetchall()
    assert {name for (name,) in checked} == {name for (name,) in with_grid} & data_tables(admin)
    assert len(checked) >= 9


@pytest.mark.parametrize(
    ("grid", "town", "good"),
    [
        ("449901001200001", "449901001", True),
        ("449901001", "449901001", True),
        ("449901", "449901000", True),
        ("4499", "449900000", True),
        ("449901001200001", "449901002", False),
        ("4499", "4499", False),
    ],
)
def test_town_of_a_measure(admin: psycopg.Connection[Any], grid: str, town: str, good: bool) -> None:
    insert = (
        "insert into ops.measure (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at, measure,"
        " measured_on, value) values (%s, %s, 1, 'd', 'k', 1, '2026-01-01', 'm', '2026-01-01', 1)"
    )
    with admin.transaction(force_rollback=True):
        if good:
            admin.execute(insert, [town, grid])
        else:
            with pytest.raises(psycopg.errors.CheckViolation), admin.transaction():
                admin.execute(insert, [town, grid])


def test_foreign_keys_are_composite_and_never_set_null(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        """
        select c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, c.confdeltype::text,
               c.confupdtype::text,
               array(select a.attname::text from unnest(c.conkey) with ordinality k (no, at)
                     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.no order by k.at)
        from pg_constraint c where c.contype = 'f' and c.connamespace::regnamespace::text = any(%s)
        """,
        [list(SCHEMAS)],
    ).fetchall()
    data = data_tables(admin)
    assert rows
    for name, table, target, on_delete, on_update, columns in rows:
        assert on_delete in "acr" and on_update == "a", f"{name} sets NULL or a default"
        if target in data:
            assert table in data, f"{name}: {table} points at a data table"
            assert columns[0] == "town_code" and len(columns) > 1, f"{name} is not composite"
        if table in REFERENCE:
            assert target in REFERENCE, f"{name}: a reference table points at {target}"


def test_no_identity_generated_column_trigger_rule_or_unlogged_table(admin: psycopg.Connection[Any]) -> None:
    ours = "relnamespace::regnamespace::text = any(%s)"
    for what, query in {
        "identity or generated column": "select attrelid::regclass::text, attname::text from pg_attribute join pg_class"
        f" on oid = attrelid where (attidentity <> '' or attgenerated <> '') and {ours}",
        "trigger": "select tgrelid::regclass::text, tgname::text from pg_trigger join pg_class c on c.oid = tgrelid"
        f" where not tgisinternal and {ours}",
        "rule": "select ev_class::regclass::text, rulename::text from pg_rewrite join pg_class c on c.oid = ev_class"
        f" where c.relkind = 'r' and {ours}",
        "unlogged table": f"select oid::regclass::text, '' from pg_class where relpersistence <> 'p' and {ours}",
        "exclusion": "select conrelid::regclass::text, conname::text from pg_constraint join pg_class c"
        f" on c.oid = conrelid where contype = 'x' and {ours}",
    }.items():
        assert admin.execute(query, [list(SCHEMAS)]).fetchall() == [], what


def test_codes_are_text_in_collation_c(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        "select table_schema || '.' || table_name || '.' || column_name, column_name, data_type, collation_name"
        " from information_schema.columns where table_schema = any(%s)",
        [list(SCHEMAS)],
    ).fetchall()
    wrong = [
        name
        for name, column, kind, collation in rows
        if (column in CODES or column.endswith("_code")) and (kind, collation) != ("text", "C")
    ]
    assert wrong == []


def test_every_table_and_column_is_explained(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        """
        select c.oid::regclass || coalesce('.' || a.attname, '')
        from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind = 'r' and c.relnamespace::regnamespace::text = any(%s)
            and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
        """,
        [list(SCHEMAS)],
    ).fetchall()
    assert rows == []


def test_nothing_but_the_identities_holds_names_numbers_or_phones(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns"
        " where table_schema = any(%s)",
        [list(SCHEMAS)],
    ).fetchall()
    sound = re.compile(r"\.[a-z_]*(name|number|phone|mobile|contact|id_card|address|email|birth)[a-z_]*$")
    assert {name for (name,) in rows if sound.search(name)} == set(NAMING)


def test_a_person_can_have_no_id_number_as_key(admin: psycopg.Connection[Any]) -> None:
    insert = (
        "insert into vault.person (town_code, grid_code, edition, dataset, source_key, delivery_id, updated_at,"
        " subject, has_number, tied_by, is_sensitive, attrs)"
        " values ('449900000', '4499', 1, 'resident', %s, 1, '2026-01-01', '', true, 'none', false, '{}')"
    )
    with admin.transaction(force_rollback=True):
        admin.execute(insert, ["123456789012345678901234567890ab"])
        for number in ("11010519491231002X", "resident/440524188001010014", "34052419800101001x|1"):
            with pytest.raises(psycopg.errors.CheckViolation), admin.transaction():
                admin.execute(insert, [number])


def test_no_exact_count_of_people_can_be_published(admin: psycopg.Connection[Any]) -> None:
    insert = "insert into pub.people_count values ('449900000', 1, 202601, 'all', 'all', '4499', %s, '2026-01-01')"
    with admin.transaction(force_rollback=True):
        for n in (7, 11, -10):
            with pytest.raises(psycopg.errors.CheckViolation), admin.transaction():
                admin.execute(insert, [n])
        admin.execute(insert, [20])


def test_functions_of_ours_are_closed(admin: psycopg.Connection[Any]) -> None:
    rows = admin.execute(
        """
        select p.oid::regprocedure::text, p.prosecdef, coalesce(p.proconfig, '{}'), p.proowner::regrole::text,
               has_function_privilege('public', p.oid, 'execute'),
               array(select g.grantee::regrole::text from aclexplode(p.proacl) g where g.grantee <> 0),
               p.pronamespace::regnamespace::text
        from pg_proc p where p.pronamespace::regnamespace::text = any(%s) order by 1
        """,
        [list(SCHEMAS)],
    ).fetchall()
    assert rows
    for name, is_definer, settings, owner, is_public, grantees, schema in rows:
        assert owner == "atlas_owner", f"{name} belongs to {owner}"
        assert not is_public, f"PUBLIC may execute {name}"
        assert set(grantees) <= {"atlas_owner", "atlas_loader", "atlas_web", "atlas_analyst", "atlas_door"}, name
        if is_definer:
            assert "search_path=pg_catalog, public, pg_temp" in settings, f"{name} has no fixed search path"
        if {"atlas_web", "atlas_analyst"} & set(grantees):
            assert schema == "pub" or name in ("auth.low()", "auth.high()"), f"{name}: what readers call stands in pub"


def test_everything_belongs_to_the_owner_who_cannot_log_in(admin: psycopg.Connection[Any]) -> None:
    owners = admin.execute(
        "select distinct relowner::regrole::text from pg_class where relnamespace::regnamespace::text = any(%s)",
        [list(SCHEMAS)],
    ).fetchall()
    assert owners == [("atlas_owner",)]
    roles = admin.execute(
        "select rolname::text, rolcanlogin, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls,"
        " rolinherit from pg_roles"
        " where rolname in ('atlas_owner', 'atlas_loader', 'atlas_web', 'atlas_analyst', 'atlas_door',"
        " 'atlas_migrate')"
        " order by 1"
    ).fetchall()
    assert roles == [
        ("atlas_analyst", True, False, False),
        ("atlas_door", True, False, False),
        ("atlas_loader", True, False, False),
        ("atlas_migrate", True, False, False),
        ("atlas_owner", False, False, False),
        ("atlas_web", True, False, False),
    ]
    acting = admin.execute(
        "select rolname::text from pg_roles where pg_has_role(oid, 'atlas_owner', 'member') and not rolsuper"
        " and rolname like 'atlas\\_%'"
    ).fetchall()
    assert sorted(acting) == [("atlas_migrate",), ("atlas_owner",)]

"""Renewing the key of the identities: all is sealed anew, in batches that may be interrupted, and nothing is lost."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import psycopg
import pytest
from people_at_work import prepare
from psycopg.types.json import Jsonb
from signing import sign_in
from test_care import enrol
from typer.testing import CliRunner

from layers.accounts import audit
from layers.database import Database
from layers.errors import AtlasError, SettingError
from layers.identifiers import MASK_BREAK
from layers.rotation import left, reseal
from layers.seal import Sealer
from layers.secrets import forget_keys, read_secrets, renew_key, secrets_file
from layers.settings import Settings, read_settings
from mapapp.__main__ import app as commands
from mapapp.commands import vault

PLACES = [
    "vault.identity", "vault.past", "raw.quarantine", "raw.amendment", "auth.account", "vault.person",
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Settings:
    """Secrets of an installation of its own, whose database is still the tests'."""
    return read_settings({"LOCAL_DIR": str(tmp_path / "local"), "CATALOG_DIR": str(settings.catalog_dir)})


@pytest.fixture
def sealed(db: Database, place: Settings) -> Sealer:
    """Something sealed in every place there is."""
    prepare(db)
    sealer = Sealer(read_secrets(place))
    made = enrol(db, sealer)
    session = sign_in(db, "leader")
    row, address, totp, right = sealer.seal_column(['{"姓名": "甲一"}', "海滨路 1 号", "SECRET", '{"value": "甲二"}'])
    with db.connect("admin") as admin:
        admin.execute("update vault.identity set mask_sealed = null where id = %s", [made["乙二"]])
        admin.execute(
            "insert into vault.past (town_code, grid_code, edition, dataset, source_key, of_id, delivery_id,"
            " valid_from, valid_to, content, identity) select town_code, '449901001001001', 1, dataset, 'k', id, 1,"
            " now(), now(), '{}', to_jsonb(i) from vault.identity as i where id = %s",
            [made["甲一"]],
        )
        admin.execute(
            "insert into raw.delivery (id, dataset, file_name, content_hash, n_bytes, edition, loaded_at, loaded_by,"
            " declaration, n_read, n_inserted, n_updated, n_unchanged, n_quarantined, n_forgotten, n_unplaced, report,"
            " declaration_hash, grids_version)"
            " values (1, 'd', 'f', 'x', 1, 1, now(), 'me', '{}', 1, 0, 0, 0, 1, 0, 0, '{}', 'x', 1)"
        )
        admin.execute(
            "insert into raw.quarantine (delivery_id, dataset, line, reason, remedy, row_sealed, open_since)"
            " values (1, 'd', 2, 'r', 'r', %s, now())",
            [row],
        )
        admin.execute(
            "insert into raw.amendment (dataset, source_key, row_key, field, edition, value_sealed, made_at, why)"
            " values ('d', 'k', 'k', 'name', 1, %s, now(), 'w')",
            [right],
        )
        admin.execute(
            "update vault.person set attrs = attrs || %s where id = %s",
            [Jsonb({"_address": b64encode(address or b"").decode()}), made["丙三"]],
        )
        admin.execute("update auth.account set totp_sealed = %s where account = %s", [totp, session.actor.account])
    return sealer


def opened(db: Database, sealer: Sealer) -> list[str]:
    """Everything sealed there is, opened, in an order that does not change."""
    with db.connect("admin") as admin:
        rows = admin.execute(
            "select name_sealed, number_sealed, phone_sealed from vault.identity order by id"
        ).fetchall()
        found = [sealer.open(value) for row in rows for value in row]
        ((past,),) = admin.execute("select identity from vault.past").fetchall()
        found += [sealer.open(bytes.fromhex(past[key][2:])) for key in ("name_sealed", "phone_sealed", "mask_sealed")]
        found += [sealer.open(row) for (row,) in admin.execute("select row_sealed from raw.quarantine")]
        found += [sealer.open(row) for (row,) in admin.execute("select value_sealed from raw.amendment")]
        found += [
            sealer.open(b64decode(row))
            for (row,) in admin.execute("select attrs ->> '_address' from vault.person where attrs ? '_address'")
        ]
        found += [
            sealer.open(row)
            for (row,) in admin.execute("select totp_sealed from auth.account where totp_sealed is not null")
        ]
    return found


def test_everything_is_sealed_anew_and_the_former_key_forgotten(db: Database, place: Settings, sealed: Sealer) -> None:
    before = opened(db, sealed)
    assert len(before) == 25 and left(db, sealed) == []
    renew_key(place)
    both = Sealer(read_secrets(place))
    assert both.key_id != sealed.key_id and opened(db, both) == before
    assert left(db, both) == PLACES
    with pytest.raises(SettingError, match="former one is still kept"):
        renew_key(place)
    done = reseal(db, both, lambda line: None, batch=2)
    assert done == {name: 6 if name == "vault.identity" else 1 for name in PLACES}
    assert left(db, both) == [] and reseal(db, both, lambda line: None) == {}
    forget_keys(place)
    assert secrets_file(place).stat().st_mode & 0o777 == 0o600
    alone = Sealer(read_secrets(place))
    assert opened(db, alone) == before
    with pytest.raises(AtlasError, match="sealed with the key"):
        opened(db, sealed)
    with db.connect("admin") as admin:
        rows = admin.execute("select mask_sealed from vault.identity order by id").fetchall()
    assert alone.open(rows[1][0]).split(MASK_BREAK) == ["乙*", "*" * 14 + "002X", "138****1234"], (
        "made where it was missing"
    )


def test_it_may_be_interrupted_and_run_again(db: Database, place: Settings, sealed: Sealer) -> None:
    before = opened(db, sealed)
    renew_key(place)
    both = Sealer(read_secrets(place))

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            reseal(db, both, stop, batch=1)
    with db.connect("admin") as admin:
        n = admin.execute("select count(*) from vault.identity where key_id = %s", [both.key_id]).fetchone()
    assert n == (3,) and opened(db, both) == before
    reseal(db, both, lambda line: None, batch=1)
    assert left(db, both) == [] and opened(db, both) == before


def test_the_commands_renew_the_key(db: Database, place: Settings, sealed: Sealer, monkeypatch: Any) -> None:
    monkeypatch.setattr(vault, "open_database", lambda settings: db)
    monkeypatch.setenv("LOCAL_DIR", str(place.local_dir))

    def run(*words: str, typed: str = "") -> Any:
        return CliRunner().invoke(commands, ["vault", *words], input=typed)

    assert "Restart the map" in run("renew").output
    assert isinstance(run("forget-keys").exception, AtlasError)
    assert "11 rows were sealed anew" in run("reseal").output
    assert "forgotten" in run("forget-keys").output
    assert not read_secrets(place).former_keys


def test_a_person_is_told_who_looked(db: Database, place: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(vault, "open_database", lambda settings: db)
    monkeypatch.setenv("LOCAL_DIR", str(place.local_dir))
    number = "11010519491231002X"
    known, alone = Sealer(read_secrets(place)).subjects([number, None], "resident", ["", "R1"])
    with db.connect("door") as door:
        for subject, field, purpose in ((known, "phone", "visit"), (alone, "name", "emergency")):
            audit.write(door, "person_read", None, f"person {subject.hex()}", field=field, purpose=purpose, case=None)
    told = CliRunner().invoke(commands, ["vault", "looked"], input=f"{number}\n").output
    assert "phone for visit" in told and "name for" not in told and number not in told
    told = CliRunner().invoke(commands, ["vault", "looked", "--number", "", "--dataset", "resident", "--key", "R1"])
    assert "name for emergency" in told.output
    nobody = CliRunner().invoke(commands, ["vault", "looked", "--number", "110101199003070003"])
    assert "Nobody opened anything" in nobody.output


def test_no_key_is_printed(place: Settings) -> None:
    made = renew_key(place) if read_secrets(place) else None
    assert made is not None and made.former_keys
    shown = repr(made) + repr(Sealer(made))
    assert "former" not in shown and not any(json.dumps(repr(key)) in shown for key in made.former_keys.values())


def test_every_sealed_column_is_sealed_anew(db: Database) -> None:
    """A new column that holds something sealed has to be among `layers.rotation.stores`."""
    with db.connect("admin") as admin:
        rows: list[tuple[str]] = admin.execute(
            "select table_schema || '.' || table_name || '.' || column_name from information_schema.columns"
            " where column_name like '%sealed%' and table_schema in ('raw', 'vault', 'ops', 'pub', 'auth', 'audit')"
            " and data_type = 'bytea' order by 1"
        ).fetchall()
    assert isinstance(admin, psycopg.Connection)
    assert [name for (name,) in rows] == [
        "auth.account.totp_sealed",
        "raw.amendment.value_sealed",
        "raw.quarantine.row_sealed",
        *(f"vault.identity.{key}_sealed" for key in ("mask", "name", "number", "phone")),
    ]

"""Sealing and tokens: what comes back, what must not, and what a thief of the database learns."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import AtlasError
from layers.seal import Sealer, normalise_name
from layers.secrets import Secrets


def secrets_of(seed: int, key_id: str = "first") -> Secrets:
    return Secrets(
        identity_key=bytes([seed]) * 32,
        identity_key_id=key_id,
        token_key=bytes([seed + 1]) * 32,
        rounding_key=bytes([seed + 2]) * 32,
        passwords={},
    )


@pytest.fixture(scope="module")
def sealer() -> Sealer:
    return Sealer(secrets_of(7))


@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=40)), max_size=20))
def test_what_is_sealed_comes_back(values: list[str | None]) -> None:
    sealer = Sealer(secrets_of(7))
    sealed = sealer.seal_column(values)
    assert [None if one is None else sealer.open(one) for one in sealed] == values


def test_equal_values_are_sealed_differently_and_nothing_shines_through(sealer: Sealer) -> None:
    sealed = sealer.seal_column(["张三丰"] * 100)
    assert len(set(sealed)) == 100
    assert not any("张三丰".encode() in (one or b"") for one in sealed)
    assert sealer.seal_column([None, ""]) == [None, None]


def test_another_key_says_which_one_is_missing(sealer: Sealer) -> None:
    (sealed,) = sealer.seal_column(["张三丰"])
    assert sealed is not None
    with pytest.raises(AtlasError, match="'first'"):
        Sealer(secrets_of(7, "second")).open(sealed)
    with pytest.raises(AtlasError, match="changed"):
        Sealer(secrets_of(8)).open(sealed)


@given(st.integers(0, 300), st.integers(1, 255))
def test_a_changed_byte_is_always_found(at: int, change: int) -> None:
    sealer = Sealer(secrets_of(7))
    (sealed,) = sealer.seal_column(["张三丰 13800001234"])
    assert sealed is not None
    at %= len(sealed)
    with pytest.raises(AtlasError):
        sealer.open(sealed[:at] + bytes([sealed[at] ^ change]) + sealed[at + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 5, 20])
def test_a_torn_value_is_refused(sealer: Sealer, cut: int) -> None:
    (sealed,) = sealer.seal_column(["张三丰"])
    assert sealed is not None
    with pytest.raises(AtlasError):
        sealer.open(sealed[:cut])


@given(st.lists(st.one_of(st.none(), st.text(max_size=80)), max_size=20), st.sampled_from(["name", "phone"]))
def test_tokens_are_hmac_sha256_under_a_key_for_each_purpose(values: list[str | None], purpose: str) -> None:
    secrets = secrets_of(7)
    key = hmac.digest(secrets.token_key, purpose.encode(), "sha256")
    expected = [None if value is None else hmac.digest(key, value.encode(), "sha256") for value in values]
    assert Sealer(secrets).token_column(values, purpose) == expected


def test_a_person_is_one_subject_in_every_dataset_and_nobody_else(sealer: Sealer) -> None:
    register = sealer.subjects(
        ["11010519491231002X", "440524188001010014", None, None], "resident", ["1", "2", "3", "4"]
    )
    allowance = sealer.subjects(["11010519491231002x", None], "elder_allowance", ["1", "3"])
    assert register[0] == allowance[0]
    assert len({*register, *allowance}) == 5
    assert all(len(one) == 32 for one in register)


def test_tokens_do_not_tell_one_purpose_from_another(sealer: Sealer) -> None:
    number = "11010519491231002X"
    (subject,) = sealer.subjects([number], "resident", ["1"])
    (key,) = sealer.source_keys([number])
    assert key is not None and len(key) == 32 and bytes.fromhex(key) != subject[:16]
    assert sealer.name_tokens([number]) != sealer.token_column([number], "subject")
    assert sealer.source_keys([None]) == [None]


def test_search_finds_a_name_however_it_is_spelt(sealer: Sealer) -> None:
    spelt = ["阿依古丽·买买提", "阿依古丽 • 买买提", "阿依古丽・买买提", " 阿依古丽‧买买提 "]
    assert len({normalise_name(name) for name in spelt}) == 1
    assert len(set(sealer.name_tokens(spelt))) == 1
    assert len(set(sealer.phone_tokens(["13800001234", "138 0000 1234", "+86-13800001234"]))) == 1
    assert sealer.name_tokens([None, ""]) == [None, None]


def test_keys_are_never_printed(sealer: Sealer) -> None:
    assert repr(sealer) == "Sealer(key_id='first')"
    assert "\\x07" not in repr(secrets_of(7))

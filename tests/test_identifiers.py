"""Check digits, days of birth and masks, on the standards' own examples and on made-up columns."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.identifiers import (
    birth_and_sex,
    check_credit_codes,
    check_id_numbers,
    mask_name,
    mask_number,
    mask_phone,
    tidy_numbers,
)

VALID_NUMBERS = [
    "11010519491231002X",
    "440524188001010014",
    "34052419800101001X",
    "441581190001010031",
    "441581199001010016",
]
VALID_CODES = [
    "91350100M000100Y43",
    "91110105771583283D",
    "51610700305332460K",
    "91440300708461136T",
    "91110000600037341L",
    "52441500MJL0001550",
]


def number_of(area: str, born: date, order: int) -> str:
    """Make a number as GB 11643 says, digit by digit."""
    stem = f"{area}{born:%Y%m%d}{order:03d}"
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(stem))
    return stem + "10X98765432"[total % 11]


numbers = st.builds(
    number_of,
    st.just("449901"),
    st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    st.integers(0, 999),
)


def test_the_standards_examples() -> None:
    assert check_id_numbers(VALID_NUMBERS).ok.all()
    assert check_credit_codes(VALID_CODES).ok.all()
    assert not check_credit_codes(["91350200M000000510"]).ok.any()


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("340524198001010013", "check digit"),
        ("441521198502290019", "no day"),
        ("449901199013010010", "no day"),
        ("449901000001010010", "no day"),
        ("11010519491231002x", "not 17 digits"),
        ("1101051949123100２X", "not 17 digits"),
        ("110105194912310", "not 17 digits"),
        ("X1010519491231002X", "not 17 digits"),
        ("", "not 17 digits"),
        ("一二三四五六", "not 17 digits"),
    ],
)
def test_a_wrong_id_number_says_why(number: str, why: str) -> None:
    found = check_id_numbers([number, None])
    assert found.ok.tolist() == [False, False]
    assert why in found.why[0] and found.why[1] == ""


def test_nobody_is_born_after_the_day_given() -> None:
    number = number_of("449901", date(2026, 3, 2), 1)
    assert check_id_numbers([number], not_after=date(2026, 3, 2)).ok.all()
    assert "no day" in check_id_numbers([number], not_after=date(2026, 3, 1)).why[0]


@pytest.mark.parametrize(
    "code", ["91350100M000100Y4", "91350100I000100Y43", "9135010OM000100Y43", "９1350100M000100Y43"]
)
def test_a_malformed_credit_code(code: str) -> None:
    found = check_credit_codes([code])
    assert not found.ok.any() and found.why[0].startswith("not 18")


@given(st.lists(st.one_of(numbers, st.none(), st.text(max_size=20)), max_size=30))
def test_a_column_is_checked_as_its_values_are(values: list[str | None]) -> None:
    whole = check_id_numbers(values)
    alone = [check_id_numbers([value]).ok[0] for value in values]
    assert whole.ok.tolist() == alone
    assert ((whole.why == "") == (whole.ok | np.array([value is None for value in values], dtype=bool))).all()


@given(numbers, st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, at: int, shift: int) -> None:
    alphabet = "0123456789" if at < 17 else "0123456789X"
    other = alphabet[(alphabet.index(number[at]) + shift) % len(alphabet)]
    assert check_id_numbers([number, number[:at] + other + number[at + 1 :]]).ok.tolist() == [True, False]


@given(st.sampled_from(VALID_CODES), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_of_a_credit_code_is_always_found(code: str, at: int, other: str) -> None:
    assert check_credit_codes([code[:at] + other + code[at + 1 :]]).ok[0] == (code[at] == other)


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999))
def test_birth_and_sex_are_read_out_of_a_number(born: date, order: int) -> None:
    days, sexes = birth_and_sex([None, number_of("449901", born, order), "x"])
    assert days[1].astype(object) == born and sexes[1] == ("male" if order % 2 else "female")
    assert np.isnat(days[[0, 2]]).all() and sexes[0] is None and sexes[2] is None


def test_slices_and_chunks_of_arrow_columns_are_taken_as_they_are() -> None:
    column = pa.array([None, *VALID_NUMBERS, "x"])
    assert check_id_numbers(column.slice(2, 3)).ok.all()
    assert check_id_numbers(pa.chunked_array([column.slice(1, 2), column.slice(3, 3)])).ok.all()
    assert check_id_numbers(np.array(VALID_NUMBERS, dtype=object)).ok.all()
    assert len(check_id_numbers([]).ok) == 0 and len(birth_and_sex(pa.array([], pa.string()))[0]) == 0
    assert check_id_numbers(column.cast(pa.large_string())).ok.tolist() == [False, *[True] * 5, False]


def test_numbers_are_tidied_before_they_are_checked() -> None:
    column = tidy_numbers(
        [" 11010519491231002x", "４４０５２４１８８００１０１００１４", "'441581190001010031", " ", "", None]
    )
    assert column.to_pylist() == ["11010519491231002X", "440524188001010014", "441581190001010031", None, None, None]


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三丰", "张*丰"),
        ("张三", "张*"),
        ("欧阳修文", "欧**文"),
        ("张", "*"),
        ("", ""),
        (None, None),
        ("𠮷田一", "𠮷*一"),
    ],
)
def test_masked_names(name: str | None, masked: str | None) -> None:
    assert mask_name([name]).to_pylist() == [masked]


def test_masked_numbers_and_phones() -> None:
    assert mask_number(["11010519491231002X", "123456789", "12345", "", None]).to_pylist() == [
        "**************002X",
        "*********",
        "*****",
        "",
        None,
    ]
    assert mask_phone(["13800001234", "1234567", None]).to_pylist() == ["138****1234", "*******", None]


@given(st.lists(st.one_of(st.none(), st.text(max_size=25)), max_size=20))
def test_a_mask_keeps_the_length_and_shows_little(values: list[str | None]) -> None:
    for mask, most in ((mask_name, 2), (mask_number, 4), (mask_phone, 7)):
        for value, shown in zip(values, mask(pa.array(values, pa.string())).to_pylist(), strict=True):
            assert (value is None) == (shown is None)
            if value is not None:
                assert len(shown) == len(value)
                assert sum(a == b != "*" for a, b in zip(value, shown, strict=True)) <= most
                assert len(value) < 2 or "*" in shown


def test_no_day_is_forgotten() -> None:
    days = [date(1999, 12, 25) + timedelta(days=n) for n in range(0, 800)]
    read, _ = birth_and_sex([number_of("449901", day, 1) for day in days])
    assert read.astype(object).tolist() == days

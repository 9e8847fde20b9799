"""Numbers of people and organisations: check digits, dates inside them, and masks. Whole columns at a time.

A column is an Arrow array of strings, or anything Arrow makes one of. Numbers are taken as `tidy_numbers` leaves them:
half-width, upper case, without spaces.

Source: GB 11643 (ID number), GB 32100 (unified social credit code).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Column = Sequence[str | None] | Any
"""An Arrow string array, a NumPy array of str and None, or a list of these."""

MASK_BREAK = "\x1f"
"""Between the masked name, number and phone of a person."""

_ID_WEIGHTS = np.array([2 ** (18 - i) % 11 for i in range(1, 18)], dtype=np.int32)
_ID_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_CREDIT_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = np.array([pow(3, i - 1, 31) for i in range(1, 18)], dtype=np.int32)
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_OLDEST_YEAR = 1850
_TYPED = re.compile(r"(?<![0-9A-Za-z])(?:\d{14}(?=\d{3}[0-9Xx](?![0-9A-Za-z]))|1\d{6}(?=\d{4}(?![0-9A-Za-z])))")
"""What comes before the last four characters of an ID number or a phone."""
_NINE, _ZERO = ord("9"), ord("0")


class Checked(NamedTuple):
    """What a check found, value by value."""

    ok: NDArray[np.bool_]
    """True where the value is right; False for a missing one."""
    why: NDArray[np.str_]
    """What is wrong with it, empty where nothing is or nothing is there."""


def tidy_numbers(values: Column) -> Any:
    """Return an Arrow column of numbers in half-width upper case, without spaces, and with NULL for empty ones."""
    plain = pc.utf8_upper(pc.utf8_normalize(_strings(values), form="NFKC"))
    bare = pc.replace_substring_regex(plain, pattern=r"[\s'’`\-]+", replacement="")
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)


def check_id_numbers(values: Column, *, not_after: date | None = None) -> Checked:
    """Check ID numbers: form, that the day of birth was a day, and the check digit.

    Parameters
    ----------
    values
        Numbers of 18 characters, the last a digit or X.
    not_after
        Day after which nobody in the column can be born, such as today.
    """
    column = _strings(values)
    ok, matrix = _of_18(column)
    why = np.full(len(column), "", dtype="U40")
    digits = matrix[:, :17].astype(np.int32) - _ZERO
    last = matrix[:, 17]
    formed = ((digits >= 0) & (digits <= 9)).all(axis=1) & (((last >= _ZERO) & (last <= _NINE)) | (last == ord("X")))
    digits = np.where(formed[:, None], digits, 0)
    born = _is_day(digits, not_after)
    checked = _ID_CHECK[(digits @ _ID_WEIGHTS) % 11] == last
    faults = [~formed, ~born, ~checked]
    words = ["not 17 digits and a digit or X", "the day of birth was no day", "the check digit is wrong"]
    why[~ok] = words[0]
    why[ok] = np.select(faults, words, "")
    return _checked(column, why)


def check_credit_codes(values: Column) -> Checked:
    """Check unified social credit codes: form and check character."""
    column = _strings(values)
    ok, matrix = _of_18(column)
    why = np.full(len(column), "", dtype="U60")
    value_of = np.full(256, -1, dtype=np.int32)
    value_of[np.frombuffer(_CREDIT_ALPHABET, dtype=np.uint8)] = np.arange(len(_CREDIT_ALPHABET))
    found = value_of[matrix]
    area = found[:, 2:8]
    formed = (found >= 0).all(axis=1) & (area <= 9).all(axis=1)
    checked = (31 - (np.maximum(found[:, :17], 0) @ _CREDIT_WEIGHTS) % 31) % 31 == found[:, 17]
    words = ["not 18 of 0-9 and A-Y without I O S V", "the check character is wrong"]
    why[~ok] = words[0]
    why[ok] = np.select([~formed, ~checked], words, "")
    return _checked(column, why)


def birth_and_sex(values: Column) -> tuple[NDArray[np.datetime64], NDArray[np.object_]]:
    """Read the day of birth and the sex (`male`, `female`) out of valid ID numbers; NaT and None for all others."""
    column = _strings(values)
    ok = check_id_numbers(column).ok
    born = np.full(len(column), np.datetime64("NaT"), dtype="datetime64[D]")
    sex = np.full(len(column), None, dtype=object)
    digits = _of_18(column.filter(pa.array(ok)))[1][:, :17].astype(np.int64) - _ZERO
    year, month, day = _year_month_day(digits)
    months = (year - 1970) * 12 + month - 1
    born[ok] = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    sex[ok] = np.where(digits[:, 16] % 2 == 1, "male", "female")
    return born, sex


def mask_name(values: Column) -> Any:
    """Return names with all but the first and last character starred: 张三丰 is 张*丰, 张三 is 张*."""
    column = _strings(values)
    length = pc.utf8_length(column)
    first = pc.utf8_slice_codeunits(column, 0, 1)
    last = pc.if_else(pc.greater(length, 2), pc.utf8_slice_codeunits(column, -1), "")
    stars = _stars(pc.subtract(length, pc.if_else(pc.greater(length, 2), 2, 1)))
    masked = pc.binary_join_element_wise(first, stars, last, "")
    return pc.if_else(pc.less_equal(length, 1), _stars(length), masked)


def mask_number(values: Column) -> Any:
    """Return numbers with all but the last four characters starred; all of a number shorter than ten."""
    return _mask(_strings(values), 0, 4)


def mask_phone(values: Column) -> Any:
    """Return phones with all but the first three and last four starred, 138****1234; all of one shorter than ten."""
    return _mask(_strings(values), 3, 4)


def without_numbers(said: Any) -> Any:
    """Mask ID numbers and phones in what is written down: people type them where something else was asked for."""
    if isinstance(said, str):
        return _TYPED.sub(lambda found: "*" * len(found[0]), said)
    if isinstance(said, Mapping):
        return {key: without_numbers(one) for key, one in said.items()}
    return [without_numbers(one) for one in said] if isinstance(said, list | tuple) else said


def masks(columns: Mapping[str, Column], n: int) -> list[str]:
    """Return what a list may show of each person: masked name, number and phone, with `MASK_BREAK` between.

    Parameters
    ----------
    columns
        `name`, `number` and `phone`, those there are.
    n
        How many people.
    """
    nothing = pa.nulls(n, pa.string())
    name, number, phone = (
        mask(columns.get(key, nothing))
        for key, mask in (("name", mask_name), ("number", mask_number), ("phone", mask_phone))
    )
    joined: list[str] = pc.binary_join_element_wise(
        name, number, phone, MASK_BREAK, null_handling="replace", null_replacement=""
    ).to_pylist()
    return joined


def _strings(values: Column) -> Any:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == pa.string() else values.cast(pa.string())
    return pa.array(values, pa.string(), from_pandas=True)


def _of_18(column: Any) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Return which values are 18 bytes long, and these as rows of bytes."""
    long = pc.fill_null(pc.equal(pc.binary_length(column), 18), False)
    kept = column.filter(long)
    rows = np.empty(0, dtype=np.uint8)
    if len(kept):
        start = np.frombuffer(kept.buffers()[1], dtype=np.int32)[kept.offset]
        rows = np.frombuffer(kept.buffers()[2], dtype=np.uint8, count=18 * len(kept), offset=int(start))
    return long.to_numpy(zero_copy_only=False), rows.reshape(-1, 18)


def _year_month_day(digits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return digits[:, 6:10] @ [1000, 100, 10, 1], digits[:, 10:12] @ [10, 1], digits[:, 12:14] @ [10, 1]


def _is_day(digits: NDArray[Any], not_after: date | None) -> NDArray[np.bool_]:
    year, month, day = _year_month_day(digits)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    most = _DAYS[np.clip(month, 1, 12) - 1] + (leap & (month == 2))
    good = (year >= _OLDEST_YEAR) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= most)
    if not_after is not None:
        good &= year * 10000 + month * 100 + day <= int(f"{not_after:%Y%m%d}")
    return np.asarray(good, dtype=np.bool_)


def _checked(column: Any, why: NDArray[np.str_]) -> Checked:
    missing = column.is_null().to_numpy(zero_copy_only=False)
    why[missing] = ""
    return Checked((why == "") & ~missing, why)


def _stars(n: Any) -> Any:
    return pc.binary_repeat(pa.scalar("*"), pc.max_element_wise(n, 0, skip_nulls=False))


def _mask(column: Any, head: int, tail: int) -> Any:
    length = pc.utf8_length(column)
    masked = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(column, 0, head),
        _stars(pc.subtract(length, head + tail)),
        pc.utf8_slice_codeunits(column, -tail),
        "",
    )
    return pc.if_else(pc.less(length, 10), _stars(length), masked)

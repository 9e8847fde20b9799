"""Hashes of values: equal for equal values whatever stands around them, different for different ones."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.keys import hash_column, hash_rows, join_hashes

VALUES = st.one_of(st.none(), st.text(max_size=8), st.integers(0, 300).map("李".__mul__))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=30), st.data())
def test_a_value_is_hashed_the_same_beside_any_others(values: list[str | None], data: st.DataObject) -> None:
    column = pa.array(values, pa.string())
    hashes = hash_column(column)
    start = data.draw(st.integers(0, len(values)))
    assert hash_column(column.slice(start)).tolist() == hashes[start:].tolist()
    assert len(set(hashes.tolist())) == len(set(values))
    assert join_hashes([hashes, hashes], len(values), 7).tolist() == hash_rows([column] * 2, len(values), 7).tolist()


def test_pieces_of_a_long_value_have_their_order() -> None:
    one, other = "a" * 64, "b" * 64
    values = ["", one, one + other, other + one, one + other + one, one + other[:63], one + one, "a" * 65]
    assert len(set(hash_column(pa.array(values)).tolist())) == len(values)

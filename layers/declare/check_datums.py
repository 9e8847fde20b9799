"""Checks of `datums.toml`: each set has the numbers of its kind, all of them and no others."""

from __future__ import annotations

from collections.abc import Mapping

from layers.declare.check_datasets import Said
from layers.declare.keys import FOUR, SEVEN
from layers.declare.problems import either
from layers.declare.records import Catalog, Datum


def numbers_fit_the_kind(datums: Mapping[str, Datum], catalog: Catalog) -> Said:
    """Four parameters or seven, as `kind` says; seven also say which way they turn."""
    for name, datum in datums.items():
        wanted = FOUR if datum.kind == "four" else SEVEN
        for key in wanted:
            if key not in datum.values:
                yield (name,), f"{name} of kind {datum.kind} lacks {key}; add it from the surveyors' paper."
        for key in datum.values:
            if key not in wanted:
                yield (name, key), f"{key} is no parameter of kind {datum.kind}; take it out, or change the kind."
        if datum.kind == "seven" and datum.convention is None:
            words = either(("position_vector", "coordinate_frame"))
            yield (name,), f"{name} does not say which way its angles turn; add convention = {words}."
        if datum.kind == "four" and datum.convention is not None:
            yield (name, "convention"), "convention is for seven parameters only; take it out."


CHECKS = ((numbers_fit_the_kind, ()),)
"""The check of the file, which looks at all of it."""

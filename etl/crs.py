"""Crs: the way to CGCS2000 of one delivery, as its declaration says or, for an unknown zone, as the file does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from etl.columns import clean
from etl.coordinates import ZONE_UNKNOWN, Conversion, conversion, find_zone
from etl.refusals import Refusals
from etl.shape import coordinates
from etl.sources import Limits, open_delivery
from etl.tree import GridTree
from layers.declare.records import Catalog, Dataset
from layers.errors import DeclarationError, DeliveryError


def conversion_of(dataset: Dataset, catalog: Catalog, path: Path, tree: GridTree | None, limits: Limits) -> Conversion:
    """Find how the coordinates of a delivery become CGCS2000.

    Only where the zone is to be found is the file read for it, once, its coordinates alone.

    Raises
    ------
    DeliveryError
        There is no sure way; the remedy says what is missing.
    """
    source = dataset.source
    crs = source.crs or "EPSG:4490"
    if crs == ZONE_UNKNOWN:
        near = None if tree is None else lambda lon, lat: tree.is_near(lon, lat, source.within_km)
        crs = find_zone(_pairs(dataset, path, limits), near)
    return conversion(crs, catalog.datums.get(source.datum or ""))


def check_conversions(catalog: Catalog) -> None:
    """Check that there is a way to CGCS2000 for every dataset, and that every set of parameters keeps its promise.

    Raises
    ------
    DeclarationError
        There is none for some; a sentence for each.
    """
    problems, seen = [], dict[tuple[str, str | None], str]()
    for datum in catalog.datums.values():
        try:
            conversion(datum.from_crs, datum)
        except DeliveryError as error:
            problems.append(f"datums.toml: {error.message} {error.hint}")
    for dataset in catalog.datasets.values():
        source = dataset.source
        if source.crs is None or source.crs == ZONE_UNKNOWN:
            continue
        way = (source.crs, source.datum)
        if way not in seen:
            try:
                conversion(source.crs, catalog.datums.get(source.datum or ""))
                seen[way] = ""
            except DeliveryError as error:
                seen[way] = f"{error.message} {error.hint}"
        if seen[way]:
            problems.append(f"datasets/{dataset.key}.toml: {seen[way]}")
    if problems:
        raise DeclarationError(problems)


def _pairs(dataset: Dataset, path: Path, limits: Limits) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Coordinates of a delivery as they stand in it; of a shape, the middle of its box."""
    source = dataset.source
    wanted = tuple(heading for heading in (source.lon, source.lat) if heading)
    for batch in open_delivery(path, dataset, limits).batches(wanted):
        if batch.geometry is not None:
            west, south, east, north = shapely.bounds(batch.geometry).T
            yield (west + east) / 2, (south + north) / 2
            continue
        text = {heading: clean(values) for heading, values in batch.columns.items()}
        x, y = coordinates(text, source.lon, source.lat, Refusals(batch.n))
        if x is not None and y is not None:
            yield x, y

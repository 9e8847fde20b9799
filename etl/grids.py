"""Grid datasets: read whole, checked row by row, handed to the tree of grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl import binary
from etl.columns import Context
from etl.coordinates import Conversion
from etl.copying import Connection, copy_in
from etl.geometry import GEOMETRY_FIELD
from etl.keys import Ordinals, SeenKeys, hash_column, hash_rows
from etl.load import REGISTRY, Counts
from etl.quarantine import Quarantined, refused_rows
from etl.reform.past import refuse_past
from etl.shape import Shaped, shape
from etl.sources import RawBatch
from etl.transform import Summary
from layers.grids import write_grids
from layers.seal import Sealer


@dataclass
class GridLoader:
    """Takes in the grids of one level."""

    connection: Connection
    context: Context
    conversion: Conversion
    sealer: Sealer
    edition: int

    def __post_init__(self) -> None:
        self.counts = Counts()
        self._batches: list[tuple[Shaped, np.ndarray]] = []
        self._seen, self._ordinals = SeenKeys(), Ordinals()

    def check(self, batch: RawBatch) -> None:
        """Check one batch and keep it until `finish`."""
        shaped = shape(batch, self.context, self._ordinals)
        geometry = shaped.geometry if shaped.geometry is not None else np.full(shaped.n, None, object)
        geometry = self.conversion.convert_geometries(geometry)
        area = np.isin(shapely.get_type_id(geometry), (3, 6)) & ~shapely.is_empty(geometry)
        area[area] &= np.isfinite(shapely.bounds(geometry[area])).all(axis=1)
        shaped.refusals.add("bad_geometry", GEOMETRY_FIELD, ~area)
        rows = np.flatnonzero(~shaped.refusals.bad)
        again = np.zeros(shaped.n, bool)
        again[rows] = self._seen.repeated(hash_column(shaped.keys)[rows])
        shaped.refusals.add("duplicate_key", self._heading("code"), again, shaped.keys)
        self._batches.append((shaped, geometry))

    def finish(self) -> tuple[int, dict[str, Any]]:
        """Write the level when anything in it is new or changed; return how many were unchanged, and notes.

        Raises
        ------
        DeliveryError
            Grids are as they were before a reform.
        """
        good = [np.flatnonzero(~shaped.refusals.bad) for shaped, _ in self._batches]
        parts = [shaped.take(rows) for (shaped, _), rows in zip(self._batches, good, strict=True)]
        columns = {key: pa.concat_arrays([part.columns[key] for part in parts]) for key in parts[0].columns}
        geometry = np.concatenate([shapes[rows] for (_, shapes), rows in zip(self._batches, good, strict=True)])
        keys = columns["code"]
        wkb = pa.array(shapely.to_wkb(geometry), pa.binary())
        row_hash = hash_rows([*columns.values(), wkb], len(keys), self.edition).view(np.int64)
        known, same = self._compare(keys, row_hash)
        if same.all():
            return len(keys), {}
        refuse_past(self.connection, self.edition, keys.to_pylist(), columns["name"].to_pylist(), geometry)
        frame = gpd.GeoDataFrame(
            {
                "code": keys.to_pylist(),
                "name": columns["name"].to_pylist(),
                "aliases": pc.fill_null(columns["aliases"], "").to_pylist() if "aliases" in columns else "",
            },
            geometry=gpd.GeoSeries(list(geometry), crs="EPSG:4490"),
        ).rename_geometry("geom")
        level = self.context.dataset.level or "small"
        report = write_grids(self.connection, self.context.catalog.city, self.edition, {level: frame})
        taken = np.ones(len(keys), bool)
        for rejected in report.rejected:
            taken[rejected.row] = False
            self._refuse(rejected.row, rejected.reason, good)
        self.counts.n_inserted = int((taken & ~known).sum())
        self.counts.n_updated = int((taken & known & ~same).sum())
        self._register(keys.filter(pa.array(taken)), row_hash[taken])
        return int((taken & same).sum()), {k: v for k, v in report.summary().items() if k not in ("edition", "version")}

    def missing(self) -> list[str]:
        """Codes of this dataset in the edition that the file has not, refused rows counted as there."""
        codes = [code for shaped, _ in self._batches for code in shaped.keys.to_pylist() if code]
        rows = self.connection.execute(
            "select r.source_key from raw.source_registry r join pub.grid g on g.edition = %s and g.code = r.source_key"
            " where r.dataset = %s and r.source_key <> all(%s::text[]) order by 1",
            [self.edition, self.context.dataset.key, codes],
        )
        return [code for (code,) in rows]

    def results(self) -> list[tuple[Quarantined, Summary, Shaped]]:
        """Quarantined rows, counts and the shaped rows of each batch; complete after `finish`."""
        dataset = self.context.dataset
        return [
            (
                refused_rows(shaped, shaped.keys, dataset, self.sealer),
                Summary(shaped.n, 0, shaped.refusals.counts(), {}, shaped.filled),
                shaped,
            )
            for shaped, _ in self._batches
        ]

    def _heading(self, key: str) -> str:
        return next(c.heading for c in self.context.dataset.columns if c.key == key)

    def _refuse(self, row: int, reason: str, good: list[np.ndarray]) -> None:
        """Refuse a row that only the tree found wrong; `row` counts the good rows of all batches."""
        for (shaped, _), rows in zip(self._batches, good, strict=True):
            if row < len(rows):
                mask = np.zeros(shaped.n, bool)
                mask[rows[row]] = True
                shaped.refusals.add(reason, "" if reason == "bad_geometry" else self._heading("code"), mask)
                return
            row -= len(rows)

    def _compare(self, keys: pa.Array, row_hash: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which codes are known, and which of them as they are."""
        known = dict(
            self.connection.execute(
                "select source_key, row_hash from raw.source_registry where dataset = %s", [self.context.dataset.key]
            ).fetchall()
        )
        codes = keys.to_pylist()
        same = [known.get(code) == value for code, value in zip(codes, row_hash, strict=True)]
        return np.array([code in known for code in codes], bool), np.array(same, bool)

    def _register(self, keys: pa.Array, row_hash: np.ndarray) -> None:
        n = len(keys)
        dataset = self.context.dataset.key
        self.connection.execute(
            "delete from raw.source_registry where dataset = %s and source_key = any(%s)", [dataset, keys.to_pylist()]
        )
        numbers = dict(
            self.connection.execute(
                "select code, grid_no from pub.grid where edition = %s order by code", [self.edition]
            ).fetchall()
        )
        fields: dict[str, binary.Field] = {
            "id": binary.integer(np.array([numbers.get(key, 0) for key in keys.to_pylist()], np.int64), 8),
            "row_hash": binary.integer(row_hash, 8),
            "updated_at": binary.moments(pa.array([self.context.now] * n, pa.timestamp("us", "UTC"))),
            "town_code": binary.text(pc.utf8_slice_codeunits(pc.utf8_rpad(keys, 9, "0"), 0, 9)),
            "dataset": binary.constant(dataset, n),
            "source_key": binary.text(keys),
        }
        copy_in(self.connection, REGISTRY, fields, n)

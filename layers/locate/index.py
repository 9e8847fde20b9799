"""The index that ties points to grids by the million: built once per edition, kept on disk, exact."""

from __future__ import annotations

import itertools
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from layers.errors import AtlasError
from layers.locate.build import MOST_CANDIDATES, Cells, build_cells
from layers.locate.edges import Floats, Ints
from layers.locate.exact import UNKNOWN, exact_side
from layers.locate.raster import Frame, Indices, expand

FORMAT = 1
"""Rises when a saved index can no longer be read."""

_CHUNK = 1 << 15
_MOST_PAIRS = 1 << 21
_MASK = np.uint32((1 << MOST_CANDIDATES) - 1)


@dataclass(frozen=True)
class GridIndex:
    """Polygons in the order of their codes, ready to be asked which of them covers a point.

    A point belongs to the lowest code whose polygon covers it, borders and vertices included: what `ST_Covers` and
    `order by code limit 1` would answer, for every point. Polygons have to be valid; they may overlap, leave gaps,
    have holes and several parts.

    A raster answers most points with one look: a cell no border touches has one owner. In the others the path from
    the point, along its row, then along a column, to the cell's reference point is followed: each edge it crosses
    takes it out of, or into, the polygons that own the edge. A point too close to a border to be told by plain
    arithmetic is decided without rounding, or by GEOS.
    """

    codes: npt.NDArray[np.str_]
    frame: Frame
    cells: Cells
    shapes: npt.NDArray[np.uint8]
    shape_starts: Ints

    @classmethod
    def build(cls, codes: Sequence[str] | npt.NDArray[np.str_], geometries: npt.NDArray[np.object_]) -> GridIndex:
        """Build the index of polygons with their codes.

        Raises
        ------
        AtlasError
            A geometry is no polygon, or a code comes twice.
        """
        codes, geometries = np.asarray(codes, dtype=np.str_), np.asarray(geometries, dtype=object)
        order = np.argsort(codes)
        codes, geometries = codes[order], geometries[order]
        kinds = shapely.get_type_id(geometries)
        if not np.isin(kinds, (-1, 3, 6)).all():
            code = codes[~np.isin(kinds, (-1, 3, 6))][0]
            raise AtlasError(f"The shape of grid {code} is not an area.", "Deliver it as Polygon or MultiPolygon.")
        if (codes[1:] == codes[:-1]).any():
            code = codes[1:][codes[1:] == codes[:-1]][0]
            raise AtlasError(f"Grid {code} comes twice.", "Each code may have one shape in an edition.")
        frame, cells = build_cells(geometries)
        wkb = [b"" if shape is None else shape for shape in shapely.to_wkb(geometries)]
        starts = np.cumsum([0, *(len(shape) for shape in wkb)])
        return cls(codes, frame, cells, np.frombuffer(b"".join(wkb), dtype=np.uint8), starts)

    def locate(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Indices:
        """Find the grid of each point; one position in `codes` for each point, -1 for a point no grid covers.

        Parameters
        ----------
        lon, lat
            Longitude and latitude in the coordinate system of the polygons; NaN is covered by nothing.
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        found = np.empty(len(x), dtype=np.int32)
        with np.errstate(over="ignore", invalid="ignore"):  # a coordinate may be anything
            for at in range(0, len(x), _CHUNK):
                found[at : at + _CHUNK] = self._locate(x[at : at + _CHUNK], y[at : at + _CHUNK])
        return found

    def _locate(self, x: Floats, y: Floats) -> Indices:
        column, row = self.frame.column(x), self.frame.row(y)
        found = self.cells.owner.take(row * np.int32(self.frame.stride) + column)
        mixed = np.flatnonzero(found < -1)
        if len(mixed):
            found[mixed] = self._locate_mixed(x[mixed], y[mixed], column[mixed], row[mixed], -2 - found[mixed])
        return found

    def _locate_mixed(self, x: Floats, y: Floats, column: Indices, row: Indices, number: Indices) -> Indices:
        start = self.cells.starts[number]
        n = self.cells.starts[number + 1] - start
        if len(x) > 1 and n.sum(dtype=np.int64) > _MOST_PAIRS:
            halves = (slice(None, len(x) // 2), slice(len(x) // 2, None))
            return np.concatenate([self._locate_mixed(x[h], y[h], column[h], row[h], number[h]) for h in halves])
        from_x, from_y = x - self.frame.middle_x[column], y - self.frame.middle_y[row]
        held, doubtful = self._follow(from_x, from_y, y, number, start, n)
        owner = self._lowest(held, number)
        if len(doubtful):
            at = doubtful
            owner[at] = self._decide(x[at], y[at], column[at], row[at], number[at])
        return owner

    def _follow(
        self, x: Floats, y: Floats, lat: Floats, number: Indices, start: Indices, n: Indices
    ) -> tuple[npt.NDArray[np.uint32], Ints]:
        """Follow the path of each point to its reference point; polygons that hold it, as bits, and points in doubt."""
        cells = self.cells
        first = np.cumsum(n) - n
        entry = np.repeat(start - first, n)
        entry += np.arange(len(entry), dtype=entry.dtype)
        line = cells.lines.take(entry, axis=0)
        toggles = cells.toggles.take(entry)
        lat = np.repeat(lat, n)
        corner = line[:, 1] * np.repeat(y, n)
        corner += line[:, 2]
        here = line[:, 0] * np.repeat(x, n)
        here += corner
        beyond = corner < 0
        along_row = (line[:, 3] <= lat) & (lat < line[:, 4]) & ((here < 0) != beyond)
        along_column = (toggles > _MASK) & beyond
        held = np.bitwise_xor.reduceat(toggles * (along_row != along_column), first)
        held ^= cells.held[number]
        close = np.minimum(np.abs(here, out=here), np.abs(corner, out=corner), out=here) <= 1
        doubtful = (
            np.unique(np.searchsorted(first, np.flatnonzero(close), side="right") - 1) if close.any() else first[:0]
        )
        return held & _MASK, doubtful

    def _lowest(self, held: npt.NDArray[np.uint32], number: Indices) -> Indices:
        lowest = np.bitwise_count((held & (~held + np.uint32(1))) - np.uint32(1))
        at = self.cells.candidate_starts[number] + lowest
        owner = self.cells.candidates.take(at, mode="clip")
        owner[held == 0] = -1
        return owner

    def _decide(self, x: Floats, y: Floats, column: Indices, row: Indices, number: Indices) -> Indices:
        """Answer for points in doubt, without rounding; what even that leaves open is asked of GEOS."""
        cells = self.cells
        start = cells.starts[number]
        of, entry = expand(start, cells.starts[number + 1] - start)
        ax, ay, bx, by = cells.edges.take(cells.edge[entry], axis=0).T
        px, py = x[of], y[of]
        mx, my = self.frame.middle_x[column][of], self.frame.middle_y[row][of]
        here, corner, middle = (exact_side(ax, ay, bx, by, u, v) for u, v in ((px, py), (mx, py), (mx, my)))
        low_x, high_x = np.minimum(ax, bx), np.maximum(ax, bx)
        in_rows, in_columns = (ay <= py) & (py <= by), (low_x <= mx) & (mx <= high_x)
        touches = (here == 0) & in_rows & (low_x <= px) & (px <= high_x)
        along_row = (ay <= py) & (py < by) & ((here < 0) != (corner < 0))
        along_column = ((ax <= mx) != (bx <= mx)) & ((corner < 0) != (middle < 0))
        toggles = cells.toggles[entry] & _MASK
        first = np.searchsorted(of, np.arange(len(x)))
        held = np.bitwise_xor.reduceat(toggles * (along_row != along_column), first) ^ cells.held[number]
        held |= np.bitwise_or.reduceat(toggles * touches, first)
        owner = self._lowest(held & _MASK, number)
        unknown = (here == UNKNOWN) | (corner == UNKNOWN) | (middle == UNKNOWN)
        unknown |= ((corner == 0) & in_rows & in_columns) | (middle == 0) | cells.is_hard[number][of]
        ask = np.flatnonzero(np.bitwise_or.reduceat(unknown, first))
        if len(ask):
            owner[ask] = self._ask_geos(x[ask], y[ask])
        return owner

    @cached_property
    def _tree(self) -> shapely.STRtree:
        raw, starts = self.shapes.tobytes(), self.shape_starts
        wkb = [raw[a:b] or None for a, b in itertools.pairwise(starts)]
        return shapely.STRtree(shapely.from_wkb(np.array(wkb, dtype=object)))

    def _ask_geos(self, x: Floats, y: Floats) -> Indices:
        point, polygon = self._tree.query(shapely.points(x, y), predicate="intersects")
        owner = np.full(len(x), len(self.codes), dtype=np.int32)
        np.minimum.at(owner, point, polygon.astype(np.int32))
        owner[owner == len(self.codes)] = -1
        return owner

    def save(self, path: Path) -> None:
        """Keep the index in a file (`.npz`), which appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = np.array([getattr(self.frame, f.name) for f in fields(Frame)])
        arrays = {f.name: getattr(self.cells, f.name) for f in fields(Cells)}
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                format=FORMAT,
                codes=self.codes,
                frame=frame,
                shapes=self.shapes,
                shape_starts=self.shape_starts,
                **arrays,
            )
        Path(name).replace(path)

    @classmethod
    def load(cls, path: Path) -> GridIndex:
        """Read an index kept by `save`.

        Raises
        ------
        AtlasError
            The file is not such an index, or of another version.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if int(kept["format"]) != FORMAT:
                    raise AtlasError(f"{path} was written by another version.", "Delete it: it is built anew.")
                west, south, per_x, per_y, n_columns, n_rows = kept["frame"].tolist()
                frame = Frame(west, south, per_x, per_y, int(n_columns), int(n_rows))
                cells = Cells(**{f.name: kept[f.name] for f in fields(Cells)})
                return cls(kept["codes"], frame, cells, kept["shapes"], kept["shape_starts"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise AtlasError(f"{path} is not an index of grids.", "Delete it: it is built anew.") from error

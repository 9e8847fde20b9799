"""How batches travel from the child that reads a file to the loader: a line of JSON, then an Arrow stream.

The line has the headings, or the problem that kept the file from being opened. Broken rows go along in the metadata of
their batch; the last batch is empty and says how reading ended, so that a child that died is never taken for a file
that ended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import shapely

from etl.masks import present
from etl.sources.batch import UNBUILT, RawBatch, Source
from layers.errors import DeliveryError

LINE, GEOMETRY = "\x00line", "\x00geometry"
"""Names of the two columns that are no headings; no heading can be called so."""


def schema_of(headings: Iterable[str], has_geometry: bool) -> pa.Schema:
    """Columns of the stream."""
    fields = [(heading, pa.string()) for heading in headings] + [(LINE, pa.int64())]
    return pa.schema([*fields, (GEOMETRY, pa.binary())] if has_geometry else fields)


def send_line(out: IO[bytes], **values: Any) -> None:
    """Send one line of JSON."""
    out.write(json.dumps(values, ensure_ascii=True).encode() + b"\n")
    out.flush()


def send_batches(
    out: IO[bytes], source: Source, wanted: tuple[str, ...], problem_of: Callable[[Exception], tuple[str, str]]
) -> None:
    """Read a source and send what it gives; a problem that ends it is the last thing sent."""
    headings = [h for h in source.headings if h in wanted]
    schema = schema_of(headings, source.has_geometry)
    with pa.ipc.new_stream(out, schema) as stream:
        end: dict[str, Any] = {}
        try:
            for batch in source.batches(wanted):
                columns = [batch.columns[h] for h in headings] + [pa.array(batch.lines, pa.int64())]
                if source.has_geometry:
                    columns.append(_sent(batch))
                said = {"broken": json.dumps(batch.broken)} if batch.broken else {}
                stream.write_batch(pa.record_batch(columns, schema=schema), custom_metadata=said)
                out.flush()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile file brings about becomes a sentence
            end = {"problem": problem_of(error)}
        stream.write_batch(_nothing(schema), custom_metadata={"end": json.dumps(end)})
    out.flush()


def _sent(batch: RawBatch) -> pa.Array:
    """Shapes as WKB, empty bytes for one that cannot be built."""
    wkb: np.ndarray = np.asarray(shapely.to_wkb(batch.geometry), dtype=object)
    wkb[shapely.get_type_id(batch.geometry) == shapely.get_type_id(UNBUILT)] = b""
    return pa.array(wkb, pa.binary())


def _received(wkb: pa.Array) -> np.ndarray:
    geometry: np.ndarray = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="ignore")
    geometry[shapely.is_missing(geometry) & present(wkb)] = UNBUILT
    return geometry


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array([], field.type) for field in schema], schema=schema)


def receive_batches(stream: Any, headings: list[str], has_geometry: bool) -> Iterator[RawBatch]:
    """Take the batches of a stream until the one that says how it ended.

    Raises
    ------
    DeliveryError
        What the child found wrong with the file.
    EOFError, pyarrow.ArrowException
        The child died, or sent what no child sends.
    """
    reader = pa.ipc.open_stream(stream)
    if reader.schema != schema_of(headings, has_geometry):
        raise pa.ArrowInvalid("not the columns that were asked for")
    while True:
        try:
            batch, said = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            raise EOFError from None
        batch.validate(full=True)
        words = dict(said or {})
        if b"end" in words:
            end = json.loads(words[b"end"])
            if "problem" in end:
                raise DeliveryError(*end["problem"])
            return
        broken = json.loads(words.get(b"broken", b"[]"))
        geometry = None
        if has_geometry:
            geometry = _received(batch.column(GEOMETRY))
        columns = {h: batch.column(i) for i, h in enumerate(headings)}
        lines = batch.column(LINE).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
        yield RawBatch(columns, lines, geometry, tuple((int(line), str(text)) for line, text in broken))

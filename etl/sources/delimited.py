"""Text tables: any usual separator, quotes, UTF-8, UTF-16 or GB18030 (and so GBK)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from etl.sources.batch import BLANK, RawBatch
from etl.sources.dialect import Dialect, find_dialect
from etl.sources.encoding import find_encoding, find_odd_line, has_byte, mixed_at
from etl.sources.request import Request
from layers.errors import DeliveryError

BLOCK_BYTES = 4 << 20
"""Bytes of text read at a time; Arrow reads up to 32 of them ahead, and so holds them in memory."""

LARGE_BLOCK_BYTES = 16 << 20
"""Bytes read at a time of a file with a row that goes beyond the next block; no longer row is read."""

_BLOCKS = 4
"""Blocks per batch: some 60,000 rows."""

_STRADDLES = "straddling object"
_SAMPLE_BYTES = 256 << 10
_HINT = "Export it again as CSV in UTF-8 or GB18030, and check that it opens in a spreadsheet."


@dataclass(frozen=True)
class DelimitedSource:
    """An opened text table; `name` is what it was delivered as."""

    path: Path
    name: str
    encoding: str
    dialect: Dialect
    is_quoted: bool
    has_geometry: bool = False
    notes: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """Headings of the file, in its order."""
        return self.dialect.headings

    def batches(self, wanted: tuple[str, ...]) -> Iterator[RawBatch]:
        """Read the rows block by block; rows with another number of fields than the heading come as `broken`."""
        given = self.dialect.skip
        for block_bytes in (BLOCK_BYTES, LARGE_BLOCK_BYTES):
            try:
                for batch in self._read(wanted, block_bytes):
                    rest = _below(given, batch)
                    given = max([given, *rest.lines[-1:].tolist(), *(line for line, _ in rest.broken)])
                    if len(rest.lines) or rest.broken:
                        yield rest
                return
            except (pa.ArrowInvalid, UnicodeError, EOFError) as error:
                is_long = _STRADDLES in str(error)
                if is_long and block_bytes < LARGE_BLOCK_BYTES:
                    continue
                line = find_odd_line(self.path, self.encoding)
                if line is not None:
                    raise mixed_at(self.name, line, self.encoding) from error
                raise self._too_long(given) if is_long else self._unreadable(error) from error

    def _read(self, wanted: tuple[str, ...], block_bytes: int) -> Iterator[RawBatch]:
        reader = _Lines(self.dialect.skip, self.is_quoted)
        # line breaks inside quotes can stand in any column, so all are read when there are quotes
        include = self.headings if self.is_quoted else tuple(h for h in self.headings if h in wanted)
        n_blocks = max(1, _BLOCKS * BLOCK_BYTES // block_bytes)
        with self._open() as stream:
            blocks = iter(_open_csv(stream, self, include, reader, block_bytes))
            while some := list(islice(blocks, n_blocks)):
                yield reader.number(pa.concat_batches(some), wanted)
        yield reader.rest(wanted)

    def _too_long(self, line: int) -> DeliveryError:
        return DeliveryError(
            f"{self.name} has a row longer than {LARGE_BLOCK_BYTES >> 20} MB somewhere below line {line}.",
            f"Most likely a quote ({self.dialect.quote}) is opened there and never closed: close or remove it.",
        )

    def _unreadable(self, error: BaseException) -> DeliveryError:
        return DeliveryError(f"{self.name} cannot be read as CSV: {_short(error)}.", _HINT)

    def _open(self) -> Any:
        stream: Any = pa.input_stream(str(self.path), compression=None)
        return stream if self.encoding == "utf-8" else pa.transcoding_input_stream(stream, self.encoding, "utf-8")


def open_delimited(path: Path, request: Request) -> DelimitedSource:
    """Open a text table: find its encoding, how it is written, and its headings.

    Raises
    ------
    DeliveryError
        The file is empty, cannot be read, or is in no known encoding.
    """
    encoding = find_encoding(path, request.encoding, delivered=request.path.name)
    with path.open("rb") as stream:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(stream.read(_SAMPLE_BYTES))
    dialect = find_dialect(text.removeprefix("\ufeff"), request.headings, request.header_row)
    if dialect is None:
        raise DeliveryError(f"{request.path.name} has no headings on line {request.header_row or 1}.", _HINT)
    is_quoted = has_byte(path, dialect.quote.encode())
    return DelimitedSource(path, request.path.name, encoding, dialect, is_quoted)


def _open_csv(stream: Any, source: DelimitedSource, include: tuple[str, ...], lines: _Lines, block_bytes: int) -> Any:
    return pacsv.open_csv(
        stream,
        # one thread: only then does the handler learn the number of a broken row
        pacsv.ReadOptions(
            use_threads=False, block_size=block_bytes, column_names=source.headings, skip_rows=source.dialect.skip
        ),
        pacsv.ParseOptions(
            delimiter=source.dialect.delimiter,
            quote_char=source.dialect.quote if source.is_quoted else False,
            newlines_in_values=source.is_quoted,
            ignore_empty_lines=False,
            invalid_row_handler=lines.refuse,
        ),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(include, pa.string()),
            include_columns=include,
            null_values=list(BLANK),
            strings_can_be_null=True,
        ),
    )


class _Lines:
    """Counts physical rows and the line breaks inside their values, so that every row knows its line."""

    def __init__(self, skip: int, is_quoted: bool) -> None:
        self._next = skip + 1
        self._extra = 0
        self._is_quoted = is_quoted
        self._refused: list[tuple[int, str]] = []

    def refuse(self, row: pacsv.InvalidRow) -> str:
        """Take note of a row with a wrong number of fields, and go on."""
        self._refused.append((row.number, row.text))
        return "skip"

    def number(self, block: pa.RecordBatch, wanted: tuple[str, ...]) -> RawBatch:
        """Turn a block into a batch: lines counted, rows without any value left out."""
        n = block.num_rows
        rows, broken = self._rows(n)
        lines = rows
        if self._is_quoted:
            lines, broken = self._with_breaks(block, rows, broken)
        columns = {h: block.column(h) for h in block.schema.names if h in wanted}
        empty = np.ones(n, bool)
        for column in block.columns:
            empty &= column.is_null().to_numpy(zero_copy_only=False) if column.null_count else False
            if not empty.any():
                break
        if empty.any():
            keep = pa.array(~empty)
            columns = {h: c.filter(keep) for h, c in columns.items()}
            lines = lines[~empty]
        return RawBatch(columns, lines, None, tuple(broken))

    def rest(self, wanted: tuple[str, ...]) -> RawBatch:
        """Give the broken rows after the last block."""
        broken = tuple((number + self._extra, text) for number, text in self._refused)
        return RawBatch({h: pa.array([], pa.string()) for h in wanted}, np.zeros(0, np.int64), None, broken)

    def _rows(self, n: int) -> tuple[np.ndarray, list[tuple[int, str]]]:
        rows = np.arange(self._next, self._next + n, dtype=np.int64)
        at = 0
        for number, _ in self._refused:
            if not n or number > rows[-1]:
                break
            rows[np.searchsorted(rows, number) :] += 1
            at += 1
        broken, self._refused = self._refused[:at], self._refused[at:]
        if n:
            self._next = int(rows[-1]) + 1
        return rows, broken

    def _with_breaks(
        self, block: pa.RecordBatch, rows: np.ndarray, broken: list[tuple[int, str]]
    ) -> tuple[np.ndarray, list[tuple[int, str]]]:
        breaks = np.zeros(block.num_rows, np.int64)
        for column in block.columns:
            data = column.buffers()[2]
            if data is None or b"\n" not in data.to_pybytes():
                continue
            breaks += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy(zero_copy_only=False)
        numbers = np.concatenate([rows, np.array([number for number, _ in broken], np.int64)])
        extra = np.concatenate([breaks, np.array([text.count("\n") for _, text in broken], np.int64)])
        order = np.argsort(numbers, kind="stable")
        before = np.cumsum(extra[order]) - extra[order] + self._extra
        lines = np.empty_like(numbers)
        lines[order] = numbers[order] + before
        self._extra += int(extra.sum())
        n = len(rows)
        return lines[:n], [(int(line), text) for line, (_, text) in zip(lines[n:], broken, strict=True)]


def _below(line: int, batch: RawBatch) -> RawBatch:
    """Rows of a batch below a line: the others were given before."""
    at = int(np.searchsorted(batch.lines, line, side="right"))
    broken = tuple((number, text) for number, text in batch.broken if number > line)
    columns = {h: column.slice(at) for h, column in batch.columns.items()} if at else batch.columns
    return RawBatch(columns, batch.lines[at:], None, broken)


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".")[:200] if str(error) else type(error).__name__

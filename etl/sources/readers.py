"""One reader per format, and what a child does with a request: open the file, say its headings, send its rows."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from etl.sources.archive import unpack
from etl.sources.batch import Source
from etl.sources.delimited import open_delimited
from etl.sources.parquet import open_parquet
from etl.sources.request import Request
from etl.sources.vector import open_vector
from etl.sources.wire import send_batches, send_line
from etl.sources.workbook import open_workbook
from layers.errors import DeliveryError

WORKBOOKS, PARQUETS = ("xlsx", "xls", "ods"), ("parquet", "geoparquet")


def open_file(request: Request, folder: Path) -> Source:
    """Open a file in this very process; what an archive holds is unpacked into the folder.

    Raises
    ------
    DeliveryError
        The file cannot be read.
    """
    path = unpack(request, folder)
    if request.format == "csv":
        return open_delimited(path, request)
    if request.format in WORKBOOKS:
        return open_workbook(path, request)
    if request.format in PARQUETS:
        return open_parquet(path, request)
    return open_vector(path, request)


def serve(request: Request, questions: int, answers: int) -> None:
    """Answer a request: headings first, then, when asked for some of them, the rows."""
    with os.fdopen(answers, "wb") as out, os.fdopen(questions, "rb") as asked:
        try:
            source = open_file(request, Path.cwd())
            send_line(out, headings=source.headings, has_geometry=source.has_geometry, notes=source.notes)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile file brings about becomes a sentence
            send_line(out, problem=problem_of(error, request))
            return
        if wanted := asked.readline():
            send_batches(out, source, tuple(json.loads(wanted)), lambda error: problem_of(error, request))


def problem_of(error: Exception, request: Request) -> tuple[str, str]:
    """Say what an error means for the delivery: what is the matter, and the remedy."""
    name = request.path.name
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return (
            f"{name} needs more than the {request.limits.memory_mb} MB of memory that reading may take.",
            "Deliver it in several smaller files or as CSV, or allow more by the setting READ_MEMORY_MB.",
        )
    if isinstance(error, DeliveryError):
        return error.message, error.hint
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return (
            f"{name} unpacks to more than {request.limits.unpacked_mb} MB.",
            "Deliver it in several smaller files, or allow more by the setting READ_UNPACKED_MB.",
        )
    said = str(error).splitlines()[0][:200] if str(error) else ""
    return (
        f"{name} cannot be read as {request.format}: {type(error).__name__} {said}".rstrip() + ".",
        "It is damaged: ask the department to export it again.",
    )

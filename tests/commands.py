"""Commands as they are typed, each in a process of its own that has imported the libraries already.

Most of a short command's time is imports. Here a process that has done them is forked for each: it has the folder, the
environment and the output of a fresh one.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED = ["etl.crs", "etl.reform.run", "etl.refused", "etl.report", "etl.run", "etl.unplaced"]
"""What is imported before."""


def call(words: Sequence[str], folder: Path, environ: Mapping[str, str], out: Path) -> tuple[int | None, str]:
    """Run `python -m MODULE ..` in a folder; its exit code and all it said, which `out` keeps."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    child = context.Process(target=_become, args=(list(words), folder, dict(environ), out))
    child.start()
    child.join()
    return child.exitcode, out.read_text(encoding="utf-8")


def _become(words: list[str], folder: Path, environ: dict[str, str], out: Path) -> None:
    python, flag, module, *rest = words
    assert (python, flag) == ("python", "-m"), words
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    with out.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

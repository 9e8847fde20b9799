"""Run the benchmarks, `python -m tests.benchmarks [NAME ..]`: a line for each goal, exit code 1 when one is missed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from layers.server import stop_server
from tests.benchmarks import bench_settings


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    unknown = [name for name in wanted if f"bench_{name}" not in names]
    if unknown:
        print(f"There is no benchmark {unknown[0]}. There are: {', '.join(name[6:] for name in names)}.")
        return 4
    missed = []

    def report(name: str, figure: str, goal: str, holds: bool) -> None:
        print(f"{'holds ' if holds else 'MISSED'}  {name}: {figure}  (goal {goal})", flush=True)
        if not holds:
            missed.append(name)

    try:
        for name in names:
            if not wanted or name[6:] in wanted:
                importlib.import_module(f"tests.benchmarks.{name}").run(report)
    finally:
        stop_server(bench_settings(), say=lambda line: None)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

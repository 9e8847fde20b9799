"""Memory of a load: the greatest that any of its processes ever held, at 1 M and at 10 M events."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import BENCH_DIR, Report, bench_settings, fresh_database
from tests.benchmarks.bench_load import DATASET, multiply
from tests.benchmarks.bench_load import files as deliveries

LETTERS = "ABCDEFGHIJ"
MOST_MB = 1024
FLAT = 1.3
"""What ten times the rows may take of memory, in times: 16 bytes a row for their keys, and nothing else."""

_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(code)
"""


def run(report: Report) -> None:
    """Load 1 M and 10 M events in processes of their own and compare what they took."""
    first = deliveries().first
    ten = BENCH_DIR / "ten_millions"
    if not (ten / f"{DATASET}.csv").exists():
        multiply(first / f"{DATASET}.csv", ten / f"{DATASET}.csv", LETTERS)
    one_mb, ten_mb = (_peak_mb(first, folder) for folder in (first, ten))
    report("memory of a load of 1 M events", f"{one_mb} MB", f"<= {MOST_MB} MB", one_mb <= MOST_MB)
    report("memory of a load of 10 M events", f"{ten_mb} MB", f"<= {MOST_MB} MB", ten_mb <= MOST_MB)
    share = ten_mb / one_mb
    report("memory of 10 M against 1 M", f"{share:.2f} x", f"<= {FLAT} x", share <= FLAT)


def _peak_mb(grids: Path, folder: Path) -> int:
    database = fresh_database("load_memory")
    environ = os.environ | {"DATABASE_URL": database.url("admin"), "LOCAL_DIR": str(bench_settings().local_dir)}
    load = [sys.executable, "-m", "etl", "run"]
    subprocess.run(
        [*load, "grid_county", "grid_large", "grid_medium", "grid_small", "--from", str(grids)],
        env=environ, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    words = [sys.executable, "-c", _MEASURED, *load, DATASET, "--from", str(folder)]
    return int(subprocess.run(words, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout)

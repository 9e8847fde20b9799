"""What a start costs: the server until it answers, a catalogue of 435 datasets, and the cube of people."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from layers.cube import work_out
from layers.database import Database
from layers.declare import read_catalog
from layers.release import release
from layers.secrets import read_secrets
from layers.settings import CHECKOUT
from tests.benchmarks import Report, bench_settings, loaded_city
from tests.benchmarks.screens import served_apart

DATASETS = 435


def run(report: Report) -> None:
    """Measure over the full city."""
    city = loaded_city()
    _cold_start(report, city)
    _catalogue(report)
    _cube(report, city)


def _cold_start(report: Report, city: Database) -> None:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        with served_apart(city) as address, urllib.request.urlopen(f"{address}/healthz", timeout=60) as answer:
            assert answer.status == 200
            seconds.append(time.perf_counter() - begun)
    taken = statistics.median(seconds)
    report("cold start, process to first answer", f"{taken:.2f} s", "<= 3 s", taken <= 3)


def _catalogue(report: Report) -> None:
    """Read the declarations with the datasets of things copied under other names until there are enough."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(bench_settings().catalog_dir, data)
        text = (data / "datasets" / "street_lamp.toml").read_text(encoding="utf-8")
        n = len(list((data / "datasets").glob("*.toml")))
        for number in range(DATASETS - n):
            (data / "datasets" / f"lamp_{number}.toml").write_text(text, encoding="utf-8")
        code = (
            "import sys, time; from pathlib import Path; from layers.declare import read_catalog;"
            "begun = time.perf_counter(); catalog = read_catalog(Path(sys.argv[1]));"
            "print(len(catalog.datasets), time.perf_counter() - begun)"
        )
        seconds = []
        for _ in range(3):
            said = subprocess.run(
                [sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True, cwd=CHECKOUT
            )
            n_read, taken = said.stdout.split()
            assert int(n_read) == DATASETS, n_read
            seconds.append(float(taken))
    median = statistics.median(seconds)
    report(f"catalogue of {DATASETS} datasets, loaded and checked", f"{median:.2f} s", "<= 0.5 s", median <= 0.5)


def _cube(report: Report, city: Database) -> None:
    """Work the cube out of the vault, then round it and send it through the gate; nothing is written."""
    settings = bench_settings()
    catalog, key = read_catalog(settings.catalog_dir), read_secrets(settings).rounding_key
    breakdowns = list(catalog.breakdowns.values())
    with city.connect("loader") as loader:
        row = loader.execute("select max(edition), max(month) from pub.people_count").fetchone()
        assert row is not None
        codes = [
            code for (code,) in loader.execute("select code from pub.grid where edition = %s order by 1", [row[0]])
        ]
        begun = time.perf_counter()
        cube = work_out(loader, row[0], row[1], codes, breakdowns)
        worked_s = time.perf_counter() - begun
        loader.rollback()
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        release(cube, breakdowns, key)
        seconds.append(time.perf_counter() - begun)
    taken = statistics.median(seconds)
    report(
        f"people cube of {len(codes):,} grids x {len(breakdowns)} breakdowns, rounded and gated",
        f"{taken:.2f} s (worked out of the vault before in {worked_s:.1f} s)", "<= 2 s", taken <= 2,
    )  # fmt: skip

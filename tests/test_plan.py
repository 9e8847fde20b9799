"""Which files of a folder are loaded: patterns, sub-folders, packed files, links."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from etl.plan import make_plan
from tests.little_city import little_catalog
from tests.source_files import school

FILES = (
    "school_2026.csv", "school_2025.csv.gz", "2026-01/school.csv", "2026-02/school.csv.zip", "2026-02/deep/school.csv",
    ".hidden/school.csv", "2026-02/other.csv", "readme.md",
)  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("school*.csv", {"school_2025.csv.gz", "school_2026.csv"}),
        ("*/school.csv", {"2026-01/school.csv", "2026-02/school.csv.zip"}),
        ("2026-*/*.csv", {"2026-01/school.csv", "2026-02/school.csv.zip", "2026-02/other.csv"}),
        ("2026-02/**/school.csv", {"2026-02/school.csv.zip", "2026-02/deep/school.csv"}),
        ("**/school.csv", {"2026-01/school.csv", "2026-02/school.csv.zip", "2026-02/deep/school.csv"}),
    ],
)
def test_a_pattern_finds_its_files(pattern: str, found: set[str], tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "school_link.csv").symlink_to(tmp_path / "readme.md")
    catalog = replace(little_catalog(), datasets={"school": school(files=pattern)})
    plan = make_plan(catalog, tmp_path)
    assert {job.name for job in plan.jobs} == found
    assert all(job.path == tmp_path / job.name for job in plan.jobs)
    assert plan.strangers[0] == "school_link.csv is a link and was left alone; put the file itself there."
    assert not any("hidden" in said or "readme" in said for said in plan.strangers)

"""Cases left lying in the sample city, so that the page of every scenario has grids to rank."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import numpy as np

from etl.demo.live import DATASET, SAMPLE_CITY, WAY, Crew, crew_of, spot_in
from layers import cases
from layers.access import Scope
from layers.codes import LENGTHS
from layers.database import Database
from layers.declare.records import Catalog
from layers.gazetteer import read_gazetteer
from layers.watch import FEWEST, open_cases, ranked_by_neglect

TOWNS = 2
"""Towns that every scenario has to rank."""

LEFT = FEWEST + 2
"""Cases left lying in a town that is to be ranked."""

OLDEST, FRESH = timedelta(days=6), timedelta(hours=20)
"""How long ago the older and the later half of them were reported at most."""

TAKEN_UP = ("reported", "accepted", "dispatched")
"""States in which steps are taken before a case is left as it stands."""


def leave_open(db: Database, catalog: Catalog, *, now: datetime | None = None, seed: int = 4499) -> int:
    """Report cases of the kinds a scenario asks about and leave them open; return how many.

    It adds none to a scenario with categories of its own that has towns enough to rank already.

    Raises
    ------
    AtlasError
        This is not the sample city.
    """
    now, chance, n = now or datetime.now(UTC), np.random.default_rng(seed), 0
    digits = LENGTHS["large"]
    with crew_of(db, catalog) as crew:
        with crew.acting("dispatcher"):
            counted = open_cases(crew.web, Scope(SAMPLE_CITY), digits, now)
            grids = read_gazetteer(crew.web, Scope(SAMPLE_CITY)).inside(SAMPLE_CITY, "small")
        towns = np.unique(grids.index.str[:digits])
        for scenario in catalog.scenarios.values():
            kinds = [key for key in scenario.categories if not catalog.categories[key].sensitive]
            ranked = ranked_by_neglect(counted[counted["category"].isin(kinds)]).index
            others = np.setdiff1d(towns, ranked)
            lacking = max(TOWNS - len(ranked), 0) if kinds else 0
            for town in chance.choice(others, min(lacking, len(others)), replace=False):
                inside = grids.index[grids.index.str.startswith(town)].to_numpy()
                for i in range(LEFT):
                    ago = (OLDEST if i % 2 else FRESH) * (0.05 + 0.9 * float(chance.random()))
                    kind = kinds[int(chance.integers(len(kinds)))]
                    grid = str(chance.choice(inside))
                    key, spot = f"left-{uuid.uuid4().hex}", spot_in(grids, grid, chance)
                    said = cases.Report(key, kind, grid, spot, dataset=DATASET, at=now - ago)
                    _leave(crew, catalog, said, now - ago, int(chance.integers(4)))
                    n += 1
    return n


def _leave(crew: Crew, catalog: Catalog, said: cases.Report, at: datetime, n_steps: int) -> None:
    """Report a case, take some steps within the first minutes, and leave it."""
    with crew.acting("grid_worker") as who:
        number = cases.report(crew.web, catalog, who, said).id
    department = catalog.categories[said.category].department
    for i, state in enumerate(TAKEN_UP[:n_steps], start=1):
        step, role = WAY[state]
        with crew.acting("dispatcher") as centre:
            case = cases.read_case(crew.web, centre.scope, number)
        with crew.acting(role, case.department) as who:
            cases.take_step(
                crew.web, catalog, who, case, step, key=uuid.uuid4().hex, at=at + i * timedelta(minutes=10),
                department=department if step == "dispatch" else None,
            )  # fmt: skip

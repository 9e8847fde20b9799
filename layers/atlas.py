"""The atlas: database and declarations opened together, the one object most people meet.

>>> from layers import open_atlas
>>> atlas = open_atlas()
>>> events = atlas.features("grid_event", within="449901", since="2026-01-01")

Heavy imports wait until something is asked for, so that opening is quick.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from layers.access import Scope
from layers.editions import check_grid, edition_on
from layers.errors import AccessError, ServerError
from layers.settings import Settings, read_settings

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import psycopg

    from layers.counts import Part
    from layers.database import Database
    from layers.declare.records import Catalog
    from layers.features import Value
    from layers.nearby import Nearby
    from layers.periods import Step
    from layers.secrets import Role


def open_atlas(settings: Settings | None = None, role: Role = "analyst", scope: Scope | str | None = None) -> Atlas:
    """Open the atlas of the city that the settings name.

    Parameters
    ----------
    settings
        From the environment when left out.
    role
        Role to log in as.
    scope
        Part of the tree of grids that may be seen, as a code; when left out, all that the login may see.

    Raises
    ------
    DeclarationError
        A declaration is wrong.
    ServerError
        The database cannot be reached, or holds no tables yet.
    AccessError
        The login may see nothing yet, or not that part.
    """
    from layers.database import open_database
    from layers.declare import read_catalog

    settings = settings or read_settings(os.environ)
    catalog = read_catalog(settings.catalog_dir)
    whole = Scope(catalog.city.code)
    code = scope.code if isinstance(scope, Scope) else scope
    atlas = Atlas(catalog, open_database(settings), role, whole.within(code))
    with atlas.connect() as connection:
        if connection.execute("select to_regclass('pub.grid')").fetchone() == (None,):
            raise ServerError(
                "The database holds no tables yet.", "`make demo` fills it, or `python -m etl run` with your own files."
            )
        return replace(atlas, scope=_seen(connection).within(code)) if role == "analyst" else atlas


def _seen(connection: psycopg.Connection[Any]) -> Scope:
    """What the login of an analyst may see."""
    login, code = connection.execute("select session_user, pub.scope()").fetchone() or ("", None)
    if code is None:
        raise AccessError(
            f"The login {login} may see nothing yet.",
            f"Have the security admin run `python -m mapapp account login {login} --scope CODE`.",
        )
    return Scope(code)


@dataclass(frozen=True)
class Atlas:
    """Database and declarations of one city, seen by one role inside one scope; made by `open_atlas`."""

    catalog: Catalog = field(repr=False)
    database: Database = field(repr=False)
    role: Role
    scope: Scope

    def connect(self) -> psycopg.Connection[Any]:
        """Connect to the database as the atlas's role."""
        return self.database.connect(self.role)

    def datasets(self) -> pd.DataFrame:
        """List the declared datasets; a row is a dataset.

        Returns
        -------
        DataFrame
            Columns dataset, name, department, table, each_row_is, rows, loaded_at, sensitive, ordered by dataset.
            `rows` is how many lie inside the scope; <NA> for what is not counted row by row: people (ask for
            `people`), what is sensitive, and what does not lie on the map by itself. `loaded_at` is missing until
            something was loaded.
        """
        from layers.listing import list_datasets

        with self.connect() as connection:
            return list_datasets(connection, self.catalog, self.scope)

    def features(
        self,
        dataset: str,
        *,
        within: str | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
        limit: int | None = None,
        on: str | date | None = None,
    ) -> gpd.GeoDataFrame:
        """Read the rows of a dataset of events, places, things or organisations; a row is what `each_row_is` says.

        Left out are rows of sensitive categories, rows that a later delivery no longer has, and words that may name
        somebody. People are never read one by one: `people` gives their published counts.

        Parameters
        ----------
        dataset
            Its declared key.
        within
            Code of the grid to stay inside of.
        since, until
            Events reported from the first moment of `since` on and before the first moment of `until`: 2026,
            2026-03, 2026-03-05, 2026-03-05T08:00, a date or a datetime, in the city's zone.
        where
            Columns and the value, or list of values, they must have; None stands for a missing value.
        limit
            Largest number of rows.
        on
            Day whose grids `within` and the column grid_code mean; those in force when left out.

        Returns
        -------
        GeoDataFrame
            Typed columns of the table, then the dataset's declared ones, then geom (EPSG:4490), empty where only the
            grid is known. Moments in the city's zone. Ordered by id. `attrs["left_out"]` names sensitive categories.

        Raises
        ------
        UnknownNameError
            Nobody declared the dataset, it has no such column, or there is no such grid.
        AccessError
            It holds people or is sensitive, or `within` is outside the scope.
        """
        from layers.features import ask, read_features
        from layers.features_on import tied_on_day

        is_now = on is None
        bounds: dict[str, Any] = {"within": within, "limit": limit} if is_now else {}
        asked = ask(self.catalog, dataset, self.scope, since=since, until=until, where=where, **bounds)
        with self.connect() as connection:
            check_grid(connection, self.scope, within, edition_on(connection, self.catalog.city, on))
        found = read_features(self.database, self.role, asked, self.catalog.city.zone)
        return found if on is None else tied_on_day(self, found, on, within, limit)

    def tally(
        self,
        dataset: str,
        *,
        level: str,
        by: Sequence[Part] = ("category", "state"),
        period: Step | None = "month",
        within: str | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        on: str | date | None = None,
    ) -> pd.DataFrame:
        """Count the rows of a dataset; a row is a grid, a period, a category and a state that have any.

        Parameters
        ----------
        dataset
            Its declared key: events, places, things or organisations.
        level
            Level of the grids: city, county, large, medium or small.
        by
            What to count by beside the grid: category, state, both or nothing.
        period
            day (medium grids and above), month, year, or None for all time in one.
        within
            Code of the grid to stay inside of.
        since, until
            First day, and first day no longer; small grids are counted by whole months.
        on
            Day whose grids are meant, such as 2024-06-30; those in force when left out.

        Returns
        -------
        DataFrame
            grid_code, period (its first day), category, state, n. What has no time has no column `period`.
            `attrs["n_unplaced"]` counts rows inside `within` that are in no grid of the level; `attrs["n_carried"]`
            those that a reform has a grid count by share, `attrs["carried"]` the same by grid: then n is a float.

        Raises
        ------
        UnknownNameError
            Nobody declared the dataset, or there is no such level, part or grid.
        AccessError
            It holds people or is sensitive, or `within` is outside the scope.
        """
        from layers.counts import tally

        inside = self.scope.within(within)
        with self.connect() as connection:
            edition = edition_on(connection, self.catalog.city, on)
            check_grid(connection, self.scope, within, edition)
            return tally(
                connection, self.catalog, dataset, inside,
                level=level, by=by, period=period, since=since, until=until, edition=edition,
            )  # fmt: skip

    def indicator(
        self,
        name: str,
        *,
        level: str,
        within: str | None = None,
        period: str | int | date | None = None,
        on: str | date | None = None,
    ) -> gpd.GeoDataFrame:
        """Work out an indicator; a row is a grid of the level, each of them once.

        Parameters
        ----------
        name
            Its declared key.
        level
            Level of the grids: city, county, large, medium or small.
        within
            Code of the grid to stay inside of.
        period
            2026, 2026-03, or 2026-03-05 (medium grids and above); left out, the last whole month or year with data.
        on
            Day whose grids are meant, such as 2024-06-30; those in force when left out.

        Returns
        -------
        GeoDataFrame
            Columns grid_code, name, value, numerator, denominator, geom (EPSG:4490), ordered by code. 0 is 0, NaN is
            no data. `attrs` has `period`, `unit`, and `n_unplaced`: rows inside `within` in no grid of the level.

        Raises
        ------
        UnknownNameError
            Nobody declared the indicator, or there is no such level or grid.
        AccessError
            `within` is outside the scope.
        """
        from layers.indicators import find, values

        unit = find(self.catalog, name).unit.zh
        with self.connect() as connection:
            edition = edition_on(connection, self.catalog.city, on)
            check_grid(connection, self.scope, within, edition)
            found = values(
                connection, self.catalog, name, self.scope, level=level, within=within, period=period, edition=edition
            )
        grids = self.grids(level, within, on=on)
        frame = grids[["grid_code", "name", "geom"]].merge(found, on="grid_code", how="left")
        frame = frame[["grid_code", "name", "value", "numerator", "denominator", "geom"]]
        frame.attrs = {**found.attrs, "unit": unit}
        return frame

    def people(
        self, level: str, within: str | None = None, *, breakdown: str | None = None, on: str | date | None = None
    ) -> pd.DataFrame:
        """Give the published number of people; a row is a grid, or a grid and a cell of a breakdown.

        Parameters
        ----------
        level
            Level of the grids: city, county, large, medium or small.
        within
            Code of the grid to stay inside of.
        on
            Day whose grids are meant, such as 2024-06-30; those in force when left out.
        breakdown
            Name of a declared breakdown, such as sex_age; all people together when left out.

        Returns
        -------
        DataFrame
            grid_code, with a breakdown cell, and n: a multiple of 10, less than 10 from the truth. No rows when nothing
            is published. On other grids than it was published on, a figure is a sum of published ones, and
            `attrs["off_by"]` says by grid how far it may be off. No rows of a breakdown either at a level that the
            release gate kept back, and then `attrs["withheld"]` is true.

        Raises
        ------
        UnknownNameError
            There is no such level, grid or breakdown.
        AccessError
            `within` is outside the scope.
        """
        from layers.counts import digits_of
        from layers.people import people
        from layers.people_parts import find_breakdown, people_by

        digits_of(level, self.scope.within(within))
        with self.connect() as connection:
            edition = edition_on(connection, self.catalog.city, on)
            check_grid(connection, self.scope, within, edition)
            if breakdown is None:
                return people(connection, self.scope, level=level, within=within, edition=edition)
            known = find_breakdown(self.catalog, breakdown)
            return people_by(connection, self.scope, known, level=level, within=within, edition=edition)

    def grids(self, level: str, within: str | None = None, *, on: str | date | None = None) -> gpd.GeoDataFrame:
        """Read the grids of a level; a row is a grid.

        Parameters
        ----------
        level
            Level of the grids: city, county, large, medium or small.
        within
            Code of the grid to stay inside of.
        on
            Day whose grids are meant, such as 2024-06-30; those in force when left out.

        Returns
        -------
        GeoDataFrame
            Columns grid_code, name, parent_code, area_m2 (geodesic), geom (EPSG:4490), ordered by code.

        Raises
        ------
        UnknownNameError
            There is no such level or grid.
        AccessError
            `within` is outside the scope.
        """
        from layers.counts import digits_of
        from layers.grids import read_grids

        inside = self.scope.within(within)
        digits_of(level, inside)
        with self.connect() as connection:
            edition = edition_on(connection, self.catalog.city, on)
            check_grid(connection, self.scope, within, edition)
            found = read_grids(connection, edition, level, inside.code)
        found = found.rename(columns={"code": "grid_code"})
        return found[["grid_code", "name", "parent_code", "area_m2", "geom"]]

    def nearby(
        self,
        point: tuple[float, float] | None = None,
        radius_m: float = 1000,
        *,
        shape: Sequence[tuple[float, float]] | None = None,
        grids: Sequence[str] | None = None,
    ) -> Nearby:
        """Find what lies around a point (lon, lat), in a shape of corners, or in grids, as `emergency.toml` declares.

        Returns
        -------
        Nearby
            `people` and `care` as sums of published counts, and frames of what was found inside the scope.

        Raises
        ------
        AtlasError
            The area cannot be: nowhere, too large, crossing itself, or a grid that is not there.
        AccessError
            A grid is outside the scope.
        """
        from layers.areas import area_of
        from layers.nearby import nearby

        with self.connect() as connection:
            edition = edition_on(connection, self.catalog.city)
            area = area_of(connection, self.scope, edition, point, radius_m, shape=shape, grids=grids)
            return nearby(connection, self.catalog, self.scope, edition, area)

    def succession(self, code: str) -> pd.DataFrame:
        """Read what became of a grid and what it came from; a row is an old grid and a new one, the oldest first.

        Returns
        -------
        DataFrame
            As `layers.succession.history` says; no rows where there was no reform.
        """
        from layers.succession import history

        self.scope.within(code)
        with self.connect() as connection:
            return history(connection, code)

"""What every table shares: schemas, column kinds, the mixins of data rows.

The rules that let the same tables be spread over several machines later (see `tests/test_catalogue.py`): every
primary and unique key of a data table holds `town_code`, ids come from one sequence, foreign keys are
composite, and no table has a trigger.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

SCHEMAS = ("raw", "vault", "ops", "pub", "auth", "audit")
"""Schemas by who may look, from nobody but the loader to everybody."""

SRID = 4490
"""CGCS2000 geographic, within centimetres of WGS 84; coordinates are (lon, lat)."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

row_id = Sequence("row_id", schema="ops", metadata=metadata)
"""One sequence for every element row, so that an id alone names a row, whatever table holds it."""

TIED_BY = ("point", "code", "address", "none")
"""How a row found its grid."""

TOWN_OF_GRID = "town_code = left(rpad(grid_code, 9, '0'), 9)"
"""Town of a grid: left 9 of it; known only to the county, county + `000`; unplaced, city + `00000`."""

Code = Annotated[str, mapped_column(Text(collation="C"))]
"""A division or grid code; collation "C" stands on the column, since an index alone with it is not used."""

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Day = Annotated[date, mapped_column(Date)]
Count = Annotated[int, mapped_column(Integer)]
Small = Annotated[int, mapped_column(SmallInteger)]
Big = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = metadata
    type_annotation_map = {dict[str, Any]: JSONB, datetime: DateTime(timezone=True), str: Text}  # noqa: RUF012

    def __init_subclass__(cls, **kw: Any) -> None:
        """Give the table its docstring as its comment: the database is its own documentation."""
        super().__init_subclass__(**kw)
        if isinstance(cls.__table__, Table):
            cls.__table__.comment = " ".join((cls.__doc__ or "").split("\n\n")[0].split())


class TownRow:
    """A row that lies in a town: the first half of its key is the town's code."""

    town_code: Mapped[Code] = mapped_column(
        primary_key=True, comment="9 digits: the town the row lies in", sort_order=-4
    )
    id: Mapped[Big] = mapped_column(
        row_id,
        primary_key=True,
        server_default=row_id.next_value(),
        autoincrement=False,
        comment="from ops.row_id, so that it names one row of all tables",
        sort_order=-4,
    )


class GridRow(TownRow):
    """A row tied to the finest grid known."""

    grid_code: Mapped[Code] = mapped_column(comment="finest grid known; the city's code when unplaced", sort_order=-3)
    edition: Mapped[Small] = mapped_column(comment="edition of the grids that grid_code belongs to", sort_order=-3)


class SourceRow(GridRow):
    """A row that came from a delivery."""

    dataset: Mapped[Code] = mapped_column(comment="dataset it was delivered in", sort_order=-2)
    source_key: Mapped[Code] = mapped_column(
        comment="the deliverer's own key, unique in the dataset; a keyed token where that would be an ID number",
        sort_order=-2,
    )
    delivery_id: Mapped[Big] = mapped_column(comment="raw.delivery that wrote this version", sort_order=-2)
    updated_at: Mapped[Moment] = mapped_column(
        comment="when the source last changed it; decides between late copies", sort_order=-2
    )
    gone_on: Mapped[Day | None] = mapped_column(
        comment="day since which a full delivery no longer has it", sort_order=-2
    )


class ElementRow(SourceRow):
    """One of the five elements: typed core, and the declared rest in `attrs`."""

    delivered_code: Mapped[Code | None] = mapped_column(
        comment="grid code as the source gave it, never overwritten", sort_order=9
    )
    tied_by: Mapped[str] = mapped_column(comment="point, code, address or none: how grid_code was found", sort_order=9)
    is_sensitive: Mapped[bool] = mapped_column(
        comment="from its dataset or category: never shown as a single point", sort_order=9
    )
    attrs: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="declared columns that are not of the core", sort_order=9
    )

    @declared_attr
    def geom(cls) -> Mapped[Any]:  # noqa: N805
        """Where it is, EPSG:4490; NULL when only the grid is known."""
        return mapped_column(
            Geometry("GEOMETRY", srid=SRID, spatial_index=False),
            nullable=True,
            comment="where it is, EPSG:4490, (lon, lat); NULL when only the grid is known",
            sort_order=9,
        )


def town_check() -> CheckConstraint:
    """Check that the town of a row is the town of its grid."""
    return CheckConstraint(TOWN_OF_GRID, name="town_of_grid")


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """Check that a column holds one of the words, or nothing where it may be NULL."""
    return CheckConstraint(f"{column} in ({', '.join(repr(word) for word in words)})", name=column)

"""The tree of grids in time: editions, grids, succession, and the shapes drawn at each zoom.

These are reference tables: small, the same everywhere, never pointing at data tables.
"""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, Double, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import SRID, Base, Code, Count, Day, Moment, Small

LEVELS = ("city", "county", "large", "medium", "small")
"""Levels of the tree, from the top; their codes have 4, 6, 9, 12 and 15 digits."""


class Edition(Base):
    """One state of the whole tree of grids; a reform opens the next."""

    __tablename__ = "edition"
    __table_args__ = {"schema": "pub"}  # noqa: RUF012

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    opened_on: Mapped[Day]
    closed_on: Mapped[Day | None]
    version: Mapped[Count] = mapped_column(comment="rises with every change of its grids; part of tile addresses")


class Grid(Base):
    """An area with a code, in one edition; codes are re-used, so (edition, code) is the key."""

    __tablename__ = "grid"
    __table_args__ = (
        ForeignKeyConstraint(["edition"], ["pub.edition.edition"]),
        UniqueConstraint("grid_no"),
        CheckConstraint(
            "length(code) = case level when 'city' then 4 when 'county' then 6 when 'large' then 9 "
            "when 'medium' then 12 when 'small' then 15 end",
            name="length_of_level",
        ),
        Index("ix_grid_geom", "geom", postgresql_using="gist"),
        Index("ix_grid_edition_level", "edition", "level", "code"),
        {"schema": "pub"},
    )

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[Code] = mapped_column(primary_key=True)
    grid_no: Mapped[Count] = mapped_column(comment="integer key of (edition, code), used by tallies")
    level: Mapped[str]
    parent_code: Mapped[Code | None] = mapped_column(comment="code of the grid above; NULL for the city")
    name: Mapped[str]
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="former names and other spellings")
    geom: Mapped[Any] = mapped_column(Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False))
    centre: Mapped[Any] = mapped_column(
        Geometry("POINT", srid=SRID, spatial_index=False), comment="a point inside, for labels and for tying areas"
    )
    area_m2: Mapped[float] = mapped_column(Double, comment="geodesic area")
    west: Mapped[float] = mapped_column(Double)
    south: Mapped[float] = mapped_column(Double)
    east: Mapped[float] = mapped_column(Double)
    north: Mapped[float] = mapped_column(Double)
    opened_on: Mapped[Day | None]
    closed_on: Mapped[Day | None]


class Succession(Base):
    """What became of a grid in a reform: which share of the old one lies in the new one."""

    __tablename__ = "succession"
    __table_args__ = (
        ForeignKeyConstraint(["old_edition", "old_code"], ["pub.grid.edition", "pub.grid.code"]),
        ForeignKeyConstraint(["new_edition", "new_code"], ["pub.grid.edition", "pub.grid.code"]),
        CheckConstraint("share > 0 and share <= 1", name="share"),
        {"schema": "pub"},
    )

    old_edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    old_code: Mapped[Code] = mapped_column(primary_key=True)
    new_edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    new_code: Mapped[Code] = mapped_column(primary_key=True)
    share: Mapped[float] = mapped_column(Double, comment="share of the old grid's area, 0-1")


class GridShape(Base):
    """A grid simplified for drawing up to one zoom, borders still shared with its neighbours; EPSG:3857."""

    __tablename__ = "grid_shape"
    __table_args__ = (
        ForeignKeyConstraint(["edition", "code"], ["pub.grid.edition", "pub.grid.code"], ondelete="CASCADE"),
        Index("ix_grid_shape_geom", "geom", postgresql_using="gist"),
        {"schema": "pub"},
    )

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[Code] = mapped_column(primary_key=True)
    zoom: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="drawn up to this zoom")
    level: Mapped[str]
    geom: Mapped[Any] = mapped_column(Geometry("GEOMETRY", srid=3857, spatial_index=False))


class DatasetNumber(Base):
    """Integer key of a declared dataset, used by tallies."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("dataset"), {"schema": "pub"})

    dataset_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    dataset: Mapped[Code]
    table_name: Mapped[str] = mapped_column(comment="table its rows land in")
    is_sensitive: Mapped[bool]
    loaded_at: Mapped[Moment | None] = mapped_column(comment="when its last delivery was loaded: the age of its data")


class CategoryNumber(Base):
    """Integer key of a declared category, used by tallies; 0 stands for none."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("category"), {"schema": "pub"})

    category_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False)
    category: Mapped[Code]
    is_sensitive: Mapped[bool]

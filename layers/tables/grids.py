"""The tree of grids in time: editions, grids, succession, and the shapes drawn at each zoom.

These are reference tables: small, the same everywhere, never pointing at data tables.
"""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, Double, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from layers.tables.base import SRID, Base, Code, Count, Day, Moment, Small, one_of

LEVELS = ("city", "county", "large", "medium", "small")
"""Levels of the tree, from the top; their codes have 4, 6, 9, 12 and 15 digits."""


class Edition(Base):
    """One state of the whole tree of grids; a reform opens the next."""

    __tablename__ = "edition"
    __table_args__ = {"schema": "pub"}  # noqa: RUF012

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="number of the edition")
    name: Mapped[str] = mapped_column(comment="what the edition is called")
    opened_on: Mapped[Day] = mapped_column(comment="first day it holds")
    closed_on: Mapped[Day | None] = mapped_column(comment="first day it no longer holds; NULL: the one in force")
    version: Mapped[Count] = mapped_column(comment="rises with every change of its grids; part of tile addresses")


class Grid(Base):
    """An area with a code, in one edition; codes are re-used, so (edition, code) is the key."""

    __tablename__ = "grid"
    __table_args__ = (
        ForeignKeyConstraint(["edition"], ["pub.edition.edition"]),
        UniqueConstraint("grid_no"),
        one_of("level", LEVELS),
        CheckConstraint(
            "length(code) = case level when 'city' then 4 when 'county' then 6 when 'large' then 9 "
            "when 'medium' then 12 when 'small' then 15 end",
            name="length_of_level",
        ),
        Index("ix_grid_geom", "geom", postgresql_using="gist"),
        Index("ix_grid_edition_level", "edition", "level", "code"),
        {"schema": "pub"},
    )

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="number of the edition")
    code: Mapped[Code] = mapped_column(primary_key=True, comment="code of the grid; a parent is a prefix")
    grid_no: Mapped[Count] = mapped_column(comment="integer key of (edition, code), used by tallies")
    level: Mapped[str] = mapped_column(comment="city, county, large, medium or small")
    parent_code: Mapped[Code | None] = mapped_column(comment="code of the grid above; NULL for the city")
    name: Mapped[str] = mapped_column(comment="its name in this edition")
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="former names and other spellings")
    geom: Mapped[Any] = mapped_column(
        Geometry("MULTIPOLYGON", srid=SRID, spatial_index=False), comment="its area, EPSG:4490, (lon, lat)"
    )
    centre: Mapped[Any] = mapped_column(
        Geometry("POINT", srid=SRID, spatial_index=False), comment="a point inside, for labels and for tying areas"
    )
    area_m2: Mapped[float] = mapped_column(Double, comment="geodesic area")
    west: Mapped[float] = mapped_column(Double, comment="western edge of its box, degrees")
    south: Mapped[float] = mapped_column(Double, comment="southern edge of its box, degrees")
    east: Mapped[float] = mapped_column(Double, comment="eastern edge of its box, degrees")
    north: Mapped[float] = mapped_column(Double, comment="northern edge of its box, degrees")
    opened_on: Mapped[Day | None] = mapped_column(comment="first day of the grid, where known")
    closed_on: Mapped[Day | None] = mapped_column(comment="first day it was no more")
    is_derived: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="outline united from the grids below, since none was delivered"
    )


class Succession(Base):
    """What became of a grid in a reform: which share of the old one lies in the new one."""

    __tablename__ = "succession"
    __table_args__ = (
        ForeignKeyConstraint(["old_edition", "old_code"], ["pub.grid.edition", "pub.grid.code"]),
        ForeignKeyConstraint(["new_edition", "new_code"], ["pub.grid.edition", "pub.grid.code"]),
        CheckConstraint("share > 0 and share <= 1", name="share"),
        CheckConstraint("household_share >= 0 and household_share <= 1", name="household_share"),
        {"schema": "pub"},
    )

    old_edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="old edition")
    old_code: Mapped[Code] = mapped_column(primary_key=True, comment="code in the old edition")
    new_edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="new edition")
    new_code: Mapped[Code] = mapped_column(primary_key=True, comment="code in the new edition")
    share: Mapped[float] = mapped_column(Double, comment="share of the old grid's area, 0-1")
    household_share: Mapped[float | None] = mapped_column(
        Double, comment="share of its households, rounded to 0.01; NULL: fewer than 10 with a place"
    )


class GridShape(Base):
    """A grid simplified for drawing up to one zoom, borders still shared with its neighbours; EPSG:3857."""

    __tablename__ = "grid_shape"
    __table_args__ = (
        ForeignKeyConstraint(["edition", "code"], ["pub.grid.edition", "pub.grid.code"], ondelete="CASCADE"),
        Index("ix_grid_shape_geom", "geom", postgresql_using="gist"),
        {"schema": "pub"},
    )

    edition: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="number of the edition")
    code: Mapped[Code] = mapped_column(primary_key=True, comment="code of the grid; a parent is a prefix")
    zoom: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="drawn up to this zoom")
    level: Mapped[str] = mapped_column(comment="city, county, large, medium or small")
    geom: Mapped[Any] = mapped_column(
        Geometry("GEOMETRY", srid=3857, spatial_index=False), comment="its simplified area, EPSG:3857, metres"
    )


class DatasetNumber(Base):
    """Integer key of a declared dataset, used by tallies."""

    __tablename__ = "dataset"
    __table_args__ = (UniqueConstraint("dataset"), {"schema": "pub"})

    dataset_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="its number, from 1")
    dataset: Mapped[Code] = mapped_column(comment="declared key")
    table_name: Mapped[str] = mapped_column(comment="table its rows land in")
    is_sensitive: Mapped[bool] = mapped_column(comment="as declared: never shown as single points")
    loaded_at: Mapped[Moment | None] = mapped_column(comment="when its last delivery was loaded: the age of its data")


class CategoryNumber(Base):
    """Integer key of a declared category, used by tallies; 0 stands for none."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("category"), {"schema": "pub"})

    category_no: Mapped[Small] = mapped_column(primary_key=True, autoincrement=False, comment="its number, from 1")
    category: Mapped[Code] = mapped_column(comment="declared key")
    is_sensitive: Mapped[bool] = mapped_column(comment="as declared: never shown as single points")

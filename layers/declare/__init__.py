"""Declarations: TOML files read into frozen records, every problem reported at once."""

from layers.declare.catalog import read_catalog

__all__ = ["read_catalog"]

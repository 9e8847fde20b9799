"""The tree of grids: how it is written when grids are delivered, and how it is read."""

from layers.grids.check import Rejected
from layers.grids.read import grid_index, grid_names, read_grids
from layers.grids.write import GridReport, write_edition, write_grids

__all__ = ["GridReport", "Rejected", "grid_index", "grid_names", "read_grids", "write_edition", "write_grids"]

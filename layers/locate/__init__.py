"""Points to grids, by the million, exactly."""

from layers.locate.index import GridIndex

__all__ = ["GridIndex"]

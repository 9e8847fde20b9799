"""Reforms of the grids: a plan becomes a new edition, and every row finds its place in it."""

from etl.reform.record import Order, ReformReport
from etl.reform.run import reform

__all__ = ["Order", "ReformReport", "reform"]

"""Reforms of the grids: a plan becomes a new edition, and every row finds its place in it."""

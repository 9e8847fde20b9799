"""Addresses to grids: the finest grid that an address names without doubt."""

from etl.addresses.tie import tie_addresses

__all__ = ["tie_addresses"]

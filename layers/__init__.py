"""What the map knows, and how to ask for it.

>>> from layers import open_atlas
>>> atlas = open_atlas()
>>> atlas.datasets()

The names below are all there is to import from here; they are fetched when first used, so that `import layers` costs
next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layers.access import Scope
    from layers.atlas import Atlas, open_atlas
    from layers.errors import (
        AccessError,
        AtlasError,
        DeclarationError,
        DeliveryError,
        ServerError,
        SettingError,
        UnknownNameError,
    )

__all__ = [
    "AccessError",
    "Atlas",
    "AtlasError",
    "DeclarationError",
    "DeliveryError",
    "Scope",
    "ServerError",
    "SettingError",
    "UnknownNameError",
    "open_atlas",
]

_HOMES = {"Scope": "layers.access", "Atlas": "layers.atlas", "open_atlas": "layers.atlas"}


def __getattr__(name: str) -> Any:
    """Fetch a public name from the module it lives in."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "layers.errors")), name)


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)

"""Which base map a setting names: Tianditu, tiles at an address, or a PMTiles file; shifted ones are refused.

Maps of GCJ-02 (Amap, Tencent, Google and Bing in China, GeoQ) and BD-09 (Baidu) lie 100 to 700 m beside everything we
draw, by an amount that changes from place to place. Tiles are pictures: they cannot be put right when they are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from layers.errors import SettingError
from layers.hosts import USUAL_PORTS, Host, read_hosts
from layers.settings import Settings

SHIFTED = (
    "amap.com", "autonavi.com", "gaode.com", "mapabc.com", "qq.com", "gtimg.com", "tencent.com", "geoq.cn",
    "google.cn", "google.com", "ditu.live.com", "virtualearth.net", "sogou.com", "mapbar.com", "baidu.com",
    "bdimg.com", "bcebos.com",
)  # fmt: skip
"""Hosts whose street maps of China are in GCJ-02 or BD-09."""

TIANDITU = {"vec": ("vec", "cva"), "img": ("img", "cia"), "ter": ("ter", "cta")}
"""Kinds of Tianditu's map: its picture, and the names above it."""
_TIANDITU = (
    "https://t0.tianditu.gov.cn/{kind}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={kind}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={{key}}"
)
_BRACES = re.compile(r"\{([^{}]*)\}")
_SAME = {"TileMatrix": "z", "TileRow": "y", "TileCol": "x"}


@dataclass(frozen=True)
class BaseMap:
    """A base map as the setting names it; no layers and no file: our own polygons alone."""

    layers: tuple[tuple[str, str], ...] = ()
    """Name and address of each layer of tiles, the lowest first; names of places lie above the grids."""
    file: Path | None = None
    is_tianditu: bool = False
    name: str = ""
    """Whose map it is, as it is shown."""
    zoom_max: int = 18
    cache_mb: int = 512
    hosts: tuple[Host, ...] = ()
    key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.layers) or self.file is not None


def read_base(settings: Settings) -> BaseMap:
    """Read what `BASE_MAP` names.

    Raises
    ------
    SettingError
        It names nothing, a map that is shifted, a host nobody allowed, or a key is missing.
    """
    said = settings.base_map.strip()
    if not said:
        return BaseMap()
    if said.endswith(".pmtiles") and "://" not in said:
        path = Path(said).expanduser().resolve()
        if not path.is_file():
            raise SettingError(f"BASE_MAP is {said!r}, and there is no such file.", "Name the file, or leave it out.")
        return BaseMap(file=path, name=settings.base_name)
    kind, _, form = said.partition(":")
    is_tianditu = kind == "tianditu"
    if is_tianditu:
        if (form or "vec") not in TIANDITU:
            raise SettingError(f"BASE_MAP is {said!r}.", "Write tianditu, tianditu:img or tianditu:ter.")
        layers = tuple((name, _TIANDITU.format(kind=name)) for name in TIANDITU[form or "vec"])
    else:
        layers = (("tiles", _plain(said)),)
    _check(layers, settings, said)
    hosts = read_hosts(settings.allowed_hosts)
    _check_hosts(layers, hosts)
    return BaseMap(layers, None, is_tianditu, settings.base_name, 18, settings.base_cache_mb, hosts, settings.base_key)


def address(template: str, key: str, z: int, x: int, y: int) -> str:
    """The address of one tile."""
    told = {"z": str(z), "x": str(x), "y": str(y), "key": key}
    return _BRACES.sub(lambda found: told[found[1]], template)


def _plain(template: str) -> str:
    """An address of XYZ or WMTS tiles with our names for its parts."""
    return _BRACES.sub(lambda found: "{" + _SAME.get(found[1], found[1]) + "}", template)


def _check(layers: Sequence[tuple[str, str]], settings: Settings, said: str) -> None:
    for _, template in layers:
        parts = set(_BRACES.findall(template))
        name = urlsplit(template).hostname
        if urlsplit(template).scheme not in ("http", "https") or not name or not {"z", "x", "y"} <= parts:
            raise SettingError(
                f"BASE_MAP is {said[:80]!r}, which is no base map.",
                "Write tianditu, an address with {z}, {x} and {y}, or the path of a .pmtiles file.",
            )
        if parts - {"z", "x", "y", "key"}:
            raise SettingError(
                f"BASE_MAP has {{{sorted(parts - {'z', 'x', 'y', 'key'})[0]}}}, which is not known.",
                "Only {z}, {x}, {y} (in WMTS {TileMatrix}, {TileCol}, {TileRow}) and {key} are filled in.",
            )
        if any(name == host or name.endswith("." + host) for host in SHIFTED):
            raise SettingError(
                f"The map of {name} is shifted: in China it lies 100 to 700 m beside where things are (GCJ-02, BD-09).",
                "Take Tianditu (CGCS2000), or another map in WGS 84 or CGCS2000; docs/base.md says more.",
            )
        if "key" in parts and not settings.base_key:
            raise SettingError("BASE_MAP needs a key, and BASE_KEY is not set.", "Put the key into BASE_KEY.")


def _check_hosts(layers: Sequence[tuple[str, str]], hosts: Sequence[Host]) -> None:
    for _, template in layers:
        parts = urlsplit(template)
        name, port = parts.hostname or "", parts.port or USUAL_PORTS[parts.scheme]
        if not any(host.allows(parts.scheme, name, port) for host in hosts):
            entry = f"{'http://' if parts.scheme == 'http' else ''}{parts.netloc}"
            raise SettingError(
                f"The base map lies on {parts.netloc}, which nobody has allowed.",
                f"When a data steward agrees, add {entry} to the setting ALLOWED_HOSTS.",
            )

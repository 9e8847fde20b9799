"""A map of others under the grids: which are taken, that only the server asks for them, within limits, and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from databases import copy_of
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from serving import Browser, serving
from signing import sign_in
from tile_server import Tiles, picture, serving_tiles

from layers.database import Database
from layers.draw.style import map_style
from layers.errors import DeliveryError, SettingError
from layers.settings import Settings, read_settings
from mapapp.base import fetch, sources
from mapapp.base.base import VECTOR, Base, open_base
from mapapp.base.cache import Cache
from mapapp.base.sources import BaseMap, address, read_base
from mapapp.base.style import with_base

ALLOWED = "t0.tianditu.gov.cn tiles.example.org http://10.1.2.3:8080 webrd01.is.autonavi.com maponline0.bdimg.com"
XYZ = "https://tiles.example.org/{z}/{x}/{y}.png"


def said(base_map: str, **more: str) -> Settings:
    return read_settings({"BASE_MAP": base_map, "ALLOWED_HOSTS": ALLOWED, **more})


def test_no_setting_is_our_own_polygons_alone() -> None:
    base = open_base(read_base(read_settings({})), None)
    style = map_style("/tiles")
    assert not base.said and base.names == () and with_base(style, base, "") == style


@pytest.mark.parametrize(
    ("base_map", "names"),
    [
        ("tianditu", ("vec", "cva")),
        ("tianditu:img", ("img", "cia")),
        (XYZ, ("tiles",)),
        ("http://10.1.2.3:8080/wmts?layer=v&TileMatrix={TileMatrix}&TileRow={TileRow}&TileCol={TileCol}", ("tiles",)),
    ],
)
def test_maps_that_are_taken(base_map: str, names: tuple[str, ...]) -> None:
    base = read_base(said(base_map, BASE_KEY="secret"))
    assert tuple(name for name, _ in base.layers) == names
    assert "secret" not in repr(base) and "secret" not in repr(said(base_map, BASE_KEY="secret"))
    asked = address(base.layers[0][1], "secret", 12, 3, 4)
    assert "{" not in asked
    assert ("tk=secret" in asked) == base.is_tianditu


def test_tianditu_is_asked_in_web_mercator() -> None:
    base = read_base(said("tianditu", BASE_KEY="secret"))
    assert address(base.layers[0][1], "secret", 12, 3357, 1782) == (
        "https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"
        "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX=12&TILEROW=1782&TILECOL=3357&tk=secret"
    )


@pytest.mark.parametrize(
    ("base_map", "says"),
    [
        ("tianditu", "BASE_KEY is not set"),
        ("tianditu:roads", "BASE_MAP is"),
        ("https://tiles.example.org/{z}/{x}.png", "no base map"),
        ("ftp://tiles.example.org/{z}/{x}/{y}", "no base map"),
        ("streets", "no base map"),
        ("https://tiles.example.org/{z}/{x}/{y}/{who}", "{who}"),
        ("https://other.example.org/{z}/{x}/{y}.png", "nobody has allowed"),
        ("http://tiles.example.org/{z}/{x}/{y}.png", "nobody has allowed"),
        ("missing.pmtiles", "no such file"),
        ("https://webrd01.is.autonavi.com/appmaptile?x={x}&y={y}&z={z}", "shifted"),
        ("https://maponline0.bdimg.com/tile/?x={x}&y={y}&z={z}", "shifted"),
        ("https://mt0.google.com/vt?x={x}&y={y}&z={z}", "shifted"),
        ("https://rt0.map.gtimg.com/tile?z={z}&x={x}&y={y}", "shifted"),
    ],
)
def test_maps_that_are_refused(base_map: str, says: str) -> None:
    with pytest.raises(SettingError, match=says) as error:
        read_base(said(base_map))
    assert error.value.hint


@pytest.fixture
def tiles() -> Iterator[Tiles]:
    with serving_tiles() as tiles:
        yield tiles


def base_of(tiles: Tiles, folder: Path, **more: str) -> Base:
    setting = {"BASE_MAP": f"{tiles.address}/{{z}}/{{x}}/{{y}}?tk={{key}}", "ALLOWED_HOSTS": tiles.address}
    return open_base(read_base(read_settings({**setting, "BASE_KEY": "secret", **more})), folder)


def test_a_tile_is_asked_for_once_and_kept(tiles: Tiles, tmp_path: Path) -> None:
    base = base_of(tiles, tmp_path)
    first = base.tile("tiles", 12, 1, 2)
    assert first is not None and (first.content, first.kind) == (picture(), "image/png")
    assert base.tile("tiles", 12, 1, 2) == first
    assert tiles.asked == ["/12/1/2?tk=secret"]
    tiles.status = 500
    assert base_of(tiles, tmp_path).tile("tiles", 12, 1, 2) == first, "another start finds it on the disk"
    assert len(tiles.asked) == 1
    assert base.tile("other", 12, 1, 2) is None


TIANDITU_ASKED = (
    "/{kind}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={kind}&STYLE=default&TILEMATRIXSET=w"
    "&FORMAT=tiles&TILEMATRIX=12&TILEROW=1782&TILECOL=3357&tk=secret"
)


@pytest.mark.parametrize(
    ("base_map", "asked"),
    [
        ("{host}/{{z}}/{{x}}/{{y}}.png", {"tiles": "/12/3357/1782.png"}),
        (
            "{host}/wmts?service=WMTS&layer=v&TileMatrix={{TileMatrix}}&TileRow={{TileRow}}"
            "&TileCol={{TileCol}}&token={{key}}",
            {"tiles": "/wmts?service=WMTS&layer=v&TileMatrix=12&TileRow=1782&TileCol=3357&token=secret"},
        ),
        ("{host}/wmts/v/w/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png", {"tiles": "/wmts/v/w/12/1782/3357.png"}),
        ("tianditu", {kind: TIANDITU_ASKED.format(kind=kind) for kind in ("vec", "cva")}),
        ("tianditu:img", {kind: TIANDITU_ASKED.format(kind=kind) for kind in ("img", "cia")}),
    ],
)
def test_each_kind_of_service_is_asked_in_its_own_way_and_once(
    tiles: Tiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_map: str, asked: dict[str, str]
) -> None:
    here = sources._TIANDITU.replace("https://t0.tianditu.gov.cn", tiles.address)
    monkeypatch.setattr(sources, "_TIANDITU", here)  # Tianditu itself is another network
    setting = {"BASE_MAP": base_map.format(host=tiles.address), "ALLOWED_HOSTS": tiles.address, "BASE_KEY": "secret"}
    base = open_base(read_base(read_settings(setting)), tmp_path)
    assert base.names == tuple(asked)
    for name in [*asked, *asked]:
        found = base.tile(name, 12, 3357, 1782)
        assert found is not None and found.content == picture()
    assert tiles.asked == list(asked.values())
    style = json.dumps(with_base(map_style("/tiles"), base, "Survey"))
    assert all(f"/base/{name}/" in style for name in asked)
    assert "secret" not in style and tiles.address not in style


def test_an_old_tile_is_asked_for_again_and_stands_in_where_nothing_comes(
    tiles: Tiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_of(tiles, tmp_path)
    first = base.tile("tiles", 12, 1, 2)
    monkeypatch.setattr("mapapp.base.cache.FRESH_S", -1)
    tiles.body = picture((0, 0, 0))
    assert base.tile("tiles", 12, 1, 2) != first
    tiles.status, tiles.body = 503, b""
    kept = base.tile("tiles", 12, 1, 2)
    assert kept is not None and kept.content == picture((0, 0, 0))
    assert base.tile("tiles", 12, 9, 9) is None, "a host that failed is left alone for a while"
    assert [path for path in tiles.asked if "/9/9" in path] == []


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>sign in</html>", {}),
        (200, b'{"msg": "wrong key"}', {"content-type": "image/png"}),
        (200, b"\x89PNG\r\n\x1a\n" + b"\0" * (fetch.TILE_BYTES + 1), {}),
        (200, picture()[:50], {"content-length": "900000"}),
        (404, picture(), {}),
        (302, b"", {"location": "/other"}),
        (200, b"", {}),
    ],
)
def test_what_is_no_tile_is_not_taken(
    tiles: Tiles, tmp_path: Path, status: int, body: bytes, headers: dict[str, str]
) -> None:
    tiles.status, tiles.body, tiles.headers = status, body, headers
    base = base_of(tiles, tmp_path)
    assert base.tile("tiles", 12, 1, 2) is None
    assert tiles.asked == ["/12/1/2?tk=secret"], "no redirect is followed"
    assert list(tmp_path.rglob("*/*")) == []


def test_a_map_that_ends_somewhere_is_asked_on(tiles: Tiles, tmp_path: Path) -> None:
    base = base_of(tiles, tmp_path)
    tiles.status = 404
    assert base.tile("tiles", 12, 1, 2) is None
    tiles.status = 200
    assert base.tile("tiles", 12, 1, 3) is not None


def test_a_host_that_does_not_answer_is_not_waited_for(
    tiles: Tiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "WHOLE_S", 0.3)
    tiles.waits = True
    with pytest.raises(DeliveryError, match="gives no tile") as error:
        fetch.fetch_tile(base_of(tiles, tmp_path).said.hosts, f"{tiles.address}/1")
    assert "secret" not in str(error.value)


def test_an_address_inside_the_house_must_stand_in_the_setting(tiles: Tiles) -> None:
    hosts = read_base(said(XYZ)).hosts
    with pytest.raises(SettingError):
        fetch.fetch_tile(hosts, f"{tiles.address}/1/1/1")
    assert tiles.asked == []


def test_the_cache_stays_within_its_bounds(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    for number in range(60):
        cache.put(f"tile {number}", bytes(500))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*/*") if path.is_file()) <= 10_000
    assert cache.get("tile 59") == (bytes(500), True)
    assert cache.get("tile 0") is None
    again = Cache(tmp_path, 10_000)
    again.put("one more", bytes(9_000))
    assert again.get("one more") is not None
    assert sum(path.stat().st_size for path in tmp_path.rglob("*/*") if path.is_file()) <= 10_000


def write_file(path: Path, kind: TileType, content: bytes, packed: Compression, metadata: dict[str, Any]) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(12, 3357, 1782), content)
        header = {
            "tile_type": kind, "tile_compression": packed, "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 1,
            "max_lat_e7": 1, "center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0,
        }  # fmt: skip
        writer.finalize(header, metadata)
    return path


def test_pictures_out_of_a_file(tmp_path: Path) -> None:
    path = write_file(tmp_path / "city.pmtiles", TileType.PNG, picture(), Compression.NONE, {})
    base = open_base(read_base(read_settings({"BASE_MAP": str(path), "BASE_NAME": "Survey"})), None)
    found = base.tile("file", 12, 3357, 1782)
    assert found is not None and (found.content, found.kind, found.coding) == (picture(), "image/png", "")
    assert base.tile("file", 12, 0, 0) is None
    style = with_base(map_style("/tiles"), base, "Survey")
    assert [one["id"] for one in style["layers"]][:2] == ["ground", "base-file"]
    assert style["sources"]["base-file"]["maxzoom"] == 12 and style["metadata"]["attribution"] == "Survey"


def test_vector_tiles_out_of_a_file(tmp_path: Path) -> None:
    layer = {"name": "water", "features": [{"geometry": "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))", "properties": {}}]}
    content = gzip.compress(mapbox_vector_tile.encode([layer]))
    told = {"vector_layers": [{"id": "water", "fields": {}}, {"id": "roads", "fields": {}}]}
    path = write_file(tmp_path / "city.pmtiles", TileType.MVT, content, Compression.GZIP, told)
    base = open_base(read_base(read_settings({"BASE_MAP": str(path)})), None)
    found = base.tile("file", 12, 3357, 1782)
    assert found is not None and (found.kind, found.coding) == (VECTOR, "gzip")
    style = with_base(map_style("/tiles"), base, "")
    assert style["sources"]["base-file"]["type"] == "vector"
    assert {one["source-layer"] for one in style["layers"] if one.get("source") == "base-file"} == {"water", "roads"}


@pytest.mark.parametrize("content", [b"", b"PMTiles", b"nothing of the kind" * 20])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pmtiles"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=r"broken\.pmtiles"):
        open_base(read_base(read_settings({"BASE_MAP": str(path)})), None)


@pytest.fixture(scope="module")
def city(settings: Any, server: Any, city_template: Database) -> Iterator[Database]:
    with copy_of(city_template, server, settings) as copy:
        yield copy


def test_only_our_host_is_asked_and_the_key_stays_here(
    tiles: Tiles, city: Database, catalog: Any, settings: Any, tmp_path: Path
) -> None:
    base = base_of(tiles, tmp_path, BASE_NAME="Survey")
    with serving(city, catalog, settings, base=base) as running:
        assert Browser(running, "127.0.0.1").ask("/base/tiles/12/3357/1781").status_code == 401
        browser = Browser(running, "127.0.0.1")
        browser.cookies = {"session": sign_in(city, "leader").token}
        west, south = browser.ask("/api/view").json()["parts"][2]["box"][:2]
        column, row = tile_at(west, south, 12)
        found = browser.ask(f"/base/tiles/12/{column}/{row}")
        assert (found.status_code, found.headers["content-type"], found.content) == (200, "image/png", picture())
        for path in ("/base/tiles/12/0/0", "/base/tiles/12/3357/100"):
            assert browser.ask(path).status_code == 204, "far from the city"
        for path in ("/base/vec/12/1/1", "/base/tiles/12/9999/1", "/base/tiles/19/1/1", "/base/tiles/1/1/x"):
            assert browser.ask(path).status_code in (404, 422)
        assert len(tiles.asked) == 1 and "secret" in tiles.asked[0]
        for path in ("/api/view", "/command", "/cases"):
            page = browser.ask(path).text
            assert "/base/tiles/{z}/{x}/{y}" in page and "Survey" in page
            assert "secret" not in page and str(tiles.port) not in page
        tiles.status = 404
        assert browser.ask(f"/base/tiles/12/{column + 1}/{row}").status_code == 204
    assert "secret" not in "".join(str(path) for path in tmp_path.rglob("*"))


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    from math import asinh, floor, pi, radians, tan

    return floor((lon + 180) / 360 * 2**z), floor((1 - asinh(tan(radians(lat))) / pi) / 2 * 2**z)


def test_without_a_setting_there_is_no_base(city: Database, catalog: Any, settings: Any) -> None:
    assert replace(settings).base_map == "" and not BaseMap()
    with serving(city, catalog, settings) as running:
        browser = Browser(running, "127.0.0.1")
        browser.cookies = {"session": sign_in(city, "leader").token}
        assert browser.ask("/base/tiles/12/3357/1781").status_code == 404
        assert "/base/" not in browser.ask("/api/view").text

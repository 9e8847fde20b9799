"""The look of the map, as data: no browser and no database."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import plotly.graph_objects as go
import pytest
import shapely
from PIL import Image

from layers.codes import level_of
from layers.declare.records import Catalog
from layers.draw import looks, palette
from layers.draw.figures import heatmap
from layers.draw.overlay import blocks, layer_drawing
from layers.draw.signs import icons_in
from layers.draw.sprite import make_sprite
from layers.draw.style import (
    SHADES,
    class_colours,
    map_style,
    shade_of,
    view_paint,
    zoom_floor,
)
from layers.errors import AtlasError

# How a colour is seen without red, green or blue receptors, in linear light (Machado 2009, severity 1).
SEEN = {
    "as it is": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(light: np.ndarray) -> float:
    return float(np.clip(light, 0, 1) @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(linear(a)), luminance(linear(b))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("n", [2, 3, 5, 6, SHADES])
@pytest.mark.parametrize("sight", SEEN)
def test_the_ramp_rises_in_lightness_for_every_sight(sight: str, n: int) -> None:
    light = [luminance(SEEN[sight] @ linear(colour)) for colour in palette.ramp(n)]
    steps = [(b + 0.05) / (a + 0.05) for a, b in itertools.pairwise(light)]
    assert min(steps) > (1.2 if n <= 6 else 1.05)


def test_points_of_a_scenario_are_told_apart_by_their_colour(catalog: Catalog) -> None:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    for scenario in catalog.scenarios.values():
        layers = [catalog.layers[one] for one in scenario.layers]
        points = [layer.colour for layer in layers if layer.draw == "point"]
        x, y, z = np.cbrt(to_xyz @ np.array([linear(colour) for colour in points]).T / [[0.9505], [1], [1.089]])
        lab = np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)]).T  # CIE 1976, near enough for bright colours
        apart = [float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2)]
        assert min(apart) > 25, (scenario.key, points)


def test_labels_are_readable_on_every_class_by_their_halo_and_on_the_ground_without() -> None:
    assert contrast(palette.TEXT, palette.HALO) > 7
    assert contrast(palette.TEXT, palette.GROUND) > 7


def test_ramp_takes_first_and_last() -> None:
    assert palette.ramp(6) == list(palette.RAMP)
    assert palette.ramp(2) == [palette.RAMP[0], palette.RAMP[-1]]
    assert len(palette.ramp(1)) == 1
    assert palette.ramp(0) == []


@pytest.mark.parametrize("n", range(1, SHADES + 1))
def test_classes_are_spread_over_the_shades_in_order(n: int) -> None:
    shades = shade_of(np.arange(n + 1, dtype=np.uint8), n)
    assert shades[0] == 0
    assert (np.diff(shades.astype(int)) > 0).all()
    if n > 1:
        assert (shades[1], shades[-1]) == (1, SHADES)


def test_no_class_at_all_is_no_data() -> None:
    assert shade_of(np.zeros(3, dtype=np.uint8), 0).tolist() == [0, 0, 0]


def test_legend_colours_are_those_the_map_draws() -> None:
    fill = next(layer for layer in map_style("/t")["layers"] if layer["id"] == "cell-large")["paint"]["fill-color"]
    drawn = dict(zip(fill[2:-1:2], fill[3:-1:2], strict=True))
    for n in (1, 3, 6):
        shades = shade_of(np.arange(n + 1, dtype=np.uint8), n)
        assert class_colours(n) == [drawn[shade] for shade in shades.tolist()]


def test_the_style_asks_no_other_host_and_no_glyph_server() -> None:
    style = map_style("/tiles/grid/{z}/{x}/{y}")
    sources, layers = layer_drawing(
        "school",
        "place",
        "/tiles/{how}/{z}/{x}/{y}",
        colour="#c8a6ff",
        icon="school",
        rows_from=11,
        meshes=20,
        heat=True,
        opacity=1,
    )
    assert "http" not in json.dumps([style, sources, layers, blocks("large", "4499")])
    assert "glyphs" not in style and "sprite" not in style


def test_plotly_takes_the_style() -> None:
    figure = go.Figure(go.Scattermap(lon=[115], lat=[22]), layout={"map": {"style": map_style("/t/{z}/{x}/{y}")}})
    assert figure.layout.map.style["layers"][0]["id"] == "ground"


def test_a_view_sets_the_opacity_of_layers_that_are_there() -> None:
    names = {layer["id"] for layer in map_style("/t")["layers"]}
    for frame, at, shown, pick in (
        ("4499", "4499", "large", "county"),
        ("449901001", "449901001", "medium", "medium"),
        ("449901001002", "449901001002003", "small", "small"),
    ):
        paint = view_paint(frame, at, shown, pick)
        assert set(paint) == names - {"ground"}
        assert {name for name, opacity in paint.items() if opacity and name[:4] == "cell"} == {
            "cell-large",
            f"cell-{shown}",
        }
        assert paint[f"top-{pick}"] == paint[f"top-{level_of(at)}"] == 1


@pytest.mark.parametrize(("source", "n"), [("grid", 4), ("border", 5)])
def test_layers_of_a_level_share_their_geometry(source: str, n: int) -> None:
    layers = [layer for layer in map_style("/t")["layers"] if layer.get("source") == source]
    buckets = {(layer["type"], layer["source-layer"], json.dumps(layer.get("layout"))) for layer in layers}
    assert len(buckets) == n  # fills of four levels, lines of five


def test_a_view_is_there_in_its_first_frame() -> None:
    assert map_style("/t")["transition"] == {"duration": 0}  # maplibre fades for 300 ms unless it is told


def test_a_shade_that_changes_touches_no_line() -> None:
    states = {"grid": {"shade", "veil"}, "border": {"near", "cell", "chosen", "hover"}}
    for source, known in states.items():
        layers = [layer for layer in map_style("/t")["layers"] if layer.get("source") == source]
        assert set(re.findall(r'"feature-state", "(\w+)"', json.dumps(layers))) == known


def test_the_camera_never_stays_above_the_tiles_that_hold_the_cells() -> None:
    assert [zoom_floor(level) for level in ("county", "large", "medium", "small")] == [0, 0, 10, 12]


@pytest.fixture
def grids() -> gpd.GeoDataFrame:
    boxes = [shapely.box(115 + i / 10, 22, 115.1 + i / 10, 22.1) for i in range(6)]
    return gpd.GeoDataFrame(
        {"grid_code": [f"4499010{i:02}" for i in range(6)], "name": list("abcdef"), "value": [1, 2, 3, 5, 8, np.nan]},
        geometry=gpd.GeoSeries(boxes, name="geom"),
        crs=4490,
    ).rename_geometry("geom")


def test_heatmap_draws_every_grid_once_and_asks_nobody(grids: gpd.GeoDataFrame) -> None:
    figure = heatmap(grids, title="test")
    drawn = [code for trace in figure.data for code in trace.locations]
    assert sorted(drawn) == grids["grid_code"].tolist()
    assert {trace.name for trace in figure.data} >= {"无数据"}
    told = json.loads(figure.to_json())["layout"]
    told.pop("template", None)
    assert "http" not in json.dumps(told)
    assert isinstance(told["map"]["style"], dict) and told["map"]["style"]["sources"]


def test_heatmap_of_nothing_says_so(grids: gpd.GeoDataFrame) -> None:
    with pytest.raises(AtlasError, match="nothing to draw"):
        heatmap(grids.iloc[:0])
    with pytest.raises(AtlasError, match="'figure'"):
        heatmap(grids, value="figure")


@pytest.mark.parametrize("ramp", looks.RAMPS)
@pytest.mark.parametrize("sight", SEEN)
def test_every_ramp_goes_one_way_for_every_sight_in_both_themes(sight: str, ramp: str) -> None:
    for theme in looks.THEMES:
        drawn = looks.legend_colours(6, looks.colours(theme, ramp))[1:]
        light = [luminance(SEEN[sight] @ linear(colour)) for colour in drawn]
        steps = [(b + 0.05) / (a + 0.05) for a, b in itertools.pairwise(light if theme == "dark" else light[::-1])]
        assert min(steps) > 1.15, (theme, drawn)


@pytest.mark.parametrize("theme", looks.THEMES)
@pytest.mark.parametrize("sight", SEEN)
def test_less_and_more_are_told_apart_by_every_sight(sight: str, theme: str) -> None:
    stops = [SEEN[sight] @ linear(colour) for colour in looks.CHANGE[theme]]
    middle = len(stops) // 2
    for less, more in zip(stops[:middle], stops[:middle:-1], strict=True):
        assert np.abs(less - more).max() > 0.1
    strength = [abs(luminance(one) - luminance(stops[middle])) for one in stops]
    assert all(a > b for a, b in itertools.pairwise(strength[: middle + 1]))


@pytest.mark.parametrize("theme", looks.THEMES)
def test_a_look_changes_colours_and_nothing_else(theme: str) -> None:
    style = map_style("/t/{z}/{x}/{y}")
    becomes = looks.colours(theme, "cividis")
    made = looks.dressed(style, becomes)
    assert json.dumps(made) == json.dumps(looks.dressed(style, becomes))
    assert [one["id"] for one in made["layers"]] == [one["id"] for one in style["layers"]]
    assert becomes[palette.RAMP[0]] in json.dumps(made)
    words, halo = (becomes.get(one, one) for one in (palette.TEXT, palette.HALO))
    assert contrast(words, halo) > 7


@pytest.mark.parametrize(("rows_from", "kinds"), [(11, "circles discs signs"), (0, "discs signs"), (None, "circles")])
def test_a_layer_is_counts_and_from_its_zoom_on_rows(rows_from: float | None, kinds: str) -> None:
    sources, layers = layer_drawing(
        "lamp",
        "thing",
        "/t/{how}/{z}/{x}/{y}",
        colour="#c8a6ff",
        icon="x",
        rows_from=rows_from,
        meshes=10,
        heat=False,
        opacity=0.5,
    )
    assert [one["id"].removeprefix("layer-lamp-") for one in layers] == kinds.split()
    assert {one["source"] for one in layers} == set(sources)
    for one in layers:
        source = sources[one["source"]]
        how = "counts-10" if one["id"].endswith("circles") else "rows"
        assert source["tiles"] == [f"/t/{how}/{{z}}/{{x}}/{{y}}"]
        if rows_from and how != "rows":
            assert (source["maxzoom"], one["maxzoom"]) == (rows_from - 1, rows_from)
        elif rows_from:
            assert source["minzoom"] == rows_from <= one["minzoom"]


@pytest.mark.parametrize("meshes", [4, 10, 20])
def test_the_widest_circle_is_half_as_wide_again_as_a_mesh_far_out(meshes: int) -> None:
    drawn: dict[str, Any] = {"colour": "#c8a6ff", "icon": "x", "rows_from": 11, "heat": False, "opacity": 1}
    _, (circles, *_rest) = layer_drawing("lamp", "thing", "/t/{how}/{z}/{x}/{y}", meshes=meshes, **drawn)
    (widest,) = re.findall(r'\["min", ([\d.]+)', json.dumps(circles["paint"]["circle-radius"]))
    assert 2 * float(widest) == pytest.approx(1.4 * 512 / meshes, rel=0.02)


def test_without_a_graphics_card_circles_stand_for_heat() -> None:
    drawn: dict[str, Any] = {"colour": "#c8a6ff", "icon": "x", "rows_from": 11, "heat": True, "opacity": 1}
    sources, layers = layer_drawing("lamp", "thing", "/t/{how}/{z}/{x}/{y}", meshes=10, **drawn)
    assert sources["layer-lamp-counts"]["tiles"] == ["/t/counts/{z}/{x}/{y}"], "wide meshes would not run together"
    told = {one["type"]: one.get("metadata") for one in layers[:2]}
    assert told == {"heatmap": {"needs": "graphics card"}, "circle": {"instead": "graphics card"}}
    assert blocks("small", "449901001002")["metadata"] == {"needs": "graphics card"}


def test_a_sprite_holds_every_sign_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "icons").mkdir()
    red = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M0 0h32v32H0z" fill="red"/></svg>'
    (tmp_path / "icons" / "school.svg").write_text(red)
    icons = icons_in(tmp_path)
    assert len(icons) > 20 and icons["clinic"].parent != tmp_path / "icons"
    for density in (1, 2):
        picture, index = make_sprite(icons, ["school", "clinic", "event"], density)
        places, sheet = json.loads(index), Image.open(io.BytesIO(picture))
        assert set(places) == {"school", "clinic", "event"}
        for place in places.values():
            assert place["width"] == place["height"] == 32 * density and place["pixelRatio"] == density
            assert place["x"] + place["width"] <= sheet.width and place["y"] + place["height"] <= sheet.height
        middle = (places["school"]["x"] + 16 * density, places["school"]["y"] + 16 * density)
        assert sheet.getpixel(middle) == (255, 0, 0, 255)


def test_what_is_drawn_on_the_grids_has_no_colour_of_theirs(catalog: Catalog) -> None:
    def rgb(colour: str) -> Any:
        return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])

    classes = [rgb(one) for one in palette.RAMP]
    alike = [
        key
        for key, one in catalog.layers.items()
        if one.draw == "point" and min(np.linalg.norm(rgb(one.colour) - of) for of in classes) < 32
    ]
    assert alike == []

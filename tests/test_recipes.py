"""The recipes of CONTRIBUTING.md, followed word for word in a copy of the declarations."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import call

from layers.access import Scope
from layers.atlas import Atlas
from layers.database import Database
from layers.declare import read_catalog
from layers.declare.records import Catalog
from layers.settings import CHECKOUT, Settings

TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes\n")[2]
MADE = {
    "dataset": ("datasets", "park"),
    "layer": ("layers", "park"),
    "indicator": ("indicators", "parks_per_10000_people"),
    "scenario": ("scenarios", "green_space"),
}
"""What each recipe makes, in the order of the recipes: each goes on from the one before."""


@dataclass(frozen=True)
class Block:
    """A block of code of a recipe: its language and its text."""

    language: str
    text: str

    def write(self, checkout: Path) -> None:
        """Write the file that the first line names, or add to it."""
        first, _, text = self.text.partition("\n")
        path = checkout / first.removeprefix("# ").removeprefix("+ ")
        path.parent.mkdir(parents=True, exist_ok=True)
        if first.startswith("# + "):
            text = path.read_text(encoding="utf-8") + text
        else:
            assert not path.exists(), f"{path.name} is there already"
        path.write_text(text, encoding="utf-8")


def blocks(recipe: str) -> list[Block]:
    section = re.split("^### ", TEXT.split(f"### A new {recipe}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```$", section, flags=re.MULTILINE | re.DOTALL)
    return [Block(language, textwrap.dedent(text)) for language, text in found]


def follow(checkout: Path, upto: str) -> Path:
    """Follow the recipes up to and with one; the folder of the declarations."""
    shutil.copytree(CHECKOUT / "data", checkout / "data")
    for recipe in list(MADE)[: list(MADE).index(upto) + 1]:
        for block in blocks(recipe):
            if block.language != "sh":
                block.write(checkout)
    return checkout / "data"


def made(catalog: Catalog, recipe: str) -> object:
    kind, name = MADE[recipe]
    return getattr(catalog, kind).get(name)


def test_there_are_four_recipes() -> None:
    assert re.findall(r"^### A new (\w+)$", TEXT, flags=re.MULTILINE) == list(MADE)


@pytest.mark.parametrize("recipe", MADE)
def test_a_recipe_makes_what_it_says(recipe: str, catalog: Catalog, tmp_path: Path) -> None:
    assert made(catalog, recipe) is None
    assert made(read_catalog(follow(tmp_path, recipe)), recipe) is not None


@pytest.mark.parametrize("recipe", MADE)
def test_a_recipe_shows_complete_files(recipe: str) -> None:
    languages = [block.language for block in blocks(recipe)]
    assert languages.count("toml") >= 1
    assert languages[-1] == "sh"
    assert blocks(recipe)[-1].text.startswith("python -m etl check\n")


@pytest.mark.parametrize("recipe", MADE)
def test_the_check_of_a_recipe_passes(recipe: str, tmp_path: Path) -> None:
    folder = follow(tmp_path, recipe)
    environ = {**os.environ, "CATALOG_DIR": str(folder)}
    code, said = call(["python", "-m", "etl", "check"], CHECKOUT, environ, tmp_path / "said")
    assert code == 0, said


@pytest.fixture
def followed(tmp_path: Path, settings: Settings, writable_city: Database) -> Atlas:
    """The small city after all four recipes, the parks delivered."""
    from etl.run import run
    from layers.secrets import read_secrets

    catalog = read_catalog(follow(tmp_path, "scenario"))
    report = run(
        writable_city,
        catalog,
        read_secrets(settings),
        tmp_path / ".local" / "deliveries",
        ["park"],
        cache_dir=settings.local_dir / "cache",
        say=lambda line: None,
    )
    (delivery,) = report.deliveries
    assert (delivery.problem, delivery.n_read, delivery.n_inserted, delivery.n_unplaced) == ("", 3, 3, 0)
    assert delivery.dropped == ["园长"], "what has no line is dropped and named"
    return Atlas(catalog, writable_city, "analyst", Scope(catalog.city.code))


def test_the_delivered_rows_are_there_for_analysts(followed: Atlas) -> None:
    listed = followed.datasets().set_index("dataset").loc["park"]
    assert (listed["name"], listed["rows"]) == ("公园", 3)
    parks = followed.features("park")
    assert list(parks["area_m2"]) == [52000, 1800, 310000]
    assert set(parks["category"]) == {"park"}
    assert parks["grid_code"].str.len().eq(15).all(), "each is tied to its small grid"

    values = followed.indicator("parks_per_10000_people", level="large")
    assert values["numerator"].sum() == 3
    with_parks = values[values["numerator"] > 0]
    expected = with_parks["numerator"] / with_parks["denominator"] * 10000
    assert list(with_parks["value"]) == pytest.approx(list(expected))

"""What is wrong in `[fetch]` and in `datums.toml`, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from declared import FILES, write

from etl.crs import check_conversions
from layers.declare import read_catalog
from layers.errors import DeclarationError

FETCH = {
    """kind = "database"
    table = "housing.yards" """: '[fetch], line 20: kind "database" needs secret; add it to [fetch].',
    """kind = "open311"
    url = "https://data.example.org/v2"
    table = "x" """: 'line 23: table is not for kind "open311"; take it out.',
    """kind = "ogc_features"
    url = "https://data.example.org/collections/x" """: 'fetches is kept as "geojson"; mend format.',
    """kind = "open311"
    url = "https://user:password@data.example.org/" """: "without user and password",
    """kind = "open311"
    url = "file:///etc/passwd" """: "must be an address that begins with https:// or http://",
    """kind = "database"
    secret = "DATABASE_URL"
    table = "x" """: "that begins with FETCH_",
    """kind = "database"
    secret = "FETCH_X"
    table = "x; drop table y" """: "must be the name of a table or view",
}


@pytest.mark.parametrize("table", FETCH)
def test_a_fetch_that_cannot_be_is_named(table: str, tmp_path: Path) -> None:
    school = FILES["datasets/school.toml"] + "[fetch]\n" + table
    with pytest.raises(DeclarationError) as caught:
        read_catalog(write(tmp_path, {**FILES, "datasets/school.toml": school}))
    assert FETCH[table].removeprefix("[fetch], ") in "\n".join(caught.value.problems)


FOUR = """\
[linhai]
kind = "four"
from = "EPSG:2383"
to = "EPSG:4547"
accuracy_m = 0.05
point_from = [640067.9785, 2520736.2135]
point_to = [640185.1419, 2520733.0685]
north_m = -2.6
east_m = 114.7
rotation_arcsec = 0.2
scale_ppm = 0.03
"""
DATUMS = {
    (
        "scale_ppm = 0.03",
        "",
    ): "datums.toml, line 1: linhai of kind four lacks scale_ppm; add it from the surveyors' paper.",
    ("scale_ppm = 0.03", "scale_ppm = 0.03\nrx_arcsec = 1"): (
        "datums.toml, line 12: rx_arcsec is no parameter of kind four; take it out, or change the kind."
    ),
    ("scale_ppm = 0.03", 'scale_ppm = 0.03\nconvention = "position_vector"'): (
        "datums.toml, line 12: convention is for seven parameters only; take it out."
    ),
    (
        '"four"',
        '"seven"',
    ): 'line 1: linhai does not say which way its angles turn; add convention = "position_vector" or',
    ('"EPSG:2383"', '"Xian80"'): 'datums.toml, line 3: linhai.from is "Xian80" but must be EPSG and a number',
    ("[640067.9785, ", "["): "must be a list of two numbers",
}


@pytest.mark.parametrize("change", DATUMS)
def test_parameters_that_are_not_whole_are_named(change: tuple[str, str], tmp_path: Path) -> None:
    assert FOUR.count(change[0]) == 1
    with pytest.raises(DeclarationError) as caught:
        read_catalog(write(tmp_path, {**FILES, "datums.toml": FOUR.replace(*change)}))
    assert DATUMS[change] in "\n".join(caught.value.problems)


def test_a_datum_goes_with_a_system_on_an_old_datum(tmp_path: Path) -> None:
    def said(crs: str, datum: str) -> str:
        school = FILES["datasets/school.toml"].replace('crs = "GCJ-02"', f'crs = "{crs}"\ndatum = "{datum}"')
        with pytest.raises(DeclarationError) as caught:
            check_conversions(
                read_catalog(write(tmp_path, {**FILES, "datasets/school.toml": school, "datums.toml": FOUR}))
            )
        return "\n".join(caught.value.problems)

    assert 'datum goes with crs = "EPSG:…" on an old datum' in said("GCJ-02", "linhai")
    assert 'names "linhei", which datums.toml does not declare; did you mean "linhai"?' in said("EPSG:2383", "linhei")
    assert "datasets/school.toml: The datum linhai is for EPSG:2383" in said("EPSG:2433", "linhai")


def test_every_system_and_every_control_point_is_checked_beforehand(tmp_path: Path) -> None:
    school = FILES["datasets/school.toml"].replace('crs = "GCJ-02"', 'crs = "EPSG:2383"')
    wrong = FOUR.replace("-2.6", "2.6")
    with pytest.raises(DeclarationError) as caught:
        check_conversions(
            read_catalog(write(tmp_path, {**FILES, "datasets/school.toml": school, "datums.toml": wrong}))
        )
    control_point, old_datum = caught.value.problems
    assert control_point.startswith(
        "datums.toml: The datum linhai carries its control point 5.199 m from where it belongs"
    )
    assert old_datum.startswith(
        "datasets/school.toml: EPSG:2383 (Xian 1980 / 3-degree Gauss-Kruger CM 114E) lies on an old"
    )
    check_conversions(read_catalog(write(tmp_path / "fine", {**FILES, "datums.toml": FOUR})))

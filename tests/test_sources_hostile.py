"""Files made to do harm, or merely broken: each is refused in a sentence, or read as the plain data it is."""

from __future__ import annotations

import io
import random
import sqlite3
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from etl.sources import open_delivery
from etl.sources.request import DEFAULT_LIMITS, Limits
from layers.declare.keys import GEOMETRIES
from layers.errors import DeliveryError
from tests.source_files import HEADINGS, KINDS, ROWS, as_rows, csv_text, gzipped, read, school, write, zipped

SMALL = replace(DEFAULT_LIMITS, unpacked_mb=1)
VRT = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
SECRET = "3f1c-secret"


def refusal(path: Path, kind: str, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DeliveryError) as caught:
        list(open_delivery(path, school(format=kind), limits).batches(HEADINGS))
    assert caught.value.hint
    return caught.value.message


def archive(folder: Path, *names: str | zipfile.ZipInfo, content: bytes = b"", name: str = "school.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for one in names:
            made.writestr(one, content or csv_text())
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [VRT, "/vsicurl/http://192.0.2.1/{}", '{{"type": "GDALG", "command_line": "{}"}}'])
def test_a_file_that_points_elsewhere_is_not_followed(kind: str, content: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(csv_text().replace("青石小学", SECRET), encoding="utf-8")
    path = write(kind, tmp_path)
    path.write_text(content.format(secret), encoding="utf-8")
    assert SECRET not in refusal(path, kind)


@pytest.mark.parametrize("kind", GEOMETRIES)
@pytest.mark.parametrize("other", GEOMETRIES)
def test_a_file_of_another_kind_is_refused(kind: str, other: str, tmp_path: Path) -> None:
    if kind == other or {kind, other} == {"geojson", "geojsonseq"}:
        assert as_rows(read(write(kind, tmp_path), school(format=kind))) == ROWS
        return
    content = write(other, tmp_path).read_bytes()
    path = write(kind, tmp_path)
    path.write_bytes(content)
    assert "school" in refusal(path, kind)


@pytest.mark.parametrize(
    "top",
    [
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{}">]>',
        '<!DOCTYPE kml SYSTEM "http://192.0.2.1/x.dtd">',
        '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_kml_with_entities_is_refused(top: str, encoding: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    path = write("kml", tmp_path)
    text = path.read_text(encoding="utf-8").replace("?>\n", f"?>{top.format(secret)}", 1).replace("青石小学", "&x;")
    path.write_bytes(text.replace('encoding="UTF-8"', f'encoding="{encoding.upper()}"').encode(encoding))
    said = "declares a document type" if encoding == "utf-8" else "is no kml file"
    assert said in refusal(path, "kml")


@pytest.mark.parametrize("name", ["../school.csv", "/etc/school.csv", "..\\school.csv", "a/../../school.csv"])
def test_an_archive_that_reaches_outside_is_refused(name: str, tmp_path: Path) -> None:
    assert "would lie outside of it" in refusal(archive(tmp_path, name), "csv")
    assert "would lie outside of it" in refusal(archive(tmp_path, name, "xl/workbook.xml", name="s.xlsx"), "xlsx")


def test_links_devices_locks_and_nests_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("school.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "holds a link or device" in refusal(archive(tmp_path, link, content=b"/etc/passwd"), "csv")
    assert "holds another archive, 'inner.zip'" in refusal(archive(tmp_path, "school.csv", "a/inner.zip"), "csv")
    locked = bytearray(archive(tmp_path, "school.csv").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + at] |= 1
    (tmp_path / "school.zip").write_bytes(locked)
    assert "is locked with a password" in refusal(tmp_path / "school.zip", "csv")
    twice = gzipped(gzipped(write("csv", tmp_path)))
    assert "holds another archive" in refusal(twice, "csv")
    assert "holds no file of the format csv" in refusal(archive(tmp_path, "school.pdf"), "csv")
    assert "holds 2 files of the format csv" in refusal(archive(tmp_path, "a.csv", "b.csv"), "csv")
    assert "holds 10,001 files" in refusal(archive(tmp_path, *(f"{i}.csv" for i in range(10_001))), "csv")


def test_bombs_are_refused_by_size_and_by_ratio(tmp_path: Path) -> None:
    rows = (csv_text() + "7,白塘小学,5\n" * 1_500_000).encode()
    bombs = [archive(tmp_path, "school.csv", content=rows), tmp_path / "big.csv"]
    bombs[1].write_bytes(rows)
    bombs[1] = gzipped(bombs[1])
    for bomb in bombs:
        assert "unpacks to more than 1 MB" in refusal(bomb, "csv", SMALL)
        assert "unpacks to more than 200 times its size" in refusal(bomb, "csv")
    sheet = archive(tmp_path, "xl/worksheets/sheet1.xml", content=bytes(30_000_000), name="school.xlsx")
    assert "unpacks to more than 200 times its size" in refusal(sheet, "xlsx")


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path, "school.csv", content=random.Random(1).randbytes(3 << 20)).read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(mark) + at
        content[start : start + 4] = (100).to_bytes(4, "little")
    path = tmp_path / "school.zip"
    path.write_bytes(content)
    assert "school.zip" in refusal(path, "csv", SMALL)


def test_a_geopackage_with_views_and_triggers_is_only_read(tmp_path: Path) -> None:
    path = write("geopackage", tmp_path)
    with sqlite3.connect(path) as base:
        base.execute("create view evil as select load_extension('/tmp/x.so') as a")
        base.execute("insert into gpkg_contents (table_name, data_type, identifier) values ('evil', 'attributes', 'e')")
    base.close()
    before = path.read_bytes()
    assert as_rows(read(path, school(format="geopackage"))) == ROWS
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["school.gpkg", "written.gpkg"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short_are_refused_or_read_as_far_as_they_are_whole(kind: str, tmp_path: Path) -> None:
    content = write(kind, tmp_path).read_bytes()
    path = write(kind, tmp_path)
    for share in (0.0, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(content[: int(len(content) * share)])
        outcome(path, kind)


def outcome(path: Path, kind: str) -> int | str:
    """Rows read, or the sentence of a refusal; anything else is a fault."""
    try:
        return read(path, school(format=kind)).n
    except DeliveryError as error:
        assert error.message and error.hint
        return error.message


def spoil(content: bytes, chance: random.Random) -> bytes:
    """Turn bytes over, take a stretch out, repeat one, or cut the end off."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(made)) if made else 0
        match chance.randrange(5):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + chance.randrange(1, 64)]
            case 2:
                made[at:at] = made[at : at + chance.randrange(1, 64)]
            case 3:
                made[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x80")
                )
            case _:
                made[chance.randrange(len(made) + 1) :] = b""
    return bytes(made)


def spoil_inside(content: bytes, chance: random.Random) -> bytes:
    """Spoil one member of a zip archive and pack it again, so that what reads the member is reached."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(out, "w") as made:
        names = given.namelist()
        chosen = chance.choice(names)
        for name in names:
            made.writestr(name, spoil(given.read(name), chance) if name == chosen else given.read(name))
    return out.getvalue()


def fuzz(kind: str, packed: str, seed: int, folder: Path, n: int) -> set[str]:
    """Read `n` spoiled files of a kind; give the kinds of outcome."""
    chance = random.Random(f"{kind} {packed} {seed}")
    path = write(kind, folder)
    path = {"": lambda p: p, "gz": gzipped, "zip": zipped}[packed](path)
    content = path.read_bytes()
    part = path.with_suffix(".dbf") if kind == "shapefile" and not packed else None
    beside = part.read_bytes() if part else b""
    seen = set()
    for _ in range(n):
        inside = packed == "zip" or (kind in ("xlsx", "ods") and not packed)
        path.write_bytes(spoil_inside(content, chance) if inside and chance.random() < 0.7 else spoil(content, chance))
        if part:
            part.write_bytes(spoil(beside, chance) if chance.random() < 0.5 else beside)
        seen.add(type(outcome(path, kind)).__name__)
    return seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_spoiled_file_ends_in_rows_or_in_a_sentence(kind: str, tmp_path: Path) -> None:
    assert fuzz(kind, "", 1, tmp_path, 10) <= {"int", "str"}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("packed", ["", "gz", "zip"])
@pytest.mark.parametrize("kind", KINDS)
def test_spoiled_files_by_the_hundred_end_in_rows_or_in_a_sentence(
    kind: str, packed: str, seed: int, tmp_path: Path
) -> None:
    if packed == "gz" and kind == "shapefile":
        packed = "zip"
    assert fuzz(kind, packed, seed, tmp_path, 300) <= {"int", "str"}

"""What a process that reads an untrusted file may do: little, and it cannot get more.

No network where the system lets one give it up, limits on memory, computing time, files and their size, one GDAL
driver, no way to write outside its own folder where the kernel has Landlock, and an end when its parent ends.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
from pathlib import Path

import pyogrio

from etl.sources.archive import SHAPEFILE_PARTS
from etl.sources.fence import fence_in
from etl.sources.request import Request

DRIVERS = {
    "shapefile": ("ESRI Shapefile",),
    "geopackage": ("GPKG",),
    "geojson": ("GeoJSON",),
    "geojsonseq": ("GeoJSONSeq",),
    "kml": ("LIBKML", "KML"),
    "flatgeobuf": ("FlatGeobuf",),
}
"""The GDAL driver each format is read by, the first there is; all other formats are read without GDAL."""

GDAL_SWITCHES = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_NUM_THREADS": "1",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
    "OGR_SQLITE_LOAD_EXTENSIONS": "NONE",
    "OGR_SQLITE_PRAGMA": "trusted_schema=OFF",
    "LIBKML_LAUNDER_FIELD_NAMES": "NO",
    "LIBKML_RESOLVE_STYLE": "NO",
    "SHAPE_RESTORE_SHX": "NO",
}
"""Environment of the reading processes as far as GDAL is concerned."""

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38
_OPEN_FILES = 128


def leave_network() -> bool:
    """Leave the network for good; False where the system does not let one do so.

    Has to be called before there are threads.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))


def confine(request: Request, folder: Path) -> None:
    """Confine this process to reading one file, with a folder of its own to write in."""
    limits, file_format = request.limits, request.format
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    os.chdir(folder)
    os.umask(0o077)
    there = pyogrio.list_drivers()
    _keep_drivers({next(name for name in DRIVERS[file_format] if name in there)} if file_format in DRIVERS else set())
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    seconds = math.ceil(limits.seconds)
    for what, most in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + (limits.memory_mb << 20)),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.unpacked_mb << 20),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    fence_in(_files_of(request), folder)


def _files_of(request: Request) -> list[Path]:
    """The file, and what belongs to it beside it."""
    path = request.path
    if request.format != "shapefile":
        return [path]
    suffixes = [case for suffix in SHAPEFILE_PARTS for case in (suffix, suffix.upper())]
    return [path, *(path.with_suffix(suffix) for suffix in suffixes)]


def _keep_drivers(names: set[str]) -> None:
    """Take all GDAL drivers but some away from this process; it ends when that cannot be done."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    library = next(line.split(maxsplit=5)[5] for line in maps.splitlines() if "libgdal" in line)
    gdal = ctypes.CDLL(library)
    gdal.GDALGetDriver.restype = gdal.GDALGetDriverByName.restype = ctypes.c_void_p
    gdal.GDALGetDriverShortName.argtypes = gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    gdal.GDALGetDriverShortName.restype = ctypes.c_char_p
    for number in reversed(range(gdal.GDALGetDriverCount())):
        driver = gdal.GDALGetDriver(number)
        if gdal.GDALGetDriverShortName(driver).decode() not in names:
            gdal.GDALDeregisterDriver(driver)
    if set(pyogrio.list_drivers()) != names:
        raise RuntimeError("GDAL keeps drivers that were taken away")

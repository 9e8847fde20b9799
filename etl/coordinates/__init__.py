"""Coordinates of every kind a department delivers, turned into CGCS2000 longitude and latitude, once, at the door.

| crs           | what it is                                                       | how it is converted               |
|---------------|------------------------------------------------------------------|-----------------------------------|
| `EPSG:4490`   | CGCS2000 longitude and latitude                                  | taken as it is                    |
| `EPSG:4326`   | WGS 84 longitude and latitude, equal to it within centimetres    | taken as it is                    |
| `EPSG:n`      | any other, such as the Gauss-Kruger zones EPSG:4491 to EPSG:4554 | PROJ, never by a guess (ballpark) |
| `CGCS2000-GK` | a Gauss-Kruger zone of CGCS2000, which one is not said           | the zone is found, or refused     |
| `GCJ-02`      | the shifted coordinates of Amap, Tencent and most phone software | published formula, backwards      |
| `BD-09`       | those of Baidu, shifted once more                                | likewise, to GCJ-02 and then on   |

Beijing 1954 and Xi'an 1980 take a `datum`, the county's own parameters (`datums.toml`), and are refused without:
they would be off by up to 100 m unnoticed.
"""

from etl.coordinates.conversion import Conversion, check_crs, conversion, to_cgcs2000, to_cgcs2000_geometries
from etl.coordinates.degrees import parse_degrees
from etl.coordinates.shifted import to_bd09, to_gcj02
from etl.coordinates.zones import ZONE_UNKNOWN, find_zone

__all__ = [
    "ZONE_UNKNOWN",
    "Conversion",
    "check_crs",
    "conversion",
    "find_zone",
    "parse_degrees",
    "to_bd09",
    "to_cgcs2000",
    "to_cgcs2000_geometries",
    "to_gcj02",
]

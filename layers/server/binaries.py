"""PostgreSQL's programs: where they are on this machine, and whether they are of a version we can stand on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layers.errors import ServerError

DEBIAN = Path("/usr/lib/postgresql")
# Before these minor versions planner statistics tell more than the reader may see (CVE-2025-8713).
FLOORS = {15: 14, 16: 10, 17: 6, 18: 0}
POSTGIS_FLOOR = (3, 3)
INSTALL = (
    "`make setup` installs both; by hand: `apt-get install postgresql postgis postgresql-postgis`, "
    "or set DATABASE_URL to a server elsewhere."
)


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL: the folder of its programs and its version."""

    folder: Path
    major: int
    minor: int

    def program(self, name: str) -> str:
        """Path of one of its programs, such as `initdb`."""
        return str(self.folder / name)


def find_binaries(major: int | None = None) -> Binaries:
    """Find PostgreSQL with PostGIS: the active conda environment first, then Debian's newest, then the PATH.

    Parameters
    ----------
    major
        Only this version will do: the one a cluster was made with.

    Raises
    ------
    ServerError
        There is none, or only ones without PostGIS, or of an unfit version.
    """
    seen = [binaries for folder in _folders() if (binaries := _look(folder)) is not None]
    if not seen:
        raise ServerError("PostgreSQL is not installed on this machine.", INSTALL)
    fit = [b for b in seen if version_problem(b.major, b.minor) is None]
    if not fit:
        raise ServerError(version_problem(seen[0].major, seen[0].minor) or "", INSTALL)
    with_postgis = [b for b in fit if _has_postgis(b)]
    if not with_postgis:
        versions = ", ".join(str(b.major) for b in fit)
        raise ServerError(f"PostgreSQL {versions} is installed, but PostGIS for it is not.", INSTALL)
    same = [b for b in with_postgis if major in (None, b.major)]
    if not same:
        raise ServerError(
            f"The private cluster was made by PostgreSQL {major}, which is no longer installed with PostGIS.",
            f"Install PostgreSQL {major} again, or `make clean` and load the deliveries anew.",
        )
    return same[0]


def version_problem(major: int, minor: int) -> str | None:
    """Return a sentence when a version of PostgreSQL is unfit, else None."""
    if major not in FLOORS:
        return f"PostgreSQL {major} is not among the versions this works with (15 to 18)."
    if minor < FLOORS[major]:
        return f"PostgreSQL {major}.{minor} has a known leak; {major}.{FLOORS[major]} or later is needed."
    return None


def postgis_problem(version: str | None) -> str | None:
    """Return a sentence when this version of PostGIS (None = not there) is unfit, else None."""
    if version is None:
        return "PostGIS is not installed on the server."
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < POSTGIS_FLOOR:
        return f"PostGIS {version} is too old; 3.3 or later is needed."
    return None


def _folders() -> Iterator[Path]:
    prefix = Path(sys.prefix)
    if (prefix / "conda-meta").is_dir():
        yield prefix / "bin"
    versions = (int(d.name) for d in DEBIAN.glob("*") if d.name.isdigit())
    yield from (DEBIAN / str(major) / "bin" for major in sorted(versions, reverse=True))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _look(folder: Path) -> Binaries | None:
    if not all((folder / name).exists() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return Binaries(folder, int(found[1]), int(found[2])) if found else None


def _has_postgis(binaries: Binaries) -> bool:
    root = binaries.folder.parent
    places = (
        Path("/usr/share/postgresql") / str(binaries.major) / "extension",
        root / "share" / "extension",
        root / "share" / "postgresql" / "extension",
        root / "share" / f"postgresql-{binaries.major}" / "extension",
    )
    inside = [p for p in places[1:] if p.is_dir()] if DEBIAN not in binaries.folder.parents else places[:1]
    return any((place / "postgis.control").exists() for place in inside)

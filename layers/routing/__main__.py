"""`python -m layers.routing [MONTH]`: what would go where, over the events of a month."""

from __future__ import annotations

import argparse
import sys

from layers.atlas import Atlas, open_atlas
from layers.errors import EXIT_CODES, AtlasError
from layers.indicators import latest
from layers.routing import preview, unknown_grids


def main(words: list[str]) -> int:
    """Print where the events of a month would go, a line for each route, department and category."""
    parser = argparse.ArgumentParser(prog="python -m layers.routing", description=__doc__)
    parser.add_argument("month", nargs="?", help="such as 2026-06; the last month with events when left out")
    try:
        atlas = open_atlas()
        with atlas.connect() as connection:
            month = parser.parse_args(words).month or _last_month(atlas)
            found = preview(connection, atlas.catalog, atlas.scope, month)
            unknown = unknown_grids(connection, atlas.catalog)
    except AtlasError as error:
        print(f"错误 Error: {error}", file=sys.stderr)
        return EXIT_CODES[type(error)]
    print(f"{month}: {found['n'].sum()} 件 events, {found['n_moved'].sum()} 件改派 to another department than then")
    print(found.to_string(index=False, na_rep="–"))
    for code in unknown:
        print(f"没有网格 {code} There is no grid {code}: the route that names it never matches.", file=sys.stderr)
    return 0


def _last_month(atlas: Atlas) -> str:
    with atlas.connect() as connection:
        names = [key for key, one in atlas.catalog.indicators.items() if one.period == "month"]
        found = [str(when) for name in names if (when := latest(connection, atlas.catalog, name)) is not None]
    if not found:
        raise AtlasError("There are no events yet.", "Load some, or name a month such as 2026-06.")
    return max(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

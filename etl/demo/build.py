"""Build the sample city's deliveries: made in memory, written beside their place, moved there when whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from etl.demo.deliver_care import deliver_care
from etl.demo.deliver_disputes import deliver_disputes
from etl.demo.deliver_emergency import deliver_emergency
from etl.demo.deliver_events import deliver_grid_events
from etl.demo.deliver_grids import deliver_grids
from etl.demo.deliver_hotline import deliver_hotline
from etl.demo.deliver_organisations import deliver_organisations
from etl.demo.deliver_people import deliver_people
from etl.demo.deliver_places import deliver_places
from etl.demo.deliver_posts import deliver_posts
from etl.demo.deliver_things import deliver_things
from etl.demo.delivery import Delivery
from etl.demo.grids import make_grids
from etl.demo.ground import make_ground
from etl.demo.households import make_population
from etl.demo.sizes import SIZES, Size
from etl.demo.writers import write_delivery
from layers.errors import SettingError

SEED = 4499
MARK = "city.json"
"""File that says what a folder of deliveries holds; a folder without it is not whole."""


_CHINA = timezone(timedelta(hours=8))


def build_city(
    folder: Path,
    size: str = "full",
    *,
    people: int | None = None,
    events: int | None = None,
    seed: int = SEED,
    until: date | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Build the deliveries of the fictitious sample city and return their folder.

    Everything is written into `FOLDER.part` and renamed at the end, so a folder that is there is whole.

    Parameters
    ----------
    folder
        Where the deliveries are to lie. Deliveries built before are replaced; any other folder is refused.
    size
        `small` or `full`.
    people, events
        How many are made; None for those of the size. Posts on the village platform come on top, 2 in 100 events.
    seed
        The same seed, size, numbers and `until` give the same city.
    until
        Day of the deliveries: the three years of events end with the day before. None for today in China.
    say
        Told of each step.

    Raises
    ------
    SettingError
        An unknown size, a number below 1, or a folder that holds something else.
    """
    chosen = _size(size, people, events)
    last_day = until or datetime.now(UTC).astimezone(_CHINA).date()
    _refuse_foreign(folder)
    part, old = (folder.with_name(folder.name + ending) for ending in (".part", ".old"))
    for left_over in (part, old):
        if left_over.exists():
            shutil.rmtree(left_over)
    part.mkdir(parents=True)
    answers = {}
    for delivery in _deliveries(chosen, seed, last_day, say):
        say(f"writing {delivery.file}: {len(delivery.rows):,} rows of {delivery.dataset}")
        write_delivery(part, delivery)
        answers[delivery.dataset] = delivery.answers()
    rows = {dataset: sheet["rows"] for dataset, sheet in answers.items()}
    _write_json(part / "answers.json", answers)
    _write_json(part / MARK, {**_facts(chosen, seed, last_day), "rows": rows})
    if folder.exists():  # moved away whole: half a folder must never stand under its name
        folder.rename(old)
    part.rename(folder)
    if old.exists():
        shutil.rmtree(old)
    return folder


def _facts(size: Size, seed: int, until: date) -> dict[str, Any]:
    """What the city was made from, and that it is fictitious."""
    return {
        "notice": "样例城市纯属虚构 / this city is fictitious",
        "size": size.key,
        "seed": seed,
        "until": until.isoformat(),
        "people": size.people,
        "events": size.events,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _deliveries(size: Size, seed: int, until: date, say: Callable[[str], None]) -> Iterator[Delivery]:
    """Make the deliveries one after another."""
    say(f"drawing {size.n_small:,} small grids")
    grids = make_grids(size, seed)
    yield from deliver_grids(grids)
    ground = make_ground(grids, seed, until)
    say(f"settling {size.people:,} people")
    population = make_population(ground, size.people)
    yield from deliver_people(ground, population)
    yield from deliver_care(ground, population)
    del population
    n_calls, n_disputes = round(size.events * 0.15), round(size.events * 0.05)
    say(f"letting {size.events:,} events happen")
    yield from deliver_grid_events(ground, size.events - n_calls - n_disputes)
    yield deliver_hotline(ground, n_calls)
    yield deliver_disputes(ground, n_disputes)
    yield deliver_posts(ground, round(size.events * 0.02))
    say("putting up places, things and organisations")
    yield from deliver_places(ground)
    yield from deliver_things(ground)
    yield from deliver_organisations(ground)
    yield from deliver_emergency(ground)


def _size(size: str, people: int | None, events: int | None) -> Size:
    """Size of that name, with other numbers of people and events when given."""
    if size not in SIZES:
        raise SettingError(f"There is no size {size!r} of the sample city.", f"Choose one of: {', '.join(SIZES)}.")
    for word, n in (("people", people), ("events", events)):
        if n is not None and n < 1_000:
            raise SettingError(f"--{word} {n} is too few for a city.", "Give at least 1000.")
    base = SIZES[size]
    return replace(base, people=people or base.people, events=events or base.events)


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything but deliveries built before."""
    if folder.exists() and not (folder.is_dir() and ((folder / MARK).exists() or not any(folder.iterdir()))):
        raise SettingError(
            f"{folder} holds files that are not the sample city's.", "Name another folder, or empty this one first."
        )

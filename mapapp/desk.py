"""What handlers lean on: declarations, texts, connections as role `web`, names of the grids, a shelf of cut tiles."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from layers.access import Scope
from layers.accounts.sessions import Session, carry
from layers.declare.records import Catalog
from layers.draw import palette
from layers.gazetteer import Gazetteer, read_gazetteer
from layers.named import Named, read_named
from layers.requests import carry_key
from layers.tiles import data_version, tile_form
from mapapp.base.base import Base
from mapapp.base.sources import BaseMap
from mapapp.base.style import with_base
from mapapp.signs import Signs
from mapapp.text import Words, read_words
from mapapp.visitor import visitor

SHELF_BYTES = 64_000_000
"""Bytes of cut tiles kept in memory."""

GAZETTEERS_MOST = 64
"""Scopes whose names of grids are kept in memory."""
NAMED_MOST = 8
"""Scopes whose names of places, things and organisations are kept in memory."""


class Desk:
    """Everything one running map has; made by `create_app`, nothing of it is global."""

    def __init__(self, catalog: Catalog, pool: ConnectionPool[Any], base: Base | None = None) -> None:
        self.catalog = catalog
        self.base = base or Base(BaseMap(), None)
        self.words: Mapping[str, Words] = read_words()
        self.signs = Signs(catalog)
        self.shelf = Shelf(SHELF_BYTES)
        self.tile_form = tile_form()
        self.started = time.time_ns()
        self._pool = pool
        self._gazetteers: OrderedDict[tuple[Scope, int | None], Gazetteer] = OrderedDict()
        self._named: OrderedDict[Scope, Named] = OrderedDict()
        self._naming = threading.Lock()

    @property
    def scope(self) -> Scope:
        """What whoever asks may see.

        Raises
        ------
        AccessError
            Nobody is signed in.
        """
        return visitor().actor.scope

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection as role `web` that sees what whoever asks may see, for one transaction."""
        with self.connection_of(visitor()) as connection:
            yield connection

    @contextmanager
    def connection_of(self, session: Session) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection that sees what a session may see, for what is done for it outside a request."""
        with self._pool.connection() as connection:
            carry(connection, session.token)
            yield connection

    @contextmanager
    def unsigned(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection without a session, for what everybody may see."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def keyed(self, key: str) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection that sees what the holder of a key may see, for one transaction."""
        with self._pool.connection() as connection:
            carry_key(connection, key)
            yield connection

    def drop_dead(self) -> None:
        """Let connections go that the database has ended, all at once and not one by one as each fails somebody."""
        self._pool.check()

    def open(self) -> None:
        """Open the pool."""
        self._pool.open()

    def close(self) -> None:
        """Close the pool, and stop fetching tiles."""
        self.base.close()
        self._pool.close()

    def grid_tiles(self, gazetteer: Gazetteer, level: str | None = None) -> str:
        """Address of the tiles of an edition's grids: of all levels by zoom, or down to a level at every zoom."""
        kind, edition = "level" if level else "grid", f"{gazetteer.edition}-{gazetteer.version}"
        return f"/tiles/{kind}/{edition}/{level + '/' if level else ''}{{z}}/{{x}}/{{y}}?form={self.tile_form}"

    def on_base(self, style: Mapping[str, Any], language: str) -> dict[str, Any]:
        """Put the base map, where the settings name one, into a style of the map."""
        said = self.base.said
        name = said.name or (self.words[language]("base_tianditu") if said.is_tianditu else "")
        return with_base(style, self.base, name, self.words[language]("base_failing"))

    def gazetteer(
        self, connection: psycopg.Connection[Any], edition: int | None = None, scope: Scope | None = None
    ) -> Gazetteer:
        """Names of the grids inside a scope, the asker's or another, in force or of an edition; read again when new."""
        row = connection.execute(
            "select edition, version from pub.edition"
            " where closed_on is null and %(edition)s::int is null or edition = %(edition)s"
            " order by edition desc limit 1",
            {"edition": edition},
        ).fetchone()
        scope = scope or self.scope
        held = self._gazetteers.get((scope, edition))
        if held is None or row is None or (held.edition, held.version) != tuple(row):
            held = self._gazetteers[scope, edition] = read_gazetteer(connection, scope, edition)
            while len(self._gazetteers) > GAZETTEERS_MOST:
                self._gazetteers.popitem(last=False)
        return held

    def grid_names(self, words: Words) -> dict[str, str]:
        """Names of the grids in force inside the asker's scope, by code; none before any grid is loaded."""
        with self.connection() as connection:
            if connection.execute("select from pub.edition where closed_on is null").fetchone() is None:
                return {}
            return self.names_in(self.gazetteer(connection), words)

    def names_in(self, gazetteer: Gazetteer, words: Words) -> dict[str, str]:
        """Names of all grids of a gazetteer by code, in its order; city and counties have theirs in the language."""
        names = gazetteer.grids["name"]
        own = {code: words.of(name) for code, name in self.catalog.city.names.items() if code in names.index}
        return dict(zip(names.index.tolist(), names.tolist(), strict=True)) | own

    def named(self, connection: psycopg.Connection[Any]) -> Named:
        """Names of what the asker may see one by one, with their pinyin; read again when data are new."""
        scope, (version, _) = self.scope, data_version(connection)
        held = self._named.get(scope)
        if held is None or held.version != version:
            with self._naming:  # one reads them, and whoever asks meanwhile waits for that
                held = self._named.get(scope)
                if held is None or held.version != version:
                    held = self._named[scope] = read_named(connection, self.catalog, scope)
                    while len(self._named) > NAMED_MOST:
                        self._named.popitem(last=False)
        return held

    def stamp(self, connection: psycopg.Connection[Any]) -> str:
        """Say which state of grids, data and program an answer stands for: while it is the same, so is the answer."""
        gazetteer = self.gazetteer(connection)
        return f"{self.started} {self.scope.code} {gazetteer.edition}-{gazetteer.version} {data_version(connection)[0]}"

    def colour(self, element: str) -> str:
        """Colour of an element as a whole: that of its first layer."""
        layers = sorted(
            (one for one in self.catalog.layers.values() if one.element == element), key=lambda one: one.order
        )
        return layers[0].colour if layers else palette.ELEMENTS[element]


class Shelf:
    """Cut and packed tiles, the least used thrown out when they take too many bytes."""

    def __init__(self, n_bytes: int) -> None:
        self._room = n_bytes
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def fetch(self, key: object, cut: Callable[[], bytes]) -> bytes:
        """Take a tile from the shelf, or cut it and put it there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        tile = cut()
        with self._lock:
            self._room += len(self._kept.pop(key, b""))
            self._kept[key] = tile
            self._room -= len(tile)
            while self._room < 0 and len(self._kept) > 1:
                _, old = self._kept.popitem(last=False)
                self._room += len(old)
        return tile

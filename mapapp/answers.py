"""Answers that are the same for all who see the same: worked out and packed once, by the first who asks, then shared.

When five hundred screens ask at once what has changed, the database is asked once. Whoever may not ask is stopped at
the door before; the key of an answer has to name the scope and everything else that it depends on.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from fastapi import Request, Response

from mapapp.packed import coding_of, pack

KEPT_MOST = 200
"""Answers kept, at most; the one asked for longest ago goes first."""


class Answers:
    """What has been worked out of late, and what is being worked out now."""

    def __init__(self) -> None:
        self._held: OrderedDict[Hashable, tuple[float, asyncio.Task[bytes]]] = OrderedDict()

    async def give(
        self, request: Request, key: Hashable, make: Callable[[], bytes], *, kept_s: float, etag: str | None = None
    ) -> Response:
        """Answer with JSON: what is being made now or was begun in the last seconds, else made anew.

        A browser that has it already, by its `etag` or else by its bytes, is told so in a few. What cannot be made is
        raised to all who wait for it, and not kept.
        """
        coding = coding_of(request.scope)
        body = await self._body((key, coding), lambda: pack(make(), coding, level=5), kept_s)
        etag = etag or f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
        headers = {"etag": etag, "cache-control": "private, no-cache", "vary": "accept-encoding, cookie"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        packed = {"content-encoding": coding} if coding else {}
        return Response(body, headers=headers | packed, media_type="application/json")

    async def _body(self, key: Hashable, make: Callable[[], bytes], kept_s: float) -> bytes:
        begun, task = self._held.get(key, (0.0, None))
        if task is None or (task.done() and time.monotonic() - begun > kept_s) or _has_failed(task):
            task = asyncio.create_task(asyncio.to_thread(make))
            self._held[key] = (time.monotonic(), task)
            while len(self._held) > KEPT_MOST:
                self._held.popitem(last=False)
        self._held.move_to_end(key)
        return await asyncio.shield(task)  # who goes away does not take it from the others


def _has_failed(task: asyncio.Task[bytes]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)

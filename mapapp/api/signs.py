"""Routes of the signs: the sprite that MapLibre reads, and each sign alone for the panels."""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from layers.draw.sprite import DENSITIES
from mapapp.signs import Signs

FOR_GOOD = "public, max-age=31536000, immutable"


def sign_routes(signs: Signs) -> APIRouter:
    """Make the routes `/static/signs/{edition}/{file}`."""
    routes = APIRouter(prefix="/static/signs")
    names = {
        f"sprite{'' if density == 1 else f'@{density}x'}.{kind}": (density, part, media)
        for density in DENSITIES
        for part, kind, media in ((0, "png", "image/png"), (1, "json", "application/json"))
    }

    @routes.get("/{edition}/{name}")
    async def file(edition: str, name: str) -> Response:
        """The sprite, its index, or one sign."""
        headers = {"cache-control": FOR_GOOD}
        sign = signs.files.get(name.removesuffix(".svg")) if name.endswith(".svg") else None
        if edition != signs.edition or (sign is None and name not in names):
            return Response(status_code=404)
        if sign is not None:
            return FileResponse(sign, media_type="image/svg+xml", headers=headers)
        density, part, media = names[name]
        drawn = await asyncio.to_thread(partial(signs.sprite, density))
        return Response(drawn[part], media_type=media, headers=headers)

    return routes

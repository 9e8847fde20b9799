"""The map engine's own files, served from where npm put them; never copied into the project."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from layers.errors import SettingError

FILES = ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl-shared.mjs", "maplibre-gl.css")
FOR_GOOD = "public, max-age=31536000, immutable"


def engine_version(folder: Path) -> str:
    """Version of the maplibre-gl package in a folder.

    Raises
    ------
    SettingError
        It has not been installed.
    """
    try:
        return str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])
    except FileNotFoundError as error:
        raise SettingError(
            f"The map engine is missing: there is no maplibre-gl in {folder}.", "Run `make setup`, which fetches it."
        ) from error


def engine_routes(folder: Path) -> APIRouter:
    """Make the routes `/static/maplibre/{version}/{file}`."""
    routes, version = APIRouter(prefix="/static/maplibre"), engine_version(folder)

    @routes.api_route("/{asked}/{name}", methods=["GET", "HEAD"])
    async def file(asked: str, name: str) -> Response:
        """One file of the map engine."""
        if asked != version or name not in FILES:
            return Response(status_code=404)
        kind = "text/javascript" if name.endswith(".mjs") else mimetypes.guess_type(name)[0]
        return FileResponse(folder / "dist" / name, media_type=kind, headers={"cache-control": FOR_GOOD})

    return routes

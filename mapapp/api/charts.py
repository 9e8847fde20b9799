"""plotly's own file, served from its package, loaded by pages that draw charts when they draw the first."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import plotly
from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from mapapp.api.engine import FOR_GOOD


def charts_address() -> str:
    """Address of plotly's file, with its version."""
    return f"/static/plotly/{version('plotly')}/plotly.min.js"


def chart_routes() -> APIRouter:
    """Make the route `/static/plotly/{version}/plotly.min.js`."""
    routes = APIRouter(prefix="/static/plotly")
    file = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"

    @routes.api_route("/{asked}/plotly.min.js", methods=["GET", "HEAD"])
    async def script(asked: str) -> Response:
        """The script that draws charts."""
        if asked != version("plotly"):
            return Response(status_code=404)
        return FileResponse(file, media_type="text/javascript", headers={"cache-control": FOR_GOOD})

    return routes

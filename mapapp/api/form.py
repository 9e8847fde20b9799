"""Routes for everybody where `PUBLIC_PAGES` has `form`: the form, its receipt, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import UploadFile

from layers.errors import AtlasError, CaseError
from layers.seal import Sealer
from mapapp import form
from mapapp.api.casework import STATIC
from mapapp.api.sign_in import read_form, words_of
from mapapp.desk import Desk
from mapapp.door import Pace
from mapapp.pages.form import follow_page, form_page, receipt_page
from mapapp.porter import Porter
from mapapp.text import Words

OF_ONE, OF_ALL = (10, 20 / 3600), (300, 600 / 3600)
"""Reports that one address, and all together, may send at once, and how many more each second."""
LOOKS = (30, 0.5)
"""The same for looks at a receipt."""
EVERYBODY = "everybody"
NEEDS = ("category", "community", "inside", "words", "photo", "photos")
"""What a form may lack, as the page says it."""


class Counter:
    """Where forms are handed in: shows them, takes them in, and holds up who sends too many."""

    def __init__(self, desk: Desk, sealer: Sealer) -> None:
        self._desk, self._sealer = desk, sealer
        self._of_one, self._of_all, self._looks = Pace(*OF_ONE), Pace(*OF_ALL), Pace(*LOOKS)

    def show(self, words: Words, given: Mapping[str, str], message: str = "", status: int = 200) -> Response:
        """Show the form, with what was given already."""
        with self._desk.unsigned() as connection:
            communities = form.list_communities(connection, self._desk.catalog)
        slip = form.read_slip(self._sealer, given, now()) or form.open_slip(self._sealer, now())
        return HTMLResponse(form_page(self._desk.catalog, words, slip, communities, given, message=message), status)

    def take_in(
        self, words: Words, given: Mapping[str, str], address: str, pictures: Sequence[bytes] = ()
    ) -> Response:  # fmt: skip
        """Take a form in and give the receipt, or the form again with what is missing."""
        slip = form.read_slip(self._sealer, given, now())
        if slip is None:
            return self.show(words, given, words("form_old"), 403)
        if not (self._of_one.take(address) and self._of_all.take(EVERYBODY)):
            return self.show(words, given, words("form_too_often"), 429)
        try:
            with self._desk.unsigned() as connection:
                form.take_in(connection, self._desk.catalog, slip, given, pictures)
        except AtlasError as error:
            need = getattr(error, "need", "")
            key = f"form_need_{need}" if need in NEEDS else "form_failed"
            return self.show(words, given, words(key), 422)
        return HTMLResponse(receipt_page(self._desk.catalog, words, slip.receipt))

    def tell(self, words: Words, receipt: str, address: str) -> Response:
        """Tell what became of the reports of a receipt."""
        catalog = self._desk.catalog
        if not self._looks.take(address):
            return HTMLResponse(follow_page(catalog, words, None, message=words("form_too_often")), 429)
        with self._desk.unsigned() as connection:
            rows = form.follow(connection, receipt[:60])
        return HTMLResponse(follow_page(catalog, words, rows, receipt=receipt[:60]), 200 if rows else 404)

    def take_back(self, words: Words, given: Mapping[str, str], address: str) -> Response:
        """Take back what was reported with a receipt, and tell how it stands."""
        catalog, receipt = self._desk.catalog, given.get("receipt", "")[:60]
        if not self._looks.take(address):
            return HTMLResponse(follow_page(catalog, words, None, message=words("form_too_often")), 429)
        message, status = words("form_withdrawn"), 200
        with self._desk.unsigned() as connection:
            try:
                form.withdraw(connection, catalog, given)
            except CaseError as error:
                is_unsaid = error.need == "reason"
                message, status = words("form_need_reason" if is_unsaid else "form_not_withdrawn"), 422
            rows = form.follow(connection, receipt)
        return HTMLResponse(follow_page(catalog, words, rows, receipt=receipt, message=message), status)


def form_routes(desk: Desk, porter: Porter) -> APIRouter:
    """Make the routes of `/form`."""
    routes, counter = APIRouter(), Counter(desk, porter.sealer)

    @routes.api_route("/form", methods=["GET", "HEAD"])
    async def ask(request: Request) -> Response:
        """The form."""
        return await asyncio.to_thread(counter.show, words_of(desk, request), {})

    @routes.post("/form")
    async def send(request: Request) -> Response:
        """Take a form in and give the receipt, or the form again with what is missing."""
        given, pictures = await _read(request)
        return await asyncio.to_thread(counter.take_in, words_of(desk, request), given, _address(request), pictures)

    @routes.api_route("/form/follow", methods=["GET", "HEAD"])
    async def ask_receipt(request: Request) -> Response:
        """Ask for a receipt; it never stands in an address."""
        return HTMLResponse(follow_page(desk.catalog, words_of(desk, request), None))

    @routes.post("/form/follow")
    async def tell(request: Request) -> Response:
        """Tell what became of the reports of a receipt."""
        receipt = (await read_form(request)).get("receipt", "")
        return await asyncio.to_thread(counter.tell, words_of(desk, request), receipt, _address(request))

    @routes.post("/form/withdraw")
    async def take_back(request: Request) -> Response:
        """Take back what was reported with a receipt."""
        given = await read_form(request)
        return await asyncio.to_thread(counter.take_back, words_of(desk, request), given, _address(request))

    @routes.api_route("/form/position.mjs", methods=["GET", "HEAD"])
    async def script() -> Response:
        """The script that gives the phone's position."""
        headers = {"cache-control": "no-cache"}
        return FileResponse(STATIC / "position.mjs", media_type="text/javascript", headers=headers)

    return routes


async def _read(request: Request) -> tuple[dict[str, str], list[bytes]]:
    """Read a form's fields, and the photos of one that carries some."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await read_form(request), []
    async with request.form(max_files=form.PHOTOS_MOST + 1, max_fields=20) as sent:
        files = [one for one in sent.getlist("photo") if isinstance(one, UploadFile)]
        read = [await one.read() for one in files]
        return {key: value for key, value in sent.items() if isinstance(value, str)}, [one for one in read if one]


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

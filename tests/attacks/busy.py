"""Has something done of everything that people do on the map, so that there is a row of everything to attack."""

from __future__ import annotations

import io
import json
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlencode

from knock import SCOPE, Answer, Knocker
from PIL import Image
from serving import Server
from signing import sign_in

from layers.access import AccountRole
from layers.database import Database
from layers.declare.records import Catalog

FORM = {b"content-type": b"application/x-www-form-urlencoded"}
JSON = {b"content-type": b"application/json"}
_POINT = (
    "select ST_X(p), ST_Y(p) from (select ST_PointOnSurface(geom) as p from pub.grid"
    " where code ^@ %s and level = 'small' limit 1) as g"
)
_CLOSED = (
    "select id from ops.event where grid_code ^@ %s and gone_on is null and not is_sensitive and state = 'closed'"
    " order by id desc limit 1"
)


class Busy:
    """Whoever does something: one for each role, who sees one large grid."""

    def __init__(self, server: Server, db: Database) -> None:
        self._server, self._db = server, db

    def of(self, role: AccountRole) -> Knocker:
        enter = partial(sign_in, self._db, role, scope=SCOPE, department="water")
        return Knocker(self._server.app, self._server.loop, enter)

    def post(self, role: AccountRole, path: str, **said: Any) -> dict[str, Any]:
        """Post something that is taken; what came back."""
        answer = self.of(role).ask(
            "POST", path, body=json.dumps({"key": f"busy{path}".replace("/", "-")} | said).encode(), headers=JSON
        )
        assert answer.status == 200, (path, answer.status, answer.body)
        return dict(json.loads(answer.body))

    def photo(self, role: AccountRole, path: str, sent: bytes) -> Answer:
        """Send a file as a photo."""
        head = b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        kind = {b"content-type": b"multipart/form-data; boundary=x"}
        return self.of(role).ask("POST", path, body=head + sent + b"\r\n--x--\r\n", headers=kind)


def picture(width: int = 40, height: int = 30, kind: str = "JPEG") -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, kind)
    return out.getvalue()


def fill_up(server: Server, db: Database, catalog: Catalog, words: str) -> dict[str, str]:
    """Do something of everything, in the words given; addresses that lead to what was made, by route."""
    busy = Busy(server, db)
    with db.connect("admin") as admin:
        lon, lat = admin.execute(_POINT, [SCOPE]).fetchone() or (0, 0)
        closed = admin.execute(_CLOSED, [SCOPE]).fetchone()
    assert closed is not None
    busy.post("dispatcher", "/calls/new", grid=SCOPE, what=words, departments=[next(iter(catalog.departments))])
    here = {"lon": lon, "lat": lat, "category": "noise", "words": words}
    made = busy.post("grid_worker", "/report/report", **here)
    assert busy.photo("grid_worker", f"/cases/one/{made['id']}/photo", picture()).status == 200
    busy.post("grid_worker", "/report/visit", **here)
    whom = json.loads(busy.of("grid_worker").ask("GET", "/care/list").body)["rows"][0]["id"]
    busy.post(
        "grid_worker", f"/care/one/{whom}/visit", visited_on=date.today().isoformat(), status="at_home", found=words
    )
    led = busy.post("grid_worker", "/care/lists")["address"]
    busy.post("dispatcher", f"/cases/one/{closed[0]}/echo", problem=words, measure=words, result=words)
    asked = busy.post("dispatcher", f"/cases/one/{closed[0]}/ask", do="link")
    who = busy.of("dispatcher")
    who.session = None
    who.ask("POST", "/sign-in", body=urlencode({"account": words, "password": words}).encode(), headers=FORM)
    return {"/care/lists/{token}": led, "/answer/{token}": f"/answer/{asked['token']}"}

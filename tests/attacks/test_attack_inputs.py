"""Hostile texts and values through every parameter of every route and callback: no fault, no word from inside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any
from urllib.parse import urlencode

import hostile
import pytest
from knock import SCOPE, Answer, Knocker
from surface import Operation, names_read, operations
from verdict import faults

from layers.access import ROLES, AccountRole
from layers.database import Database
from mapapp.rights import is_keyed, is_public, may_open

FORM = {b"content-type": b"application/x-www-form-urlencoded"}
JSON = {b"content-type": b"application/json"}
PARTS = {b"content-type": b"multipart/form-data; boundary=x"}
ASKED: Counter[str] = Counter()
"""How many requests each attack sent, for the count at the end."""
REACHED: Counter[tuple[str, int]] = Counter()
"""Answers by route and status, to be sure that the attacks get past the door."""

NOBODYS = {"/_dash-ws-callback", "/_reload-hash", "/sign-out", "/{path}"}
"""Routes that are for nobody, or that lead elsewhere."""

FILLED = {
    "edition": "1", "version": "1", "z": "12", "x": "3358", "y": "1783", "level": "medium", "element": "place",
    "month": "202605", "event_id": "1", "photo_id": "1", "code": "449901001", "frame": "449901001", "kind": "csv",
    "name": "x", "asked": "1", "path": "x", "package_name": "dash", "fingerprinted_path": "x.js",
}  # fmt: skip
"""What stands in the holes that are not attacked, so that what lies behind them is reached."""


SLOW = {"/sign-in", "/account"}
"""Where each attempt takes the time of a password."""


def role_for(template: str) -> AccountRole | None:
    """A role that may open a route, the one that sees most; None where nobody may."""
    order: Sequence[AccountRole] = ("dispatcher", "leader", *ROLES)
    return next((role for role in order if may_open(role, template.replace("{", "").replace("}", ""))), None)


def fill(one: Operation, given: dict[str, str]) -> str:
    path = one.template
    for hole in one.holes:
        path = path.replace("{" + hole + "}", given.get(hole, FILLED.get(hole, "1")).replace("%", "%25"))
    return path


def encoded(given: dict[str, Any]) -> bytes:
    return urlencode({key: str(value) for key, value in given.items()}, errors="replace").encode()


def parted(given: dict[str, Any]) -> bytes:
    head = 'content-disposition: form-data; name="{}"; filename="{}"'
    said = [f"--x\r\n{head.format(key.replace(chr(34), ''), value)}\r\n\r\n{value}\r\n" for key, value in given.items()]
    return ("".join(said) + "--x--\r\n").encode("utf-8", "replace")


def send(knocker: Knocker, one: Operation, given: dict[str, Any]) -> Iterator[Answer]:
    """Send what is given through everything the operation takes: holes, query, and each kind of body."""
    path = fill(one, {key: value for key, value in given.items() if isinstance(value, str)})
    if one.method != "POST":
        yield knocker.ask(one.method, path, encoded(given))
        return
    said = given | {"key": "attack-attack", "do": given.get("do", "add")}
    yield knocker.ask("POST", path, body=encoded(said), headers=FORM)
    yield knocker.ask(
        "POST", path, body=json.dumps(given | {"key": given.get("key", "attack-attack")}).encode(), headers=JSON
    )
    yield knocker.ask("POST", path, body=parted(given), headers=PARTS)


def some(all_of: Iterator[Any], most: int | None) -> list[Any]:
    """All, or as many as `most` of them, evenly chosen."""
    whole = list(all_of)
    return whole if most is None else whole[:: max(1, -(-len(whole) // most))]


def attack_texts(
    knocker: Callable[..., Knocker], attacked: Any, people: frozenset[bytes], most: int | None
) -> Iterator[str]:
    """Each text through each parameter, or as many of them as `most`."""
    n = 0
    for one in operations(attacked.app):
        who = knocker(None if is_public(one.method, one.template) or is_keyed(one.template) else role_for(one.template))
        each = max(2, most // len(operations(attacked.app))) if most else None
        for kind, text, given in some(
            gifts(one, is_all=most is None), 40 if most is None and one.template in SLOW else each
        ):
            n += 1
            who.address = f"127.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
            for answer in send(who, one, given):
                ASKED[attack_texts.__name__] += 1
                REACHED[one.template, answer.status] += 1
                scope = who.session.actor.scope.code if who.session else None
                for fault in faults(answer, scope=scope, sent=text, people=people):
                    yield f"{one.method} {one.template} {kind} {list(given)[:3]} {text[:40]!r}: {fault}"


def gifts(one: Operation, *, is_all: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Kind, text, and what carries it: all names at once, each of the route's own, and each it reads for each kind."""
    own = (*one.holes, *one.declared) or ("at",)
    for kind, text in hostile.texts():
        yield kind, text, dict.fromkeys((name for name in names_read() if name != "api_key"), text)
        yield from ((kind, text, {name: text}) for name in own)
    if is_all:
        for (at, name), (kind, some) in product(enumerate(one.names), hostile.KINDS.items()):
            yield kind, some[at % len(some)], {name: some[at % len(some)]}


def attack_values(knocker: Callable[..., Knocker], attacked: Any, most: int | None) -> Iterator[str]:
    """Values of other types in every field, and bodies that are none, for whatever is posted."""
    posted = [one for one in operations(attacked.app) if one.method == "POST" and one.template not in SLOW]
    bodies = [(body, kind) for body in hostile.BODIES for kind in (FORM, JSON, PARTS)]
    whose = {one: knocker(None if is_keyed(one.template) else role_for(one.template)) for one in posted}
    for one, (body, kind) in some(((post, body) for post in posted for body in (*bodies, *named(post))), most):
        ASKED[attack_values.__name__] += 1
        for fault in faults(whose[one].ask("POST", fill(one, {}), body=body, headers=kind)):
            yield f"POST {one.template} {kind[b'content-type'].decode()[:20]} {body[:70]!r}: {fault}"


def named(one: Operation) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Bodies in which one field that the operation reads has a value of another type."""
    for name, value in product(one.names, hostile.VALUES):
        yield json.dumps({"key": "attack-attack", name: value}).encode(), JSON


def callback_bodies(known: list[dict[str, Any]]) -> Iterator[Any]:
    """Bodies for every callback there is: hostile values, foreign parts, wrong shapes."""
    for one in known:
        whole = {
            "output": one["output"], "outputs": {"id": "x", "property": "children"}, "changedPropIds": [],
            "inputs": [dict(part, value="") for part in one["inputs"]],
            "state": [dict(part, value="") for part in one["state"]],
        }  # fmt: skip
        yield whole
        for place in ("inputs", "state"):
            for at in range(len(whole[place])):
                for value in (*hostile.VALUES, *(text for _, text in hostile.texts())):
                    yield whole | {
                        place: [*whole[place][:at], dict(whole[place][at], value=value), *whole[place][at + 1 :]]
                    }
        for key in whole:
            yield {name: part for name, part in whole.items() if name != key}
            for value in hostile.VALUES:
                yield whole | {key: value}
        yield whole | {"inputs": [{"id": "account", "property": "data", "value": "x"}]}
        yield whole | {"inputs": whole["inputs"] * 1000}
        yield whole | {"background": True, "cancelJob": "1", "oldJob": "1", "job": "1"}


def attack_callbacks(knocker: Callable[..., Knocker], people: frozenset[bytes], most: int | None) -> Iterator[str]:
    """Every callback with hostile parts, called as its page would."""
    who = knocker("leader")
    known = json.loads(who.ask("GET", "/_dash-dependencies").body)
    assert known
    for body in some(callback_bodies(known), most):
        ASKED[attack_callbacks.__name__] += 1
        text = json.dumps(body)
        answer = who.ask("POST", "/_dash-update-component", body=text.encode(), headers=JSON)
        for fault in faults(answer, scope=SCOPE, sent=text, people=people):
            yield f"callback {text[:160]}: {fault}"


def told(found: Iterator[str]) -> list[str]:
    """The first of each kind of finding."""
    return sorted({(one.partition(": ")[2][:60], one.split(" ")[1]): one for one in found}.values())[:40]


def test_texts_through_every_parameter(knocker: Any, attacked: Any, people: Any) -> None:
    assert told(attack_texts(knocker, attacked, people, 150)) == []
    assert ASKED["attack_texts"] > 100
    shut = {path for path, _ in REACHED} - {path for path, status in REACHED if status not in (401, 403)}
    assert shut - NOBODYS == set(), "the attacks did not get past the door"


def test_values_of_other_types(knocker: Any, attacked: Any) -> None:
    assert told(attack_values(knocker, attacked, 120)) == []
    assert ASKED["attack_values"] > 100


DEEP = b'{"a":' * 20_000


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("grid_worker", "/care/open", b'{"key": "attack-attack", "row": 9223372036854775808}'),
        ("grid_worker", "/care/open", '{"key": "attack-attack", "row": "²"}'.encode()),
        ("case_officer", "/care/open", b'{"key": "attack-attack", "row": 1, "case": 9223372036854775808}'),
        (None, "/intake/items", DEEP),
        (None, "/intake/answers/1", DEEP),
    ],
)
def test_what_the_long_form_found_once(knocker: Any, role: Any, path: str, body: bytes) -> None:
    assert list(faults(knocker(role).ask("POST", path, body=body, headers=JSON))) == []


def test_callbacks_called_directly(knocker: Any, people: Any) -> None:
    assert told(attack_callbacks(knocker, people, 300)) == []
    assert ASKED["attack_callbacks"] > 60


def test_injected_sql_did_nothing(city: Database, knocker: Any, attacked: Any) -> None:
    """What the texts of SQL try: another table, another right, another scope."""
    who = knocker("dispatcher")
    for statement in hostile.SQL:
        for path in ("/cases/grids", "/cases/list"):
            who.ask("GET", path, encoded(dict.fromkeys(names_read(), statement)))
    with city.connect("admin") as admin:
        made = admin.execute(
            "select (select count(*) from auth.account), (select count(*) from pg_class where relowner ="
            " (select oid from pg_roles where rolname = 'atlas_web')),"
            " has_schema_privilege('atlas_web', 'auth', 'usage'), to_regclass('pub.grid') is not null"
        ).fetchone()
    assert made is not None
    assert made[0] > 0
    assert made[1:] == (0, False, True)


@pytest.mark.soak
@pytest.mark.parametrize("what", ["texts", "values", "callbacks"])
def test_all_of_them(knocker: Any, attacked: Any, people: Any, capsys: Any, what: str) -> None:
    ASKED.clear()
    attacks = {
        "texts": lambda: attack_texts(knocker, attacked, people, None),
        "values": lambda: attack_values(knocker, attacked, None),
        "callbacks": lambda: attack_callbacks(knocker, people, None),
    }
    found = told(attacks[what]())
    with capsys.disabled():
        print(f"\nhostile {what}: {ASKED.total()} requests through {len(operations(attacked.app))} routes")
    assert not found, "\n".join(found)

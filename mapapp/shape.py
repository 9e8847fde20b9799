"""What Dash is asked must have the shape that its own page has: pure ASGI, before Dash.

Dash trusts its page and breaks on anything else. Here a callback gets the parts it declared, in their order, each a
text or nothing, and a file is one that a package registered; whatever else was sent is refused and reaches nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from dash import Dash
from dash.fingerprint import check_fingerprint

from mapapp.door import Asgi, Message, Receive, Scope, Send

CALLBACK, FILES = "/_dash-update-component", "/_dash-component-suites/"
TEXT_MOST = 4000
"""Characters of a text that a callback is given."""


class Shaped:
    """Refuse what no page of this app asks Dash for."""

    def __init__(self, app: Asgi, dash: Dash) -> None:
        self.app, self._dash = app, dash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, a callback's with the body read and written anew."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path == CALLBACK and scope["method"] == "POST":
            body = shaped(self._dash.callback_map, read_json(await _whole(receive)))
            if body is None:
                await _refuse(send, 400, b"This request is not one of the page.\n")
                return
            await self.app(scope, _given(body, receive), send)
        elif path.startswith(FILES) and not self._is_file(path.removeprefix(FILES)):
            await _refuse(send, 404, b"There is nothing here.\n")
        else:
            await self.app(scope, receive, send)

    def _is_file(self, path: str) -> bool:
        package, _, name = path.partition("/")
        read = cast("Callable[[str], tuple[str, bool]]", check_fingerprint)
        return read(name)[0] in self._dash.registered_paths.get(package, ())


def shaped(known: Mapping[str, Any], body: Any) -> dict[str, Any] | None:
    """Take from the body of a callback what its declaration names, and nothing else; None where it does not fit."""
    output = body.get("output") if isinstance(body, dict) else None
    declared = known.get(output) if isinstance(output, str) else None
    # callbacks that run in the browser are nothing to ask the server for
    if not isinstance(output, str) or declared is None or "callback" not in declared:
        return None
    inputs = _parts(declared["inputs"], body.get("inputs"))
    state = _parts(declared["state"], body.get("state", []))
    changed = body.get("changedPropIds", [])
    if inputs is None or state is None or not _are_texts(changed):
        return None
    return {"output": output, "outputs": _outputs(output), "inputs": inputs, "state": state, "changedPropIds": changed}


def read_json(body: bytes) -> Any:
    """Read JSON that was sent; None where it is none, nests without end, or holds what is no text or number."""
    try:
        read = json.loads(body, parse_constant=_no_number)
        json.dumps(read, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if b"\\u0000" in body else read


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number")


def _parts(declared: list[dict[str, Any]], given: Any) -> list[dict[str, Any]] | None:
    if not isinstance(given, list) or len(given) != len(declared):
        return None
    parts = []
    for one, part in zip(declared, given, strict=True):
        if not isinstance(part, dict) or (part.get("id"), part.get("property")) != (one["id"], one["property"]):
            return None
        value = part.get("value")
        if value is not None and not (isinstance(value, str) and len(value) <= TEXT_MOST):
            return None
        parts.append({"id": one["id"], "property": one["property"], "value": value})
    return parts


def _outputs(output: str) -> Any:
    """The outputs that a callback's name tells: one, or a list of them."""
    many = output.removeprefix("..").removesuffix("..").split("...")
    parted = (one.rpartition(".") for one in many)
    named = [{"id": part, "property": key.partition("@")[0]} for part, _, key in parted]
    return named if output.startswith("..") else named[0]


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and len(given) <= 50 and all(isinstance(one, str) for one in given)


async def _whole(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _given(body: dict[str, Any], receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read


async def _refuse(send: Send, status: int, said: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})

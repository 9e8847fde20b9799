"""Where an address leads nowhere: a person gets a page in their language with a way on, a machine the bare answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from html import escape
from typing import Any

from mapapp.language import language_of
from mapapp.names import local_path
from mapapp.pages.plain import page, said
from mapapp.text import Words

Message = MutableMapping[str, Any]

TWICE = (403, 409, 413, 429, 500, 503)
"""What may be otherwise when it is asked for again."""
SOON, SOON_S = (429, 500, 503), 30
"""What passes by itself, and the seconds after which the page asks again: nobody stands before a screen on a wall."""


class RefusedError(Exception):
    """A request that is not let through: status, sentence, and where to go instead."""

    def __init__(self, status: int, sentence: str, location: str | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.location = status, sentence, location


class Signpost:
    """Sends one answer on; in the place of a bare refusal somebody with a browser is sent a page."""

    def __init__(
        self,
        words: Mapping[str, Words],
        scope: MutableMapping[str, Any],
        headers: Mapping[bytes, bytes],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self.home = ""
        self._send, self._is_replaced = send, False
        is_person = b"text/html" in headers.get(b"accept", b"")
        self._words = words.get(language_of(scope, is_refused=True)) if is_person else None
        self._path, self._is_get = scope["path"], scope["method"] == "GET"
        self._query = scope.get("query_string", b"").decode("latin-1")

    async def __call__(self, message: Message) -> None:
        """Send a message on, or what stands in its place."""
        if message["type"] == "http.response.start" and self._words is not None and message["status"] >= 400:
            kind = next((value for name, value in message.get("headers", ()) if name == b"content-type"), b"")
            if not kind.startswith(b"text/html"):
                self._is_replaced = True
                await self._tell(self._words, message["status"])
        if not self._is_replaced:
            await self._send(message)

    async def say(self, refused: RefusedError) -> None:
        """Answer with a refusal."""
        body = (refused.sentence + "\n").encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        if refused.location:
            headers.append((b"location", refused.location.encode()))
        await self({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})

    async def _tell(self, words: Words, status: int) -> None:
        own = self._path + (f"?{self._query}" if self._query else "")
        again = own if status in TWICE and local_path(self._path) == self._path else ""
        key = f"turned_{status}"
        sentence = words(key if key in words.texts else "turned_other")
        body = signpost_page(words, sentence, home=self.home, again=again, other=self._other(words)).encode()
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        if self._is_get and status in SOON:
            headers.append((b"refresh", str(SOON_S).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _other(self, words: Words) -> str:
        """The same address in the other language."""
        kept = [one for one in self._query.split("&") if one and not one.startswith("lang=")]
        return "?" + "&".join([*kept, *(["lang=en"] if words.language == "zh" else [])])


def signpost_page(words: Words, sentence: str, *, home: str, again: str = "", other: str = "") -> str:
    """Write the page: what is the matter, and the ways on; `home` is empty where nobody is signed in."""
    lang = "?lang=en" if words.language == "en" else ""
    ways = [(again, words("turned_again"))] if again else []
    ways += [(home + lang, words("go_home")), (f"/account{lang}", words("own_account"))] if home else []
    ways += [] if home else [(f"/sign-in{lang}", words("sign_in"))]
    links = " · ".join(f'<a href="{escape(to)}">{escape(text)}</a>' for to, text in ways)
    body = f'<section role="alert">{said(sentence, "alarm")}<p>{links}</p></section>'
    return page(words, words("turned"), body, other=other or ("?lang=en" if words.language == "zh" else "?"))

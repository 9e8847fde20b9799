"""Sealing what names a person: encryption to keep it, keyed tokens to find it again. Keys never reach SQL.

A sealed value is one byte of length, the id of the key, a random nonce of 12 bytes and the AES-256-GCM text with its
tag; the id is authenticated with it. A token is HMAC-SHA256 under a key of its own for each purpose, so that a token
of a name never equals one of a number, and a token alone says nothing to whoever lacks the key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from layers.errors import AtlasError, SettingError
from layers.secrets import Secrets

_NONCE = 12
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅", "·"))


class Sealer:
    """Seals and opens values and makes tokens with the keys of one installation."""

    def __init__(self, secrets: Secrets) -> None:
        self.key_id = secrets.identity_key_id
        self._aes = AESGCM(secrets.identity_key)
        self._head = _head_of(self.key_id)
        self._openers = {self._head: self._aes}
        self._openers |= {_head_of(key_id): AESGCM(key) for key_id, key in secrets.former_keys.items()}
        self._token_key = secrets.token_key

    def __repr__(self) -> str:
        return f"Sealer(key_id={self.key_id!r})"

    @property
    def head(self) -> bytes:
        """How everything begins that is sealed with the present key."""
        return self._head

    def seal_column(self, values: Sequence[str | None]) -> list[bytes | None]:
        """Encrypt every value; None and the empty text stay None. Equal values come out different."""
        nonces = os.urandom(_NONCE * len(values))
        encrypt, head = self._aes.encrypt, self._head
        return [
            head + (nonce := nonces[at : at + _NONCE]) + encrypt(nonce, value.encode(), head) if value else None
            for at, value in zip(range(0, len(nonces), _NONCE), values, strict=True)
        ]

    def open(self, sealed: bytes) -> str:
        """Decrypt one value.

        Raises
        ------
        AtlasError
            It was sealed with another key, or changed since.
        """
        n = 1 + sealed[0] if sealed else 0
        head, nonce, text = sealed[:n], sealed[n : n + _NONCE], sealed[n + _NONCE :]
        if head not in self._openers:
            raise AtlasError(
                f"This was sealed with the key {head[1:].decode(errors='replace')!r}, not with {self.key_id!r}.",
                "Put back the secrets.toml that belongs to this database; where the key was renewed, restart the map.",
            )
        try:
            return self._openers[head].decrypt(nonce, text, head).decode()
        except (InvalidTag, ValueError) as error:
            raise AtlasError(
                "A sealed value was changed after it was sealed.", "Load the delivery it came in again."
            ) from error

    def seal_bytes(self, content: bytes, about: str) -> bytes:
        """Encrypt bytes of any length; they open under the same `about` only."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._aes.encrypt(nonce, content, self._head + about.encode())

    def open_bytes(self, sealed: bytes, about: str) -> bytes:
        """Decrypt what `seal_bytes` made.

        Raises
        ------
        SettingError
            It was sealed with another key.
        AtlasError
            It was sealed about something else, or changed since.
        """
        n = len(self._head)
        if sealed[:n] != self._head:
            raise SettingError(
                f"This was not sealed with the key {self.key_id!r}.",
                "Loader and workers need the same secrets.toml, each in its own LOCAL_DIR.",
            )
        try:
            return self._aes.decrypt(sealed[n : n + _NONCE], sealed[n + _NONCE :], self._head + about.encode())
        except InvalidTag as error:
            raise AtlasError(
                "Sealed content was changed, or is about something else.", "Nothing was loaded; load it again."
            ) from error

    def token_column(self, values: Sequence[str | None], purpose: str = "text") -> list[bytes | None]:
        """Make the token of every value, 32 bytes; None stays None. Equal values of one purpose have equal tokens."""
        inner, outer = _pads(hmac.digest(self._token_key, purpose.encode(), "sha256"))
        tokens: list[bytes | None] = []
        for value in values:
            if value is None:
                tokens.append(None)
                continue
            text = inner.copy()
            text.update(value.encode())
            token = outer.copy()
            token.update(text.digest())
            tokens.append(token.digest())
        return tokens

    def seed(self, purpose: str) -> int:
        """Make the 64-bit seed of hashes of one purpose, so that a hash tells nothing without the key."""
        return int.from_bytes(hmac.digest(self._token_key, f"seed {purpose}".encode(), "sha256")[:8], "big")

    def name_tokens(self, names: Sequence[str | None]) -> list[bytes | None]:
        """Make the tokens an exact search by name uses; spelling is evened out first."""
        return self.token_column([normalise_name(name) if name else None for name in names], "name")

    def phone_tokens(self, phones: Sequence[str | None]) -> list[bytes | None]:
        """Make the tokens an exact search by phone uses."""
        return self.token_column([_digits(phone) if phone else None for phone in phones], "phone")

    def source_keys(self, values: Sequence[str | None]) -> list[str | None]:
        """Make source keys of values that name a person, such as an ID number: 32 hexadecimal digits each."""
        return [token[:16].hex() if token else None for token in self.token_column(values, "source_key")]

    def subjects(self, numbers: Sequence[str | None], dataset: str, source_keys: Sequence[str]) -> list[bytes]:
        """Make the subject of each row of a person dataset: who it is, without saying it.

        Parameters
        ----------
        numbers
            Valid ID numbers; None where there is none. The same number is the same subject in every dataset.
        dataset, source_keys
            What makes a row without number a subject of its own.
        """
        known = self.token_column([n.upper() if n else None for n in numbers], "subject")
        alone = self.token_column(
            [None if n else f"{dataset}\x1f{key}" for n, key in zip(numbers, source_keys, strict=True)], "no_number"
        )
        return [one or other or b"" for one, other in zip(known, alone, strict=True)]


def _head_of(key_id: str) -> bytes:
    name = key_id.encode()
    return bytes([len(name)]) + name


def normalise_name(name: str) -> str:
    """Return a name as it is searched for: half-width, upper case, one kind of middle dot, no spaces."""
    return "".join(unicodedata.normalize("NFKC", name).upper().translate(_DOTS).split())


def _digits(phone: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKC", phone) if c.isdigit())
    return plain[2:] if len(plain) == 13 and plain.startswith("86") else plain


def _pads(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return SHA-256 fed with HMAC's two pads, to be copied for each value: half the time of a fresh HMAC."""
    block = key.ljust(64, b"\0")
    return (
        hashlib.sha256(bytes(b ^ 0x36 for b in block)),
        hashlib.sha256(bytes(b ^ 0x5C for b in block)),
    )

"""Signing in by the city's identity provider: OpenID Connect's code flow with state, nonce and PKCE, by Authlib.

The provider says who somebody is and nothing else: role, scope and department are those of the account that was linked
to that subject before. No claim makes an account, and none gives a right. Every address the provider names has to lie
on a host that the settings allow.
"""

from __future__ import annotations

import json
import secrets as chance
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import psycopg
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from layers.accounts import audit
from layers.accounts.records import find_account
from layers.errors import AtlasError
from layers.settings import OpenId

SIGNED_BY = ["RS256", "PS256", "ES256", "EdDSA"]
"""Ways to sign that are taken: none without a key, none by a shared word."""

WAIT_S, KEPT_S, LEEWAY_S, ANSWER_MOST = 5.0, 600.0, 60, 1_000_000
MANY = ("mfa", "otp", "hwk", "sc", "fpt", "face")
"""What a provider says of a sign-in by a second factor (RFC 8176)."""


class ProviderError(AtlasError):
    """The identity provider does not answer as it should, or not to what was asked."""

    why = "provider"


@dataclass(frozen=True)
class Asked:
    """What is remembered of a sign-in that was begun, until the browser comes back."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class Provider:
    """One identity provider, known by its discovery document; it is asked again every ten minutes."""

    def __init__(self, settings: OpenId) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any]] | None = None

    def begin(self, back: str) -> tuple[str, Asked]:
        """Make the address a browser is sent to, and what is to be remembered of it."""
        asked = Asked(*(chance.token_urlsafe(32) for _ in range(3)))
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                self._address("authorization_endpoint"),
                state=asked.state, nonce=asked.nonce, code_verifier=asked.verifier,
            )  # fmt: skip
        return address, asked

    def finish(self, asked: Asked, back: str, state: str, code: str) -> Mapping[str, Any]:
        """Take the code a browser came back with to the provider, and return the claims of the token it gives.

        Raises
        ------
        ProviderError
            It was not begun like this, or what the provider gave is not what it should be.
        """
        if not chance.compare_digest(asked.state.encode(), state.encode()) or not code:
            raise ProviderError("This sign-in was not begun here.", "Begin again on the sign-in page.")
        try:
            with self._client(back) as client:
                token = client.fetch_token(
                    self._address("token_endpoint"), code=code, code_verifier=asked.verifier,
                    grant_type="authorization_code", timeout=WAIT_S, allow_redirects=False,
                )  # fmt: skip
            keys = KeySet.import_key_set(cast(Any, self._fetch(self._address("jwks_uri"))))
            read = jwt.decode(str(token.get("id_token", "")), keys, algorithms=SIGNED_BY)
            claims = CodeIDToken(
                read.claims, read.header,
                {"iss": {"essential": True, "value": self.settings.issuer},
                 "aud": {"essential": True, "value": self.settings.client}},
                {"nonce": asked.nonce, "client_id": self.settings.client, "access_token": token.get("access_token")},
            )  # fmt: skip
            claims.validate(leeway=LEEWAY_S)
        except (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError) as error:
            raise ProviderError(
                f"The identity provider did not vouch for anybody: {type(error).__name__}.", "Begin again."
            ) from error
        return dict(claims)

    def farewell(self, after: str) -> str | None:
        """Address at which somebody leaves the provider too; None where it has none."""
        if "end_session_endpoint" not in self._metadata():
            return None
        said = {"client_id": self.settings.client, "post_logout_redirect_uri": after}
        return self._address("end_session_endpoint") + "?" + urlencode(said)

    def _client(self, back: str) -> OAuth2Session:
        client = OAuth2Session(
            self.settings.client, self.settings.secret, scope="openid", redirect_uri=back, code_challenge_method="S256"
        )
        client.trust_env = False
        return client

    def _metadata(self) -> dict[str, Any]:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_S:
                address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
                found = self._fetch(self._allowed(address))
                if found.get("issuer") != self.settings.issuer:
                    raise ProviderError(
                        "The identity provider calls itself by another name.",
                        f"Set OIDC_ISSUER to what it says, {str(found.get('issuer'))[:200]!r}, if that is right.",
                    )
                self._kept = time.monotonic(), found
            return self._kept[1]

    def _address(self, name: str) -> str:
        return self._allowed(str(self._metadata().get(name, "")))

    def _allowed(self, address: str) -> str:
        parts = urlsplit(address)
        is_ours = parts.hostname in self.settings.hosts and not parts.username
        if not is_ours or parts.scheme != urlsplit(self.settings.issuer).scheme:
            raise ProviderError(
                f"The identity provider names an address that is not allowed: {address[:200]!r}.",
                "Add its host to OIDC_HOSTS if it belongs to the provider.",
            )
        return address

    def _fetch(self, address: str) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(address, timeout=WAIT_S, allow_redirects=False, stream=True)
                body = answer.raw.read(ANSWER_MOST, decode_content=True)
                found = json.loads(body) if answer.status_code == 200 else None
        except (requests.RequestException, ValueError) as error:
            raise ProviderError("The identity provider does not answer.", "Try again, or sign in otherwise.") from error
        if not isinstance(found, dict):
            raise ProviderError("The identity provider does not answer.", "Try again, or sign in otherwise.")
        return found


def account_of(
    connection: psycopg.Connection[Any], settings: OpenId, claims: Mapping[str, Any], need_many: frozenset[str]
) -> str | None:
    """Find the account linked to who the claims name, and write the outcome to the audit; None where nobody is let in.

    Roles in `need_many` need a second factor, and the provider has to say that it asked for one.
    """
    said = claims.get(settings.claim)
    subject = subject_of(settings, said) if isinstance(said, str) and said else ""
    row = connection.execute(
        "select account, role, is_disabled from auth.account where subject = %s and not is_demo", [subject]
    ).fetchone()
    methods = claims.get("amr")
    is_many = isinstance(methods, list) and not set(map(str, methods)).isdisjoint(MANY)
    why = (
        "unknown" if row is None
        else "disabled" if row[2]
        else "second factor" if row[1] in need_many and not is_many
        else None
    )  # fmt: skip
    if row is None or why is not None:
        audit.write(connection, "sign_in_refused", None, subject[-64:], why=why, label="provider")
        return None
    audit.write(connection, "sign_in", find_account(connection, row[0]).actor, row[0], label="provider")
    return str(row[0])


def subject_of(settings: OpenId, said: str) -> str:
    """What an account keeps of who it is at the provider: its issuer and the subject there."""
    return f"{settings.issuer} {said}"

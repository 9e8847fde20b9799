"""Signing in by a real identity provider on loopback: who it vouches for, and everything that must not get in."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oidc.core import CodeIDToken
from databases import copy_of
from serving import HERE, Browser, Server, serving
from typer.testing import CliRunner

from layers.accounts.records import add_account, disable_account, find_account, reset_account
from layers.database import Database
from layers.errors import SettingError
from layers.settings import OpenId, Settings, read_settings
from mapapp.__main__ import app as commands
from mapapp.commands import account as account_commands

pytestmark = [  # what the provider says of its own use of authlib
    pytest.mark.filterwarnings("ignore::authlib.deprecate.AuthlibDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed in version 1.8:DeprecationWarning"),
]


class Provider:
    """A real provider, what it was asked, and what is changed of its answers."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.changed: dict[str, dict[str, Any]] = {}

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def run(self) -> Iterator[Provider]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import flask
            import oidc_provider_mock
            from werkzeug.serving import make_server

            app = oidc_provider_mock.app(user_claims=[
                oidc_provider_mock.User(sub="wang", claims={"role": "security_admin", "scope": "4499"}),
                oidc_provider_mock.User(sub="li", claims={"amr": ["pwd", "otp"]}),
            ])  # fmt: skip
            server = make_server("localhost", 0, app, threaded=True)

        @app.before_request
        def note() -> None:
            self.asked.append({"path": flask.request.path, **flask.request.values})

        @app.after_request
        def change(response: Any) -> Any:
            if flask.request.path in self.changed and response.is_json:
                response.set_data(json.dumps(response.get_json() | self.changed[flask.request.path]))
            return response

        self.port = server.port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join(10)
            server.server_close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    yield from Provider().run()


@pytest.fixture(scope="module")
def openid(provider: Provider) -> OpenId:
    return OpenId(provider.issuer, "map", "a secret of the map", ("localhost",))


@pytest.fixture(scope="module")
def here(settings: Any, server: Any, template: Database) -> Iterator[Database]:
    with copy_of(template, server, settings) as copy:
        yield copy


@pytest.fixture(scope="module")
def running(here: Database, catalog: Any, settings: Settings, openid: OpenId) -> Iterator[Server]:
    with serving(here, catalog, replace(settings, openid=openid, two_factors=("auditor",))) as server:
        yield server


@pytest.fixture
def wang(here: Database, openid: OpenId, monkeypatch: Any) -> Iterator[str]:
    """An account linked by the command, taken away again."""
    monkeypatch.setattr(account_commands, "open_database", lambda _: here)
    monkeypatch.setattr(account_commands, "_settings", lambda _: replace(read_settings({}), openid=openid))
    with here.connect("door") as door:
        add_account(door, "wang", "leader", "449901")
    done = CliRunner().invoke(commands, ["account", "link", "wang", "wang"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    yield "wang"
    with here.connect("door") as door:
        door.execute("delete from auth.account where account = 'wang'")


def leave(browser: Browser, query: str = "") -> str:
    """Begin at the sign-in page; the provider's address."""
    answer = browser.ask(f"/sign-in/provider{query}")
    assert answer.status_code == 303
    return answer.headers["location"]


def vouch(address: str, subject: str) -> str:
    """Sign in at the provider; the path and query it sends the browser back to."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = answer.headers["location"]
    assert back.startswith(f"{HERE}/sign-in/back?")
    return back.removeprefix(HERE)


def come(browser: Browser, path: str) -> str:
    """Come back; where the map leads to."""
    return str(browser.ask(path).headers["location"])


FAILED = "/sign-in?failed=1"


def test_the_page_of_accounts_links_too(running: Server, here: Database, wang: str) -> None:
    with here.connect("door") as door:
        admin, county = add_account(door, "keeper", "security_admin", "4499"), "449902"
        add_account(door, "chen", "leader", county)
        beside = add_account(door, "beside", "security_admin", "449901")
    browser = running.browser()
    browser.sign_in("keeper", admin)
    link = {"do": "link", "account": "chen", "subject": "chen"}
    assert 'value="link"' in browser.ask("/accounts").text
    for wrong in (link | {"subject": " "}, link | {"subject": "wang"}, link | {"account": "demo.leader"}):
        assert browser.ask("/accounts", wrong).status_code == 400, wrong
    other = running.browser()
    other.sign_in("beside", beside)
    assert other.ask("/accounts", link).status_code == 400, "beside its scope"
    assert browser.ask("/accounts", link).status_code == 200
    assert browser.ask("/accounts").text.count("统一身份认证</td>") == 2, "it is in the list"
    newcomer = running.browser()
    assert come(newcomer, vouch(leave(newcomer), "chen")) == "/"
    with here.connect("door") as door:
        entry = door.execute(
            "select account, subject, detail from audit.entry where kind = 'account'"
            " and subject = 'chen' order by id desc limit 1"
        ).fetchone()
        door.execute("delete from auth.account where account in ('keeper', 'chen', 'beside')")
    assert entry is not None and entry[0] == "keeper" and entry[2]["done"] == "linked"


def test_an_account_that_is_linked_comes_in_with_its_own_rights(running: Server, here: Database, wang: str) -> None:
    browser = running.browser()
    assert "/sign-in/provider?next=" in browser.ask("/sign-in").text
    former = browser.cookies.get("session")
    assert come(browser, vouch(leave(browser), "wang")) == "/"
    session = running.porter.read(browser.cookies["session"])
    assert session is not None
    assert browser.cookies["session"] != former
    assert (session.actor.account, session.actor.role, session.actor.scope.code) == (wang, "leader", "449901")
    assert browser.ask("/accounts").status_code == 404, "no claim gives a role"
    with here.connect("door") as door:
        entry = door.execute("select kind, account, detail from audit.entry order by id desc limit 1").fetchone()
    assert entry == ("sign_in", wang, {"label": "provider"})


def test_it_leads_on_to_where_somebody_wanted_and_to_no_other_site(running: Server, wang: str) -> None:
    for wanted, ahead in (("/explore?at=449901", "/explore?at=449901"), ("//evil.example", "/"), ("/accounts", "/")):
        browser = running.browser()
        assert come(browser, vouch(leave(browser, f"?next={wanted}"), "wang")) == ahead


def test_no_claim_makes_an_account(running: Server, here: Database, wang: str) -> None:
    for subject in ("nobody", "admin", "' or '1'='1", "WANG", "wang "):
        browser = running.browser()
        assert come(browser, vouch(leave(browser), subject)) == FAILED
        assert "session" not in browser.cookies
    with here.connect("door") as door:
        assert door.execute("select count(*) from auth.account where subject is not null").fetchone() == (1,)
        kinds = door.execute("select kind, detail ->> 'why' from audit.entry order by id desc limit 5").fetchall()
    assert set(kinds) == {("sign_in_refused", "unknown")}


def test_a_linked_account_has_no_password_until_it_is_reset(running: Server, here: Database, wang: str) -> None:
    assert running.browser("127.0.5.1").sign_in(wang, "") == 403
    with here.connect("door") as door:
        password = reset_account(door, wang)
    assert running.browser("127.0.5.2").sign_in(wang, password) == 303
    browser = running.browser()
    assert come(browser, vouch(leave(browser), "wang")) == FAILED


def test_who_is_disabled_stays_out(running: Server, here: Database, wang: str) -> None:
    with here.connect("door") as door:
        disable_account(door, wang)
    browser = running.browser()
    assert come(browser, vouch(leave(browser), "wang")) == FAILED


def test_a_role_that_needs_a_second_factor_needs_the_providers(running: Server, here: Database, wang: str) -> None:
    with here.connect("door") as door:
        door.execute("update auth.account set role = 'auditor' where account = %s", [wang])
    browser = running.browser()
    assert come(browser, vouch(leave(browser), "wang")) == FAILED
    with here.connect("door") as door:
        subject = find_subject(here, wang).replace(" wang", " li")
        door.execute("update auth.account set subject = %s where account = %s", [subject, wang])
    assert come(browser, vouch(leave(browser), "li")) == "/audit"
    assert browser.ask("/audit").status_code == 200


def find_subject(here: Database, account: str) -> str:
    with here.connect("door") as door:
        row = door.execute("select subject from auth.account where account = %s", [account]).fetchone()
    assert row is not None
    return str(row[0])


def test_a_state_belongs_to_one_browser_and_is_taken_once(running: Server, wang: str) -> None:
    browser, other = running.browser(), running.browser()
    back = vouch(leave(browser), "wang")
    assert come(other, back) == FAILED, "another browser"
    assert come(running.browser(), back.replace("state=", "state=x")) == FAILED
    cookies = dict(browser.cookies)
    assert come(browser, back) == "/"
    browser.cookies = cookies
    assert come(browser, back) == FAILED, "a second time"
    assert come(browser, back.partition("?")[0]) == FAILED, "nothing said"
    leave(other)
    assert come(other, back) == FAILED, "a code that was not asked for with this state"


def injected(running: Server) -> str:
    """Come back with the code of another sign-in under one's own state, as who stole a code would."""
    thief, victim = running.browser(), running.browser()
    stolen = parse_qs(urlsplit(vouch(leave(victim), "wang")).query)["code"][0]
    state = parse_qs(urlsplit(leave(thief)).query)["state"][0]
    return come(thief, f"/sign-in/back?code={stolen}&state={state}")


def test_a_code_of_another_sign_in_is_worth_nothing(running: Server, wang: str, monkeypatch: Any) -> None:
    assert injected(running) == FAILED
    monkeypatch.setattr(CodeIDToken, "validate_nonce", lambda self: None)
    assert injected(running) == "/", "the test of this test: without the nonce it would be"


def test_a_code_is_asked_for_with_a_challenge_that_is_met(running: Server, provider: Provider, wang: str) -> None:
    browser = running.browser()
    address = leave(browser)
    said = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    come(browser, vouch(address, "wang"))
    verifier = next(one["code_verifier"] for one in reversed(provider.asked) if one["path"] == "/oauth2/token")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert (said["code_challenge_method"], said["code_challenge"]) == ("S256", challenge)
    assert len({said["state"], said["nonce"], verifier}) == 3


def _unsigned(claims: dict[str, Any]) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/oauth2/token", {"id_token": _unsigned({"sub": "wang"})}),
        ("/oauth2/token", {"id_token": ""}),
        ("/oauth2/token", {"id_token": "a.b.c"}),
        ("/oauth2/token", {"access_token": "another"}),
        ("/jwks", {"keys": []}),
        ("/jwks", {"keys": [{"kty": "oct", "k": "c2VjcmV0" * 6}]}),
    ],
    ids=["unsigned", "none", "nonsense", "of another token", "no keys", "a shared key"],
)
def test_a_token_that_is_not_the_providers_lets_nobody_in(
    running: Server, provider: Provider, wang: str, path: str, changed: dict[str, Any]
) -> None:
    browser = running.browser()
    back = vouch(leave(browser), "wang")
    provider.changed[path] = changed
    try:
        assert come(browser, back) == FAILED
    finally:
        del provider.changed[path]


@pytest.mark.parametrize(
    "changed",
    [
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "https://localhost/token"},
        {"authorization_endpoint": "http://localhost@evil.example/"},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/"},
        {"issuer": "http://localhost:1"},
    ],
    ids=str,
)
def test_a_provider_that_names_another_host_is_not_followed(
    here: Database, catalog: Any, settings: Settings, openid: OpenId, provider: Provider, wang: str, changed: Any
) -> None:
    provider.changed["/.well-known/openid-configuration"] = changed
    try:
        with serving(here, catalog, replace(settings, openid=openid)) as running:
            browser = running.browser()
            answer = browser.ask("/sign-in/provider")
            if answer.status_code == 303:
                assert answer.headers["location"].startswith(f"{openid.issuer}/")
                assert come(browser, vouch(answer.headers["location"], "wang")) == FAILED
            else:
                assert answer.status_code == 503
    finally:
        del provider.changed["/.well-known/openid-configuration"]


def test_signing_out_leads_out_of_the_provider_too(running: Server, openid: OpenId, wang: str) -> None:
    browser = running.browser()
    come(browser, vouch(leave(browser), "wang"))
    answer = browser.ask("/sign-out", {})
    assert answer.headers["location"] == "/sign-in?left=1"
    assert browser.ask("/account").status_code == 401
    assert f'href="{openid.issuer}/oauth2/end_session?client_id=map&amp;' in browser.ask("/sign-in?left=1").text


def test_without_a_provider_there_is_nothing(here: Database, catalog: Any, settings: Settings) -> None:
    with serving(here, catalog, settings) as running:
        browser = running.browser()
        assert browser.ask("/sign-in/provider").status_code == 404
        assert come(browser, "/sign-in/back?state=x&code=y") == FAILED
        assert "/sign-in/provider" not in browser.ask("/sign-in").text


def test_the_settings_say_what_is_missing(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("word\n")
    secret.chmod(0o600)
    good = {"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT": "map", "OIDC_SECRET_FILE": str(secret)}
    assert read_settings(good).openid == OpenId("https://id.example", "map", "word", ("id.example",))
    assert "word" not in repr(read_settings(good))
    for wrong in ({"OIDC_ISSUER": "http://id.example"}, {"OIDC_CLIENT": ""}, {"OIDC_SECRET_FILE": ""}):
        with pytest.raises(SettingError):
            read_settings(good | wrong)
    secret.chmod(0o644)
    with pytest.raises(SettingError, match="Others may read"):
        read_settings(good)


def test_two_accounts_are_never_one_subject(here: Database, wang: str) -> None:
    with here.connect("door") as door:
        add_account(door, "zhao", "leader", "4499")
    done = CliRunner().invoke(commands, ["account", "link", "zhao", "wang"])
    assert done.exit_code != 0
    with here.connect("door") as door:
        assert find_account(door, "zhao").account == "zhao"
        door.execute("delete from auth.account where account = 'zhao'")

"""Settings come from the environment, once, at the door; nothing else reads it.

| variable       | default             | what it is                                                              |
|----------------|---------------------|-------------------------------------------------------------------------|
| `DATABASE_URL` | private cluster     | an existing PostGIS 3.3+ on PostgreSQL 15-18, as a role that may create roles |
| `ANALYST_URL`  | none                | the database by an analyst's own login, for notebooks away from the server |
| `LOCAL_DIR`    | `.local`            | where everything made at run time lies                                  |
| `CATALOG_DIR`  | `data`              | folder of the declarations                                              |
| `DELIVERY_DIR` | `.local/deliveries` | folder the departments' files lie in                                    |
| `HOST`         | `127.0.0.1`         | address the map is served at; beyond loopback it takes TLS              |
| `PORT`         | `8050`              | its port                                                                |
| `READ_MEMORY_MB` | `2048`            | most memory reading one delivered file may take                         |
| `READ_SECONDS` | `600`               | longest that reading one may take                                       |
| `READ_UNPACKED_MB` | `4096`          | most that a gzipped or zipped file may unpack to                        |
| `TWO_FACTORS`  | none                | roles that need a second factor, such as `security_admin auditor`       |
| `TLS_CERT`     | none                | file of the certificate; `python -m mapapp certificate` makes one       |
| `TLS_KEY`      | none                | file of its key                                                         |
| `OIDC_ISSUER`  | none                | identity provider people may sign in by, such as `https://id.city.example` |
| `OIDC_CLIENT`  | none                | name of the map there                                                   |
| `OIDC_SECRET_FILE` | none            | file with the map's secret there, readable by its owner only            |
| `OIDC_HOSTS`   | that of the issuer  | hosts that addresses named by the provider may lie on                   |
| `OIDC_CLAIM`   | `sub`               | claim that accounts are linked to                                       |
| `ALLOWED_HOSTS` | none                | hosts that files may be fetched from, as `docs/loading.md` says         |
| `PUBLIC_PAGES` | none                | pages that everybody may open without signing in: `echo`, `form`        |
| `BASE_MAP`     | none                | map of others under the grids, as `docs/base.md` says                   |
| `BASE_KEY`     | none                | key of that map; it stays on the server                                 |
| `BASE_NAME`    | Tianditu's, or none | whose map it is, as it is shown on it                                   |
| `BASE_CACHE_MB` | `512`              | most that tiles of others may take on the disk                          |
| `BROWSER_PATH` | found on the system | Chromium for the browser tests                                          |
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from layers.errors import SettingError

PUBLIC_PAGES = ("echo", "form")
"""Pages that may be switched on for everybody; each is off, and not there, until it is named."""

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class OpenId:
    """An identity provider that people may sign in by."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    hosts: tuple[str, ...]
    claim: str = "sub"


@dataclass(frozen=True)
class Settings:
    """Where things are; made by `read_settings`."""

    database_url: str | None
    local_dir: Path
    catalog_dir: Path
    delivery_dir: Path
    host: str
    port: int
    browser_path: Path | None
    read_memory_mb: int = 2048
    read_seconds: int = 600
    read_unpacked_mb: int = 4096
    tls_cert: Path | None = None
    tls_key: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    analyst_url: str | None = None
    two_factors: tuple[str, ...] = ()
    openid: OpenId | None = None
    public_pages: tuple[str, ...] = ()
    base_map: str = ""
    base_key: str = field(default="", repr=False)
    base_name: str = ""
    base_cache_mb: int = 512


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises
    ------
    SettingError
        A value makes no sense; the message names the variable and the remedy.
    """
    local = _folder(environ.get("LOCAL_DIR"), CHECKOUT / ".local")
    port = environ.get("PORT", "8050")
    if not (port.isdigit() and 0 < int(port) < 65536):
        raise SettingError(f"PORT is {port!r}.", "It has to be a number from 1 to 65535, such as 8050.")
    host = environ.get("HOST", "127.0.0.1")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    cert, key = _file(environ, "TLS_CERT"), _file(environ, "TLS_KEY")
    if (cert is None) != (key is None):
        raise SettingError("TLS_CERT and TLS_KEY belong together, and only one is there.", "Name both, or neither.")
    if not loopback and cert is None:
        raise SettingError(
            f"HOST is {host!r}, which others can reach, and there is no TLS.",
            f"`python -m mapapp certificate {host}` makes a certificate, to be named by TLS_CERT and TLS_KEY.",
        )
    browser = environ.get("BROWSER_PATH")
    return Settings(
        database_url=environ.get("DATABASE_URL") or None,
        local_dir=local,
        catalog_dir=_folder(environ.get("CATALOG_DIR"), CHECKOUT / "data"),
        delivery_dir=_folder(environ.get("DELIVERY_DIR"), local / "deliveries"),
        host=host,
        port=int(port),
        browser_path=Path(browser) if browser else None,
        read_memory_mb=_whole(environ, "READ_MEMORY_MB", 2048, 256),
        allowed_hosts=tuple(environ.get("ALLOWED_HOSTS", "").replace(",", " ").split()),
        read_seconds=_whole(environ, "READ_SECONDS", 600, 1),
        read_unpacked_mb=_whole(environ, "READ_UNPACKED_MB", 4096, 1),
        analyst_url=environ.get("ANALYST_URL") or None,
        two_factors=_roles(environ.get("TWO_FACTORS", "")),
        openid=_openid(environ),
        public_pages=_pages(environ.get("PUBLIC_PAGES", "")),
        base_map=environ.get("BASE_MAP", ""),
        base_key=environ.get("BASE_KEY", ""),
        base_name=environ.get("BASE_NAME", ""),
        base_cache_mb=_whole(environ, "BASE_CACHE_MB", 512, 16),
        tls_cert=cert,
        tls_key=key,
    )


def _file(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.is_file():
        raise SettingError(f"{name} is {value!r}, and there is no such file.", "Name the file, or leave it out.")
    return path


def _openid(environ: Mapping[str, str]) -> OpenId | None:
    issuer, client = environ.get("OIDC_ISSUER", ""), environ.get("OIDC_CLIENT", "")
    secret = _file(environ, "OIDC_SECRET_FILE")
    if not issuer:
        return None
    if not client or secret is None:
        raise SettingError(
            "OIDC_ISSUER is set, and OIDC_CLIENT or OIDC_SECRET_FILE is not.", "Name the client and its secret's file."
        )
    host = urlsplit(issuer).hostname or ""
    is_safe = issuer.startswith("https://") or (issuer.startswith("http://") and host in ("localhost", "127.0.0.1"))
    if not host or not is_safe:
        raise SettingError(f"OIDC_ISSUER is {issuer!r}.", "It has to begin with https://.")
    if secret.stat().st_mode & 0o077:
        raise SettingError(f"Others may read {secret}.", f"`chmod 600 {secret}` keeps it to its owner.")
    hosts = tuple(environ.get("OIDC_HOSTS", "").replace(",", " ").split()) or (host,)
    claim = environ.get("OIDC_CLAIM") or "sub"
    return OpenId(issuer, client, secret.read_text(encoding="utf-8").strip(), hosts, claim)


def _roles(value: str) -> tuple[str, ...]:
    from layers.access import ROLES

    named = tuple(value.replace(",", " ").split())
    for role in named:
        if role not in ROLES or role == "wall":
            raise SettingError(
                f"TWO_FACTORS names {role!r}, which is no role of a person.",
                f"There are {', '.join(one for one in ROLES if one != 'wall')}.",
            )
    return named


def _pages(value: str) -> tuple[str, ...]:
    named = tuple(value.replace(",", " ").split())
    for page in named:
        if page not in PUBLIC_PAGES:
            raise SettingError(
                f"PUBLIC_PAGES names {page!r}, which is no page to be switched on.",
                f"There are {', '.join(PUBLIC_PAGES)}.",
            )
    return named


def _folder(value: str | None, default: Path) -> Path:
    return Path(value).expanduser().resolve() if value else default


def _whole(environ: Mapping[str, str], name: str, default: int, least: int) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and least <= int(value) <= 1 << 40):
        raise SettingError(f"{name} is {value!r}.", f"It has to be a whole number from {least} on, such as {default}.")
    return int(value)

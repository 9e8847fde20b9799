"""Hosts that files may be fetched from, and the one address each is reached at.

A steward writes them into the setting `ALLOWED_HOSTS`, separated by blanks or commas:

| written                               | allows                                                             |
|---------------------------------------|--------------------------------------------------------------------|
| `data.example.org`                    | https, or PostgreSQL, at its usual port                            |
| `data.example.org:8443`               | the same at another port                                           |
| `gis.example.cn=10.1.2.3`             | a host with an address that is not public, and that address only   |
| `http://10.1.2.3:8080`                | plain http, for that host alone                                    |

A name is looked up once, and what is connected to is the address found then. One that is not public (loopback, private,
link-local) has to stand in the setting: nobody outside can lead us into the house by a name of theirs.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layers.errors import DeliveryError, SettingError

USUAL_PORTS = {"https": 443, "http": 80, "postgresql": 5432}
"""Port of each scheme when none is given."""

_WRITTEN = re.compile(
    r"(?:(?P<scheme>https|http|postgresql)://)?(?P<name>\[[0-9A-Fa-f:.]+\]|[^\s:=/@?#\[\]]+)(?::(?P<port>\d{1,5}))?"
    r"(?:=(?P<address>[0-9A-Fa-f:.]+))?/?"
)


@dataclass(frozen=True)
class Host:
    """One allowed host; no scheme: all but plain http, no port: the usual one, no address: a public one."""

    name: str
    scheme: str | None = None
    port: int | None = None
    address: str | None = None

    def allows(self, scheme: str, name: str, port: int) -> bool:
        """Whether a place may be connected to."""
        schemes = (self.scheme,) if self.scheme else ("https", "postgresql")
        return scheme in schemes and name == self.name and port == (self.port or USUAL_PORTS[scheme])


@dataclass(frozen=True)
class Spot:
    """A place to connect to: what it is called, and the address it was found at."""

    scheme: str
    name: str
    port: int
    address: str


def read_hosts(written: Iterable[str]) -> tuple[Host, ...]:
    """Read the entries of `ALLOWED_HOSTS`.

    Raises
    ------
    SettingError
        One makes no sense.
    """
    hosts = []
    for entry in written:
        found = _WRITTEN.fullmatch(entry)
        address = found["address"] if found else None
        if not found or (found["port"] and not 0 < int(found["port"]) < 65536) or (address and _ip(address) is None):
            raise SettingError(
                f"ALLOWED_HOSTS has {entry!r}, which names no host.",
                "Write hosts such as data.example.org, data.example.org:8443 or gis.example.cn=10.1.2.3.",
            )
        port = int(found["port"]) if found["port"] else None
        hosts.append(Host(_plain(found["name"]), found["scheme"], port, address))
    return tuple(hosts)


def find_spot(hosts: Sequence[Host], scheme: str, name: str, port: int | None) -> Spot:
    """Find where to connect to, if a steward has allowed it.

    Raises
    ------
    SettingError
        Nobody has allowed this host, or its address is not public and does not stand in the setting.
    DeliveryError
        The name is not known.
    """
    name, port = _plain(name), port or USUAL_PORTS[scheme]
    host = next((host for host in hosts if host.allows(scheme, name, port)), None)
    if host is None:
        entry = f"{'http://' if scheme == 'http' else ''}{name}{'' if port == USUAL_PORTS[scheme] else f':{port}'}"
        raise SettingError(
            f"Files may not be fetched from {name} ({scheme}, port {port}).",
            f"When a data steward agrees, add {entry} to the setting ALLOWED_HOSTS.",
        )
    if host.address or _ip(name):
        return Spot(scheme, name, port, host.address or name)
    try:
        found = [entry[4][0] for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise DeliveryError(
            f"The host {name} is not known here.", "Check its name in [fetch], and that this machine may look it up."
        ) from error
    hidden = [str(address) for address in found if not is_public(str(address))]
    if hidden:
        raise SettingError(
            f"The host {name} has the address {hidden[0]}, which is not public.",
            f"When it is really meant, write {name}={hidden[0]} into ALLOWED_HOSTS.",
        )
    return Spot(scheme, name, port, str(found[0]))


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, those that hide another inside them unwrapped."""
    ip = _ip(address)
    if ip is None:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _plain(name: str) -> str:
    return name.strip("[]").rstrip(".").lower()

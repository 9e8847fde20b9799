"""Names of machines and addresses: which are this one's."""

from __future__ import annotations

import ipaddress


def name_of(host: bytes) -> str:
    """Name in a Host header, its port left out; empty where it makes no sense."""
    text = host.decode("latin-1").strip().lower()
    if text.startswith("["):
        name, closed, _ = text[1:].partition("]")
        return name if closed else ""
    return text.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Tell whether a name or address can only mean this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def local_path(path: str | None) -> str:
    """A path of this server, whatever was asked for: never the address of another."""
    is_ours = path and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if path and is_ours and "\\" not in path else "/"

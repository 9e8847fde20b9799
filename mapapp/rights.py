"""Which role may open what: one table from the beginning of an address to the roles it is for.

An address that no line names is for nobody, so a new route is shut until it is put here; `tests/test_rights.py` walks
all routes and finds the ones that are missing. Public are the few that a browser needs before somebody has signed in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from layers.access import ROLES, AccountRole

Roles = frozenset[AccountRole]

EVERYBODY: Roles = frozenset(ROLES)
MAP: Roles = EVERYBODY - {"security_admin", "auditor"}
"""Roles that work with the map; who keeps accounts or reads the audit sees no data."""

CASEWORK: Roles = frozenset({"dispatcher", "department_handler", "grid_worker", "case_officer", "leader"})
"""Roles that work on cases, and the leader who looks on."""

IN_THE_FIELD: Roles = CASEWORK - {"leader"}
"""Roles that report what they see, or write down visits."""

AT_DESKS: Roles = MAP - {"wall"}
"""Roles that also see names and single rows; a wall sees category, grid, state and time."""

PUBLIC: Mapping[str, tuple[str, ...]] = {
    "/healthz": ("GET", "HEAD"),
    "/sign-in": ("GET", "HEAD", "POST"),
    "/sign-in/provider": ("GET",),
    "/sign-in/back": ("GET",),
    "/pair": ("GET",),
    "/assets/door.css": ("GET", "HEAD"),
    "/assets/icon.svg": ("GET", "HEAD"),
}
"""What is answered without a session, by exact address and method."""

SECRET: Mapping[str, tuple[str, ...]] = {"/answer/": ("GET", "HEAD", "POST")}
"""Beginnings of addresses whose rest is a secret: their routes answer without a session who has it, and nobody else."""

SWITCHED: Mapping[str, str] = {
    "/echo": "echo",
    "/form": "form",
    "/form/follow": "form",
    "/form/withdraw": "form",
    "/form/position.mjs": "form",
}
"""Pages of the setting `PUBLIC_PAGES`: answered to everybody where they are on, and not there where they are off."""

SENT: tuple[str, ...] = ("/form", "/form/follow", "/form/withdraw")
"""Those of them that also take in what somebody fills in."""

KEYED = ("/intake/", "/open311/")
"""Beginnings of addresses that the key of another system opens, and no session: their routes look at the key."""

RIGHTS: Mapping[str, Roles] = {
    "/": AT_DESKS,
    "/wall": MAP,
    "/api/watch": MAP,
    "/api/names": MAP,
    "/api/view": MAP,
    "/live": MAP,
    "/explore": MAP - {"wall"},
    "/api/explore": MAP - {"wall"},
    "/tiles/": MAP,
    "/base/": MAP,
    "/static/": MAP,
    "/static/casework/day.css": EVERYBODY,
    "/static/casework/day.mjs": EVERYBODY,
    "/static/casework/leave.mjs": EVERYBODY,
    "/static/casework/turn.mjs": EVERYBODY,
    "/assets/": MAP,
    "/_dash-": AT_DESKS,
    "/_favicon.ico": MAP,
    "/cases": CASEWORK,
    "/calls": CASEWORK,
    "/report": IN_THE_FIELD,
    "/care": frozenset({"grid_worker", "case_officer", "leader"}),
    "/command": AT_DESKS,
    "/figures": frozenset({"leader", "analyst", "dispatcher", "case_officer", "grid_worker"}),
    "/figures/worker": frozenset({"dispatcher", "grid_worker"}),
    "/account": EVERYBODY,
    "/sign-out": EVERYBODY,
    "/accounts": frozenset({"security_admin"}),
    "/audit": frozenset({"auditor"}),
}
"""Beginning of an address, up to a slash or the end of the address, and who may ask for it; the longest counts."""

HOME: Mapping[str, str] = {"security_admin": "/accounts", "auditor": "/audit", "wall": "/wall"}
"""Where a role begins; the others begin on the map."""


def is_public(method: str, path: str) -> bool:
    """Tell whether a request is answered without a session; of a switched page, where it is on."""
    if path in SWITCHED:
        return method in ("GET", "HEAD") or (method == "POST" and path in SENT)
    return method in PUBLIC.get(path, ()) or any(path.startswith(one) and method in SECRET[one] for one in SECRET)


def is_off(path: str, public_pages: Collection[str]) -> bool:
    """Tell whether an address is of a page that nobody switched on."""
    return path in SWITCHED and SWITCHED[path] not in public_pages


def is_keyed(path: str) -> bool:
    """Tell whether an address is opened by the key of another system."""
    return path.startswith(KEYED)


def may_open(role: str, path: str) -> bool:
    """Tell whether a role may ask for an address."""
    found = max((start for start in RIGHTS if _begins(path, start)), key=len, default=None)
    return found is not None and role in RIGHTS[found]


def home_of(role: str) -> str:
    """Address at which a role begins."""
    return HOME.get(role, "/")


def _begins(path: str, start: str) -> bool:
    if start == "/":
        return path == "/"
    if start.endswith(("/", "-")):
        return path.startswith(start)
    return path == start or path.startswith(start + "/")

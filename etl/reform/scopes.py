"""Scopes after a reform: accounts see what their grids became, and whoever needs a look is named."""

from __future__ import annotations

import getpass

from etl.copying import Connection

_SAID = {
    "followed": "{code} -> {now}",
    "wider": "{code} -> {now}，范围变大，请核对 sees other ground too now; narrow it where that is too much",
    "unsure": "{code} 去向不明，请另行指定 has no certain successor; give it another scope",
    "closed": "{code} 已指他处，已停用 stands for other ground now, so it was shut; give it another scope",
}


def follow_scopes(connection: Connection, old_edition: int, new_edition: int) -> list[str]:
    """Give each account, login and key the grid that its own became, in the transaction under way.

    Only where one new grid holds all of the old one. Else a scope stays where it cannot reach other ground by that, and
    is shut where it would. Returns a sentence for each that changed or that the security admin has to look at.
    """
    rows = connection.execute(
        "select account, scope, now_scope, done from raw.follow_scopes(%s::smallint, %s::smallint, %s)",
        [old_edition, new_edition, getpass.getuser()],
    ).fetchall()
    return [f"{account}: {_SAID[done].format(code=code, now=now)}" for account, code, now, done in rows]

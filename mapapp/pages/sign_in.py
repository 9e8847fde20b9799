"""The sign-in page, and the page of one's own account."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from layers.access import ROLES
from layers.accounts.sessions import Session
from mapapp.pages.plain import button, field, form, page, said
from mapapp.text import Words


def sign_in_page(
    words: Words,
    *,
    next_path: str,
    is_demo: bool,
    notice: str = "",
    failed: bool = False,
    provider: str = "",
    farewell: str = "",
) -> str:
    """Write the sign-in page; in the demonstration with one button for each role, and saying so."""
    lang = f"&lang={words.language}" if words.language != "zh" else ""
    action = f"/sign-in?next={quote(next_path, safe='')}{lang}"
    other = "en" if words.language == "zh" else "zh"
    parts = []
    if is_demo:
        buttons = "".join(
            button(words(f"role_{role}"), name="demo", value=role, kind="first" if role == "leader" else "role")
            for role in ROLES
        )
        parts += [
            "<section><h2>" + escape(words("demo_title")) + "</h2>",
            said(notice, "fiction"),
            said(words("demo_note")),
            form(action, buttons, kind="roles"),
            "</section>",
        ]
    fields = [
        field("account", words("account"), more='autocomplete="username" autocapitalize="none" required'),
        field(
            "password", words("password"), kind="password",
            more='autocomplete="current-password" required maxlength="1024"',
        ),
        field(
            "code", words("second_factor_if"), more='autocomplete="one-time-code" inputmode="numeric" maxlength="8"'
        ),
        button(words("sign_in"), kind="role" if is_demo else "first"),
    ]  # fmt: skip
    if provider:
        link = f'<a class="first" href="{escape(provider)}">{escape(words("sign_in_provider"))}</a>'
        leave = f'<a href="{escape(farewell)}">{escape(words("leave_provider"))}</a>' if farewell else ""
        parts.append(f"<section><h2>{escape(words('sign_in_provider'))}</h2><p>{link}</p><p>{leave}</p></section>")
    parts += [
        "<section><h2>" + escape(words("sign_in")) + "</h2>",
        said(words("sign_in_failed"), "alarm") if failed else "",
        form(action, "".join(fields), kind="fields"),
        "</section>",
    ]
    return page(
        words, words("sign_in"), "".join(parts), other=f"/sign-in?next={quote(next_path, safe='')}&lang={other}"
    )


def account_page(
    words: Words,
    session: Session,
    *,
    home: str,
    scope: str = "",
    department: str = "",
    message: str = "",
    secret: str = "",
) -> str:
    """Write the page of one's own account: who one is, a new password, a second factor, signing out.

    `scope` is the name of the grid that the account sees, `department` that of its department.
    """
    actor = session.actor
    lang = "?lang=en" if words.language == "en" else ""
    who = [
        (words("account"), actor.account),
        (words("role"), words(f"role_{actor.role}")),
        (words("scope"), f"{scope} {actor.scope.code}".strip()),
        (words("department"), department or words("no_department")),
    ]
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(value)}</dd>" for term, value in who)
    parts = [f"<section><h2>{escape(words('own_account'))}</h2>", said(message, "alarm"), f"<dl>{rows}</dl>"]
    parts += [f'<p><a href="{home}">{escape(words("go_home"))}</a></p>']
    parts += [form("/sign-out", button(words("sign_out"), kind="first"), form_token=session.form_token), "</section>"]
    for script in ("leave", "turn"):
        parts += [f'<script type="module" src="/static/casework/{script}.mjs"></script>']
    if not session.is_demo and session.kind == "person":
        new = field("password", words("password_now"), kind="password", more='autocomplete="current-password" required')
        new += field("new", words("password_new"), kind="password", more='autocomplete="new-password" required')
        new += button(words("change"), name="do", value="password", kind="role")
        parts += [f"<section><h2>{escape(words('password'))}</h2>"]
        parts += [form(f"/account{lang}", new, form_token=session.form_token, kind="fields"), "</section>"]
        factor = said(words("second_factor_note")) + f'<p><code data-kept="shown">{escape(secret)}</code></p>'
        factor += f'<input type="hidden" name="secret" data-kept="secret" value="{escape(secret)}">'
        factor += field("code", words("second_factor"), more='inputmode="numeric" maxlength="8" required')
        factor += button(words("change"), name="do", value="totp", kind="role")
        parts += [f"<section><h2>{escape(words('second_factor'))}</h2>"]
        parts += [form(f"/account{lang}", factor, form_token=session.form_token, kind="fields"), "</section>"]
    other = "/account?lang=en" if words.language == "zh" else "/account"
    return page(words, words("own_account"), "".join(parts), other=other)

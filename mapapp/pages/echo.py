"""Pages for everybody, without scripts: the answer to a visit back by a link, and the problem and echo wall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from layers.declare.records import Catalog
from layers.satisfaction import Question
from mapapp.pages.plain import button, form, page, said
from mapapp.text import Words

REASON_MOST = 500
"""Characters of a reason."""


def answer_page(
    catalog: Catalog, words: Words, question: Question, place: Sequence[str], *, path: str, message: str = ""
) -> str:
    """Write the page that asks whether a case is settled, or thanks for the answer."""
    zone = catalog.city.zone
    facts = [
        (words("case_category"), name_of(catalog.categories, question.category, words)),
        (words("case_place"), " ".join(place)),
        (words("case_reported"), words.moment(question.reported_at, zone)),
        (words("answer_closed"), words.moment(question.closed_at, zone) if question.closed_at else ""),
        (words("case_department"), name_of(catalog.departments, question.department, words)),
        (words("need_outcome"), words(f"outcome_{question.outcome}") if question.outcome else ""),
    ]
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    if question.is_answered:
        asked = said(words("answer_thanks"))
    else:
        label = words("answer_reason")
        reason = (
            f"<label><span>{escape(label)}</span>"
            f'<textarea name="reason" rows="4" maxlength="{REASON_MOST}"></textarea></label>'
        )
        buttons = button(words("answer_yes"), name="is_satisfied", value="yes", kind="first")
        buttons += button(words("answer_no"), name="is_satisfied", value="no")
        action = path + ("?lang=en" if words.language == "en" else "")
        asked = said(message, "alarm") + form(action, reason + buttons, kind="fields") + said(words("answer_note"))
    body = f"<section><h2>{escape(words('answer_title'))}</h2><dl>{told}</dl>{asked}</section>"
    other = path + ("?lang=en" if words.language == "zh" else "")
    return page(words, words("answer_title"), body, other=other)


def echo_page(catalog: Catalog, words: Words, rows: Sequence[Mapping[str, Any]], places: Sequence[str]) -> str:
    """Write the wall: on one side problems that are being dealt with, on the other what came of those that were."""
    items: dict[str, list[str]] = {"problems": [], "echoes": []}
    for row, place in zip(rows, places, strict=True):
        items["echoes" if row["state"] == "closed" else "problems"].append(_item(catalog, words, row, place))
    sides = "".join(
        f'<section class="{kind}"><h2>{escape(words(f"echo_side_{kind}"))} · {len(inside)}</h2>'
        + ("".join(inside) or said(words("echo_nothing")))
        + "</section>"
        for kind, inside in items.items()
    )
    notice = said(words.of(catalog.city.notice), "fiction") if catalog.city.notice else ""
    other = "/echo" + ("?lang=en" if words.language == "zh" else "")
    body = f'{notice}<div class="sides">{sides}</div>'
    return page(words, words("echo_title"), body, other=other, wide=True)


def _item(catalog: Catalog, words: Words, row: Mapping[str, Any], place: str) -> str:
    """One case: what is the matter and where, what is done by whom until when, what came of it and is said of that."""
    zone = catalog.city.zone
    satisfied = {True: "case_back_was_yes", False: "case_back_was_no", None: "echo_unanswered"}[row["is_satisfied"]]
    result = row["result"] or (words(f"outcome_{row['outcome']}") if row["outcome"] else "")
    is_closed = row["state"] == "closed"
    facts = [
        ("echo_measure", row["measure"]),
        ("echo_department", name_of(catalog.departments, row["department"], words)),
        ("echo_due", f"{words.moment(row['due_at'], zone)}" if row["due_at"] else ""),
        ("echo_state", "" if is_closed else words(f"state_{row['state']}")),
        ("echo_result", result),
        ("echo_closed", words.moment(row["closed_at"], zone) if row["closed_at"] else ""),
        ("echo_satisfied", words(satisfied) if is_closed else ""),
    ]
    told = "".join(f"<dt>{escape(words(name))}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    where = " · ".join(filter(None, (name_of(catalog.categories, row["category"], words), place)))
    return f"<article><h3>{escape(row['problem'])}</h3><p>{escape(where)}</p><dl>{told}</dl></article>"


def name_of(declared: Mapping[str, Any], key: str | None, words: Words) -> str:
    """Name of something declared; the key itself where it is declared no more, nothing for none."""
    one = declared.get(key or "")
    return words.of(one.name) if one else key or ""

"""The pages for everybody, without an account or a need for scripts: the form, its receipt, what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Any

from layers.declare.records import Catalog
from mapapp.form import REASON_MOST, WORDS_MOST, Slip, offered
from mapapp.pages.plain import button, choice, field, form, page, said
from mapapp.text import Words


def form_page(
    catalog: Catalog, words: Words, slip: Slip, communities: Sequence[tuple[str, str, str]],
    given: Mapping[str, str], *, message: str = "",
) -> str:  # fmt: skip
    """Write the form; what was given already stands in it."""
    kinds = [("", words("report_choose"))] + [(key, words.of(catalog.categories[key].name)) for key in offered(catalog)]
    hidden = {
        "receipt": slip.receipt, "opened_at": str(slip.opened_at), "proof": slip.proof,
        "lon": given.get("lon", ""), "lat": given.get("lat", ""),
    }  # fmt: skip
    inside = [
        *(f'<input type="hidden" id="{k}" name="{k}" value="{escape(v)}">' for k, v in hidden.items()),
        choice("category", words("case_category"), kinds, given.get("category", "")),
        _communities(words, communities, given.get("community", "")),
        '<p id="where" role="status"></p><button type="button" id="here" hidden'
        f' data-done="{escape(words("form_here"))}" data-failed="{escape(words("report_position_none"))}">'
        f"{escape(words('report_here'))}</button>",
        f"<label><span>{escape(words('report_words'))}</span>"
        f'<textarea name="words" rows="6" maxlength="{WORDS_MOST}" required>'
        f"{escape(given.get('words', ''))}</textarea></label>",
        f"<label><span>{escape(words('form_photos'))}</span>"
        '<input type="file" name="photo" accept="image/jpeg,image/png,image/webp" multiple></label>',
        said(words("form_no_names")),
        button(words("report_send"), kind="first"),
    ]
    body = (
        f"<section><h2>{escape(words('form_title'))}</h2>{_notice(catalog, words)}{said(message, 'alarm')}"
        f"{form('/form' + _lang(words), ''.join(inside), kind='fields', has_files=True)}</section>"
        f'<p><a href="/form/follow{_lang(words)}">{escape(words("form_follow"))}</a></p>'
        '<script type="module" src="/form/position.mjs"></script>'
    )
    return page(words, words("form_title"), body, other="/form" + _other(words))


def receipt_page(catalog: Catalog, words: Words, receipt: str) -> str:
    """Write the page that thanks and gives the receipt."""
    body = (
        f"<section><h2>{escape(words('form_thanks'))}</h2>{_notice(catalog, words)}{said(words('form_receipt'))}"
        f'<p class="receipt"><b>{escape(receipt)}</b></p>{said(words("form_keep"))}'
        f'<p><a href="/form/follow{_lang(words)}">{escape(words("form_follow"))}</a></p></section>'
    )
    return page(words, words("form_thanks"), body, other="/form" + _other(words))


def follow_page(
    catalog: Catalog, words: Words, rows: Sequence[Mapping[str, Any]] | None, *, receipt: str = "", message: str = ""
) -> str:  # fmt: skip
    """Write the page that asks for a receipt, and tells what became of its reports."""
    asked = [
        field(
            "receipt",
            words("form_receipt_field"),
            more='required maxlength="40" autocomplete="off" autocapitalize="none"',
        ),
        button(words("form_look"), kind="first"),
    ]
    none = said(words("form_unknown"), "alarm") if rows is not None and not rows else ""
    body = (
        f"<section><h2>{escape(words('form_follow'))}</h2>{_notice(catalog, words)}{said(message, 'alarm')}{none}"
        f"{''.join(_became(catalog, words, row, receipt) for row in rows or ())}"
        f"{form('/form/follow' + _lang(words), ''.join(asked), kind='fields')}</section>"
        f'<p><a href="/form{_lang(words)}">{escape(words("form_title"))}</a></p>'
    )
    return page(words, words("form_follow"), body, other="/form/follow" + _other(words))


def _became(catalog: Catalog, words: Words, row: Mapping[str, Any], receipt: str) -> str:
    def moment(key: str) -> str:
        return words.moment(datetime.fromisoformat(row[key]), catalog.city.zone) if row[key] else ""

    def named(declared: Mapping[str, Any], key: str | None) -> str:
        one = declared.get(key or "")
        return words.of(one.name) if one else key or ""

    of = "original_" if row["original_state"] else ""  # one that was folded has the answer of the leading case
    outcome = row[f"{of}outcome"]
    facts = [
        ("case_category", named(catalog.categories, row["category"])),
        ("case_state", words(f"state_{row[f'{of}state']}")),
        ("need_outcome", words(f"outcome_{outcome}") if outcome else ""),
        ("case_department", named(catalog.departments, row[f"{of}department"])),
        ("case_reported", moment("reported_at")),
        ("case_due", moment(f"{of}due_at") if not row[f"{of}closed_at"] else ""),
        ("form_closed", moment(f"{of}closed_at")),
    ]
    told = "".join(f"<dt>{escape(words(k))}</dt><dd>{escape(v)}</dd>" for k, v in facts if v)
    return (said(words("form_folded")) if of else "") + f"<dl>{told}</dl>" + _withdrawal(words, row, receipt)


def _withdrawal(words: Words, row: Mapping[str, Any], receipt: str) -> str:
    """Write the form that takes a report back, while nobody has begun to deal with it."""
    if not row["can_withdraw"]:
        return ""
    inside = (
        f'<input type="hidden" name="receipt" value="{escape(receipt)}">'
        f'<input type="hidden" name="case" value="{row["id"]}">'
        + field("reason", words("form_withdraw_why"), more=f'required maxlength="{REASON_MOST}"')
        + button(words("form_withdraw"))
    )
    written = form("/form/withdraw" + _lang(words), inside, kind="fields")
    return f"<details><summary>{escape(words('form_withdraw'))}</summary>{written}</details>"


def _communities(words: Words, communities: Sequence[tuple[str, str, str]], chosen: str) -> str:
    groups = "".join(
        f'<optgroup label="{escape(town)}">'
        + "".join(
            f'<option value="{code}"{" selected" if code == chosen else ""}>{escape(name)}</option>'
            for code, name, _ in inside
        )
        + "</optgroup>"
        for town, inside in groupby(communities, key=lambda one: one[2])
    )
    first = f'<option value="">{escape(words("report_choose"))}</option>'
    label = escape(words("form_community"))
    return f'<label><span>{label}</span><select id="community" name="community">{first}{groups}</select></label>'


def _notice(catalog: Catalog, words: Words) -> str:
    return said(words.of(catalog.city.notice), "fiction") if catalog.city.notice else ""


def _lang(words: Words) -> str:
    return "?lang=en" if words.language == "en" else ""


def _other(words: Words) -> str:
    return "?lang=en" if words.language == "zh" else ""

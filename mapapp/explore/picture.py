"""The heatmap as a picture (SVG): map, title, legend, and at its foot source, period, age and what it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from layers.draw import palette
from mapapp.explore.findings import Findings
from mapapp.explore.outlines import Outlines
from mapapp.explore.panels import against, title
from mapapp.pages.legend import class_texts
from mapapp.text import Words

WIDE, HIGH = 1280, 900
_MAP_WIDE, _MAP_HIGH, _TOP, _EDGE = 860, 660, 110, 40
_FONT = "'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"


def as_svg(
    words: Words,
    findings: Findings,
    outlines: Outlines,
    said: Mapping[str, str],
    colours: Sequence[str],
    becomes: Mapping[str, str],
) -> bytes:
    """Draw the picture; `becomes` are the colours of its look."""
    ground, ink = (becomes.get(one, one) for one in (palette.GROUND, palette.TEXT))
    period = words.period(findings.period.number if findings.period else None)
    under = f"{findings.grid.name} · {words(f'levels_{findings.question.level}')} · {period}"
    if findings.is_change:
        under += " · " + words("legend_change", what=against(words, findings))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}"'
        f' font-family="{_FONT}" fill="{ink}">',
        f"<title>{escape(title(words, findings))} · {escape(under)}</title>",
        f"<desc>{escape('; '.join(f'{key}: {text}' for key, text in said.items()))}</desc>",
        f'<rect width="{WIDE}" height="{HIGH}" fill="{ground}"/>',
        _text(_EDGE, 56, f"{title(words, findings)} ({words.of(findings.indicator.unit)})", 30, "bold"),
        _text(_EDGE, 88, under, 18),
        _cells(findings, outlines, colours, ground),
        *_legend(words, findings, colours),
        *_foot(said),
        "</svg>",
    ]
    return "\n".join(parts).encode()


def _cells(findings: Findings, outlines: Outlines, colours: Sequence[str], ground: str) -> str:
    scale = min(_MAP_WIDE / outlines.width, _MAP_HIGH / outlines.height)
    left = _EDGE + (_MAP_WIDE - outlines.width * scale) / 2
    paths = []
    for code, found in zip(findings.cells.index, findings.cells["class"], strict=True):
        drawn = "".join(
            "M" + "L".join(f"{x} {y}" for x, y in zip(ring[::2], ring[1::2], strict=True)) + "Z"
            for ring in outlines.rings.get(code, [])
        )
        paths.append(f'<path id="g{code}" d="{drawn}" fill="{colours[int(found)]}"/>')
    move = f"translate({left:.1f} {_TOP}) scale({scale:.4f})"
    style = f'stroke="{ground}" stroke-width="{0.8 / scale:.3f}" fill-rule="evenodd"'
    return f'<g transform="{move}" {style}>{"".join(paths)}</g>'


def _legend(words: Words, findings: Findings, colours: Sequence[str]) -> list[str]:
    drawn = findings.cells["change" if findings.is_change else "value"]
    texts = class_texts(words, findings.breaks, drawn, findings.indicator.digits, is_change=findings.is_change)
    rows = [*reversed(list(zip(colours[1:], texts, strict=False))), (colours[0], words("none"))]
    left, made = _EDGE + _MAP_WIDE + 40, []
    for at, (colour, said) in enumerate(rows):
        y = _TOP + 40 + at * 34
        made.append(f'<rect x="{left}" y="{y - 17}" width="36" height="22" fill="{colour}" stroke="#8a97a3"/>')
        made.append(_text(left + 50, y, said, 18))
    return made


def _foot(said: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for key, text in list(said.items())[3:]:
        piece = f"{key}: {text}"
        if lines and len(lines[-1]) + len(piece) < 76:
            lines[-1] += "    " + piece
        else:
            lines.append(piece)
    return [_text(_EDGE, HIGH - 24 - 20 * (len(lines) - 1 - at), line, 13) for at, line in enumerate(lines)]


def _text(x: float, y: float, said: str, size: int, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" xml:space="preserve">{escape(said)}</text>'

"""Pieces of the page: key figures, bars, tables. All text passes through `text`, which escapes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from govmatch.reporting.words import Words


def text(value: object) -> str:
    """Return `value` as text that is safe inside an element or a quoted attribute."""
    return escape(str(value), quote=True)


def both(words: Words) -> str:
    """Return Chinese with English beside it, smaller; once only where they are the same."""
    english, chinese = words
    if english == chinese or not english:
        return text(chinese)
    return f'{text(chinese)}<span class="en" lang="en">{text(english)}</span>'


def card(words: Words, body: str, *, width: int = 12, kind: str = "") -> str:
    """Return a titled card of `width` twelfths."""
    english, chinese = words
    heading = f'<h2>{text(chinese)}<small lang="en">{text(english)}</small></h2>'
    return f'<section class="card w{width} {kind}">{heading}{body}</section>'


def key_figure(value: str, unit: str, words: Words, *, kind: str = "", meter: float | None = None) -> str:
    """Return one large number with its name; `meter` (0 … 1) adds a bar below it."""
    bar = "" if meter is None else f'<div class="meter"><i style="width:{100 * meter:.1f}%"></i></div>'
    small = f"<small>{text(unit)}</small>" if unit else ""
    return f'<div class="card key {kind}"><b>{text(value)}{small}</b><span>{both(words)}</span>{bar}</div>'


def bars(rows: Iterable[tuple[Words, float, str, str]], *, kind: str = "") -> str:
    """Return horizontal bars: words, filled share (0 … 1), number shown, hover title."""
    return "".join(
        f'<div class="bar" title="{text(hover)}"><span>{both(words)}</span><span class="track">'
        f'<i class="fill {kind}" style="width:{100 * filled:.1f}%"></i></span>'
        f'<span class="n">{text(shown)}</span></div>'
        for words, filled, shown, hover in rows
    )


def table(
    heads: Sequence[tuple[Words, str]], rows: Iterable[Sequence[object]], *, attributes: str = ""
) -> str:
    """Return a table; each head has its words and the class of its cells ("n" number, "t" time, "")."""
    classes = [f' class="{kind}"' if kind else "" for _, kind in heads]
    head = "".join(f"<th{c}>{both(words)}</th>" for (words, _), c in zip(heads, classes, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{c}>{text(v)}</td>" for v, c in zip(row, classes, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table {attributes}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def nothing(words: Words) -> str:
    """Return a muted line for a card that has nothing to show."""
    return f'<p class="empty">{both(words)}</p>'


def hour_columns(hours: Iterable[tuple[int, int, int]]) -> str:
    """Return the day's rhythm as SVG: hour, people whose earliest wish it is, services that start."""
    columns = [(h, asked, served) for h, asked, served in hours if 6 <= h <= 22 or asked or served]
    top = max((max(asked, served) for _, asked, served in columns), default=0) or 1
    width, height, base = 1000, 230, 196
    step = (width - 20) / max(1, len(columns))
    parts = [f'<line x1="10" x2="{width - 10}" y1="{base}" y2="{base}" stroke="var(--line)"/>']
    for i, (hour, asked, served) in enumerate(columns):
        left, each = 10 + i * step, step * 0.32
        hover = f"{hour:02d}:00 · 期望 asked {asked:,} · 开始 started {served:,}"
        parts.append(f"<g><title>{text(hover)}</title>")
        for nth, (count, fill) in enumerate(((asked, "var(--none)"), (served, "var(--accent)"))):
            tall = 170 * count / top
            parts.append(
                f'<rect x="{left + step * 0.16 + nth * (each + 2):.1f}" y="{base - tall:.1f}" '
                f'width="{each:.1f}" height="{tall:.1f}" rx="2.5" style="fill:{fill}"/>'
            )
        parts.append(
            f'<text x="{left + step / 2:.1f}" y="{base + 20}" text-anchor="middle">{hour:02d}</text></g>'
        )
    key = "".join(
        f'<span><svg viewBox="0 0 18 18"><rect x="2" y="3" width="13" height="12" rx="2.5" '
        f'style="fill:var(--{fill})"/></svg>{label}</span>'
        for fill, label in (("none", "期望最早时间 wished from"), ("accent", "安排开始 starts as planned"))
    )
    drawn = f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'
    return f'{drawn}<div class="legend">{key}</div>'

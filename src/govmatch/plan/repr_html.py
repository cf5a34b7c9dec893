"""A plan as a notebook shows it: a compact card, readable on light and dark grounds."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

_ROWS = 5
_FAINT = "opacity:.65"
_RULE = "1px solid rgba(128,128,128,.28)"
_ACCENT, _WARM = "#1b8576", "#c9562b"


def plan_repr_html(plan: Plan) -> str:
    """Return the card: key figures, the certificate in a line, first assignments, unmet by reason.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        An HTML fragment with inline styles only; all text is escaped.
    """
    sent, unmet, c = plan.assignments, plan.unmet, plan.certificate
    served, missing = len(sent), int(unmet["people"].sum())
    people = served + missing
    figures = [
        (f"{people:,}", "需求 asked", "inherit"),
        (f"{served:,}", "已服务 served", _ACCENT),
        (f"{served / people:.1%}" if people else "—", "服务率 share", _ACCENT),
        (f"{sent['travel_minutes'].mean():.1f}" if served else "—", "平均路程(分) mean travel", "inherit"),
        (f"{missing:,}", "未满足 unmet", _WARM if missing else "inherit"),
    ]
    tiles = "".join(
        f'<div style="padding:2px 22px 2px 0"><div style="font-size:22px;font-weight:600;color:{color}">'
        f'{escape(value)}</div><div style="font-size:12px;{_FAINT}">{escape(words)}</div></div>'
        for value, words, color in figures
    )
    edge = _ACCENT if c.gap == 0 else _WARM
    return (
        f'<div style="border:{_RULE};border-left:4px solid {edge};border-radius:8px;padding:12px 16px;'
        'max-width:980px;line-height:1.45;font-family:system-ui,sans-serif">'
        f'<div style="margin-bottom:6px"><b>govmatch.Plan</b>{_synthetic(c.synthetic)}</div>'
        f'<div style="display:flex;flex-wrap:wrap">{tiles}</div>'
        f'<div style="font-size:13px;margin:8px 0">{escape(_proof(plan))}</div>'
        '<div style="display:flex;flex-wrap:wrap;gap:8px 32px">'
        f"{_first_assignments(sent)}{_reasons(unmet)}</div></div>"
    )


def _synthetic(synthetic: bool) -> str:
    if not synthetic:
        return ""
    style = f"border:1px solid {_WARM};color:{_WARM};border-radius:9px;padding:0 8px;font-size:12px"
    return f' <span style="{style}">合成人员 synthetic people</span>'


def _proof(plan: Plan) -> str:
    c = plan.certificate
    scope = "全部 all" if c.termination in ("optimal", "gap", "searched") else "已考察的 looked-at"
    state = "已证明最优 proved optimal" if c.gap == 0 else f"间隙 gap {c.gap:.2%}"
    checked = "复核通过 verified" if c.verified else "未复核 not verified"
    return (
        f"{state} · 成本 cost {c.primal:,.2f}, 下界 bound {c.bound:,.2f} (等效分钟 equivalent minutes) · "
        f"{scope} {c.pairs:,} 个配对 pairs · {checked} · 假定时段 assumed slots {c.assumed_share:.0%}"
    )


def _first_assignments(sent: pd.DataFrame) -> str:
    columns = ["request_id", "provider_id", "community_id", "start", "travel_minutes"]
    first = sent[columns].head(_ROWS)
    shown = first.assign(
        start=first["start"].dt.strftime("%m-%d %H:%M"),
        travel_minutes=[f"{minutes:.1f}" for minutes in first["travel_minutes"]],
    )
    rows = zip(*(shown[name] for name in columns), strict=True)
    return _table(f"派单 assignments ({len(sent):,})", columns, rows)


def _reasons(unmet: pd.DataFrame) -> str:
    counted = unmet.groupby(["reason", "reason_zh"])["people"].sum().reset_index()
    counted = counted.sort_values(["people", "reason"], ascending=[False, True]).head(_ROWS)
    people = [f"{n:,}" for n in counted["people"]]
    rows = zip(counted["reason_zh"], counted["reason"], people, strict=True)
    return _table(f"未满足 unmet ({len(unmet):,})", ["原因", "reason", "people"], rows)


def _table(caption: str, columns: list[str], rows: Iterable[tuple[object, ...]]) -> str:
    cell = f"padding:2px 10px 2px 0;text-align:left;border-bottom:{_RULE}"
    head = "".join(f'<th style="{cell};font-weight:500;{_FAINT}">{escape(c)}</th>' for c in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{cell}">{escape(str(v))}</td>' for v in row) + "</tr>" for row in rows
    )
    return (
        f'<div><div style="font-size:12px;font-weight:600">{escape(caption)}</div>'
        f'<table style="font-size:12px;border-collapse:collapse"><tr>{head}</tr>{body}</table></div>'
    )

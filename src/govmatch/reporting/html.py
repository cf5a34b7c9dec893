"""One page about a plan: self-contained, in Chinese and English, without a request to any host."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from govmatch._version import __version__
from govmatch.model.files import write_atomically
from govmatch.reporting import tallies
from govmatch.reporting.page_map import FLOWS, map_legend, map_svg, top_flows
from govmatch.reporting.page_parts import (
    bars,
    both,
    card,
    hour_columns,
    key_figure,
    nothing,
    table,
    text,
)
from govmatch.reporting.page_style import CONTENT_POLICY, SCRIPT, STYLE
from govmatch.reporting.words import (
    SYNTHETIC,
    TERMINATIONS,
    Words,
    bilingual,
    group_words,
    percent,
    reason_words,
)

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

ROWS = 300
_LIST = 10
SORTABLE = 'class="sortable"'


def report(plan: Plan, path: str | PathLike[str] | None = None) -> str | Path:
    """Write or return one self-contained HTML page about a plan.

    Parameters
    ----------
    plan : Plan
        The plan.
    path : path, optional
        A file; it appears whole or not at all. Without it the page is returned as text.

    Returns
    -------
    str or Path
        The page, or the path when one was given. It shows the key figures, the certificate in words, a
        map with the largest flows, what is unmet and why, who was served, the day's rhythm, the worst
        shortages, candidate projects and the first 300 assignments. It holds ids and counts under five:
        it is for those who run the day, not for publication. The same plan gives the same page.

    Raises
    ------
    InvalidInput
        If `plan` is not a Plan.
    OSError
        If the file cannot be written.
    """
    tallies.need_plan(plan)
    asked = tallies.requests_asked(plan)
    parts = [
        _key_figures(plan, asked),
        f'<div class="grid">{_certificate(plan)}{_map(plan, asked)}</div>',
        f'<div class="grid">{_unmet(plan)}{_groups(asked)}{_hours(plan, asked)}</div>',
        f'<div class="grid">{_shortages(plan)}{_projects(plan)}{_flow_list(plan)}{_towns(asked)}</div>',
        f'<div class="grid">{_assignments(plan)}</div>',
    ]
    title = _title(plan)
    page = (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{text(title[1])} · {text(tallies.days_text(plan))}</title>"
        f"<style>{STYLE}</style></head>\n<body>"
        f"{_header(plan, title)}\n<main>{''.join(parts)}</main>\n{_footer(plan)}"
        f"<script>{SCRIPT}</script></body></html>\n"
    )
    if path is None:
        return page
    target = Path(path)
    write_atomically(target, page)
    return target


def _title(plan: Plan) -> Words:
    about = plan.problem.about
    english, chinese = (str(about.get(key) or "") for key in ("title", "title_zh"))
    return english or chinese or "Matching plan", chinese or english or "供需匹配方案"


def _header(plan: Plan, title: Words) -> str:
    certificate = plan.certificate
    english, chinese = title
    badges = []
    if certificate.synthetic:
        badges.append(f'<span class="badge">{text(bilingual(SYNTHETIC))}</span>')
    if certificate.verified:
        badges.append('<span class="badge ok">已独立复核 verified</span>')
    return (
        '<header><div class="mark">govmatch · 谁帮谁、何时、经由谁</div>'
        f'<h1>{text(chinese)}<small lang="en">{text(english)}</small></h1>'
        f'<div class="meta"><span>{text(tallies.days_text(plan))}</span>'
        f"<span>{text(plan.problem.policy.name)} 规则 policy</span>{''.join(badges)}</div></header>"
    )


def _key_figures(plan: Plan, asked: pd.DataFrame) -> str:
    people, served, unmet = (int(asked[name].sum()) for name in tallies.COUNTS)
    share = served / people if people else math.nan
    travel = plan.assignments["travel_minutes"].mean()
    shown = [
        key_figure(f"{people:,}", "人次", ("people asked for", "需求")),
        key_figure(f"{served:,}", "人次", ("people sent", "已服务"), kind="good"),
        key_figure(percent(share), "", ("served", "服务率"), kind="good", meter=share if people else 0.0),
        key_figure(f"{travel:.1f}" if served else "—", "分钟", ("mean travel", "平均路程")),
        key_figure(f"{unmet:,}", "人次", ("people missing", "未满足"), kind="warm"),
    ]
    return f'<div class="keys">{"".join(shown)}</div>'


def _certificate(plan: Plan) -> str:
    c = plan.certificate
    optimal = c.gap == 0
    complete = c.termination in ("optimal", "gap", "searched")
    scope = ("all", "全部") if complete else ("the", "已考察的")
    looked = "" if complete else " that were looked at"
    english, chinese = TERMINATIONS[c.termination]
    if optimal:
        proof_zh = f"可证明的下界为 {c.bound:,.2f},两者相等:没有更好的方案"
        proof = f"the proved bound is {c.bound:,.2f}. They are equal: no better plan exists"
    else:
        proof_zh = f"可证明的下界为 {c.bound:,.2f},任何方案至多比它省 {c.gap:.2%}"
        proof = f"the proved bound is {c.bound:,.2f}: no plan is cheaper by more than {c.gap:.2%}"
    sentences = (
        f"<p>在{scope[1]} {c.pairs:,} 个合格的“需求—时段”配对上,方案总成本为 "
        f"<b>{c.primal:,.2f}</b> 等效分钟;"
        f'{proof_zh}。</p><p class="en" lang="en">'
        f"Over {scope[0]} {c.pairs:,} eligible pairs of request and slot{looked} the plan costs "
        f"{c.primal:,.2f} equivalent minutes; "
        f"{proof}.</p>"
    )
    facts: list[tuple[Words, str]] = [
        (("status", "状态"), f"{chinese} {english}"),
        (("independent check", "独立复核"), "通过 passed" if c.verified else "未通过 not passed"),
        (("rounds of pricing", "定价轮次"), f"{c.rounds:,}"),
        (("arcs solved", "求解弧数"), f"{c.arcs:,}"),
        (("free time assumed", "空闲时段为假定"), f"{c.assumed_share:.0%}"),
        (("places assumed", "位置为推定"), f"{c.placed_assumed_share:.0%}"),
        (("duplicates linked", "重复需求合并"), f"{plan.linked:,}"),
        (("solver", "求解器"), c.solver),
        (("problem", "问题指纹"), c.problem_fingerprint[:12]),
        (("policy", "规则指纹"), c.policy_fingerprint[:12]),
    ]
    listed = "".join(f"<div><dt>{both(words)}</dt><dd>{text(value)}</dd></div>" for words, value in facts)
    heading = ("proved optimal", "已证明最优") if optimal else ("certificate", "证书")
    return card(heading, f"{sentences}<dl>{listed}</dl>", kind="proof" if optimal else "proof open")


def _map(plan: Plan, asked: pd.DataFrame) -> str:
    where = tallies.places(plan, asked)
    drawn = map_svg(where, tallies.flows(plan))
    unplaced = int(where["lat"].isna().sum())
    body = drawn + map_legend() if drawn else nothing(("no place has coordinates", "各社区均无坐标"))
    if drawn and unplaced:
        body += nothing(
            (
                f"{unplaced} communities without coordinates are not shown",
                f"另有 {unplaced} 个社区无坐标,未绘出",
            )
        )
    return card((f"places and the {FLOWS} largest flows between them", "地点与流向"), body)


def _unmet(plan: Plan) -> str:
    counted = tallies.unmet_by_reason(plan)
    if counted.empty:
        return card(
            ("unmet, by reason", "未满足的原因"), nothing(("everything is served", "全部满足")), width=6
        )
    top = int(counted["people"].max()) or 1
    rows = [
        (
            (reason_words(r.reason)[0], r.reason_zh),
            r.people / top,
            f"{r.people:,}",
            f"{r.requests:,} requests",
        )
        for r in tallies.rows(counted)
    ]
    return card(("unmet, by reason", "未满足的原因"), bars(rows, kind="warm"), width=6)


def _groups(asked: pd.DataFrame) -> str:
    counted = tallies.tally(asked, ["group"]).sort_values(["people", "group"], ascending=[False, True])
    rows = [
        (
            group_words(r.group),
            0.0 if math.isnan(r.served_share) else r.served_share,
            percent(r.served_share),
            f"{r.served:,} / {r.people:,}",
        )
        for r in tallies.rows(counted)
    ]
    body = bars(rows) if rows else nothing(("nothing was asked", "没有需求"))
    return card(("served, by group", "各人群服务率"), body, width=6)


def _hours(plan: Plan, asked: pd.DataFrame) -> str:
    counted = tallies.starts_by_hour(plan, asked)
    return card(("the day's rhythm, people by hour", "一天的节奏"), hour_columns(tallies.rows(counted)))


def _shortages(plan: Plan) -> str:
    worst = tallies.shortages(plan, _LIST)
    heading = ("the ten worst shortages", "最紧缺的十处")
    if worst.empty:
        return card(heading, nothing(("none", "无")), width=7)
    names = tallies.node_names(plan)
    heads: list[tuple[Words, str]] = [
        (("community", "社区"), ""), (("category", "类别"), ""), (("reason", "原因"), ""),
        (("people", "缺人"), "n"), (("cost, minutes", "代价(分钟)"), "n"),
    ]  # fmt: skip
    rows = [
        (
            names.get(r.community_id, r.community_id),
            r.category,
            r.reason_zh,
            f"{r.people:,}",
            f"{r.unmet_minutes:,.0f}",
        )
        for r in tallies.rows(worst)
    ]
    return card(heading, table(heads, rows), width=7)


def _projects(plan: Plan) -> str:
    found = plan.candidate_projects
    heading = ("candidate projects: asked for, offered by nobody", "可孵化项目")
    if len(found) == 0:
        return card(heading, nothing(("none", "无")), width=5)
    heads: list[tuple[Words, str]] = [
        (("skill", "服务"), ""), (("town", "镇街"), ""), (("requests", "需求"), "n"),
        (("communities", "社区数"), "n"),
    ]  # fmt: skip
    rows = [
        (r.skill, r.town, f"{r.requests:,}", f"{r.communities:,}") for r in tallies.rows(found.head(_LIST))
    ]
    return card(heading, table(heads, rows), width=5)


def _flow_list(plan: Plan) -> str:
    names = tallies.node_names(plan)
    flows = tallies.flows(plan)
    inside = int(flows.loc[flows["from_id"] == flows["to_id"], "people"].sum())
    ids = pd.concat([flows["from_id"], flows["to_id"]])
    heads: list[tuple[Words, str]] = [
        (("from", "来自"), ""), (("to", "前往"), ""), (("people", "人次"), "n")
    ]  # fmt: skip
    rows = [
        (names.get(r.from_id, r.from_id), names.get(r.to_id, r.to_id), f"{r.people:,}")
        for r in tallies.rows(top_flows(flows, set(ids), _LIST))
    ]
    whole = int(flows["people"].sum())
    note = nothing(
        (
            f"{inside:,} of {whole:,} people help in their own community",
            f"{whole:,} 人次中 {inside:,} 人次在本社区内",
        )
    )
    return card(("largest flows between communities", "社区间流向"), table(heads, rows) + note, width=6)


def _towns(asked: pd.DataFrame) -> str:
    counted = tallies.tally(asked, ["town"]).sort_values(["people", "town"], ascending=[False, True])
    heads: list[tuple[Words, str]] = [
        (("town", "镇街"), ""), (("asked", "需求"), "n"), (("served", "已服务"), "n"),
        (("unmet", "未满足"), "n"), (("share", "服务率"), "n"),
    ]  # fmt: skip
    rows = [
        (
            r.town or "—",
            f"{r.people:,}",
            f"{r.served:,}",
            f"{r.unmet:,}",
            percent(r.served_share),
        )
        for r in tallies.rows(counted)
    ]
    return card(
        ("by town", "各镇街"), f'<div class="scroll">{table(heads, rows, attributes=SORTABLE)}</div>', width=6
    )


def _assignments(plan: Plan) -> str:
    sent = plan.assignments.sort_values(["start", "request_id", "provider_id"], kind="stable").head(ROWS)
    names = tallies.node_names(plan)
    zone = plan.problem.policy.time_zone
    heads: list[tuple[Words, str]] = [
        (("start", "开始"), "t"), (("end", "结束"), "t"), (("request", "需求"), "t"),
        (("community", "社区"), ""), (("provider", "服务者"), "t"), (("route", "流转路径"), ""),
        (("travel", "路程(分)"), "n"), (("cost", "成本(分)"), "n"),
    ]  # fmt: skip
    start, end = (sent[name].dt.tz_convert(zone) for name in ("start", "end"))
    rows = zip(
        start.dt.strftime("%m-%d %H:%M"),
        end.dt.strftime("%H:%M"),
        sent["request_id"],
        [names.get(i, i) for i in sent["community_id"]],
        sent["provider_id"],
        [" → ".join(names.get(n, n) for n in route.split(" > ")) for route in sent["route"]],
        [f"{v:.1f}" for v in sent["travel_minutes"]],
        [f"{v:.1f}" for v in sent["cost_minutes"]],
        strict=True,
    )
    whole = len(plan.assignments)
    first = f"first {len(sent):,} of {whole:,} by time" if whole > len(sent) else f"{whole:,} by time"
    findable = f'{SORTABLE} data-find="find"'
    body = (
        '<input class="find" id="find" type="search" placeholder="查找 find" aria-label="查找 find">'
        f'<div class="scroll">{table(heads, rows, attributes=findable)}</div>'
    )
    return card((f"assignments, {first}", "派单"), body, kind="long")


def _footer(plan: Plan) -> str:
    about = plan.problem.about
    said = [f"{text(key)}: {text(value)}" for key, value in about.items() if "title" not in key and value]
    lines = [
        "供当日工作人员使用,含不足5人的数字,不宜公开。"
        "For those who run the day: holds counts under five, not for publication.",
        f"govmatch {text(__version__)} · 本页不访问网络 this page requests nothing from any host",
    ]
    if plan.certificate.synthetic:
        lines.insert(0, "人员均为合成,并非真实个人。The people are synthetic: nobody here is real.")
    return f"<footer>{''.join(f'<p>{line}</p>' for line in [*lines, *said])}</footer>"

"""Three sheets that people work with: dispatch, to be coordinated, summary. As .xlsx and as CSV."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from govmatch.model.files import write_atomically
from govmatch.plan.export import csv_bytes
from govmatch.reporting.suppress import FEWER, SMALL, WITHHELD, publish
from govmatch.reporting.tallies import (
    COUNTS,
    dated_requests,
    days_text,
    need_plan,
    node_names,
    places,
    requests_asked,
    share,
    tally,
)
from govmatch.reporting.whom_to_ask import whom_to_ask
from govmatch.reporting.words import SYNTHETIC, bilingual, group_words, reason_words
from govmatch.reporting.xlsx import Sheet, xlsx_bytes

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

LEVELS = {
    "all": "总计 total",
    "town": "镇街合计 town",
    "community": "社区合计 community",
    "cell": "明细 detail",
}
_NEXT_BEST = "备选为同一需求的次优人选,派单时间内均空闲。Alternates are the next best, free at that time."
_ALTERNATES = {1: "备选一 first alternate", 2: "备选二 second alternate"}
_ASSUMED = "时段为假定,请先确认 (time assumed: confirm first)"
_NO_TRAVEL = "地点缺坐标,路程为估计 (no coordinates: travel estimated)"
_INSIDE = f"内部使用:含不足{SMALL}人的数字。Internal: holds counts under {SMALL}."
_OUTSIDE = (
    f"已服务与未满足须为0或不少于{SMALL}人方单列,否则与相邻镇街、社区合并。"
    f"Told alone are places whose served and unmet are 0 or at least {SMALL}; others are joined with the "
    "next, so that no small count can be worked out.",
    f"{FEWER}: 不足{SMALL}人 fewer than {SMALL}; {WITHHELD}: 不公布 withheld",
)


def write_sheets(plan: Plan, folder: str | PathLike[str], *, outside: bool = False) -> list[Path]:
    """Write the sheets that people work with, each as .xlsx and as CSV.

    Parameters
    ----------
    plan : Plan
        The plan.
    folder : path
        Made if it is absent. Each file appears whole or not at all.
    outside : bool, default False
        For readers outside (the public, superiors): write only the summary, as ``汇总表_对外``. Towns and
        communities are joined with neighbours until served and unmet are each 0 or at least 5, so that a
        count of 1 to 4 people is neither told nor can be worked out (see `govmatch.reporting.suppress`).
        Where served or unmet of the whole is 1 to 4, only what was asked is told. The two other sheets
        name single requests and are not for outside readers.

    Returns
    -------
    list of Path
        ``派单表`` (who goes where and when, by organisation, with the route and two alternates),
        ``待协调清单`` (what is unserved, why, and whom to ask) and ``汇总表`` (town × community ×
        category × group: asked, served, unmet, share, with totals), and where goods are sent ``物资单`` (who
        sends what for which request), each .xlsx and .csv. The CSV is
        UTF-8 with a byte order mark. Text that a spreadsheet would run as a formula begins with an
        apostrophe. Where the people are synthetic, every file says so.

    Raises
    ------
    InvalidInput
        If `plan` is not a Plan.
    OSError
        If the folder cannot be made or written.
    """
    need_plan(plan)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if outside:
        sheets = [summary_sheet(plan, outside=True)]
    else:
        sheets = [dispatch_sheet(plan), coordination_sheet(plan), summary_sheet(plan)]
        if len(plan.goods):
            sheets.append(goods_sheet(plan))
    paths = []
    for sheet in sheets:
        for suffix, data in ((".xlsx", xlsx_bytes(sheet)), (".csv", csv_bytes(_for_csv(plan, sheet)))):
            path = target / f"{sheet.title_zh}{suffix}"
            write_atomically(path, data)
            paths.append(path)
    return paths


def dispatch_sheet(plan: Plan) -> Sheet:
    """Return 派单表: one row per person sent, grouped by the organisation that is charged.

    Work that no organisation is charged for stands under the community that asked.
    """
    sent = plan.assignments
    names = node_names(plan)
    zone = plan.problem.policy.time_zone
    start, end = (sent[name].dt.tz_convert(zone) for name in ("start", "end"))
    charged = sent["organization_id"].astype(object)
    unit = charged.where(charged.notna(), sent["community_id"])
    about = dated_requests(plan).set_index("request_id")["category"].fillna("")
    towns = plan.problem.tables["communities"].set_index("community_id")["town"].fillna("")
    frame = pd.DataFrame(
        {
            "接单单位 organisation": _named(unit, names),
            "日期 date": start.dt.strftime("%Y-%m-%d"),
            "时间 time": start.dt.strftime("%H:%M") + "–" + end.dt.strftime("%H:%M"),
            "镇街 town": towns.reindex(sent["community_id"]).to_numpy(),
            "社区 place": _named(sent["community_id"], names),
            "岗位 role": sent["role"],
            "类别 category": about.reindex(sent["request_id"]).to_numpy(),
            "需求编号 request": sent["request_id"],
            "联系方式编号 contact": _contacts(plan).reindex(unit).fillna("").to_numpy(),
            "服务者 provider": sent["provider_id"],
            "流转路径 route": [_route_text(route, names) for route in sent["route"]],
            "路程(分) travel minutes": sent["travel_minutes"].round(1),
            **_alternates(plan),
            "备注 note": _dispatch_notes(sent),
        },
        index=sent.index,
    )
    order = pd.DataFrame(
        {"name": frame["接单单位 organisation"], "unit": unit, "start": start, "request": sent["request_id"]}
    ).sort_values(["name", "unit", "start", "request"], kind="stable")
    return Sheet(
        title_zh="派单表",
        title=f"Dispatch: who goes where and when · {days_text(plan)}",
        notes=_notes(plan, *(() if plan.problem.policy.rounds.on else (_NEXT_BEST,))),
        frame=frame.loc[order.index].reset_index(drop=True),
        widths={
            "接单单位 organisation": 26,
            "社区 place": 20,
            "流转路径 route": 46,
            "时间 time": 13,
            "路程(分) travel minutes": 10,
            "备选一 first alternate": 20,
            "备选二 second alternate": 20,
            "备注 note": 30,
        },
        formats={"路程(分) travel minutes": "0.0"},
        band_by="接单单位 organisation",
    )


def coordination_sheet(plan: Plan) -> Sheet:
    """Return 待协调清单: what is unserved, dearest first, with the reason and whom to ask."""
    unmet, tables = plan.unmet, plan.problem.tables
    names = node_names(plan)
    communities = tables["communities"].set_index("community_id")["town"].fillna("")
    wished = dated_requests(plan).set_index("request_id")[["earliest", "latest"]].reindex(unmet["request_id"])
    frame = pd.DataFrame(
        {
            "需求编号 request": unmet["request_id"].to_numpy(),
            "镇街 town": communities.reindex(unmet["community_id"]).to_numpy(),
            "社区 community": _named(unmet["community_id"], names).to_numpy(),
            "类别 category": unmet["category"].to_numpy(),
            "所需技能 skill": unmet["skill"].to_numpy(),
            "人群 group": [bilingual(group_words(g)) for g in unmet["group"].fillna("")],
            "优先级 priority": unmet["priority"].to_numpy(),
            "缺人数 people": unmet["people"].to_numpy(),
            "最早 earliest": _clock(wished["earliest"], plan),
            "最晚 latest": _clock(wished["latest"], plan),
            "原因 reason": unmet["reason_zh"].to_numpy(),
            "原因(英) reason in English": [reason_words(code)[0] for code in unmet["reason"]],
            "可询问 whom to ask": whom_to_ask(plan, places(plan, requests_asked(plan))),
        }
    )
    order = np.lexsort(
        (unmet["request_id"].to_numpy(dtype=str), -unmet["unmet_minutes"].to_numpy(dtype=float))
    )
    return Sheet(
        title_zh="待协调清单",
        title=f"To be coordinated: unserved requests · {days_text(plan)}",
        notes=_notes(plan, "先急后缓。Most pressing first."),
        frame=frame.iloc[order].reset_index(drop=True),
        widths={
            "社区 community": 20,
            "人群 group": 16,
            "优先级 priority": 9,
            "缺人数 people": 9,
            "原因 reason": 26,
            "原因(英) reason in English": 34,
            "可询问 whom to ask": 60,
        },
    )


def summary_sheet(plan: Plan, *, outside: bool = False) -> Sheet:
    """Return 汇总表: town × community × category × group, with totals; without small counts for outside."""
    asked = requests_asked(plan)
    keys = ["town", "community_id", "category", "group"]
    cells = tally(asked[asked["people"] > 0], keys)[[*keys, *COUNTS]]
    rows = _told_outside(plan, cells) if outside else _all_rows(cells)
    groups = [
        bilingual(group_words(g)) if level == "cell" else ""
        for g, level in zip(rows["group"], rows["level"], strict=True)
    ]
    frame = pd.DataFrame(
        {
            "层级 level": rows["level"].map(LEVELS),
            "镇街 town": rows["town"],
            "社区 community": _joined(rows["communities"], node_names(plan)),
            "类别 category": rows["category"],
            "人群 group": groups,
            "需求人次 asked": rows["people"],
            "已服务 served": rows["served"],
            "未满足 unmet": rows["unmet"],
            "服务率 share": rows["share"],
        }
    )
    return Sheet(
        title_zh="汇总表_对外" if outside else "汇总表",
        title=f"Summary by town, community, category and group · {days_text(plan)}",
        notes=_notes(plan, *(_OUTSIDE if outside else (_INSIDE,))),
        frame=frame,
        widths={"层级 level": 20, "社区 community": 24, "类别 category": 18, "人群 group": 20},
        formats={"服务率 share": "0.0%"},
        band_by="镇街 town",
    )


def goods_sheet(plan: Plan) -> Sheet:
    """Return 物资单: one row for each owner, kind and request, grouped by owner."""
    sent, names = plan.goods, node_names(plan)
    about = dated_requests(plan).set_index("request_id")
    frame = pd.DataFrame(
        {
            "物资所有者 owner": _named(sent["owner_id"], names),
            "日期 date": sent["day"].dt.strftime("%Y-%m-%d"),
            "物资 good": sent["good"],
            "数量 amount": sent["amount"],
            "单位 unit": sent["unit"],
            "归还 comes back": np.where(sent["lent"].astype(bool), "次日归还 next day", ""),
            "社区 place": _named(about["community_id"].reindex(sent["request_id"]), names).to_numpy(),
            "需求编号 request": sent["request_id"],
            "流转路径 route": [_route_text(route, names) for route in sent["route"]],
        }
    )
    order = ["物资所有者 owner", "日期 date", "物资 good", "需求编号 request"]
    return Sheet(
        title_zh="物资单",
        title=f"Goods: who sends what for which request · {days_text(plan)}",
        notes=_notes(plan),
        frame=frame.sort_values(order, kind="stable").reset_index(drop=True),
        widths={"物资所有者 owner": 26, "社区 place": 20, "流转路径 route": 46, "归还 comes back": 18},
        band_by="物资所有者 owner",
    )


def _all_rows(cells: pd.DataFrame) -> pd.DataFrame:
    keys = ["town", "community_id", "category", "group"]
    whole = pd.DataFrame([cells[COUNTS].sum()]).assign(level="all")
    parts = [whole, cells.assign(level="cell")]
    for depth, level in ((1, "town"), (2, "community")):
        parts.append(cells.groupby(keys[:depth])[COUNTS].sum().reset_index().assign(level=level))
    rows = pd.concat(parts, ignore_index=True)
    rows[keys] = rows[keys].astype(object).where(rows[keys].notna(), "")
    depth_of = rows["level"].map({name: at for at, name in enumerate(LEVELS)}).to_numpy()
    town, community, category, group = (rows[name].to_numpy(dtype=str) for name in keys)
    rows = rows.iloc[np.lexsort((group, category, depth_of, community, town))].reset_index(drop=True)
    rows[COUNTS] = rows[COUNTS].astype(np.int64).astype(object)
    rows["communities"] = [(c,) if c else () for c in rows["community_id"]]
    rows["share"] = share(rows["served"], rows["people"]).round(3).astype(object)
    return rows


def _told_outside(plan: Plan, cells: pd.DataFrame) -> pd.DataFrame:
    communities = plan.problem.tables["communities"]
    rows = publish(cells, communities.assign(town=communities["town"].fillna("")))
    rows["town"] = ["、".join(towns) for towns in rows["towns"]]
    rows[["category", "group"]] = rows[["category", "group"]].astype(object).fillna("")
    people = (rows["served"] + rows["unmet"]).astype(object)
    rows["people"] = people.where(~people.between(1, SMALL - 1), FEWER)
    told = share(rows["served"], people).round(3).astype(object)
    rows["share"] = told.where(rows["parts"], WITHHELD)
    for name in ("served", "unmet"):
        rows[name] = rows[name].astype(object).where(rows["parts"], WITHHELD)
    return rows


def _notes(plan: Plan, *notes: str) -> tuple[str, ...]:
    synthetic = f"{SYNTHETIC[1]},非真实个人。{SYNTHETIC[0].capitalize()}: nobody here is real."
    return (synthetic, *notes) if plan.certificate.synthetic else notes


def _for_csv(plan: Plan, sheet: Sheet) -> pd.DataFrame:
    if not plan.certificate.synthetic:
        return sheet.frame
    return sheet.frame.assign(**{"数据 data": bilingual(SYNTHETIC)})


def _named(ids: pd.Series, names: dict[str, str]) -> pd.Series:
    return ids.map(lambda i: names.get(i, i) if isinstance(i, str) else "").astype(object)


def _joined(communities: pd.Series, names: dict[str, str]) -> list[str]:
    return ["、".join(names.get(i, i) for i in ids) for ids in communities]


def _route_text(route: str, names: dict[str, str]) -> str:
    return " → ".join(names.get(node, node) for node in route.split(" > "))


def _contacts(plan: Plan) -> pd.Series:
    tables = plan.problem.tables
    if "organizations" not in tables:
        return pd.Series(dtype=object)
    contacts: pd.Series = tables["organizations"].set_index("organization_id")["contact"].astype(object)
    return contacts


def _alternates(plan: Plan) -> dict[str, pd.Series]:
    zone, keys = plan.problem.policy.time_zone, ["request_id", "role"]
    found: dict[str, pd.Series] = {}
    if plan.problem.policy.rounds.on:  # whoever is free depends on the round
        return {column: pd.Series("", index=plan.assignments.index) for column in _ALTERNATES.values()}
    for rank, column in _ALTERNATES.items():
        ranked = plan.alternates[plan.alternates["rank"] == rank].drop_duplicates(keys)
        at = ranked["start"].dt.tz_convert(zone).dt.strftime(" %H:%M")
        told = ranked[keys].assign(text=ranked["provider_id"].astype(str) + at)
        texts = plan.assignments[keys].merge(told, how="left", on=keys)["text"].astype(object)
        found[column] = pd.Series(texts.fillna("").to_numpy(), index=plan.assignments.index, dtype=object)
    return found


def _dispatch_notes(sent: pd.DataFrame) -> list[str]:
    return [
        "; ".join(text for text, says in ((_ASSUMED, assumed), (_NO_TRAVEL, not known)) if says)
        for assumed, known in zip(sent["assumed"], sent["travel_known"], strict=True)
    ]


def _clock(times: pd.Series, plan: Plan) -> list[str]:
    local = times.dt.tz_convert(plan.problem.policy.time_zone).dt.strftime("%m-%d %H:%M")
    return [str(t) for t in local.fillna("")]

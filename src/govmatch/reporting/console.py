"""What a terminal and a machine are told of a plan: the same tables, as aligned text and as records."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from govmatch.plan.export import certificate_record
from govmatch.reporting.tallies import days_text, requests_asked, tally, unmet_by_reason
from govmatch.reporting.words import (
    SYNTHETIC,
    TERMINATIONS,
    bilingual,
    group_words,
    percent,
    reason_words,
)

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

_MOST = 10
_WIDEST = 76  # cells wider than this on the screen are cut


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return what `plan_text` tells, for machines.

    Returns
    -------
    dict
        title, days, synthetic, certificate, total, by_category, by_group, by_community, unmet_by_reason,
        shortages (lists of records); plain values, None where a number is not finite.
    """
    asked = requests_asked(plan)
    tables = {
        "by_category": tally(asked, ["category"]),
        "by_group": tally(asked, ["group"]),
        "by_community": tally(asked, ["town", "community_id", "community"]),
        "unmet_by_reason": unmet_by_reason(plan),
        "shortages": worst_shortages(plan),
    }
    return {
        "title": _title(plan),
        "days": days_text(plan),
        "synthetic": bool(plan.problem.synthetic),
        "certificate": certificate_record(plan),
        "total": {
            "requests": len(asked),
            **{name: int(asked[name].sum()) for name in ("people", "served", "unmet")},
        },
        **{name: records(frame) for name, frame in tables.items()},
    }


def plan_text(plan: Plan, details: bool = True) -> str:
    """Return what was asked, what was served, the certificate and what is short, as text.

    Parameters
    ----------
    plan : Plan
        The plan.
    details : bool
        Whether to tell categories, groups and communities beside the whole.
    """
    asked = requests_asked(plan)
    people, served = int(asked["people"].sum()), int(asked["served"].sum())
    parts = [
        f"{len(asked):,} requests for {people:,} people 点单 {len(asked):,} 件,需 {people:,} 人次;"
        f" served 已满足 {served:,} ({percent(served / people if people else math.nan)})",
    ]
    if details:
        parts += [
            _table(
                "What was asked 群众点单(按类别)",
                _served(tally(asked, ["category"]), "category 类别"),
            ),
            _table("Served by group 按人群", _served(_grouped(asked), "group 人群", most=None)),
            _table(
                "Served by community, most asked first 按社区",
                _served(_by_community(asked), "community 社区"),
            ),
        ]
    parts.append(certificate_text(plan))
    if len(plan.unmet):
        parts += [
            _table("Why people are missing 缺口原因", _reasons(plan)),
            _table("The ten worst shortages, skill × town 最紧缺的十处(技能×镇街)", _shortages(plan)),
        ]
    return "\n\n".join(parts)


def headline(plan: Plan) -> str:
    """Return what the tables are, their days, and whether their people are synthetic, in one line."""
    said = [part for part in (_title(plan), days_text(plan)) if part]
    if plan.problem.synthetic:
        said.append(f"{SYNTHETIC[0]} {SYNTHETIC[1]}")
    return " · ".join(said)


def certificate_text(plan: Plan) -> str:
    """Return the certificate in words."""
    c = plan.certificate
    ended = bilingual(TERMINATIONS[c.termination])
    proof = (
        "no plan costs less 没有代价更低的方案"
        if c.termination == "optimal" and c.gap <= 0
        else f"no plan can cost less than {c.bound:,.2f} 任何方案的代价不低于此"
    )
    scope = (
        f"all {c.pairs:,} eligible pairs 全部可行配对"
        if c.termination in ("optimal", "gap", "searched")
        else f"the {c.pairs:,} eligible pairs that were looked at 已考察的可行配对"
    )
    lines = [
        "Certificate 最优性证书",
        f"  cost 代价 {c.primal:,.2f}, bound 下界 {c.bound:,.2f} minutes 等效分钟; gap 间隙 {c.gap:.4%}",
        f"  {ended}: {proof}, over {scope}",
        f"  checked by an independent verifier 独立校验: {'passed 通过' if c.verified else 'not done 未做'}",
        f"  assumed 假定: slots 时段 {percent(c.assumed_share)}, "
        f"coordinates 坐标 {percent(c.placed_assumed_share)}",
        f"  fingerprints 指纹: problem {c.problem_fingerprint[:12]}, policy {c.policy_fingerprint[:12]}",
    ]
    return "\n".join(lines)


def worst_shortages(plan: Plan, most: int = _MOST) -> pd.DataFrame:
    """Return the (skill, town) pairs whose unserved people cost most, dearest first.

    Returns
    -------
    pandas.DataFrame
        skill, town, people, unmet_minutes, reason (the one that leaves most of these people out).
    """
    communities = plan.problem.tables["communities"].set_index("community_id")
    unmet = plan.unmet[["skill", "people", "unmet_minutes", "reason"]].assign(
        town=communities["town"].fillna("").reindex(plan.unmet["community_id"]).to_numpy()
    )
    unmet["skill"] = unmet["skill"].fillna("")
    by_reason = unmet.groupby(["skill", "town", "reason"])["people"].sum().reset_index()
    dearest = by_reason.sort_values(["people"], ascending=False, kind="stable")
    main = dearest.drop_duplicates(["skill", "town"])
    sums = unmet.groupby(["skill", "town"])[["people", "unmet_minutes"]].sum().reset_index()
    whole = sums.merge(main[["skill", "town", "reason"]], how="left", on=["skill", "town"])
    order = whole.sort_values(["unmet_minutes", "skill", "town"], ascending=[False, True, True])
    return order.head(most).reset_index(drop=True)


def violations_text(violations: pd.DataFrame, most: int = 100) -> str:
    """Return faults of tables as an aligned table; at most `most` of them."""
    columns = ["table", "row", "column", "code", "message", "value"]
    shown = (
        violations[columns].head(most).assign(row=lambda f: f["row"].map(lambda r: "" if r < 0 else f"{r}"))
    )
    text = aligned(shown, widest=300)  # a fault is told whole
    more = len(violations) - len(shown)
    return text if more <= 0 else f"{text}\n… and {more:,} more 另有 {more:,} 条; --json lists all"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dicts of values that JSON has; None where a value is absent or not finite."""
    columns = {str(name): [_plain(v) for v in frame[name]] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def aligned(frame: pd.DataFrame, widest: int = _WIDEST) -> str:
    """Return a frame as text whose columns line up; Chinese characters count as two.

    Cells wider than `widest` are cut.
    """
    columns = []
    for name in frame.columns:
        cells = [_cell(v, widest) for v in frame[name]]
        width = max(map(_width, [str(name), *cells]))
        right = pd.api.types.is_numeric_dtype(frame[name]) or _all_figures(cells)
        columns.append([_padded(text, width, right) for text in [str(name), *cells]])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _table(title: str, frame: pd.DataFrame) -> str:
    text = aligned(frame) if len(frame) else "nothing 无"
    return title + "\n" + "\n".join(f"  {line}" for line in text.splitlines())


def _served(counts: pd.DataFrame, label: str, most: int | None = _MOST) -> pd.DataFrame:
    dearest = counts.sort_values("people", ascending=False, kind="stable")
    chosen = dearest if most is None else dearest.head(most)
    return pd.DataFrame(
        {
            label: chosen.iloc[:, 0],
            "requests 件": chosen["requests"],
            "people 人次": chosen["people"],
            "served 满足": chosen["served"],
            "unmet 缺": chosen["unmet"],
            "share 比例": chosen["served_share"].map(percent),
        }
    )


def _grouped(asked: pd.DataFrame) -> pd.DataFrame:
    counts = tally(asked, ["group"])
    counts["group"] = counts["group"].map(lambda g: bilingual(group_words(g)))
    return counts


def _by_community(asked: pd.DataFrame) -> pd.DataFrame:
    counts = tally(asked, ["town", "community_id", "community"])
    names = (counts.pop("town") + " " + counts.pop("community")).str.strip()
    counts = counts.drop(columns="community_id")
    counts.insert(0, "community", names)
    return counts


def _reasons(plan: Plan) -> pd.DataFrame:
    found = unmet_by_reason(plan)
    return pd.DataFrame({"reason 原因": found["reason"].map(_reason), "people 人次": found["people"]})


def _shortages(plan: Plan) -> pd.DataFrame:
    worst = worst_shortages(plan)
    return pd.DataFrame(
        {
            "skill 技能": worst["skill"].where(worst["skill"] != "", "any 不限"),
            "town 镇街": worst["town"],
            "people 缺人": worst["people"],
            "cost, minutes 代价": worst["unmet_minutes"].round().astype(np.int64),
            "main reason 主因": worst["reason"].map(_reason),
        }
    )


def _reason(code: str) -> str:
    return bilingual(reason_words(code))


def _title(plan: Plan) -> str:
    about = plan.problem.about
    return " ".join(str(about[key]) for key in ("title_zh", "title") if about.get(key))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | bool | str):
        return value
    if value is None or pd.isna(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, float) else str(value)


def _cell(value: Any, widest: int) -> str:
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    text = "" if value is None or value is pd.NaT or value != value else str(value)
    # a line break or a control character would break the table, or the terminal
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) <= widest and _width(text) <= widest:
        return text
    cut = text[:widest]
    while _width(cut) >= widest:
        cut = cut[:-1]
    return cut + "…"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _all_figures(cells: list[str]) -> bool:
    return bool(cells) and all(cell[:1].isdigit() and cell[-1:] in "%0123456789" for cell in cells)

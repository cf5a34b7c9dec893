"""Why a request went unserved: one code each, in English and Chinese."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REASONS: dict[str, tuple[str, str]] = {
    "no_supply": ("there is no provider at all", "没有任何服务者"),
    "no_such_service": ("nobody offers what is needed", "尚无人提供此项服务"),
    "level": ("those who can do it hold too low a level", "技能等级不足"),
    "certificate": ("nobody's certificate is valid on the day", "当日无有效证书"),
    "window": ("nobody qualified has a slot that holds it", "合格者均无可容纳的空闲时段"),
    "together": (
        "not enough people have a slot that holds it when several start together",
        "须多人同时开始,人手不齐",
    ),
    "path": ("the alliance has no permitted path to those who are free", "联盟内无可流转的路径"),
    "distance": ("those who are free live too far away", "路程过远"),
    "clearance": ("nobody in reach has the clearance", "审查等级不足"),
    "excluded": ("those who could come must not be sent", "须回避"),
    "pinned": ("those who could come are not those who were assigned", "可派者均非指定人选"),
    "pin_conflict": (
        "those who were assigned are assigned to other requests, too, or at their limit",
        "指定人选已用于其他指定需求,或已达上限",
    ),
    "way": (
        "the slots of those who could come do not hold it together with the way there and back",
        "合格者的空闲时段容纳不下服务与往返路程",
    ),
    "people": ("fewer people could come than it takes together", "能同时到场的合格者人数不足"),
    "cost": ("every way to serve it costs more than leaving it", "服务成本高于不服务"),
    "capacity": (
        "those who are eligible are sent elsewhere, at their limit, or too dear for one more job",
        "合适的人已派出、已达上限或再派成本过高",
    ),
    "session": (
        "the session that could take it is not held: too few would come for what it needs or costs",
        "可参加的活动未开:人数不足最少开班人数,或不抵开办成本",
    ),
    "quota": (
        "those who are free come by an agreement whose weekly quota is used up",
        "可派者须经由的共建协议本周名额已用完",
    ),
    "away": (
        "those who are free live elsewhere, where this week's jobs in other communities are used up",
        "可派者所在社区本周外派名额已用完",
    ),
    "hours": ("those who are free would exceed their time of the week", "可派者本周服务时长已满"),
    "reserve": (
        "those who are free are the certified people who are kept for emergencies",
        "可派者为应急储备的持证人员",
    ),
    "apart": (
        "too few of those who are eligible may come together, as some are kept apart",
        "合格者之间须回避同组,能同时到场者不足",
    ),
    "faces": (
        "those who already come are not free, and no further face is allowed",
        "已有服务者无空闲,且不得再换新面孔",
    ),
    "no_such_goods": ("nobody owns goods that it needs", "所需物资无人持有"),
    "goods": (
        "too little of the goods that it needs is left with those in reach",
        "可及范围内所需物资余量不足",
    ),
    "time": ("the search ended before a place was found", "计算提前结束,尚未安排"),
}

STAGE_LABELS = (
    ("all providers", "全部服务者"),
    ("skill", "技能"),
    ("level", "等级"),
    ("certificate", "证书"),
    ("window", "时段"),
    ("path", "流转路径"),
    ("distance", "路程"),
    ("clearance", "审查"),
    ("not excluded", "无须回避"),
)
"""What the stages of the funnel let through, from all providers on; what comes last goes by the method."""

BEFORE_PAIRS = 4
"""Stages that are counted before any pair is looked at."""

STAGE_REASONS = (
    "no_such_service",
    "level",
    "certificate",
    "window",
    "path",
    "distance",
    "clearance",
    "excluded",
    "cost",
)
"""The reason that the first empty stage of the funnel stands for, in the order of the stages."""


def first_empty_stage(
    passed: NDArray[np.int64], needed: NDArray[np.int64]
) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64]]:
    """Return the reason of each request, the providers left before the stage that it names, and the stage.

    Parameters
    ----------
    passed : int64 (n_requests, n_stages + 1)
        Providers that pass the first j stages; column 0 counts all providers.
    needed : int64 (n_requests,)
        How many providers a stage must leave.
    """
    codes = np.array(["no_supply", *STAGE_REASONS, "capacity"], dtype=object)
    enough = passed >= needed[:, None]
    stages = np.where(enough.all(axis=1), passed.shape[1], enough.argmin(axis=1))
    left = np.take_along_axis(passed, np.maximum(stages - 1, 0)[:, None], axis=1)[:, 0]
    codes = codes[stages]
    codes[(stages == 0) & (passed[:, 0] > 0)] = "people"
    return codes, left, stages

"""Words that pictures, pages and sheets show, in English and Chinese."""

from __future__ import annotations

import math

from govmatch.plan.reasons import REASONS

Words = tuple[str, str]  # English, Chinese

GROUPS = {
    "elderly": ("elderly", "老年人"),
    "child": ("children", "儿童"),
    "new_resident": ("new residents", "新居民"),
    "disabled": ("disabled", "残障人士"),
    "bereaved": ("bereaved", "失独家庭"),
    "low_income": ("low income", "困难群众"),
    "": ("others", "其他居民"),
}
TERMINATIONS = {
    "optimal": ("optimal", "最优"),
    "gap": ("within the gap asked for", "达到所求间隙"),
    "searched": ("nothing better found", "未找到更优方案"),
    "time_limit": ("time limit", "到达时限"),
    "cancelled": ("cancelled", "已取消"),
}
SHARE_BOUNDS = (0.7, 0.85, 0.95, 1.0)  # between the five colours of a served share
SHARE_WORDS = ("<70%", "70–85%", "85–95%", "95–99%", "100%")
SYNTHETIC = ("synthetic people", "合成人员")


def group_words(group: str) -> Words:
    """Return what a group is called in English and in Chinese; an unknown one goes by its own name."""
    return GROUPS.get(group, (group, group))


def bilingual(words: Words, between: str = " ") -> str:
    """Return Chinese and English side by side, once only if they are the same."""
    english, chinese = words
    return english if english == chinese else f"{chinese}{between}{english}"


def reason_words(code: str) -> Words:
    """Return why a request went unserved; an unknown code goes as it is."""
    return REASONS.get(code, (code, code))


def percent(share: float) -> str:
    """Return a share as a percentage, a dash where it is not a number."""
    return "—" if math.isnan(share) else f"{share:.1%}"

"""What residents ask for and what organisations do: the catalogue that supply and demand are drawn from.

The account names kinds of help, not their numbers. Shares, durations and hours here are assumptions,
chosen so that an ordinary day can mostly be served and a few skills are short everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from govmatch.datasets.columns import FloatArray

GROUPS = ("", "elderly", "child", "new_resident", "disabled", "bereaved")
FIRST = ("elderly", "child", "disabled", "bereaved")  # the old and the young first, and who has it hardest

FIELDS = (
    "self-government 自治",
    "safety 平安",
    "service 服务",
    "culture and sport 文体",
    "elder care 养老",
    "children 青少年",
    "health 健康",
    "law and mediation 法律调解",
    "environment 环境",
    "rescue 应急救援",
    "new residents 新居民",
    "disability 助残",
)

# Weight of each hour of the day in which a service is wanted, workday and weekend.
_HOURS: dict[str, tuple[dict[int, float], dict[int, float]]] = {
    "day": (
        {7: 1, 8: 5, 9: 8, 10: 7, 11: 3, 13: 3, 14: 6, 15: 6, 16: 4, 17: 3, 18: 4, 19: 4, 20: 1},
        {8: 3, 9: 7, 10: 8, 11: 4, 13: 3, 14: 7, 15: 7, 16: 5, 17: 3, 18: 4, 19: 4, 20: 2},
    ),
    "morning": ({7: 3, 8: 7, 9: 6, 10: 2, 13: 4, 14: 3}, {8: 5, 9: 6, 10: 3, 13: 2, 14: 2}),
    "meal": ({10: 4, 11: 7, 16: 3, 17: 5}, {10: 4, 11: 7, 16: 3, 17: 5}),
    "school": ({15: 2, 16: 6, 17: 3, 18: 7, 19: 7}, {8: 3, 9: 6, 10: 5, 14: 6, 15: 5, 18: 3, 19: 2}),
    "evening": ({17: 2, 18: 7, 19: 8, 20: 3}, {14: 2, 15: 2, 18: 6, 19: 7, 20: 3}),
    "night": ({19: 1, 20: 3, 21: 3}, {19: 1, 20: 3, 21: 3}),
}

# weights of a window that is a whole day, half a day, fixed
_FLEXIBLE, _HALF, _FIXED = (5.0, 4.0, 1.0), (2.0, 6.0, 2.0), (0.0, 2.0, 8.0)


@dataclass(frozen=True)
class Service:
    """One kind of help.

    `share` weighs it among requests; `offer` is how many people hold the skill for its share of the
    requests, relative to other skills; 0 means that nobody offers it.
    """

    skill: str | None
    name: str
    name_zh: str
    share: float
    offer: float
    field: int
    groups: tuple[float, float, float, float, float, float] = (6, 2, 1, 1, 0.3, 0)
    minutes: tuple[int, int] = (45, 90)
    hours: str = "day"
    window: tuple[float, float, float] = _HALF
    certified: bool = False
    clearance: int = 0
    scarce: bool = False
    dialect: float = 0.0  # share of its requests that ask for a dialect
    crowd: float = 0.0  # share of its requests that need two or three people at once

    @property
    def category(self) -> str:
        """Name in both languages, as requests carry it."""
        return f"{self.name_zh} {self.name}"


_ELDER = (0.3, 9.0, 0.0, 0.2, 0.5, 0.0)
_CHILD = (0.4, 0.0, 7.0, 2.6, 0.0, 0.0)
_DISABLED = (0.0, 3.0, 0.3, 0.0, 7.0, 0.0)
_NEWCOMER = (0.5, 0.3, 0.5, 9.0, 0.0, 0.0)
_ADULT = (7.0, 1.5, 0.2, 2.0, 0.3, 0.0)

SERVICES = (
    Service("elder_company", "Elder company", "陪伴老人", 10, 1, 4, _ELDER, (45, 120), dialect=0.25),
    Service("meal_delivery", "Meal delivery", "助餐送餐", 9, 1.2, 4, _ELDER, (20, 40), "meal", _FIXED),
    Service("medical_escort", "Medical escort", "陪诊就医", 6, 1.3, 4, _ELDER, (90, 180), "morning", _FIXED,
            dialect=0.1),
    Service("errands", "Errands", "代办跑腿", 6, 1, 2, (2, 6, 0, 1, 1, 0), (20, 60), window=_FLEXIBLE),
    Service("house_cleaning", "House cleaning", "居家保洁", 5, 0.9, 2, (1, 7, 0, 0.5, 2, 0), (60, 120)),
    Service("home_repair", "Small repairs", "小修小补", 6, 0.9, 2, _ADULT, (30, 90), window=_FLEXIBLE),
    Service("electrical_repair", "Electrical repair", "电路维修", 2, 0.3, 2, _ADULT, (30, 90),
            window=_FLEXIBLE, certified=True),
    Service("hairdressing", "Hairdressing at home", "上门理发", 3, 0.8, 4, _ELDER, (20, 40),
            window=_FLEXIBLE),
    Service("health_check", "Health check", "测压问诊", 4, 0.8, 6, _ELDER, (15, 30), window=_FLEXIBLE,
            certified=True),
    Service("physiotherapy", "Physiotherapy", "康复理疗", 1.4, 0.12, 6, (0.3, 6, 0, 0, 3, 0), (40, 60),
            certified=True, scarce=True),
    Service("nursing_care", "Nursing at home", "上门护理", 1.6, 0.12, 6, (0.2, 8, 0, 0, 1.5, 0), (30, 60),
            certified=True, scarce=True),
    Service("psychological_support", "Psychological support", "心理疏导", 1.6, 0.14, 6, (4, 2, 3, 1, 1, 1),
            (50, 60), "evening", certified=True, clearance=1, scarce=True),
    Service("bereaved_company", "Company for bereaved parents", "失独关怀", 0.6, 0.2, 4, (0, 0, 0, 0, 0, 1),
            (60, 120), clearance=2, scarce=True),
    Service("tutoring", "Tutoring", "课业辅导", 6, 1.2, 5, _CHILD, (60, 90), "school", _HALF, clearance=1),
    Service("childcare", "Love Classroom childcare", "爱心课堂托管", 5, 1.2, 5, _CHILD, (60, 120), "school",
            _FIXED, clearance=1),
    Service("art_teaching", "Art and sport lessons", "艺体教学", 2.5, 1, 5, _CHILD, (60, 90), "school"),
    Service("reading_company", "Reading with children", "亲子阅读", 2, 1, 5, _CHILD, (40, 60), "school"),
    Service("legal_advice", "Legal advice", "法律咨询", 1.6, 0.12, 7, _ADULT, (30, 60), window=_FLEXIBLE,
            certified=True, scarce=True),
    Service("dispute_mediation", "Dispute mediation", "矛盾调解", 2, 0.8, 7, _ADULT, (60, 120), "evening",
            dialect=0.4, crowd=0.1),
    Service("dialect_mediation", "Mediation in dialect", "乡音调解", 0.9, 0.2, 10, _NEWCOMER, (60, 120),
            "evening", scarce=True, dialect=1.0),
    Service("new_resident_services", "New residents' affairs", "新居民服务", 4, 1, 10, _NEWCOMER, (30, 60),
            window=_FLEXIBLE, dialect=0.4),
    Service("policy_questions", "Policy questions", "政策咨询", 3.5, 1, 0, _ADULT, (15, 30),
            window=_FLEXIBLE),
    Service("it_help", "Phone and computer help", "手机电脑教学", 4.5, 1, 2, (1, 8, 0, 0.5, 0.5, 0), (30,
            60)),
    Service("sign_language", "Sign language", "手语翻译", 0.5, 0.25, 11, _DISABLED, (45, 120), scarce=True),
    Service("accessibility_help", "Getting about", "助残出行", 2, 1, 11, _DISABLED, (45, 120), "day", _FIXED),
    Service("hornet_removal", "Hornets' nest removal", "摘除马蜂窝", 0.7, 0.2, 9, _ADULT, (30, 60),
            window=_FLEXIBLE, certified=True, scarce=True),
    Service("lost_elder_search", "Search for a lost elder", "走失寻人", 0.3, 5, 9, _ELDER, (60, 150), "day",
            _FIXED, crowd=1.0),
    Service("safety_patrol", "Safety patrol", "平安巡防", 3, 1.2, 1, (1, 0, 0, 0, 0, 0), (60, 120), "evening",
            crowd=0.3),
    Service("fire_check", "Fire hazard check", "消防隐患排查", 1.5, 0.8, 1, _ADULT, (20, 40),
            window=_FLEXIBLE),
    Service("environment_patrol", "Environment patrol", "环境巡查", 3.5, 1, 8, (1, 0, 0, 0, 0, 0), (45, 90),
            window=_FLEXIBLE),
    Service("waste_sorting", "Waste sorting guide", "垃圾分类指导", 3, 1, 8, (1, 0, 0, 0, 0, 0), (60, 90)),
    Service("traffic_guidance", "Traffic guidance", "交通劝导", 1.5, 1.2, 1, (1, 0, 0, 0, 0, 0), (60, 90),
            "meal", _FIXED),
    Service("event_help", "Help at events", "活动协助", 3, 1.4, 0, (1, 0, 0, 0, 0, 0), (60, 120), crowd=0.35),
    Service("performance", "Performance", "文艺演出", 1, 2, 3, (2, 5, 1, 1, 0, 0), (60, 90), "evening",
            crowd=0.5),
    Service("sports_coaching", "Sports coaching", "健身指导", 1.2, 1, 3, _ADULT, (60, 90), "evening"),
    Service("heavy_lifting", "Moving furniture", "搬运家具", 1.5, 1.4, 2, (2, 5, 0, 1, 1, 0), (30, 60),
            crowd=0.6),
    Service("job_guidance", "Job guidance", "就业指导", 1.5, 0.8, 10, (3, 0, 0, 5, 0.5, 0), (30, 60),
            window=_FLEXIBLE),
    Service("pet_loss_support", "Pet loss support", "宠物离世安抚", 0.25, 0, 6, _ADULT, (45, 60), "evening"),
    Service("night_care", "Night care", "夜间照护", 0.25, 0, 4, _ELDER, (60, 120), "night", _FIXED),
    Service(None, "Any helping hand", "其他帮忙", 2.5, 0, 2, _ADULT, (30, 60)),
)  # fmt: skip

# Pairs of common skills that one person should hold both of (asked in the `roles` table).
PAIRED = (
    ("medical_escort", "elder_company", "陪诊并陪伴 Medical escort and company"),
    ("meal_delivery", "health_check", "送餐并测压 Meal and health check"),
    ("tutoring", "childcare", "托管并辅导 Childcare and tutoring"),
)


def offer_weights(scarcity: float) -> FloatArray:
    """Return how often each service's skill is drawn for a provider, shape (services,)."""
    return np.array([s.share * s.offer / (scarcity if s.scarce else 1.0) for s in SERVICES])


def field_weights(scarcity: float) -> FloatArray:
    """Return the same by field of work, shape (fields + 1, services); the last row is every field."""
    weights = offer_weights(scarcity)
    in_field = np.array([[s.field == f for s in SERVICES] for f in range(len(FIELDS))])
    return np.vstack([in_field * weights + 0.03 * weights, weights])


def hour_weights(weekend: bool) -> FloatArray:
    """Return the weight of every half hour of the day, shape (services, 48)."""
    table = np.zeros((len(SERVICES), 48))
    for k, service in enumerate(SERVICES):
        for hour, weight in _HOURS[service.hours][int(weekend)].items():
            table[k, 2 * hour : 2 * hour + 2] = weight
    return table

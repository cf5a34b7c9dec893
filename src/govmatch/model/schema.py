"""The tables: every column's kind, unit, range, default and meaning, in one place.

The checks, the JSON Schema, the empty templates and the reference page all read these
records; nothing else knows a column.
"""

from __future__ import annotations

from govmatch.model.schema_parts import CRS as CRS
from govmatch.model.schema_parts import NODE_TABLES as NODE_TABLES
from govmatch.model.schema_parts import PROVIDER_TABLES as PROVIDER_TABLES
from govmatch.model.schema_parts import Column as Column
from govmatch.model.schema_parts import Kind as Kind
from govmatch.model.schema_parts import Table as Table
from govmatch.model.schema_parts import clearance as _clearance
from govmatch.model.schema_parts import fk as _fk
from govmatch.model.schema_parts import identifier as _id
from govmatch.model.schema_parts import level as _level
from govmatch.model.schema_parts import place as _place
from govmatch.model.schema_parts import text as _text
from govmatch.model.schema_sessions import SESSIONS

MODES = ("walk", "ebike", "car")
EDGE_KINDS = ("tier", "joint_building", "membership", "federation")
HOLIDAY_RULES = ("keep", "skip", "move")
BOND_KINDS = ("apart", "together")
PERIODS = ("horizon", "day", "week", "month")

MOST_AMOUNT = 1_000_000_000
"""Up to here millionths are told apart."""

_TABLES = (
    Table(
        "communities",
        "communities and villages: where requests arise and volunteers live",
        "社区与村",
        (
            _id("community_id", "key", "社区编号"),
            _text("name", "name", "名称", ""),
            _text("town", "town or sub-district", "镇街", ""),
            Column(
                "kind",
                "choice",
                "community or village",
                "类型",
                default="community",
                choices=("community", "village"),
            ),
            *_place(),
            Column(
                "placed",
                "choice",
                "whether lat and lon were surveyed or laid out by assumption",
                "坐标来源",
                default="surveyed",
                choices=("surveyed", "assumed"),
            ),
            Column(
                "away_per_week",
                "int",
                "jobs a week that volunteers who live there may do in other communities; absent: no limit",
                "每周外派名额",
                unit="jobs",
                low=0,
                high=1_000_000_000,
            ),
        ),
        key=("community_id",),
        required=True,
    ),
    Table(
        "party_units",
        "party organisations: committees, branches, groups, units joined in party building",
        "党组织与共建单位",
        (
            _id("unit_id", "key", "党组织编号"),
            _text("name", "name", "名称", ""),
            Column(
                "kind",
                "choice",
                "kind of unit",
                "类型",
                default="branch",
                choices=("committee", "branch", "group", "joint_unit"),
            ),
            _fk("parent_id", ("party_units",), "the tier above it", "上级党组织"),
            _fk("community_id", ("communities",), "the community it leads or serves", "所属社区"),
        ),
        key=("unit_id",),
    ),
    Table(
        "organizations",
        "social organisations, enterprises and other providers",
        "社会组织与企业",
        (
            _id("organization_id", "key", "组织编号"),
            _text("name", "name", "名称", ""),
            Column(
                "kind",
                "choice",
                "kind of organisation",
                "类型",
                default="social_organization",
                choices=("social_organization", "enterprise", "public_institution", "student_team"),
            ),
            _text("field", "field of work", "领域", ""),
            _fk("community_id", ("communities",), "where it is registered", "所在社区"),
            _fk("party_unit_id", ("party_units",), "the party unit that leads it", "所属党组织"),
            *_place(),
            _clearance("clearance of its own staff", "审查等级"),
            Column(
                "capacity_per_slot",
                "int",
                "people of its own staff at once; absent: none, and availability and skills must not name "
                "the organisation then; 0: none, whatever they say",
                "同时可派人数",
                unit="people",
                low=0,
                high=1_000_000,
            ),
            Column(
                "capacity_per_week",
                "int",
                "jobs a week, its volunteers' included; absent: no limit",
                "每周可接单数",
                unit="jobs",
                low=0,
                high=1_000_000_000,
            ),
            _text("contact", "contact reference (no personal data)", "联系方式编号", ""),
        ),
        key=("organization_id",),
    ),
    Table(
        "agreements",
        "edges of the alliance beyond the tiers: who passes requests to whom",
        "共建协议与联盟关系",
        (
            _id("agreement_id", "key", "协议编号"),
            _fk("from_id", NODE_TABLES, "one side", "甲方", required=True),
            _fk("to_id", NODE_TABLES, "other side", "乙方", required=True),
            Column("kind", "choice", "kind of edge", "类型", required=True, choices=EDGE_KINDS),
            Column("valid_from", "date", "first valid day", "生效日期"),
            Column("valid_to", "date", "last valid day", "失效日期"),
            Column(
                "hop_minutes",
                "float",
                "cost of a hop, instead of the policy's",
                "流转成本",
                unit="minute",
                low=0,
                high=100_000,
            ),
            Column(
                "quota_per_week",
                "int",
                "jobs a week whose route may pass it; absent: no limit; 0: closed",
                "每周名额",
                unit="jobs",
                low=0,
                high=1_000_000_000,
            ),
            _text("promised", "what was promised", "承诺事项"),
            _text("delivered", "what was delivered", "兑现情况"),
        ),
        key=("agreement_id",),
    ),
    Table(
        "volunteers",
        "people who help",
        "志愿者",
        (
            _id("volunteer_id", "key", "志愿者编号"),
            _fk(
                "organization_id",
                ("organizations",),
                "the organisation that is charged for the work",
                "所属组织",
            ),
            _fk("community_id", ("communities",), "where the volunteer lives", "所在社区"),
            *_place(),
            Column(
                "mode", "choice", "how the volunteer travels; absent: the policy's", "出行方式", choices=MODES
            ),
            Column(
                "max_travel_minutes",
                "float",
                "longest way; absent: the policy's",
                "最长路程",
                unit="minute",
                low=0,
                high=1440,
            ),
            Column(
                "max_jobs_per_day", "int", "absent: the policy's", "每日上限", unit="jobs", low=0, high=1000
            ),
            Column(
                "max_jobs_per_week", "int", "absent: the policy's", "每周上限", unit="jobs", low=0, high=7000
            ),
            Column(
                "max_minutes_per_week",
                "int",
                "time of all jobs of a week, without the ways; absent: the policy's",
                "每周服务时长上限",
                unit="minute",
                low=0,
                high=10_080,
            ),
            _clearance("vetted up to this level", "审查等级"),
            _text("dialect", "dialect spoken", "方言"),
            _text("hometown", "home town or province", "籍贯"),
            _text("preset", "name of an availability preset of the policy", "空闲时段预设"),
        ),
        key=("volunteer_id",),
    ),
    Table(
        "availability",
        "bookable times of volunteers and of organisations' own staff. A row longer than the policy's "
        "slots.long_minutes is cut at the hours of the policy's slots, and what lies outside all of them "
        "is not bookable; a slot belongs to the local day on which it begins",
        "空闲时间",
        (
            _fk("provider_id", PROVIDER_TABLES, "volunteer or organisation", "服务者编号", required=True),
            Column("start", "time", "from", "开始", required=True),
            Column("end", "time", "to", "结束", required=True),
        ),
    ),
    Table(
        "skills",
        "what volunteers and organisations can do",
        "技能",
        (
            _fk("provider_id", PROVIDER_TABLES, "volunteer or organisation", "服务者编号", required=True),
            _id("skill", "skill", "技能"),
            _level("level held", "等级"),
            Column(
                "certified_until",
                "date",
                "last day of the certificate, on which a job may still begin; absent: not certified",
                "证书有效期至",
            ),
        ),
        key=("provider_id", "skill"),
    ),
    SESSIONS,
    Table(
        "requests",
        "what residents ask for",
        "群众点单",
        (
            _id("request_id", "key", "需求编号"),
            _fk("community_id", ("communities",), "where", "所在社区", required=True),
            _text("category", "category", "类别", ""),
            Column("skill", "id", "skill that is needed; absent: none in particular", "所需技能"),
            _level("level that is needed", "所需等级"),
            Column("certified", "bool", "a valid certificate is needed", "需持证", default=False),
            Column("people", "int", "how many people", "人数", default=1, unit="people", low=1, high=1000),
            Column(
                "min_serve",
                "int",
                "fewest people to serve it; absent: everybody where it has several roles, else one",
                "最少到场人数",
                unit="people",
                low=1,
                high=1_000_000,
            ),
            Column("earliest", "time", "not before; absent: the horizon's start", "最早开始"),
            Column("latest", "time", "finished by; absent: the horizon's end", "最晚结束"),
            Column("minutes", "int", "duration", "时长", default=60, unit="minute", low=1, high=1440),
            Column("priority", "int", "1 can wait … 5 cannot", "优先级", default=2, low=1, high=5),
            _text("group", "group of the person helped, as in the policy", "人群"),
            _clearance("clearance that is needed", "所需审查等级"),
            _text("dialect", "dialect preferred", "方言"),
            _text("hometown", "home town of the person helped", "籍贯"),
            *_place(),
            _fk("resident_id", ("residents",), "pseudonymous resident", "居民编号"),
            _text("channel", "hotline, stairwell council, …", "渠道"),
            _fk("duplicate_of", ("requests",), "another report of the same need", "重复于"),
            Column("submitted", "time", "when it was asked", "提交时间"),
        ),
        key=("request_id",),
        required=True,
    ),
    Table(
        "roles",
        "what a request needs, where one skill does not say it; one person holds all skills of a role",
        "岗位",
        (
            _fk("request_id", ("requests",), "request", "需求编号", required=True),
            Column("role", "id", "role within the request", "岗位", default="helper"),
            _id("skill", "skill", "技能"),
            _level("level that is needed", "所需等级"),
            Column("certified", "bool", "a valid certificate is needed", "需持证", default=False),
            Column(
                "count", "int", "how many such people", "人数", default=1, unit="people", low=1, high=1000
            ),
            Column("leader", "bool", "must be filled, whoever else is missing", "带队(必到)", default=False),
            Column(
                "minutes", "int", "duration; absent: the request's", "时长", unit="minute", low=1, high=1440
            ),
            Column(
                "clearance",
                "int",
                "clearance that is needed; absent: the request's",
                "审查等级",
                low=0,
                high=3,
            ),
            Column(
                "after",
                "id",
                "the role of this request after whose start it starts; absent: at the team's start",
                "在此岗位之后",
            ),
            Column(
                "after_least",
                "int",
                "minutes after that start, at least",
                "至少间隔",
                default=0,
                unit="minute",
                low=0,
                high=100_000,
            ),
            Column(
                "after_most",
                "int",
                "minutes after that start, at most; absent: as `after_least`",
                "至多间隔",
                unit="minute",
                low=0,
                high=100_000,
            ),
        ),
        key=("request_id", "role", "skill"),
    ),
    Table(
        "goods",
        "stock of goods and money by owner. It is used in whole lots: the lot of a kind is the greatest "
        "common divisor of all amounts that requests ask of it and owners have, or of those that requests "
        "ask alone where one would ask for more than 100 lots; what a stock has beyond whole lots is not "
        "used",
        "物资与资金",
        (
            _fk("owner_id", NODE_TABLES, "owner", "所有者", required=True),
            _id("good", "kind of goods", "物资"),
            Column(
                "amount", "float", "stock, of each period", "数量", required=True, low=0, high=MOST_AMOUNT
            ),
            _text("unit", "unit of the amount; one for all stocks of a kind", "单位", ""),
            Column(
                "lent",
                "bool",
                "comes back after use: it is away on the local day on which the service starts",
                "可归还",
                default=False,
            ),
            Column(
                "period",
                "choice",
                "when the stock is full again: each local day, ISO week (from Monday) or calendar month; "
                "horizon: never; absent: the day where it is lent, else the horizon",
                "补充周期",
                choices=PERIODS,
            ),
        ),
        key=("owner_id", "good"),
    ),
    Table(
        "request_goods",
        "goods that a request consumes or borrows, from one owner or several; without all of them it is not "
        "served. What stands at a further report of another request is not read",
        "需求物资",
        (
            _fk("request_id", ("requests",), "request", "需求编号", required=True),
            _id("good", "kind of goods", "物资"),
            Column(
                "amount",
                "float",
                "amount, reckoned to millionths; 0: none",
                "数量",
                required=True,
                low=0,
                high=MOST_AMOUNT,
            ),
        ),
        key=("request_id", "good"),
    ),
    Table(
        "visits",
        "recurrence of a request: each visit has the times of day of its window",
        "定期服务",
        (
            _fk("request_id", ("requests",), "request", "需求编号", required=True),
            _text(
                "weekdays",
                "days such as tue or mon,thu; absent: `per_week` days spread from the first date on",
                "星期几",
            ),
            Column(
                "per_week",
                "int",
                "visits a week; absent: as many as `weekdays` has, else 1",
                "每周次数",
                low=1,
                high=7,
            ),
            Column(
                "days_between",
                "int",
                "free days between two visits, at least",
                "至少间隔天数",
                default=0,
                unit="day",
                low=0,
                high=6,
            ),
            Column("weeks", "int", "for how many weeks", "周数", default=1, low=1, high=104),
            Column(
                "start",
                "date",
                "first day of the first week; absent: the day of the request's earliest, else of its latest, "
                "else the horizon's first",
                "开始日期",
            ),
            Column(
                "holiday",
                "choice",
                "on a day that `holidays` lists: keep the visit, skip it, or move it to the next workday of "
                "the same week (none: skipped); absent: the policy's",
                "遇节假日",
                choices=HOLIDAY_RULES,
            ),
            Column(
                "faces",
                "int",
                "most different providers of all visits; absent: no limit",
                "最多服务者数",
                low=1,
                high=1000,
            ),
        ),
        key=("request_id",),
    ),
    Table(
        "holidays",
        "days off, and weekend days that are worked instead, as `chinese_holidays` gives them",
        "节假日",
        (
            Column("date", "date", "day", "日期", required=True),
            Column(
                "kind",
                "choice",
                "holiday, or a weekend day on which people work",
                "类型",
                default="holiday",
                choices=("holiday", "workday"),
            ),
            _text("name", "name", "名称", ""),
        ),
        key=("date",),
    ),
    Table(
        "history",
        "who served whom, when, and how it was rated",
        "服务记录",
        (
            _id("request_id", "past request", "需求编号"),
            _fk("provider_id", PROVIDER_TABLES, "who served", "服务者编号", required=True),
            _fk("resident_id", ("residents",), "who was served", "居民编号"),
            Column("start", "time", "when", "开始", required=True),
            Column("rating", "int", "1 … 5", "评分", low=1, high=5),
            _text("outcome", "what came of it, such as what a team found", "成效"),
            Column("saved", "float", "what it saved", "节约金额", unit="yuan", low=0),
        ),
    ),
    Table(
        "pins",
        "decisions taken beforehand",
        "指定与回避",
        (
            _fk("request_id", ("requests",), "request", "需求编号", required=True),
            _fk("provider_id", PROVIDER_TABLES, "provider", "服务者编号", required=True),
            Column(
                "action",
                "choice",
                "assign: nobody but the providers that are assigned, and they before any other work; forbid: "
                "never this one. An organisation stands for everybody charged to it",
                "动作",
                default="assign",
                choices=("assign", "forbid"),
            ),
        ),
        key=("request_id", "provider_id"),
    ),
    Table(
        "bonds",
        "volunteers who must not be sent to one request together, and those who would rather be",
        "人员关系",
        (
            _fk("provider_id", ("volunteers",), "one volunteer", "志愿者编号", required=True),
            _fk("other_id", ("volunteers",), "the other volunteer", "另一志愿者编号", required=True),
            Column(
                "kind",
                "choice",
                "apart: never both at one request; together: whoever comes without the other costs the "
                "policy's teams.together_minutes. Both are mutual",
                "关系",
                required=True,
                choices=BOND_KINDS,
            ),
        ),
        key=("provider_id", "other_id"),
    ),
    Table(
        "parties",
        "residents to whom everybody sent to a request must be neutral, such as both sides of a dispute",
        "当事人",
        (
            _fk("request_id", ("requests",), "request", "需求编号", required=True),
            _fk("resident_id", ("residents",), "party", "居民编号", required=True),
        ),
        key=("request_id", "resident_id"),
    ),
    Table(
        "kin",
        "residents to whom a volunteer is not neutral: relatives, or the volunteer as a resident",
        "亲属与本人",
        (
            _fk("volunteer_id", ("volunteers",), "volunteer", "志愿者编号", required=True),
            _fk("resident_id", ("residents",), "resident", "居民编号", required=True),
        ),
        key=("volunteer_id", "resident_id"),
    ),
    Table(
        "residents",
        "pseudonymous residents",
        "居民(化名)",
        (
            _id("resident_id", "pseudonym", "居民编号"),
            _text("household_id", "pseudonym of the household", "家庭编号"),
            _fk("community_id", ("communities",), "where", "所在社区"),
            _text("group", "group, as in the policy", "人群"),
            _text("consent", "what the resident consented to", "授权"),
        ),
        key=("resident_id",),
    ),
    Table(
        "population",
        "how many people of each group live in each community",
        "人口",
        (
            _fk("community_id", ("communities",), "where", "所在社区", required=True),
            Column("group", "id", "group", "人群", default="all"),
            Column("count", "int", "people", "人数", required=True, unit="people", low=0, high=2_000_000_000),
        ),
        key=("community_id", "group"),
    ),
    Table(
        "duty",
        "who answers when",
        "值班",
        (
            _id("person_id", "duty person", "值班人员"),
            _fk("community_id", ("communities",), "where", "所在社区"),
            Column("start", "time", "from", "开始", required=True),
            Column("end", "time", "to", "结束", required=True),
        ),
    ),
    Table(
        "about",
        "what the tables are: title, source, attribution, which parts are synthetic",
        "数据说明",
        (
            _id("key", "what is said", "项目"),
            _text("value", "the statement", "内容", ""),
        ),
        key=("key",),
    ),
)

TABLES: dict[str, Table] = {t.name: t for t in _TABLES}

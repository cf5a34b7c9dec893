"""The table of group sessions; see `schema`."""

from __future__ import annotations

from govmatch.model.schema_parts import (
    PROVIDER_TABLES,
    Column,
    Table,
    clearance,
    fk,
    identifier,
    level,
    place,
    text,
)

SESSIONS = Table(
    "sessions",
    "group sessions: so many seats in one place at one time, such as a class or a canteen's lunch, for "
    "which residents come. A seat serves a request for one skill as a visit would, one seat a person; "
    "not roles of teams, nor requests without a skill or with assigned providers. Requests of one "
    "household (see `residents`) for one skill whose windows overlap are seated in one session, all of "
    "them that could sit in any, or in none",
    "集体活动(班次、食堂);同户同类需求须同场或都不入场",
    (
        identifier("session_id", "key; no volunteer or organisation has the same", "活动编号"),
        text("name", "name", "名称", ""),
        fk(
            "provider_id",
            PROVIDER_TABLES,
            "who holds it and is not bookable meanwhile: slots of theirs that overlap it are taken out, "
            "whether it is held or not; absent: nobody who is booked here",
            "举办者",
        ),
        fk("community_id", ("communities",), "where", "所在社区", required=True),
        *place(),
        identifier("skill", "what it offers", "提供的服务"),
        level("level that it offers", "等级"),
        Column("certified", "bool", "led by somebody with a certificate", "持证", default=False),
        clearance("clearance of those who hold it", "审查等级"),
        Column(
            "start",
            "time",
            "from; who comes later may, but a request that lasts as long as the session begins with it",
            "开始",
            required=True,
        ),
        Column("end", "time", "to", "结束", required=True),
        Column("seats", "int", "places", "名额", required=True, unit="people", low=1, high=1_000_000),
        Column(
            "min_seats",
            "int",
            "fewest people with whom it is held",
            "最少开班人数",
            default=1,
            unit="people",
            low=1,
            high=1_000_000,
        ),
        Column(
            "open_minutes",
            "float",
            "what holding it costs, however many come",
            "开办成本",
            default=0.0,
            unit="minute",
            low=0,
            high=100_000,
        ),
    ),
    key=("session_id",),
)

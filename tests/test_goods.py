"""Goods and money through `gm.match`: stocks, periods, what comes back; and a wary verifier."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.datasets.goods import KINDS, goods
from govmatch.model.policy import Continuity, Stability
from tests.goods_towns import dense_goods_town, random_goods_town
from tests.naive_goods import GoodsWorld, best_cost_with_goods
from tests.towns import frame, free, random_policy, request, volunteer


def town(stock, asked, n=4, windows=None, **more):
    """C2 is 10 minutes from C1, where n helpers are free on Saturday and Sunday morning; C3 is apart."""
    windows = windows or ["sat 08:00-12:00"] * n
    return {
        "communities": frame(
            "community_id lat lon", *((f"C{i}", 30.5, 120.6) for i in (1, 2, 3))
        ),  # nobody reaches C3
        "agreements": frame("agreement_id from_id to_id kind", ("A1", "C1", "C2", "federation")),
        "volunteers": pd.DataFrame([volunteer(f"V{i}", "C1", lat=30.5, lon=120.6) for i in range(n)]),
        "availability": free(
            *((f"V{i}", f"{day} 08:00", f"{day} 12:00") for i in range(n) for day in ("sat", "sun"))
        ),
        "requests": pd.DataFrame([request(f"R{i}", "C1", window=w) for i, w in enumerate(windows)]),
        "goods": frame("owner_id good amount unit lent period", *stock),
        "request_goods": frame("request_id good amount", *asked),
        **more,
    }


def matched(*args, policy=None, incumbent=None, horizon=None, **more):
    problem = gm.Problem.from_tables(town(*args, **more), policy=policy, horizon=horizon)
    return gm.match(problem, incumbent=incumbent)


def sent(plan):
    return [(r.request_id, r.good, r.owner_id, r.amount) for r in plan.goods.itertuples()]


def told(plan):
    return dict(zip(plan.unmet["request_id"], plan.unmet["reason"], strict=True))


# against the oracle


def check_against_the_oracle(problem, incumbent=None):
    plan = gm.match(problem, incumbent=incumbent)
    announced = ()
    if incumbent is not None:
        start = incumbent["start"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[m]")
        announced = list(
            zip(
                *(incumbent[c] for c in ("request_id", "role", "provider_id")),
                start.astype(int).tolist(),
                strict=True,
            )
        )
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    best = best_cost_with_goods(problem, announced)
    assert bound <= best <= cost
    assert cost == best  # so small a town is solved whole
    assert plan.certificate.verified
    return plan


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), largest=st.integers(3, 9))
@example(seed=45, largest=6)  # starts on several days
def test_random_towns_with_goods(seed, largest):
    policy = random_policy(seed) if seed % 3 == 0 else gm.Policy()
    try:
        problem = gm.Problem.from_tables(random_goods_town(seed, largest), policy=policy)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    check_against_the_oracle(problem)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_towns_in_which_goods_decide(seed):
    try:
        problem = gm.Problem.from_tables(dense_goods_town(seed))
    except gm.InvalidTables:  # an agreement that ends before it begins
        reject()
    check_against_the_oracle(problem)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_goods_and_an_incumbent(seed):
    policy = replace(gm.Policy(), stability=Stability(25.0))
    try:
        problem = gm.Problem.from_tables(random_goods_town(seed, 7), policy=policy)
    except gm.InvalidTables:
        reject()
    before = gm.match(problem).assignments
    fewer = problem.tables["requests"].assign(priority=lambda r: 6 - r["priority"])
    tables = {**problem.tables, "requests": fewer}
    check_against_the_oracle(gm.Problem.from_tables(tables, policy=policy), before)


def test_the_oracle_knows_goods_as_the_tables_say_them():
    problem = gm.Problem.from_tables(random_goods_town(12, 7))
    world, goods_ = GoodsWorld(problem), problem.goods
    named = problem.demand.request_id[goods_.request]
    for r in world.requests:
        mine = named == r["request_id"]
        lots = dict(zip(goods_.kind[goods_.asked_kind[mine]], goods_.asked[mine].tolist(), strict=True))
        assert world.needs(r) == lots
    teams = [r["request_id"] for r in world.requests if world.team(r)[0]]
    assert teams == problem.demand.request_id[np.unique(problem.teams.request)].tolist()


@pytest.mark.parametrize("seed", [3, 8])
def test_the_order_of_rows_changes_no_cost(seed):
    tables = random_goods_town(seed, 8)
    first = gm.match(gm.Problem.from_tables(tables))
    again = gm.match(gm.Problem.from_tables(tables))
    pd.testing.assert_frame_equal(first.goods, again.goods)
    shuffled = {name: t.sample(frac=1, random_state=seed) for name, t in tables.items()}
    other = gm.match(gm.Problem.from_tables(shuffled))
    assert other.certificate.primal == first.certificate.primal


# what stocks do


def test_a_request_draws_from_several_owners_and_the_near_come_first():
    stock = [("C1", "rice", 4.0, "kg", False, None), ("C2", "rice", 9.0, "kg", False, None)]
    plan = matched(stock, [("R0", "rice", 10.0)], n=1)
    assert sent(plan) == [("R0", "rice", "C1", 4.0), ("R0", "rice", "C2", 6.0)]
    assert plan.goods["cost_minutes"].tolist() == [0.0, 6.0]  # 10 minutes for ten lots


def test_lots_are_the_greatest_common_divisor_of_what_is_asked():
    stock = [("C1", "rice", 4.03, "kg", False, None), ("C2", "rice", 9.0, "kg", False, None)]
    asked = [("R0", "rice", 10.0), ("R1", "rice", 2.0)]
    problem = gm.Problem.from_tables(town(stock, asked, n=2))
    assert problem.goods.lot.tolist() == [2_000_000]
    assert problem.goods.stock.tolist() == [2, 4]
    plan = gm.match(problem)
    assert sent(plan) in (
        [("R0", "rice", "C1", 4.0), ("R0", "rice", "C2", 6.0), ("R1", "rice", "C2", 2.0)],
        [("R0", "rice", "C1", 2.0), ("R0", "rice", "C2", 8.0), ("R1", "rice", "C1", 2.0)],
    )
    # 10 minutes for five lots of a request, 10 minutes for its only one
    assert plan.goods["cost_minutes"].sum() == pytest.approx(min(3 * 2.0 + 10.0, 4 * 2.0))
    assert plan.goods.loc[plan.goods["owner_id"] == "C2", ["route", "hops"]].to_numpy().tolist() == [
        ["C1 > C2", 1]
    ]
    left = plan.stock.set_index("owner_id")[["stock", "used", "left"]]
    assert left.loc["C1"].tolist() == pytest.approx([4.03, 4.0, 0.03])
    assert left.loc["C2"].tolist() == pytest.approx([9.0, 8.0, 1.0])
    assert plan.certificate.primal == pytest.approx(8.0)


def test_nothing_is_overdrawn_and_the_dearest_to_leave_goes_first():
    plan = matched(
        [("C1", "rice", 5.0, "kg", False, None)],
        [("R0", "rice", 5.0), ("R1", "rice", 5.0)],
        n=2,
    )
    assert len(plan.goods) == 1
    assert sorted(told(plan).values()) == ["goods"]
    assert plan.unmet["reason_zh"].tolist() == ["可及范围内所需物资余量不足"]
    assert plan.stock["price_minutes"].iloc[0] > 0


def test_a_request_without_its_goods_sends_nobody():
    plan = matched([("C3", "rice", 5.0, "kg", False, None)], [("R0", "rice", 5.0), ("R1", "beds", 1.0)], n=3)
    assert told(plan) == {"R0": "goods", "R1": "no_such_goods"}  # C3 is out of reach
    assert set(plan.assignments["request_id"]) == {"R2"}
    assert plan.goods.empty
    assert list(plan.goods.columns)[:4] == ["request_id", "good", "owner_id", "amount"]


def test_without_a_table_of_goods_nobody_owns_any():
    tables = town([], [("R0", "rice", 5.0)], n=2)
    del tables["goods"]
    plan = gm.match(gm.Problem.from_tables(tables))
    assert told(plan) == {"R0": "no_such_goods"}
    assert plan.unmet["reason_zh"].tolist() == ["所需物资无人持有"]
    assert plan.stock.empty


def test_the_reason_of_people_comes_first():
    tables = town([], [("R0", "rice", 5.0)], n=1)
    tables["requests"]["skill"] = "singing"
    plan = gm.match(gm.Problem.from_tables(tables))
    assert told(plan) == {"R0": "no_such_service"}


def test_what_is_lent_is_back_the_next_day():
    stock = [("C1", "wheelchairs", 1.0, "piece", True, None)]
    asked = [(f"R{i}", "wheelchairs", 1.0) for i in range(3)]
    plan = matched(stock, asked, n=3, windows=["sat 08:00-12:00", "sat 08:00-12:00", "sun 08:00-12:00"])
    assert plan.goods["day"].dt.day.tolist() == [21, 22]
    assert plan.goods["lent"].tolist() == [True, True]
    assert plan.goods["period_end"].dt.strftime("%d %H:%M").tolist() == ["22 00:00", "23 00:00"]
    assert list(told(plan).values()) == ["goods"]
    consumed = [("C1", "wheelchairs", 1.0, "piece", False, None)]
    assert (
        len(matched(consumed, asked, n=3, windows=["sat 08:00-12:00"] * 2 + ["sun 08:00-12:00"]).goods) == 1
    )


def test_a_window_of_two_days_starts_on_the_day_that_has_the_goods():
    stock = [("C1", "beds", 1.0, "piece", True, None)]
    tables = town(stock, [("R0", "beds", 1.0), ("R1", "beds", 1.0)], n=2)
    tables["requests"].loc[1, "latest"] += pd.Timedelta(days=1)
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.unmet.empty
    days = dict(zip(plan.goods["request_id"], plan.goods["day"].dt.day, strict=True))
    assert days == {"R0": 21, "R1": 22}
    at = plan.assignments.set_index("request_id")["start"].dt.strftime("%d %H:%M")
    assert at.to_dict() == {"R0": "21 08:00", "R1": "22 08:00"}


@pytest.mark.parametrize(
    ("period", "days", "served"),
    [
        ("horizon", ("11-21", "11-22", "11-23", "12-01"), 1),
        ("month", ("11-21", "11-22", "11-23", "12-01"), 2),
        ("week", ("11-21", "11-22", "11-23", "12-01"), 3),
        ("day", ("11-21", "11-22", "11-23", "12-01"), 4),
    ],
)
def test_money_is_a_stock_with_a_budget_per_period(period, days, served):
    stock = [("C1", "yuan", 500.0, "yuan", False, period)]
    tables = town(stock, [(f"R{i}", "yuan", 300.0 + 200 * (i == 0)) for i in range(4)])
    tables["request_goods"]["amount"] = 500.0
    for column, clock in (("earliest", "08:00"), ("latest", "12:00")):
        tables["requests"][column] = [pd.Timestamp(f"2026-{day} {clock}", tz="Asia/Shanghai") for day in days]
    tables["availability"] = pd.DataFrame(
        [{"provider_id": "V0", "start": f"2026-{day} 08:00", "end": f"2026-{day} 12:00"} for day in days]
    )
    plan = gm.match(gm.Problem.from_tables(tables))
    assert len(plan.goods) == served
    assert len(plan.stock) == {"horizon": 1, "month": 2, "week": 3, "day": 11}[period]
    assert (plan.stock["left"] >= 0).all()


def test_a_team_needs_its_goods_and_takes_them_once():
    tables = town(
        [("C2", "kits", 3.0, "piece", False, None)], [("R0", "kits", 2.0)], n=3, windows=["sat 08:00-12:00"]
    )
    tables["requests"]["people"], tables["requests"]["min_serve"] = 4, 2
    plan = gm.match(gm.Problem.from_tables(tables))
    assert len(plan.assignments) == 3
    assert sent(plan) == [("R0", "kits", "C2", 2.0)]
    assert plan.unmet[["people", "reason"]].to_numpy().tolist() == [[1, "capacity"]]
    tables["goods"]["amount"] = 1.0
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.assignments.empty
    assert told(plan) == {"R0": "goods"}


def test_several_people_who_come_in_part_take_all_goods():
    tables = town(
        [("C1", "rice", 5.0, "kg", False, None)], [("R0", "rice", 5.0)], n=2, windows=["sat 08:00-10:00"]
    )
    tables["requests"]["people"] = 3
    plan = gm.match(gm.Problem.from_tables(tables))
    assert len(plan.assignments) == 2
    assert sent(plan) == [("R0", "rice", "C1", 5.0)]
    assert told(plan) == {"R0": "capacity"}


def test_an_agreement_that_ends_closes_the_way_to_the_goods():
    stock = [("C2", "rice", 9.0, "kg", False, None)]
    windows = ["sat 08:00-12:00", "sun 08:00-12:00"]
    tables = town(stock, [("R0", "rice", 1.0), ("R1", "rice", 1.0)], n=2, windows=windows)
    tables["agreements"]["valid_to"] = "2026-11-21"
    plan = gm.match(gm.Problem.from_tables(tables))
    assert sent(plan) == [("R0", "rice", "C2", 1.0)]
    assert told(plan) == {"R1": "goods"}


def test_pins_are_about_people_and_quotas_about_jobs():
    tables = town([("C2", "rice", 9.0, "kg", False, None)], [("R0", "rice", 1.0), ("R1", "rice", 1.0)], n=3)
    tables["agreements"]["quota_per_week"] = 1
    tables["pins"] = frame("request_id provider_id action", ("R0", "V1", "assign"), ("R1", "V0", "forbid"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.unmet.empty
    assert len(plan.goods) == 2  # both pass the agreement, and only jobs count
    who = dict(zip(plan.assignments["request_id"], plan.assignments["provider_id"], strict=True))
    assert who["R0"] == "V1"
    assert who["R1"] != "V0"


def test_who_is_assigned_goes_first_to_the_goods():
    tables = town([("C1", "rice", 1.0, "kg", False, None)], [("R0", "rice", 1.0), ("R1", "rice", 1.0)], n=2)
    tables["requests"]["priority"] = [5, 1]
    tables["pins"] = frame("request_id provider_id action", ("R1", "V1", "assign"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert sent(plan) == [("R1", "rice", "C1", 1.0)]
    assert told(plan) == {"R0": "goods"}
    tables["pins"] = frame("request_id provider_id action", ("R0", "V0", "assign"), ("R1", "V1", "assign"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert len(plan.goods) == 1
    assert plan.certificate.gap == 0
    assert set(told(plan).values()) == {"goods"}


def test_each_visit_takes_its_own_amount():
    tables = town([("C1", "pads", 2.0, "pack", False, None)], [("R0", "pads", 1.0)], n=1)
    tables["visits"] = frame("request_id weekdays weeks", ("R0", "sat,sun,mon", 1))
    tables["availability"] = pd.DataFrame(
        [
            {"provider_id": "V0", "start": f"2026-11-{day} 08:00", "end": f"2026-11-{day} 12:00"}
            for day in range(21, 29)
        ]
    )
    policy = replace(gm.Policy(), continuity=Continuity(0.0, 0.0))
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
    assert len(plan.assignments) == 2
    assert plan.goods["amount"].tolist() == [1.0, 1.0]
    assert list(told(plan).values()) == ["goods"]
    assert plan.goods["request_id"].str.startswith("R0@2026-11-2").all()
    few = gm.match(gm.Problem.from_tables(tables))  # where further faces cost something
    assert few.goods["amount"].tolist() == [1.0, 1.0]
    assert few.certificate.termination == "optimal"


def test_goods_of_a_linked_report_are_not_asked_twice():
    tables = town([("C1", "rice", 1.0, "kg", False, None)], [("R0", "rice", 1.0), ("R1", "rice", 0.7)], n=2)
    tables["requests"]["duplicate_of"] = [None, "R0"]
    plan = gm.match(gm.Problem.from_tables(tables))
    assert sent(plan) == [("R0", "rice", "C1", 1.0)]


def test_nothing_asked_is_nothing_needed():
    problem = gm.Problem.from_tables(town([("C1", "rice", 1.0, "kg", False, None)], [("R0", "rice", 0.0)]))
    assert problem.features == frozenset()
    assert gm.match(problem).unmet.empty


# what is refused


def test_a_flow_alone_refuses_goods():
    problem = gm.Problem.from_tables(town([], [("R0", "rice", 1.0)]))
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: goods"):
        gm.match(problem, method="flow")


BAD = {
    "a negative stock": (
        [("C1", "rice", -1.0, "kg", False, None)],
        [("R0", "rice", 1.0)],
        ("goods", "amount", "-1"),
    ),
    "a negative wish": ([], [("R0", "rice", -2.0)], ("request_goods", "amount", "-2")),
    "no number": ([], [("R0", "rice", "some")], ("request_goods", "amount", "some")),
    "an unknown owner": (
        [("X9", "rice", 1.0, "kg", False, None)],
        [],
        ("goods", "owner_id", "'X9' is not in communities or party_units or organizations"),
    ),
    "lent for a week": (
        [("C1", "beds", 1.0, "piece", True, "week")],
        [],
        ("goods", "period", "the goods are lent and the period is 'week'; expected day or nothing"),
    ),
    "another period": (
        [("C1", "beds", 1.0, "piece", False, "year")],
        [],
        ("goods", "period", "'year'"),
    ),
    "twice": (
        [("C1", "rice", 1.0, "kg", False, None), ("C1", "rice", 2.0, "kg", False, None)],
        [],
        ("goods", "owner_id", "an earlier row has the same owner_id, good"),
    ),
    "another unit": (
        [
            ("C1", "rice", 9.0, "kg", False, None),
            ("C3", "rice", 9.0, "", False, None),
            ("C2", "rice", 1.0, "t", False, None),
        ],
        [],
        ("goods", "unit", "'t' is the unit of 'rice', and 'kg' is in row 0; expected one unit"),
    ),
    "too many lots": (
        [],
        [("R0", "yuan", 1000.01), ("R1", "yuan", 20.0)],
        (
            "request_goods",
            "amount",
            "1000.01 of 'yuan' is more than 1,000 lots of 0.01, the greatest common divisor of what requests "
            "ask of it; expected fewer: round the amounts",
        ),
    ),
    "next to nothing": (
        [],
        [("R0", "yuan", 1e-9)],
        ("request_goods", "amount", "1e-09 is asked for; expected 0 or at least a millionth"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables(name):
    stock, asked, (table, column, words) = BAD[name]
    tables = town(stock, asked)
    for one in ("goods", "request_goods"):
        if not len(tables[one]):
            del tables[one]
    with pytest.raises(gm.InvalidTables) as fault:
        gm.Problem.from_tables(tables)
    rows = fault.value.violations
    rows = rows[(rows["table"] == table) & (rows["column"] == column)]
    assert rows["message"].str.contains(words, regex=False).any(), fault.value.violations.to_string()


def test_faulty_goods_can_be_dropped():
    tables = town([("C1", "rice", -1.0, "kg", False, None)], [("R0", "rice", -1.0)], n=2)
    problem = gm.Problem.from_tables(tables, on_error="drop")
    assert gm.match(problem).assignments["request_id"].tolist() == ["R1"]


# what is told


@pytest.fixture(scope="module")
def plan():
    stock = [
        ("C1", "rice", 3.0, "kg", False, None),
        ("C2", "rice", 5.0, "kg", False, "week"),
        ("C3", "rice", 50.0, "kg", False, None),
        ("C1", "chairs", 1.0, "piece", True, None),
    ]
    asked = [("R0", "rice", 5.0), ("R1", "rice", 3.0), ("R2", "chairs", 1.0), ("R3", "rice", 4.0)]
    tables = town(stock, asked)
    tables["requests"]["priority"] = [5, 4, 3, 1]
    return gm.match(gm.Problem.from_tables(tables))


def test_explain_tells_what_comes_from_whom_and_what_is_missing(plan):
    rows = gm.explain(plan, "R0").goods
    assert rows[["good", "asked"]].drop_duplicates().to_numpy().tolist() == [["rice", 5.0]]
    assert rows["sent"].sum() == 5.0
    assert (rows["missing"] == 0).all()
    lacking = gm.explain(plan, "R3")
    assert lacking.reason == "goods"
    assert lacking.goods["missing"].tolist() == [4.0] * 3
    assert lacking.goods.loc[~lacking.goods["reached"], ["owner_id", "left"]].to_numpy().tolist() == [
        ["C3", 50.0]
    ]
    assert "too little of the goods that it needs is left" in str(lacking)
    assert "物资" in lacking._repr_html_()
    assert gm.explain(matched([], [("R0", "rice", 1.0)], n=1), "R0").goods["owner_id"].tolist() == [None]
    assert gm.explain(
        matched([("C1", "rice", 1.0, "kg", False, None)], [("R0", "rice", 1.0)], n=2), "R1"
    ).goods.empty


def test_explain_shows_a_few_of_many_owners():
    owners = [(f"C{i}", "rice", float(i), "kg", False, None) for i in range(1, 9)]
    tables = {
        "communities": frame("community_id lat lon", *((f"C{i}", 30.5, 120.6) for i in range(1, 9))),
        "agreements": frame(
            "agreement_id from_id to_id kind", *((f"A{i}", "C1", f"C{i}", "federation") for i in range(2, 9))
        ),
    }
    plan = matched(owners, [("R0", "rice", 1.0)], n=1, **tables)
    told = gm.explain(plan, "R0").goods
    assert told["owner_id"].tolist() == ["C1", "C8", "C7", "C6"]


def test_goods_are_among_the_files(plan, tmp_path):
    names = {path.name for path in plan.to_csv(tmp_path)}
    assert {"goods.csv", "stock.csv"} <= names
    assert '"owner_id": "C2"' in plan.to_json()


def test_goods_have_a_sheet_of_their_own(plan, tmp_path):
    written = {path.name: path for path in gm.write_sheets(plan, tmp_path)}
    text = written["物资单.csv"].read_text(encoding="utf-8-sig")
    assert "次日归还 next day" in text
    assert "R0" in text
    assert "物资单.xlsx" in written
    assert not any("物资单" in path.name for path in gm.write_sheets(plan, tmp_path, outside=True))


def test_stocks_are_no_providers(plan):
    assert plan.funnel["pairs"].sum() == 4 * 4
    assert set(plan.alternates["provider_id"]) <= {f"V{i}" for i in range(4)}
    assert plan.search.instance.request.max() < 4


# tampering


def row(frame, request_id, owner_id=None):
    found = frame["request_id"] == request_id
    return found & (frame["owner_id"] == owner_id) if owner_id else found


def changed(frame, where, **cells):
    frame = frame.copy()
    for name, value in cells.items():
        frame.loc[where, name] = value
    return frame


def added(frame, like, **cells):
    return pd.concat([frame, frame[like].head(1).assign(**cells)], ignore_index=True)


DAY = pd.Timedelta(days=1)
TAMPERED = {
    "too little": (
        "goods_missing",
        "2 of 'rice' go to it; 3 are asked",
        lambda g: changed(
            g,
            row(g, "R1") & (g["amount"] == g.loc[row(g, "R1"), "amount"].max()),
            amount=g.loc[row(g, "R1"), "amount"].max() - 1,
        ),
    ),
    "nothing": ("goods_missing", "0 of 'chairs' go to it; 1 are asked", lambda g: g[~row(g, "R2")]),
    "too much": (
        "goods_exceeded",
        "2 of 'chairs' go to it; 1 are asked",
        lambda g: changed(g, row(g, "R2"), amount=2.0),
    ),
    "more than there is": (
        "stock_exceeded",
        "2 of 'chairs' are used from 2026-11-21 on; the stock is 1, in lots of 1",
        lambda g: changed(g, row(g, "R2"), amount=2.0),
    ),
    "half a lot": (
        "goods_amount",
        "0.5 of 'chairs'; expected whole lots of 1",
        lambda g: changed(g, row(g, "R2"), amount=0.5),
    ),
    "less than nothing": (
        "goods_amount",
        "-1 of 'chairs'",
        lambda g: changed(g, row(g, "R2"), amount=-1.0),
    ),
    "for an unserved request": (
        "goods_for_nobody",
        "1 of 'rice' go to it and nobody does",
        lambda g: added(g, row(g, "R1"), request_id="R3", amount=1.0),
    ),
    "not asked": (
        "goods_not_asked",
        "'rice' goes to it, which it does not ask for",
        lambda g: added(g, row(g, "R1"), request_id="R2"),
    ),
    "for nobody known": (
        "unknown_request",
        "plan.goods names a request",
        lambda g: added(g, row(g, "R1"), request_id="R99"),
    ),
    "from who has none": (
        "goods_unowned",
        "'chairs' comes from 'C2', who owns none",
        lambda g: changed(g, row(g, "R2"), owner_id="C2"),
    ),
    "from out of reach": (
        "forbidden_path",
        "no permitted path joins the community and the owner",
        lambda g: changed(g, row(g, "R1"), owner_id="C3"),
    ),
    "another way": (
        "forbidden_path",
        "does not lead from 'C1' to 'C1'",
        lambda g: changed(g, row(g, "R2"), route="C1 > C2"),
    ),
    "a detour": (
        "path_not_cheapest",
        "the route costs 20.00 minutes; the cheapest permitted one 0.00",
        lambda g: changed(g, row(g, "R2"), route="C1 > C2 > C1"),
    ),
    "hops": ("wrong_hops", "hops is 3; the route has 0", lambda g: changed(g, row(g, "R2"), hops=3)),
    "cost": (
        "wrong_goods_cost",
        "cost_minutes is 1.00; 0.00 by the way",
        lambda g: changed(g, row(g, "R2"), cost_minutes=1.0),
    ),
    "another day": (
        "wrong_day",
        "day is 2026-11-22; the service starts on 2026-11-21",
        lambda g: changed(g, row(g, "R2"), day=g["day"] + DAY),
    ),
    "no day": (
        "wrong_day",
        "day is no date",
        lambda g: changed(g, row(g, "R2"), day=pd.NaT),
    ),
    "another period": (
        "wrong_period",
        "period_start is 2026-11-21T16:00Z; expected 2026-11-20T16:00Z, by day",
        lambda g: changed(g, row(g, "R2"), period_start=g["period_start"] + DAY),
    ),
    "unit": (
        "goods_wrong",
        "unit 'kg' and lent True; expected 'piece' and True",
        lambda g: changed(g, row(g, "R2"), unit="kg"),
    ),
    "lent": (
        "goods_wrong",
        "lent False; expected 'piece' and True",
        lambda g: g.assign(lent=[x and r != "R2" for x, r in zip(g["lent"], g["request_id"], strict=True)]),
    ),
    "a row in two": (
        "goods_twice",
        "'rice' from 'C1' stands in plan.goods twice",
        lambda g: pd.concat([g, g[row(g, "R1", "C1")]], ignore_index=True),
    ),
    "one kind on another day": (
        "wrong_day",
        "its goods are of 2026-11-21, 2026-11-22; a service starts on one day",
        lambda g: added(g, row(g, "R1"), day=g.loc[row(g, "R1"), "day"].head(1) + DAY),
    ),
    "a column is missing": ("missing_column", "no column 'day'", lambda g: g.drop(columns="day")),
    "no frame": ("malformed", "plan.goods is a dict", lambda g: g.to_dict()),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_with_goods_is_found(plan, name):
    code, words, change = TAMPERED[name]
    faults = gm.verify(plan.problem, replace(plan, goods=change(plan.goods))).faults
    said = faults.loc[faults["code"] == code, "message"].tolist()
    assert any(words in text for text in said), faults.to_string()


def test_the_cost_of_goods_is_in_the_certificate(plan):
    assert gm.verify(plan.problem, plan).ok
    less = plan.certificate.primal - plan.goods["cost_minutes"].sum()
    assert less < plan.certificate.primal
    certificate = replace(plan.certificate, primal=less, bound=less)
    faults = gm.verify(plan.problem, replace(plan, certificate=certificate)).faults
    assert "primal_wrong" in faults["code"].tolist()


STOCK = {
    "left": ("expected 3, 3, 0", lambda s: changed(s, s.index == 0, left=1.0)),
    "a row twice": ("stands in plan.stock twice", lambda s: pd.concat([s, s.head(1)], ignore_index=True)),
    "a row less": ("'rice': a period is missing", lambda s: s.iloc[1:]),
    "unknown": ("the tables hold no such stock", lambda s: changed(s, s.index == 0, owner_id="C9")),
    "price": ("price_minutes is -1", lambda s: changed(s, s.index == 0, price_minutes=-1.0)),
}


@pytest.mark.parametrize("name", STOCK)
def test_tampering_with_stocks_is_found(plan, name):
    words, change = STOCK[name]
    faults = gm.verify(plan.problem, replace(plan, stock=change(plan.stock))).faults
    said = faults.loc[faults["code"] == "stock_wrong", "message"].tolist()
    assert any(words in text for text in said), faults.to_string()


@pytest.mark.parametrize(
    ("stock", "asked", "reason", "zh", "words"),
    [
        (1.0, "rice", "hours", None, "too little of what it needs is left in reach"),
        (9.0, "rice", "goods", "可及范围内所需物资余量不足", "enough of what it needs is left in reach"),
        (1.0, "rice", "capacity", None, "too little of what it needs is left in reach"),
        (1.0, "beds", "goods", "可及范围内所需物资余量不足", "nobody owns 'beds'"),
        (9.0, "rice", "no_such_goods", "所需物资无人持有", "enough of what it needs is left in reach"),
    ],
)
def test_a_reason_about_goods_must_be_true(stock, asked, reason, zh, words):
    tables = town(
        [("C1", "rice", stock, "kg", False, None)], [("R0", asked, 2.0)], n=1, windows=["sat 08:00-12:00"] * 2
    )
    tables["requests"]["priority"] = [1, 5]
    tables["volunteers"]["max_minutes_per_week"] = 60
    told_ = gm.match(gm.Problem.from_tables(tables))
    from govmatch.plan.reasons import REASONS

    unmet = told_.unmet.assign(reason=reason, reason_zh=zh or REASONS[reason][1])
    if told_.unmet.empty:
        pytest.fail("nothing is unmet")
    faults = gm.verify(told_.problem, replace(told_, unmet=unmet)).faults
    said = faults.loc[faults["code"] == "reason_wrong", "message"].tolist()
    assert any(words in text for text in said), faults.to_string()


# a day of Haining


@pytest.fixture(scope="module")
def day():
    tables = gm.datasets.xishan(seed=3, requests=200, coupled=0.1)
    return gm.Problem.from_tables({**tables, **goods(tables, 3, 0.3)})


def test_a_day_with_goods_and_teams_has_a_plan_and_a_bound_close_to_it(day):
    plan = gm.match(day)
    assert plan.certificate.verified
    assert plan.certificate.gap <= 0.02
    assert len(plan.goods) > 20
    assert (plan.stock["left"] >= 0).all()


@pytest.mark.parametrize("limit", [0.05, 0.5])
def test_a_time_limit_leaves_a_verified_plan(day, limit):
    plan = gm.match(day, time_limit=limit)
    assert plan.certificate.verified
    assert plan.certificate.bound <= plan.certificate.primal


def test_cancelled_before_it_began(day):
    stop = threading.Event()
    stop.set()
    plan = gm.match(day, cancel=stop)
    assert plan.certificate.termination == "cancelled"
    assert plan.goods.empty


def test_few_candidates_at_first_and_pricing_prove_the_same(monkeypatch):
    problem = gm.Problem.from_tables(random_goods_town(8, 9))
    first = gm.match(problem).certificate
    monkeypatch.setattr("govmatch.reach.stock.ROOM", 0)
    monkeypatch.setattr("govmatch.reach.stock.CLOSEST", 1)
    few = gm.match(problem).certificate
    assert few.bound <= first.primal <= few.primal


def test_pricing_brings_the_owners_that_were_left_out_at_first(monkeypatch):
    monkeypatch.setattr("govmatch.reach.stock.ROOM", 1)
    monkeypatch.setattr("govmatch.reach.stock.CLOSEST", 1)
    stock = [("C1", "rice", 1.0, "kg", False, None), ("C2", "rice", 5.0, "kg", False, None)]
    plan = matched(stock, [(f"R{i}", "rice", 1.0) for i in range(3)], n=3)
    assert plan.unmet.empty
    assert plan.certificate.rounds > 1
    assert plan.certificate.gap == 0
    assert sorted(plan.goods["owner_id"]) == ["C1", "C2", "C2"]


def test_synthetic_goods_are_of_those_who_are_there():
    tables = gm.datasets.xishan(seed=1, requests=120)
    made = goods(tables, 1, 0.2)
    assert set(made) == {"goods", "request_goods"}
    owners = {*tables["organizations"]["organization_id"], *tables["communities"]["community_id"]}
    assert set(made["goods"]["owner_id"]) <= owners
    assert set(made["goods"]["good"]) == {kind.name for kind in KINDS}
    free_ = tables["requests"]["duplicate_of"].isna().sum()
    assert made["request_goods"]["request_id"].nunique() == round(0.2 * free_)
    again = goods(tables, 1, 0.2)
    pd.testing.assert_frame_equal(made["request_goods"], again["request_goods"])
    assert goods(tables, 1, 0.0)["request_goods"].empty
    with pytest.raises(gm.InvalidInput, match="share is 2; expected a share from 0 to 1"):
        goods(tables, 1, 2)

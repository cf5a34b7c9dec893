"""Few faces for each recurring request: against a mixed-integer program, and tampered with."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import govmatch as gm
from govmatch.model.policy import Continuity
from govmatch.reporting.console import certificate_text
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.series import Search, raise_prices
from govmatch.solve.series_bound import series_bound
from govmatch.solve.series_instance import SeriesInstance, faces_cost, total_cost
from tests import naive
from tests.recurring import recurring_town

SEEDS = range(40)


def both(seed):
    tables, flat, series, policy, horizon = recurring_town(seed)
    problem = gm.Problem.from_tables(tables, policy=policy, horizon=horizon)
    return problem, gm.Problem.from_tables(flat, policy=policy, horizon=horizon), series


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_price_of_faces_recurrence_is_served_exactly(seed):
    tables, flat, _, policy, horizon = recurring_town(seed)
    policy = replace(policy, continuity=Continuity(0.0, 0.0))
    if "visits" in tables:
        tables["visits"] = tables["visits"].drop(columns="faces")
    problem = gm.Problem.from_tables(tables, policy=policy, horizon=horizon)
    written = gm.Problem.from_tables(flat, policy=policy, horizon=horizon)
    assert sorted(problem.demand.request_id) == sorted(written.demand.request_id)
    plan = gm.match(problem)
    assert plan.certificate.termination == "optimal"
    assert round(plan.certificate.primal * 100) == naive.optimal_cost(written)


def test_the_bound_is_below_and_the_plan_near_the_optimum():
    exact, found = 0, 0
    for seed in SEEDS:
        problem, written, series = both(seed)
        plan = gm.match(problem)
        best = naive.optimum(written, series)[0]
        primal, bound = (round(100 * x) for x in (plan.certificate.primal, plan.certificate.bound))
        assert bound <= best <= primal, seed
        exact += primal == best
        found += 1
        for one in series:
            mine = plan.assignments[plan.assignments["request_id"].isin(one["requests"])]
            assert mine["provider_id"].nunique() <= one["most"]
    assert exact >= 0.9 * found  # 36 of 40


def company(weeks=4, **visits):
    """An elder whom either of two carers can visit on Tuesdays; the nearer one misses the second week."""
    tuesdays = pd.date_range("2026-05-05", periods=weeks, freq="7D").strftime("%Y-%m-%d")
    free = [("V1", day) for i, day in enumerate(tuesdays) if i != 1] + [("V2", day) for day in tuesdays]
    return {
        "communities": pd.DataFrame({"community_id": ["C"], "lat": [30.5], "lon": [120.7]}),
        "volunteers": pd.DataFrame(
            {
                "volunteer_id": ["V1", "V2"],
                "community_id": ["C", "C"],
                "lat": [30.50, 30.52],
                "lon": [120.70, 120.70],
            }
        ),
        "availability": pd.DataFrame(
            {
                "provider_id": [who for who, _ in free],
                "start": [f"{day} 08:00" for _, day in free],
                "end": [f"{day} 12:00" for _, day in free],
            }
        ),
        "requests": pd.DataFrame(
            {
                "request_id": ["E"],
                "community_id": ["C"],
                "earliest": ["2026-05-05 09:00"],
                "latest": ["2026-05-05 11:00"],
                "lat": [30.5],
                "lon": [120.7],
            }
        ),
        "visits": pd.DataFrame({"request_id": ["E"], "weeks": [weeks], **visits}),
    }


def matched(tables, face=60.0, known=30.0, **more):
    policy = replace(gm.Policy(), continuity=Continuity(face, known))
    return gm.match(gm.Problem.from_tables(tables, policy=policy), **more)


def faces(plan):
    return plan.assignments["provider_id"].tolist()


def test_one_face_where_a_further_one_costs_more_than_the_way():
    cheap = matched(company(), face=1.0)
    assert faces(cheap) == ["V1", "V2", "V1", "V1"]
    assert cheap.assignments["face_cost"].tolist() == [0, 1, 0, 0]
    dear = matched(company(), face=60.0)
    assert faces(dear) == ["V2"] * 4
    assert dear.assignments["face_cost"].sum() == 0
    for plan in (cheap, dear):
        assert plan.certificate.termination == "optimal"
        assert plan.certificate.gap == 0


def test_whoever_served_before_comes_first():
    tables = company()
    tables["residents"] = pd.DataFrame({"resident_id": ["P"]})
    tables["requests"]["resident_id"] = "P"
    tables["history"] = pd.DataFrame(
        {"request_id": ["old"], "provider_id": ["V1"], "resident_id": ["P"], "start": ["2026-04-01"]}
    )
    plan = matched(tables, face=1.0, known=500.0)
    assert faces(plan) == ["V1"] * 3
    assert plan.unmet["request_id"].tolist() == ["E@2026-05-12"]
    plan = matched(tables, face=1.0, known=5.0)
    assert plan.assignments["face_cost"].tolist() == [0, 6, 0, 0]


def test_no_more_faces_than_allowed():
    tables = company(faces=[1])
    tables["availability"] = tables["availability"].iloc[:-1]  # the other one misses the last week
    plan = matched(tables, face=0.0, known=0.0)
    assert len(set(faces(plan))) == 1
    assert plan.unmet["reason"].tolist() == ["faces"]
    assert plan.unmet["reason_zh"].tolist() == ["已有服务者无空闲,且不得再换新面孔"]
    assert plan.certificate.gap == 0
    free = matched(company(), face=0.0)
    assert faces(free) == ["V1", "V2", "V1", "V1"]


def test_explained_as_a_whole_and_visit_by_visit():
    plan = matched(company(faces=[1]), face=1.0)
    told = gm.explain(plan, "E")
    assert told.status == "recurring"
    assert told.visits["request_id"].tolist() == [f"E@2026-05-{day:02d}" for day in (5, 12, 19, 26)]
    assert str(told).startswith("E: 4 of 4 visits by 1 face(s) 4 次服务,4 次已派,1 人")
    assert "visits 定期服务" in told._repr_html_()
    assert gm.explain(plan, "E@2026-05-12").status == "served"
    with pytest.raises(gm.UnknownId, match="no request 'E@2026-05-13'"):
        gm.explain(plan, "E@2026-05-13")


@pytest.mark.parametrize("limit", [1e-6, 0.2])
def test_a_limit_gives_a_verified_plan_within_the_caps(limit):
    plan = matched(company(faces=[1]), time_limit=limit)
    assert plan.certificate.verified
    assert len(set(faces(plan))) <= 1
    assert plan.certificate.termination in ("time_limit", "optimal")


# the verifier


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"face_cost": [0, 0, 0, 0], "cost_minutes": -1.0},
            "wrong_face_cost",
            "face_cost is 0.00; 1.00 by the faces that came before",
        ),
        (
            {"request_id": {1: "E@2026-05-13"}},
            "unknown_request",
            "the tables hold no such request",
        ),
        (
            {"start": {1: "2026-05-13 09:00"}, "end": {1: "2026-05-13 10:00"}},
            "outside_window",
            "leaves the window 2026-05-12T01:00Z to 2026-05-12T03:00Z",
        ),
    ],
)
def test_the_verifier_sees_wrong_dates_and_face_costs(change, code, message):
    plan = matched(company(), face=1.0)
    frame = plan.assignments.copy()
    for column, cells in change.items():
        if isinstance(cells, dict):
            for row, cell in cells.items():
                zone = frame[column].dt.tz if column in ("start", "end") else None
                frame.loc[row, column] = cell if zone is None else pd.Timestamp(cell, tz=zone)
        elif isinstance(cells, list):
            frame[column] = np.array(cells, dtype=float)
        else:
            frame.loc[1, column] += cells
    faults = gm.verify(plan.problem, replace(plan, assignments=frame)).faults
    assert code in set(faults["code"])
    assert message in " ".join(faults["message"])


def test_the_verifier_counts_faces_by_itself():
    plan = matched(company(), face=1.0)
    limited = gm.Problem.from_tables(company(faces=[1]), policy=plan.problem.policy)
    faults = gm.verify(limited, plan).faults
    assert "too_many_faces" in set(faults["code"])
    assert "more than 1 different providers serve the visits of 'E'" in " ".join(faults["message"])
    moved = company()
    moved["visits"]["start"] = ["2026-05-12"]
    elsewhere = gm.Problem.from_tables(
        moved, policy=plan.problem.policy, horizon=("2026-05-01", "2026-06-30")
    )
    assert "unknown_request" in set(gm.verify(elsewhere, plan).faults["code"])


def test_the_verifier_knows_who_may_say_faces():
    plan = matched(company(weeks=2), face=1.0)
    limited = matched(company(faces=[1]), face=1.0)
    assert limited.unmet.empty
    tables = company(faces=[1])
    tables["availability"] = tables["availability"].iloc[:-1]
    full = matched(tables, face=1.0)
    unmet = full.unmet.assign(reason="capacity", reason_zh=gm.plan.reasons.REASONS["capacity"][1])
    faults = gm.verify(full.problem, replace(full, unmet=unmet)).faults
    assert "as many providers as it may have" in " ".join(faults["message"])
    assert plan.certificate.verified


# on arrays


def series_of(seed):
    """A random instance of a few series, with slots, weeks above them and load costs."""
    rng = np.random.default_rng(seed)
    n_series, visits, people = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 5))
    n = n_series * visits
    slots = people * visits
    request, node = np.nonzero(rng.random((n, slots)) < 0.5)
    keep = node // people == request % visits  # slots of that week
    request, node = request[keep], node[keep]
    units = np.where(rng.random(n) < 0.2, 2, 1) if rng.random() < 0.3 else np.ones(n, np.int64)
    alone = rng.random() < 0.3
    series = np.where(alone & (np.arange(n) >= n - visits), -1, np.arange(n) // visits)
    units = np.where(series >= 0, units[np.arange(n) // visits * visits], units).astype(np.int64)
    total = n_series - int(alone)
    face = node % people
    flow = Instance(
        request=request,
        node=node,
        group=face,
        cost=rng.integers(0, 60, len(node)),
        demand=units,
        unmet_cost=rng.integers(30, 200, n),
        capacity=np.append(np.ones(slots, np.int64), rng.integers(1, visits + 1, people)),
        parent=np.append(slots + np.arange(slots) % people, np.full(people, -1)),
        load_cost=np.append(np.zeros(slots, np.int64), rng.choice([0, 7], people)),
    )
    most = np.where(rng.random(total) < 0.4, rng.integers(2, 4, total), -1)
    pairs = np.argwhere(rng.random((total, people)) < 0.2)
    first = np.arange(total) * visits
    return SeriesInstance(
        flow, face, series, units[first], most, pairs[:, 0], pairs[:, 1],
        int(rng.choice([0, 40, 150])), int(rng.choice([0, 25])),
    )  # fmt: skip


def least(instance):
    """The optimum by HiGHS."""
    a = instance.flow
    cost, upper, rows = [int(c) for c in a.cost], [1] * len(a.cost), []

    def variable(price, most):
        cost.append(int(price))
        upper.append(int(most))
        return len(cost) - 1

    for r in range(len(a.demand)):
        xs = [*np.flatnonzero(a.request == r).tolist(), variable(a.unmet_cost[r], a.demand[r])]
        rows.append((dict.fromkeys(xs, 1), int(a.demand[r]), int(a.demand[r])))
        for p in range(int(a.group.max(initial=0)) + 1):
            same = np.flatnonzero((a.request == r) & (a.group == p)).tolist()
            rows += [(dict.fromkeys(same, 1), 0, 1)] if same else []
    for k in range(len(a.parent)):
        xs = [x for x in range(len(a.node)) if k in naive.above(a.parent, a.node[x])]
        steps = [variable(j * a.load_cost[k], 1) for j in range(min(int(a.capacity[k]), len(xs)))]
        rows += [({**dict.fromkeys(xs, 1), **dict.fromkeys(steps, -1)}, 0, 0)] if xs else []
    for s in range(len(instance.free)):
        known = instance.known_face[instance.known_series == s].tolist()
        ws = []
        for p in range(int(instance.face.max(initial=0)) + 1):
            ws.append(variable(instance.stranger_cost if known and p not in known else 0, 1))
            for x in np.flatnonzero((instance.face == p) & (instance.series[a.request] == s)).tolist():
                rows.append(({x: 1, ws[-1]: -1}, -1, 0))
        beyond = variable(instance.further_cost, len(ws))
        rows.append(({**dict.fromkeys(ws, 1), beyond: -1}, -len(ws), int(instance.free[s])))
        if instance.most[s] >= 0:
            rows.append((dict.fromkeys(ws, 1), 0, int(instance.most[s])))
    return naive.solve_integer(cost, upper, rows)[0]


def nothing(instance):
    a = instance.flow
    return Solution(
        np.zeros(len(a.cost), np.int64),
        a.demand.copy(),
        a.unmet_cost.copy(),
        np.zeros(len(a.parent), np.int64),
        "optimal",
    )


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(12))
def test_arrays_against_a_mixed_integer_program(seed):
    instance = series_of(seed)
    best = least(instance)
    search = Search(instance, nothing(instance), Control())
    outside = np.full(len(instance.flow.demand), 10**9)
    price = np.zeros(len(instance.flow.parent), np.int64)
    price = raise_prices(instance, price, outside, search.cost, Control())
    search.start_anew(price)
    search.improve(-(10**9))
    assert search.cost == total_cost(instance, search.best)
    rng = np.random.default_rng(seed)
    for own in (price, rng.integers(0, 50, len(price))):
        dual = rng.integers(0, 100, len(instance.flow.demand))
        whole = series_bound(instance, dual, own, outside)
        assert whole <= best <= search.cost
        one = iter([False, True])
        assert series_bound(instance, dual, own, outside, lambda: True) <= whole
        assert series_bound(instance, dual, own, outside, lambda one=one: next(one)) <= whole
    # 98 of the first 100 are equal; what the search finds is not proved
    assert search.cost <= 1.2 * best


def test_a_series_beyond_its_faces_is_no_plan():
    instance = series_of(3)
    instance = replace(instance, most=np.zeros_like(instance.most))
    served = nothing(instance)
    served.flow[0] = 1
    served.unmet[instance.flow.request[0]] -= 1
    with pytest.raises(gm.SolverError, match="a series has more faces than it may have"):
        total_cost(instance, served)
    assert faces_cost(instance, np.zeros_like(served.flow)) == 0


# told


@pytest.fixture(scope="module")
def searched():
    """A plan that no search made better, though its bound lies below."""
    for seed in SEEDS:
        plan = gm.match(both(seed)[0])
        if plan.certificate.termination == "searched" and len(plan.unmet):
            return plan
    raise AssertionError("every plan of the seeds is proved")


def test_a_searched_plan_is_told_everywhere(searched, tmp_path):
    assert searched.certificate.gap > 0
    assert "未找到更优方案 nothing better found: no plan can cost less than" in certificate_text(searched)
    assert "all" in certificate_text(searched)
    page = gm.report(searched, tmp_path / "day.html")
    assert "未找到更优方案" in (tmp_path / "day.html").read_text(encoding="utf-8"), page
    assert "全部 all" in searched._repr_html_()
    assert set(searched.unmet["reason"]) <= {"capacity", "faces", "window", "distance", "together"}


def test_the_sheets_show_each_visit_on_its_day(searched, tmp_path):
    gm.write_sheets(searched, tmp_path)
    told = pd.read_csv(tmp_path / "派单表.csv", dtype=str)
    visits = told[told["需求编号 request"].str.contains("@", na=False)]
    assert len(visits)
    assert (visits["日期 date"] == visits["需求编号 request"].str.partition("@")[2]).all()
    missing = pd.read_csv(tmp_path / "待协调清单.csv", dtype=str)
    dated = missing[missing["需求编号 request"].str.contains("@", na=False)]
    days = dated["需求编号 request"].str.partition("@")[2].str.slice(5)
    assert all(day in text for day, text in zip(days, dated["最早 earliest"], strict=True))
    counted = searched.summary(by="community")
    assert counted["people"].sum() == searched.problem.demand.people.sum()

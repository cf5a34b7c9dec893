"""`gm.assign`: what it returns, that its proof holds on the caller's own numbers, and how it ends early.

Whether the optimum is right on thousands of random instances is in `test_assign_oracles`.
"""

from __future__ import annotations

import doctest
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

import govmatch as gm
from govmatch._kernels.market import Network
from govmatch.solve import flow
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from tests.naive_assign import Case, brute_force, brute_size, cost_of, faults_of, random_case

pytestmark = pytest.mark.kernels

Number = int | float
Solve = Callable[..., Solution]


def exact_bound(case: Case, dual: Any, price: Any) -> Fraction:
    """The bound of DESIGN.md, by loops and in fractions: every number is the caller's own, as it is."""
    u, y = [Fraction(x) for x in dual.tolist()], [Fraction(x) for x in price.tolist()]
    assert all(number >= 0 for number in y)
    total = Fraction(0)
    for r, needed in enumerate(case.demand):
        if not case.must[r] and needed:
            assert u[r] <= Fraction(case.unmet[r])
        total += needed * u[r]
    for k, most in enumerate(case.capacity):
        for j in range(most):
            if (earned := y[k] - j * Fraction(case.load_cost[k])) <= 0:
                break
            total -= earned
    best: dict[tuple[int, int], Fraction] = {}
    for a, (r, k) in enumerate(zip(case.request, case.provider, strict=True)):
        above, node = Fraction(0), k
        while node >= 0:
            above += y[node]
            node = case.parent[node]
        pair = (r, case.groups[a])
        best[pair] = max(best.get(pair, Fraction(0)), u[r] - Fraction(case.cost[a]) - above)
    return total - sum(best.values())


def as_floats(case: Case, change: Callable[[int], float]) -> Case:
    """A case with its costs changed to floats; those lists then hold floats, which the oracles only add."""
    return replace(
        case,
        cost=[change(c) for c in case.cost],  # type: ignore[misc]
        load_cost=[change(c) for c in case.load_cost],  # type: ignore[misc]
        unmet_cost=None if case.unmet_cost is None else [change(c) for c in case.unmet_cost],  # type: ignore[misc]
    )


def as_fractions(case: Case) -> Case:
    return as_floats(case, lambda c: Fraction(c))  # type: ignore[arg-type, return-value]


def call(case: Case, **more: Any) -> gm.Assignment:
    given = {name: getattr(case, name) for name in ("request", "provider", "cost", "n_requests", "demand")}
    given |= {
        name: getattr(case, name) for name in ("capacity", "parent", "load_cost", "unmet_cost", "required")
    }
    given["request"], given["provider"] = (np.array(given[n], np.int64) for n in ("request", "provider"))
    return gm.assign(**{**given, "group": case.group, **more})


def feasible_cases(first: int, count: int) -> list[tuple[Case, int]]:
    found = []
    for seed in range(first, first + count):
        case = random_case(seed, largest=6)
        if case.request and brute_size(case) <= 3_000 and (best := brute_force(case)) is not None:
            small = replace(case, capacity=[min(c, 30) for c in case.capacity])
            found.append((small, best))
    return found


# ---------------------------------------------------------------- the face


def test_the_examples_of_the_docstring() -> None:
    finder = doctest.DocTestFinder()
    (example,) = finder.find(gm.assign, "assign", globs={})
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert runner.run(example).failed == 0
    assert runner.tries >= 6


def test_an_assignment_in_words() -> None:
    arcs = ([0, 1, 1], [0, 0, 1], [4, 3, 9])
    result = gm.assign(*arcs, demand=[1, 2], unmet_cost=50)
    assert repr(result) == "Assignment(optimal: 2 of 3 units served, total_cost=62, bound=62, gap=0)"
    assert result.flow.tolist() == [0, 1, 1]
    assert result.unmet.tolist() == [1, 0]
    arrays = (result.flow, result.unmet, result.request_dual, result.price)
    assert all(array.dtype == np.int64 for array in arrays)
    assert (type(result.total_cost), type(result.bound), result.resolution) == (int, int, 1)
    assert result != gm.assign(*arcs, demand=[1, 2], unmet_cost=50), "arrays are not compared"
    with pytest.raises(AttributeError):
        result.gap = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "flow_expected", "total"),
    [
        # an inner node is a provider like any other
        ({"provider": [1, 0], "cost": [3, 2], "request": [0, 1], "parent": [1, -1], "unmet_cost": 9},
         [0, 1], 11),
        # parents may have smaller numbers
        ({"provider": [1, 2], "cost": [3, 2], "request": [0, 1], "parent": [-1, 0, 0], "unmet_cost": 9},
         [0, 1], 11),
        # repeated arcs: the cheaper one
        ({"provider": [0, 0], "cost": [5, 2], "request": [0, 0]}, [0, 1], 2),
        # two people for one request, not one twice
        ({"provider": [0, 1, 2], "cost": [1, 2, 9], "request": [0, 0, 0], "demand": 2, "group": [5, 5, -1]},
         [1, 0, 1], 10),
        ({"provider": [0, 0], "cost": [1, 2], "request": [0, 0], "demand": 2, "capacity": 5, "unmet_cost": 7},
         [1, 0], 8),
        # a negative cost is taken, and unmet may be better than any arc
        ({"provider": [0, 1], "cost": [-5, 4], "request": [0, 1], "unmet_cost": [0, 3]}, [1, 0], -2),
        # the second unit of node 0 costs 10 more, the third 20 more
        ({"provider": [0, 0, 0, 1], "cost": [1, 1, 1, 14], "request": [0, 1, 2, 2], "capacity": 3,
          "load_cost": [10, 0]}, [1, 1, 0, 1], 26),
        # a required request goes before a cheaper one
        ({"provider": [0, 0], "cost": [90, 1], "request": [0, 1], "unmet_cost": 50,
          "required": [True, False]}, [1, 0], 140),
        # nobody is needed
        ({"provider": [0], "cost": [5], "request": [0], "demand": 0}, [0], 0),
    ],
)  # fmt: skip
def test_small_problems(arguments: dict[str, Any], flow_expected: list[int], total: int) -> None:
    result = gm.assign(**arguments)
    assert result.flow.tolist() == flow_expected
    assert result.total_cost == total == result.bound
    assert result.gap == 0
    assert result.termination == "optimal"


def test_nothing_to_assign() -> None:
    result = gm.assign([], [], [])
    assert repr(result) == "Assignment(optimal: 0 of 0 units served, total_cost=0, bound=0, gap=0)"
    assert [len(part) for part in (result.flow, result.unmet, result.price)] == [0, 0, 0]
    assert gm.assign([], [], [], n_requests=2, unmet_cost=[3, 4.5], capacity=[1]).total_cost == 7.5
    assert gm.assign([], [], [], demand=[0, 0]).unmet.tolist() == [0, 0]
    with pytest.raises(gm.Infeasible, match=r"request 0 must be served and .*there is no arc to serve"):
        gm.assign([], [], [], n_requests=2)


def test_nothing_given_is_changed_and_frames_will_do() -> None:
    frame = pd.DataFrame({"request": [0, 1, 1], "provider": [0, 0, 1], "cost": [4.5, 3.25, 9.0]})
    arrays = {name: frame[name].to_numpy(copy=True) for name in frame}
    arrays |= {"demand": np.array([1, 2]), "unmet_cost": np.full(2, 50.0), "required": np.full(2, False)}
    arrays |= {"capacity": np.ones(2, int), "parent": np.full(2, -1), "load_cost": np.zeros(2)}
    arrays["group"] = np.array([7, 8, 9])
    for array in arrays.values():
        array.flags.writeable = False
    before = {name: array.copy() for name, array in arrays.items()}
    result = gm.assign(**arrays)
    assert all((array == before[name]).all() for name, array in arrays.items())
    again = gm.assign(frame["request"], frame["provider"], frame["cost"], demand=[1, 2], unmet_cost=50)
    assert result.total_cost == again.total_cost == 62.25


def test_a_long_chain() -> None:
    n = 5_000
    parent = np.append(np.arange(1, n), -1)
    result = gm.assign([0, 1], [0, n // 2], [1, 2], parent=parent, unmet_cost=9, n_requests=3)
    assert result.total_cost == 1 + 9 + 9


# ---------------------------------------------------------------- what must be served


def test_infeasible_is_told_with_its_witness() -> None:
    with pytest.raises(gm.Infeasible) as caught:
        gm.assign([0, 1, 2, 2], [0, 1, 1, 2], [5, 7, 6, 1], parent=[3, 3, -1, -1], unmet_cost=60,
                  required=[True, True, False])  # fmt: skip
    found = caught.value.witness
    assert (found.requests.tolist(), found.nodes.tolist(), found.arcs.tolist()) == ([0, 1], [3], [])
    assert (found.demand, found.capacity, found.ways) == (2, 1, 0)


def test_the_duals_of_required_requests_are_not_cut() -> None:
    # both need the only two units, which each takes at once: leaving is no way out
    case = Case(
        request=[0, 0, 1], provider=[0, 1, 0], cost=[3, 80, 5], n_requests=2, demand=[1, 1], capacity=[1, 1],
        parent=[-1, -1], load_cost=[0, 0], unmet_cost=[1, 1], required=[True, True],
    )  # fmt: skip
    result = call(case)
    assert result.total_cost == 85
    assert exact_bound(case, result.request_dual, result.price) == 85


# ---------------------------------------------------------------- the proof, on the caller's own numbers


def test_the_duals_prove_the_optimum_of_integers() -> None:
    cases = feasible_cases(0, 120)
    assert len(cases) > 60
    for case, optimum in cases:
        result = call(case)
        assert result.total_cost == result.bound == optimum, case.call()
        assert exact_bound(case, result.request_dual, result.price) == optimum, case.call()


def test_halves_and_quarters_are_exact() -> None:
    for case, optimum in feasible_cases(200, 100):
        floats = as_floats(case, lambda c: c / 8)
        result = call(floats)
        assert result.total_cost == result.bound == optimum / 8
        assert result.gap == 0
        assert result.termination == "optimal"
        assert isinstance(result.resolution, float)
        assert result.resolution >= 1 / 8
        assert exact_bound(floats, result.request_dual, result.price) == Fraction(optimum, 8)


def test_cents_are_solved_as_cents() -> None:
    for case, optimum in feasible_cases(400, 100):
        floats = as_floats(case, lambda c: c / 100)
        result = call(floats)
        largest = max(map(abs, [*case.cost, *case.unmet, *case.load_cost])) / 100
        assert result.total_cost == pytest.approx(optimum / 100, rel=1e-12, abs=1e-12)
        assert result.resolution in (1 / 100, 1 / 10) or result.resolution >= 1 / 8
        assert cost_of(case, result.flow.tolist(), result.unmet.tolist()) == optimum
        best = brute_force(as_fractions(floats))
        assert best is not None
        assert Fraction(result.bound) <= best
        assert result.gap <= 1e-13 * max(1, largest * 10)
        bound = exact_bound(floats, result.request_dual, result.price)
        assert float(bound) == pytest.approx(result.bound, rel=1e-12, abs=1e-12 * largest)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_any_floats_have_a_true_bound(seed: int, data: st.DataObject) -> None:
    case = random_case(seed, largest=5)
    if brute_size(case) > 500:
        return
    size = data.draw(st.sampled_from([1e-290, 1e-9, 1.0, 1e9, 1e280]))
    spread = data.draw(st.sampled_from([1.0, 1e-12, 1e-40]))
    unit = st.floats(0, 1).map(lambda x: size * x) | st.floats(0, 1).map(lambda x: size * spread * x)
    drawn: dict[int, float] = {}

    def change(c: int) -> float:
        return math.copysign(drawn.setdefault(abs(c), data.draw(unit)), c)

    floats = as_floats(replace(case, capacity=[min(c, 30) for c in case.capacity]), change)
    optimum = brute_force(as_fractions(floats))
    if optimum is None:
        with pytest.raises(gm.Infeasible):
            call(floats)
        return
    result = call(floats)
    assert faults_of(case, result.flow.tolist(), result.unmet.tolist()) == []
    cost = cost_of(as_fractions(floats), result.flow.tolist(), result.unmet.tolist())
    assert result.total_cost == float(cost), "summed exactly and rounded once"
    assert Fraction(result.bound) <= optimum <= cost
    off = result.resolution * (1 + sum(case.demand) + len(case.request) ** 2)
    assert cost - Fraction(result.bound) <= off * 1.001 + abs(float(cost)) * 1e-9
    # the caller's own formula, in fractions, gives a bound as good, but for the rounding of duals
    bound = exact_bound(floats, result.request_dual, result.price)
    assert bound <= optimum
    assert bound >= Fraction(result.bound) - Fraction(size) / 10**12


def test_one_float_makes_all_of_them_floats() -> None:
    result = gm.assign([0], [0], [5], unmet_cost=6.5)
    assert (result.total_cost, type(result.total_cost), type(result.bound)) == (5.0, float, float)
    assert result.request_dual.dtype == result.price.dtype == np.float64
    assert result.resolution == 0.5
    assert gm.assign([0], [0], [5], load_cost=0.25).resolution == 0.25


# ---------------------------------------------------------------- ends, early and late


def solver(monkeypatch: pytest.MonkeyPatch, replacement: Solve) -> None:
    monkeypatch.setattr(flow, "solve", replacement)


SHORT: dict[str, Any] = {
    # two requests that both prefer provider 0
    "request": [0, 0, 1, 1],
    "provider": [0, 1, 0, 1],
    "cost": [1, 4, 2, 9],
    "unmet_cost": 20,
}


def short_instance() -> Instance:
    """SHORT as the solver sees it."""
    arcs = [np.array(SHORT[name]) for name in ("request", "provider", "provider", "cost")]
    ones = np.ones(2, np.int64)
    return Instance(*arcs, ones, 20 * ones, ones, -ones, 0 * ones)


def ended(reason: str) -> Solve:
    """A solver that stops once the cheapest arcs are taken: 0 at 0 and 1 at 1, cost 10; 6 is least."""

    def solve(instance: Instance, *rest: object) -> Solution:
        taken, free = np.zeros(len(instance.cost), np.int64), np.ones(len(instance.parent), np.bool_)
        dual, unmet = instance.unmet_cost.copy(), instance.demand.copy()
        np.minimum.at(dual, instance.request, instance.cost)
        for arc in np.argsort(instance.cost, kind="stable"):
            request, node = instance.request[arc], instance.node[arc]
            if unmet[request] and free[node]:
                taken[arc], unmet[request], free[node] = 1, 0, False
        return Solution(taken, unmet, dual, 0 * instance.parent, reason)  # type: ignore[arg-type]

    return solve


@pytest.mark.parametrize("reason", ["time_limit", "cancelled"])
def test_what_is_there_when_time_is_up(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    solver(monkeypatch, ended(reason))
    result = gm.assign(**SHORT, time_limit=5, cancel=threading.Event())
    assert result.termination == reason
    assert (result.total_cost, result.bound) == (10, 3)
    assert result.gap == 0.7


def test_duals_are_told_as_the_bound_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = replace(
        ended("time_limit")(short_instance()), request_dual=np.array([99, 2]), price=np.array([-7, 1])
    )
    solver(monkeypatch, lambda *rest: wild)
    result = gm.assign(**SHORT)
    assert result.request_dual.tolist() == [20, 2]
    assert result.price.tolist() == [0, 1]
    assert result.bound == 20 + 2 - 1 - (20 - 1) - (20 - 5)


def test_a_gap_that_suffices_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    solver(monkeypatch, ended("time_limit"))
    assert gm.assign(**SHORT, gap=0.7).termination == "gap"
    assert gm.assign(**SHORT, gap=0.69).termination == "time_limit"
    solver(monkeypatch, ended("gap"))
    assert gm.assign(**SHORT, gap=0.9).termination == "gap"


def test_what_is_proved_is_optimal_whatever_the_solver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    solver(monkeypatch, ended("time_limit"))
    assert gm.assign([0], [0], [1], unmet_cost=20).termination == "optimal"


def test_a_required_request_may_be_unmet_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def idle(instance: Instance, *rest: object) -> Solution:
        none = np.zeros(len(instance.request), np.int64)
        return Solution(none, instance.demand, np.array([1, 2]), np.zeros(2, np.int64), "time_limit")

    solver(monkeypatch, idle)
    result = gm.assign(**{**SHORT, "unmet_cost": None}, gap=5.0)
    assert result.unmet.tolist() == [1, 1]
    assert (result.total_cost, result.bound, result.gap) == (0, 3, math.inf)
    assert result.termination == "time_limit"
    assert repr(result) == "Assignment(time_limit: 0 of 2 units served, total_cost=0, bound=3, gap=inf)"
    partly = gm.assign(**SHORT, required=[True, False])
    assert (partly.total_cost, partly.gap, partly.termination) == (20, math.inf, "time_limit")
    floats = gm.assign(**{**SHORT, "unmet_cost": None, "cost": [1.5, 4, 2, 9]})
    assert (floats.total_cost, floats.gap, floats.termination) == (0.0, math.inf, "time_limit")


def test_a_gap_with_a_required_request_unmet_is_solved_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real, gaps = flow.solve, []

    def solve(instance: Instance, control: Control) -> Solution:
        gaps.append(control.gap)
        if control.gap:
            none = np.zeros(len(instance.request), np.int64)
            return Solution(none, instance.demand, none[:2], none[:2], "gap")  # type: ignore[arg-type]
        return real(instance)

    monkeypatch.setattr(flow, "solve", solve)
    result = gm.assign(**{**SHORT, "unmet_cost": None}, gap=0.5)
    assert gaps == [0.5, 0.0]
    assert (result.total_cost, result.termination) == (6, "optimal")


def test_a_time_limit_that_suffices() -> None:
    result = gm.assign(**SHORT, time_limit=60)
    assert (result.total_cost, result.termination) == (6, "optimal")


@pytest.mark.parametrize("wrong", [{"time_limit": 0}, {"gap": -1}, {"cancel": 3}])
def test_how_to_end_is_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(gm.InvalidInput, match=f"^{next(iter(wrong))} is .*; expected "):
        gm.assign(**SHORT, **wrong)


# ---------------------------------------------------------------- defects of a solver


def changed(**parts: Any) -> Solve:
    real = flow.solve
    return lambda instance, *rest: replace(real(instance), **parts)


def test_an_infeasible_flow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    solver(monkeypatch, changed(flow=np.array([1, 0, 1, 0]), unmet=np.array([0, 0])))
    with pytest.raises(gm.SolverError, match="infeasible flow: a node carries more than its capacity"):
        gm.assign(**SHORT)


def test_an_optimum_that_is_not_proved_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    solver(monkeypatch, changed(price=np.array([0, 0])))
    with pytest.raises(
        gm.SolverError, match=r"the duals prove .* and not the cost 6 of what is said to be opti"
    ):
        gm.assign(**SHORT)


def test_a_required_request_left_out_for_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    solver(monkeypatch, changed(flow=np.zeros(4, np.int64), unmet=np.array([1, 1])))
    with pytest.raises(gm.SolverError, match="left a required request unserved that could be served"):
        gm.assign(**{**SHORT, "unmet_cost": None})


def test_a_witness_that_proves_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govmatch.solve.witness.check", lambda *rest: ["it is too good to be true"])
    with pytest.raises(gm.SolverError, match="the witness of infeasibility proves nothing: it is too good"):
        gm.assign([0, 1], [0, 0], [1, 1])


# ---------------------------------------------------------------- extremes that users do send


@pytest.mark.parametrize("unmet_cost", [1e6, 1e12, 1e18])
def test_unmet_costs_far_beyond_all_others_cost_no_resolution(unmet_cost: float) -> None:
    """A large number for "serve it if you can" is common practice."""
    rng = np.random.default_rng(0)
    n = 40
    request, provider = np.divmod(np.arange(n * n), n)
    cost = rng.random(n * n)
    result = gm.assign(request, provider, cost, unmet_cost=unmet_cost)
    rows, columns = linear_sum_assignment(cost.reshape(n, n))
    assert result.total_cost == pytest.approx(cost.reshape(n, n)[rows, columns].sum(), abs=1e-9)
    assert (result.termination, result.gap < 1e-6, result.resolution < 1e-6) == ("optimal", True, True)


def test_unmet_costs_far_beyond_all_others_are_weighed_where_not_all_can_be_served() -> None:
    """The dearer request is served, and of two equal ones that which costs less."""
    result = gm.assign(
        [0, 1, 2, 2], [0, 1, 0, 1], [0.5, 0.25, 0.5, 0.125], unmet_cost=[1e12, 1e12, 1.5e12], capacity=1
    )
    assert result.unmet.tolist() == [0, 1, 0]
    assert result.total_cost == pytest.approx(1e12 + 0.625, rel=1e-15)
    assert result.bound <= result.total_cost


def test_a_gap_that_the_resolution_does_not_allow_is_not_said_to_be_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """4.5 and 5.49 are 9 and 10 halves, 10 % apart; the second costs 18 % more than the bound."""
    real, gaps = flow.solve, []

    def solve(instance: Instance, control: Control) -> Solution:
        gaps.append(control.gap)
        if not control.gap:
            return real(instance)
        dual = np.full(1, instance.cost.min())
        return Solution(np.array([0, 1, 0]), np.zeros(1, np.int64), dual, np.zeros(3, np.int64), "gap")

    monkeypatch.setattr(flow, "solve", solve)
    result = gm.assign([0, 0, 0], [0, 1, 2], [4.5, 5.49, 1e15], unmet_cost=1e14, gap=0.12)
    assert (gaps, result.resolution) == ([0.12, 0.0], 0.5)
    assert (result.total_cost, result.termination) == (4.5, "optimal")


def test_a_demand_beyond_all_groups_takes_no_time() -> None:
    begun = time.perf_counter()
    result = gm.assign([0, 0, 1, 1], [0, 1, 0, 1], [1, 2, 1, 3], demand=2**40, capacity=[1, 1], unmet_cost=10)
    assert time.perf_counter() - begun < 1.0
    assert (result.total_cost, result.flow.sum()) == (10 * (2 * 2**40 - 2) + 3, 2)
    assert (result.request_dual.tolist(), result.gap) == ([10, 10], 0)
    assert "2 of 2199023255552 units served" in repr(result)


def test_how_many_units_there_are_is_told_beyond_int64() -> None:
    result = gm.assign([0, 1], [0, 0], [1, 1], demand=2**62, unmet_cost=0)
    assert repr(result).startswith(f"Assignment(optimal: 0 of {2**63} units served")


@pytest.mark.parametrize("n_nodes", [0, 3])
def test_without_arcs_everything_stays_unmet(n_nodes: int) -> None:
    result = gm.assign(
        [], [], [], n_requests=2, demand=[2, 1], unmet_cost=[3, -1], capacity=[1] * n_nodes, load_cost=2
    )
    assert (result.total_cost, result.bound, result.unmet.tolist()) == (5, 5, [2, 1])
    assert (result.request_dual.tolist(), result.price.tolist()) == ([3, -1], [0] * n_nodes)


def test_one_arc_that_nobody_would_use_changes_nothing() -> None:
    """Nor how long it takes: the auction's step goes by arcs that matter."""
    rng = np.random.default_rng(2)
    n = 400
    request, provider = np.repeat(np.arange(n), 8), rng.integers(0, n, 8 * n)
    cost = rng.integers(100, 3_000, 8 * n)
    steps: list[int] = []
    real = flow._fine_step

    def step(net: Network) -> int:
        steps.append(real(net))
        return steps[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "_fine_step", step)
        plain = gm.assign(request, provider, cost, unmet_cost=5_000)
        cost[::100] = 10**12
        odd = gm.assign(request, provider, cost, unmet_cost=5_000)
        several = gm.assign(request, provider, cost, demand=2, group=np.arange(8 * n), unmet_cost=5_000)
    assert plain.gap == odd.gap == several.gap == 0
    assert steps[1] < 1.2 * steps[0]
    assert steps[2] > 0.5 * steps[0]


@pytest.mark.parametrize("unmet_cost", [2**60, 8e299])
@pytest.mark.parametrize("provider", [[0, 1], [0, 0]])
def test_what_is_refused_does_not_depend_on_who_can_be_served(
    unmet_cost: Number, provider: list[int]
) -> None:
    with pytest.raises(gm.InvalidInput, match=r"^unmet_cost\[0\] is "):
        gm.assign([0, 1], provider, [1.0, 2.0], unmet_cost=unmet_cost, capacity=[1, 1])


def test_a_flow_found_at_lower_unmet_costs_is_kept_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    real, solved = flow.solve, []

    def solve(instance: Instance, control: Control) -> Solution:
        solved.append(real(instance))
        control.stop("time_limit")
        return solved[-1]

    monkeypatch.setattr(flow, "solve", solve)
    result = gm.assign(
        [0, 1, 1], [0, 0, 1], [0.5, 0.25, 0.75], unmet_cost=1e12, capacity=[1, 0], time_limit=60
    )
    assert len(solved) == 1
    assert (result.termination, result.flow.sum()) == ("time_limit", 1)
    assert result.total_cost == pytest.approx(1e12 + 0.25)
    assert 0 <= result.bound <= result.total_cost


def test_amounts_in_cents_stay_such_beside_a_large_unmet_cost() -> None:
    rng = np.random.default_rng(0)
    request, provider = np.repeat(np.arange(50), 6), rng.integers(0, 80, 300)
    cost = np.round(rng.uniform(0.01, 10, 300), 2)
    result = gm.assign(request, provider, cost, unmet_cost=1e11)
    assert (result.unmet.sum(), result.resolution) == (0, 0.01)
    assert result.bound == pytest.approx(result.total_cost, abs=1e-7)

"""`gm.assign` against brute force, HiGHS and OR-Tools, and what must hold between instances.

The nightly-size run of the same checks is `make fuzz`; a seed that fails there fails here by the same name.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import govmatch as gm
from govmatch.solve import flow
from govmatch.solve.instance import Instance
from tests.fuzz import (
    check_seed,
    check_square,
    explained,
    random_stop,
    trouble_from_a_start,
    trouble_when_scaled,
    trouble_when_stopped,
    trouble_with,
    trouble_with_floats,
    trouble_with_large,
)
from tests.naive_assign import (
    Answer,
    Case,
    brute_force,
    brute_size,
    complaints,
    linear_program,
    or_tools,
    random_case,
    random_large,
)


def optimum(case: Case) -> int | None:
    """What `gm.assign` says the optimum is; None: infeasible."""
    try:
        return gm.assign(**case.arguments()).total_cost
    except gm.Infeasible:
        return None


# ---------------------------------------------------------------- the oracles


def test_the_oracles_agree_with_each_other() -> None:
    n_by_brute_force = 0
    for seed in range(1_000_000, 1_000_300):
        case = random_case(seed)
        expected = or_tools(case)
        assert linear_program(case) == expected, seed
        if brute_size(case) <= 20_000:
            n_by_brute_force += 1
            assert brute_force(case) == expected, seed
    assert n_by_brute_force > 200


def test_the_generator_draws_what_the_tests_are_meant_to_meet() -> None:
    met: Counter[str] = Counter()
    for seed in range(1_000):
        case = random_case(seed)
        arcs = list(zip(case.request, case.provider, strict=True))
        chains = [k for k, p in enumerate(case.parent) if p >= 0 and case.parent[p] >= 0]
        inner = set(case.parent)
        met.update(
            {
                "zero capacity": 0 in case.capacity,
                "large capacity": 10**9 in case.capacity,
                "large cost": max(map(abs, case.cost), default=0) == 10**9,
                "negative cost": min(case.cost, default=0) < 0,
                "repeated arc": len(set(arcs)) < len(arcs),
                "arcs out of order": arcs != sorted(arcs),
                "arc into an inner node": any(p in inner for p in case.provider),
                "deep": bool(chains),
                "parent after child": any(p > k for k, p in enumerate(case.parent)),
                "request without arcs": len(set(case.request)) < case.n_requests,
                "no demand": 0 in case.demand,
                "demand above one": max(case.demand, default=0) > 1,
                "load cost": any(case.load_cost),
                "groups": case.group is not None,
                "negative unmet cost": min(case.unmet, default=0) < 0,
                "infeasible": (expected := or_tools(case)) is None,
                "required and feasible": any(case.must) and expected is not None,
                "nobody": not case.capacity,
                "nothing": not case.n_requests,
                "one provider": case.n_requests > 1 and len(set(case.provider)) == 1,
                "many": case.n_requests > 25,
            }
        )
    rare = {what: n for what, n in met.items() if n < 10}
    assert not rare and len(met) == 21, rare


@pytest.mark.kernels
def test_flow_solve_reaches_the_optimum_with_duals_that_prove_it() -> None:
    for seed in range(2_000_000, 2_000_150):
        case = random_case(seed, 6)
        if not any(case.must):
            wrong = complaints(case, Answer.of(flow.solve(instance_of(case))), or_tools(case))
            assert not wrong, f"seed {seed}: {wrong}"


def instance_of(case: Case) -> Instance:
    """The case as what `flow.solve` takes."""
    names = ("request", "cost", "demand", "capacity", "parent", "load_cost")
    arrays = {name: np.array(getattr(case, name), np.int64) for name in names}
    arrays["node"] = np.array(case.provider, np.int64)
    arrays["group"] = np.array(case.groups, np.int64)
    return Instance(**arrays, unmet_cost=np.array(case.unmet, np.int64))


# ---------------------------------------------------------------- gm.assign against them


@pytest.mark.parametrize("block", range(8))
def test_random_instances_reach_the_optimum_and_prove_it(block: int) -> None:
    for seed in range(block * 250, block * 250 + 250):
        fault = check_seed("assign", seed)
        assert not fault, f"python -m tests.fuzz --seed {seed} --instances 1: {fault}"


@pytest.mark.kernels
def test_tiny_instances_reach_the_optimum_and_prove_it() -> None:
    for seed in range(3_000_000, 3_000_080):
        case = random_case(seed, 5)
        trouble = trouble_with(case, seed)
        assert not trouble, explained(case, trouble, lambda some, seed=seed: trouble_with(some, seed))


@pytest.mark.kernels
def test_middling_instances_reach_the_optimum_and_prove_it() -> None:
    """Shortage, hot spots, deep forests and a chain, each too large to be tiny in every kernel's eyes."""
    for seed in range(20):
        size = 300 if seed in (9, 17) else 90
        trouble = trouble_with(random_case(seed, 20), seed) or trouble_with_large(random_large(seed, size))
        assert not trouble, f"random_case({seed}, 20) or random_large({seed}, {size}): {trouble}"


@pytest.mark.kernels
def test_starting_from_any_prices_reaches_the_optimum() -> None:
    for seed in range(100):
        case = random_case(seed, 8)
        trouble = trouble_from_a_start(case, seed)
        assert not trouble, explained(case, trouble, lambda some, seed=seed: trouble_from_a_start(some, seed))


def test_costs_near_the_limit_are_summed_right_or_refused() -> None:
    for seed in range(300):
        case = random_case(seed, 8)
        trouble = trouble_when_scaled(case, seed)
        assert not trouble, explained(case, trouble, lambda some, seed=seed: trouble_when_scaled(some, seed))


@pytest.mark.parametrize("largest", [100, 10**9])
@pytest.mark.parametrize("n", [100, 200, 300])
def test_dense_squares_agree_with_scipy(n: int, largest: int) -> None:
    assert check_square(n, n, largest) is None


@pytest.mark.kernels
@pytest.mark.parametrize("stop", range(4))
def test_an_answer_that_is_stopped_early_is_feasible_and_its_bound_true(stop: int) -> None:
    how = random_stop(stop)
    for seed in range(60):
        trouble = trouble_when_stopped(random_case(seed, 8), seed, **how)
        assert not trouble, f"random_case({seed}, 8) with {how}: {trouble}"


@pytest.mark.kernels
def test_float_costs_reach_the_optimum_and_bound_it_from_below() -> None:
    for seed in range(200):
        case = random_case(seed, 4)
        trouble = trouble_with_floats(case, seed)
        assert not trouble, explained(case, trouble, lambda some, seed=seed: trouble_with_floats(some, seed))


# ---------------------------------------------------------------- between instances


def test_renaming_requests_and_nodes_and_reordering_arcs_change_no_cost() -> None:
    for seed in range(200):
        case = random_case(seed, 10)
        assert optimum(case) == optimum(renamed(case, random.Random(seed))), f"seed {seed}"


def renamed(case: Case, rng: random.Random) -> Case:
    """The same case with other labels, its arcs in another order."""
    request = rng.sample(range(case.n_requests), case.n_requests)
    node = rng.sample(range(len(case.capacity)), len(case.capacity))
    arcs = rng.sample(range(len(case.cost)), len(case.cost))
    old_request, old_node = np.argsort(request).tolist(), np.argsort(node).tolist()
    return replace(
        case,
        request=[request[case.request[a]] for a in arcs],
        provider=[node[case.provider[a]] for a in arcs],
        cost=[case.cost[a] for a in arcs],
        group=[case.groups[a] * 3 + 1 for a in arcs],
        demand=[case.demand[r] for r in old_request],
        unmet_cost=None if case.unmet_cost is None else [case.unmet_cost[r] for r in old_request],
        required=None if case.required is None else [case.required[r] for r in old_request],
        capacity=[case.capacity[k] for k in old_node],
        load_cost=[case.load_cost[k] for k in old_node],
        parent=[node[p] if (p := case.parent[k]) >= 0 else -1 for k in old_node],
    )


def test_more_capacity_never_costs_more() -> None:
    for seed in range(200):
        case = random_case(seed, 10)
        rng, before = random.Random(seed), optimum(case)
        after = optimum(replace(case, capacity=[c + rng.choice([0, 0, 1, 2]) for c in case.capacity]))
        assert before is None or (after is not None and after <= before), f"seed {seed}"


def test_dearer_arcs_and_higher_unmet_costs_never_cost_less() -> None:
    for seed in range(200):
        case = random_case(seed, 10)
        rng, before = random.Random(seed), optimum(case)
        dearer = replace(
            case,
            cost=[c + rng.choice([0, 0, 1, 5]) for c in case.cost],
            unmet_cost=case.unmet_cost and [c + rng.choice([0, 1, 5]) for c in case.unmet_cost],
        )
        after = optimum(dearer)
        assert (before is None) == (after is None), f"seed {seed}"
        assert before is None or after >= before, f"seed {seed}"


def test_a_further_request_costs_at_most_its_unmet_cost() -> None:
    for seed in range(200):
        case = random_case(seed, 10)
        rng, n_nodes = random.Random(seed), len(case.capacity)
        nodes = rng.sample(range(n_nodes), rng.randint(0, min(3, n_nodes)))
        before = optimum(case)
        if before is None or case.unmet_cost is None:
            continue
        more = replace(
            case,
            request=case.request + [case.n_requests] * len(nodes),
            provider=case.provider + nodes,
            cost=case.cost + [rng.randint(0, 9) for _ in nodes],
            group=case.groups + nodes,
            n_requests=case.n_requests + 1,
            demand=[*case.demand, 2],
            unmet_cost=[*case.unmet_cost, 25],
            required=[*case.must, False],
        )
        after = optimum(more)
        assert before <= after <= before + 50, f"seed {seed}"


def test_scaled_costs_scale_the_optimum() -> None:
    for seed in range(200):
        case, before = random_case(seed, 10), optimum(random_case(seed, 10))
        times = 7
        scaled = replace(
            case,
            cost=[c * times for c in case.cost],
            load_cost=[c * times for c in case.load_cost],
            unmet_cost=case.unmet_cost and [c * times for c in case.unmet_cost],
        )
        assert optimum(scaled) == (None if before is None else before * times), f"seed {seed}"


def test_what_cannot_matter_does_not() -> None:
    """A dearer copy of an arc, a node of ample capacity above a root, an arc into a node without capacity."""
    for seed in range(200):
        case = random_case(seed, 10)
        n_nodes = len(case.capacity)
        beside = replace(
            case,
            request=case.request * 2,
            provider=case.provider * 2,
            cost=case.cost + [c + 1 for c in case.cost],
            group=case.groups * 2,
            capacity=[*case.capacity, 10**6],
            load_cost=[*case.load_cost, 0],
            parent=[*(n_nodes if p < 0 else p for p in case.parent), -1],
        )
        if case.n_requests:
            beside = replace(
                beside,
                request=[*beside.request, 0],
                provider=[*beside.provider, n_nodes + 1],
                cost=[*beside.cost, -(10**6)],
                group=[*beside.group, max(beside.group, default=0) + 1],
                capacity=[*beside.capacity, 0],
                load_cost=[*beside.load_cost, 0],
                parent=[*beside.parent, n_nodes],
            )
        assert optimum(beside) == optimum(case), f"seed {seed}"


def test_adding_to_all_costs_of_a_required_request_adds_to_the_optimum() -> None:
    for seed in range(200):
        case = replace(random_case(seed, 6), unmet_cost=None, required=None)
        before = optimum(case)
        if before is None or not case.n_requests:
            continue
        r = random.Random(seed).randrange(case.n_requests)
        raised = [c + 11 if q == r else c for c, q in zip(case.cost, case.request, strict=True)]
        assert optimum(replace(case, cost=raised)) == before + 11 * case.demand[r], f"seed {seed}"

"""Oracles for `gm.assign` that share no code with `src/`: brute force, HiGHS, OR-Tools, and a checker.

A `Case` holds what `gm.assign` takes, as plain Python lists, so that a failing one prints as literals.
Beside the oracles stand the generator of random cases (`random_case`) and a greedy shrinker (`shrink`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import combinations, product

import numpy as np
from ortools.graph.python import min_cost_flow
from scipy.optimize import linprog
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Case:
    """A problem for `gm.assign`, in plain integers; `pins`, (request, provider), are the Matcher's."""

    request: list[int]
    provider: list[int]
    cost: list[int]
    n_requests: int
    demand: list[int]
    capacity: list[int]
    parent: list[int]
    load_cost: list[int]
    unmet_cost: list[int] | None
    required: list[bool] | None = None
    group: list[int] | None = None
    pins: tuple[tuple[int, int], ...] = ()

    @cached_property
    def groups(self) -> list[int]:
        """The group of each arc: the provider where none is given."""
        return self.provider if self.group is None else self.group

    @cached_property
    def must(self) -> list[bool]:
        """Whether each request must be served whole."""
        if self.unmet_cost is None:
            return [True] * self.n_requests
        return [False] * self.n_requests if self.required is None else self.required

    @cached_property
    def unmet(self) -> list[int]:
        """What an unmet unit costs; 0 where the request must be served."""
        if self.unmet_cost is None:
            return [0] * self.n_requests
        return [0 if must else p for must, p in zip(self.must, self.unmet_cost, strict=True)]

    def arcs_of(self) -> list[list[int]]:
        """The arcs of each request."""
        found: list[list[int]] = [[] for _ in range(self.n_requests)]
        for a, r in enumerate(self.request):
            found[r].append(a)
        return found

    def arguments(self, style: random.Random | None = None) -> dict[str, object]:
        """Keyword arguments for `gm.assign`; with `style` in a randomly chosen of several equal forms."""
        given: dict[str, object] = {
            "n_requests": self.n_requests,
            "demand": np.array(self.demand, np.int64),
            "capacity": np.array(self.capacity, np.int64),
            "parent": np.array(self.parent, np.int64),
            "load_cost": np.array(self.load_cost, np.int64),
            "unmet_cost": None if self.unmet_cost is None else np.array(self.unmet_cost, np.int64),
            "required": None if self.required is None else np.array(self.required, np.bool_),
            "group": None if self.group is None else np.array(self.group, np.int64),
        }
        arcs = {
            "request": np.array(self.request, np.int64),
            "provider": np.array(self.provider, np.int64),
            "cost": np.array(self.cost, np.int64),
        }
        if style is not None:
            _restyle(self, arcs, given, style)
        return {**arcs, **given}

    def call(self) -> str:
        """The call of `gm.assign`, as text."""
        left_out = {"pins"} | {f.name for f in fields(self) if getattr(self, f.name) is None}
        named = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name not in left_out]
        return f"gm.assign({', '.join(named)})"


def _restyle(case: Case, arcs: dict[str, np.ndarray], given: dict[str, object], style: random.Random) -> None:
    """Say the same otherwise: defaults left out, scalars, other integer types, views, read-only arrays."""
    if style.random() < 0.5 and all(d == 1 for d in case.demand):
        del given["demand"]
    elif style.random() < 0.5 and len(set(case.demand)) == 1:
        given["demand"] = case.demand[0]
    if style.random() < 0.5 and not any(case.load_cost):
        del given["load_cost"]
    if style.random() < 0.5 and all(p == -1 for p in case.parent):
        del given["parent"]
    if style.random() < 0.5 and case.request and max(case.request) == case.n_requests - 1:
        del given["n_requests"]
    if style.random() < 0.5 and case.unmet_cost and len(set(case.unmet_cost)) == 1:
        given["unmet_cost"] = case.unmet_cost[0]
    if style.random() < 0.5 and case.capacity and len(set(case.capacity)) == 1 and "parent" in given:
        given["capacity"] = case.capacity[0]
    if style.random() < 0.3:
        small = max((abs(c) for c in case.cost), default=0) < 2**31
        arcs["cost"] = arcs["cost"].astype(np.int32 if small else np.int64)
        arcs["request"] = arcs["request"].astype(np.int32)
    if style.random() < 0.3:
        for name, values in arcs.items():
            twice = np.repeat(values, 2)
            arcs[name] = twice[::2]  # not contiguous
    if style.random() < 0.3:
        for values in arcs.values():
            values.flags.writeable = False


# ---------------------------------------------------------------- what is true of a case and of an answer


def chain_above(parent: list[int], node: int) -> list[int]:
    """A node and all nodes above it."""
    found = []
    while node >= 0:
        found.append(node)
        node = parent[node]
    return found


def loads(case: Case, flow: list[int]) -> list[int]:
    """Units through each node."""
    load = [0] * len(case.capacity)
    for a, units in enumerate(flow):
        if units:
            for k in chain_above(case.parent, case.provider[a]):
                load[k] += units
    return load


def cost_of(case: Case, flow: list[int], unmet: list[int]) -> int:
    """The cost of an answer, in Python integers."""
    arcs = sum(c * x for c, x in zip(case.cost, flow, strict=True))
    left = sum(p * z for p, z in zip(case.unmet, unmet, strict=True) if z)
    steps = zip(case.load_cost, loads(case, flow), strict=True)
    return arcs + left + sum(j * step for step, load in steps for j in range(load))


def faults_of(case: Case, flow: list[int], unmet: list[int]) -> list[str]:
    """Every way in which an answer is not feasible."""
    faults = []
    if len(flow) != len(case.request) or len(unmet) != case.n_requests:
        return ["flow or unmet has the wrong length"]
    if any(x not in (0, 1) for x in flow):
        faults.append("an arc carries neither 0 nor 1")
    for r, mine in enumerate(case.arcs_of()):
        used = [a for a in mine if flow[a]]
        if len(used) + unmet[r] != case.demand[r] or unmet[r] < 0:
            faults.append(f"request {r}: {len(used)} served + {unmet[r]} unmet != demand {case.demand[r]}")
        if len({case.groups[a] for a in used}) != len(used):
            faults.append(f"request {r} has two units of one group")
        if case.must[r] and unmet[r]:
            faults.append(f"request {r} must be served and is not")
        served_by = {case.provider[a] for a in used}
        faults += [f"pin {r} to {p} is not kept" for q, p in case.pins if q == r and p not in served_by]
    for k, load in enumerate(loads(case, flow)):
        if load > case.capacity[k]:
            faults.append(f"node {k} carries {load} > {case.capacity[k]}")
    return faults


def conjugate(case: Case, price: list[int]) -> int:
    """Sum over nodes of phi*(price): the units that a price pays for, each less its load cost."""
    total = 0
    for y, step, capacity in zip(price, case.load_cost, case.capacity, strict=True):
        if step == 0:
            total += capacity * max(0, y)
            continue
        j = 0
        while j < capacity and y - j * step > 0:
            total += y - j * step
            j += 1
    return total


def bound_of(case: Case, dual: list[int], price: list[int]) -> int:
    """The bound of DESIGN.md by plain loops; a required request's dual is not cut at the unmet cost."""
    above = [sum(price[k] for k in chain_above(case.parent, node)) for node in range(len(price))]
    total = -conjugate(case, price)
    for r, mine in enumerate(case.arcs_of()):
        u = dual[r] if case.must[r] else min(dual[r], case.unmet[r])
        total += case.demand[r] * u
        most: dict[int, int] = {}
        for a in mine:
            g = case.groups[a]
            most[g] = max(most.get(g, 0), u - case.cost[a] - above[case.provider[a]])
        total -= sum(most.values())
    return total


def bound_of_prices(case: Case, price: list[int]) -> int | None:
    """The best bound that node prices alone give: each request serves itself best at these prices, pins kept.

    None where a request cannot be served as it must whatever the prices are.
    """
    above = [sum(price[k] for k in chain_above(case.parent, node)) for node in range(len(price))]
    total = -conjugate(case, price)
    for r, mine in enumerate(case.arcs_of()):
        priced = {a: case.cost[a] + above[case.provider[a]] for a in mine}
        pinned = [[a for a in mine if case.provider[a] == p] for q, p in case.pins if q == r]
        best = None
        for chosen in product(*pinned):
            taken = {case.groups[a] for a in chosen}
            if len(taken) < len(chosen):
                continue
            cheapest: dict[int, int] = {}
            for a in mine:
                g = case.groups[a]
                if g not in taken:
                    cheapest[g] = min(priced[a], cheapest.get(g, priced[a]))
            left = case.demand[r] - len(chosen)
            rest = sorted(cheapest.values())
            if left < 0 or (case.must[r] and left > len(rest)):
                continue
            value = sum(priced[a] for a in chosen)
            for j in range(left):
                serve = rest[j] if j < len(rest) else None
                if case.must[r]:
                    value += rest[j]
                else:
                    value += case.unmet[r] if serve is None else min(serve, case.unmet[r])
            best = value if best is None else min(best, value)
        if best is None:
            return None
        total += best
    return total


@dataclass(frozen=True)
class Answer:
    """What a solver says, in plain integers; None where it says nothing of it."""

    flow: list[int]
    unmet: list[int]
    request_dual: list[int]
    price: list[int]
    total_cost: int | None = None
    bound: int | None = None
    gap: float | None = None
    termination: str | None = None

    @classmethod
    def of(cls, result: object) -> Answer:
        """Read a result of `gm.assign` (or a `Solution`, which has no costs)."""
        lists = [np.asarray(getattr(result, name)) for name in ("flow", "unmet", "request_dual", "price")]
        kinds = {values.dtype.kind for values in lists}
        assert kinds <= {"i"}, f"integer costs give integer arrays, not {kinds}"
        named = {n: getattr(result, n, None) for n in ("total_cost", "bound", "gap", "termination")}
        return cls(*(values.tolist() for values in lists), **named)


def complaints(case: Case, answer: Answer, optimum: int) -> list[str]:
    """Everything that is wrong with an answer to a case whose optimum is known; empty where nothing is."""
    wrong = faults_of(case, answer.flow, answer.unmet)
    if wrong:
        return wrong
    cost = cost_of(case, answer.flow, answer.unmet)
    if cost != optimum:
        wrong.append(f"the flow costs {cost}, the optimum is {optimum}")
    if len(answer.request_dual) != case.n_requests or len(answer.price) != len(case.capacity):
        return [*wrong, "a dual has the wrong length"]
    if any(y < 0 for y in answer.price):
        wrong.append("a price is negative")
    bound = bound_of(case, answer.request_dual, answer.price)
    if bound != cost:
        wrong.append(f"the duals prove {bound}, the flow costs {cost}")
    for r, u in enumerate(answer.request_dual):
        if case.demand[r] and not case.must[r] and u > case.unmet[r]:
            wrong.append(f"request {r}: dual {u} above its unmet cost {case.unmet[r]}")
    if answer.total_cost is not None and answer.total_cost != cost:
        wrong.append(f"total_cost says {answer.total_cost}, the flow costs {cost}")
    if answer.bound is not None and answer.bound != bound:
        wrong.append(f"bound says {answer.bound}, the duals prove {bound}")
    if answer.gap is not None and answer.gap != 0:
        wrong.append(f"gap says {answer.gap}")
    if answer.termination is not None and str(answer.termination) != "optimal":
        wrong.append(f"termination says {answer.termination}")
    return wrong


def witness_faults(case: Case, witness: object) -> list[str]:
    """Why requests S and disjoint nodes K do not prove that S cannot all be served; empty where they do.

    A unit of S goes through K (at most its capacity), or by an arc that is not below K: one for each
    (request, group) that has such an arc.
    """
    requests, nodes, arcs = (np.asarray(getattr(witness, n)).tolist() for n in ("requests", "nodes", "arcs"))
    faults = []
    members, cut = set(requests), set(nodes)
    if len(members) != len(requests) or len(cut) != len(nodes):
        faults.append("a request or node stands twice in the witness")
    faults += [
        f"node {k} stands below another one"
        for k in nodes
        if cut.intersection(chain_above(case.parent, k)[1:])
    ]
    faults += [f"request {r} need not be served" for r in requests if not case.must[r]]
    outside = [
        a
        for a, r in enumerate(case.request)
        if r in members and not cut.intersection(chain_above(case.parent, case.provider[a]))
    ]
    if outside != arcs:
        faults.append(f"the arcs outside are {outside}, it names {arcs}")
    ways = len({(case.request[a], case.groups[a]) for a in outside})
    demand, room = sum(case.demand[r] for r in members), sum(case.capacity[k] for k in cut)
    if demand <= room + ways:
        faults.append(f"demand {demand} fits into {room} units of capacity and {ways} other ways")
    said = (witness.demand, witness.capacity, witness.ways)
    if said != (demand, room, ways):
        faults.append(f"it says {said}, it is {(demand, room, ways)}")
    return faults


# ---------------------------------------------------------------- three oracles


def brute_size(case: Case) -> int:
    """About how many states `brute_force` may visit."""
    size = 1
    for r, mine in enumerate(case.arcs_of()):
        ways = 1
        for n in range(1, min(case.demand[r], len(mine)) + 1):
            choices = 1
            for i in range(n):
                choices = choices * (len(mine) - i) // (i + 1)
            ways += choices
        size *= ways
    return size


def brute_force(case: Case) -> int | None:
    """The least cost over all answers, request by request; a state is a vector of loads. None: infeasible."""
    states: dict[tuple[int, ...], int] = {(0,) * len(case.capacity): 0}
    chains = [chain_above(case.parent, k) for k in range(len(case.capacity))]
    for r, mine in enumerate(case.arcs_of()):
        pinned = {p for q, p in case.pins if q == r}
        choices = []
        for n in range(min(case.demand[r], len(mine)) + 1):
            if case.must[r] and n < case.demand[r]:
                continue
            for chosen in combinations(mine, n):
                distinct = len({case.groups[a] for a in chosen}) == n
                if distinct and pinned <= {case.provider[a] for a in chosen}:
                    choices.append(chosen)
        after: dict[tuple[int, ...], int] = {}
        for state, paid in states.items():
            for chosen in choices:
                load, cost = list(state), paid
                for a in chosen:
                    cost += case.cost[a]
                    for k in chains[case.provider[a]]:
                        cost += load[k] * case.load_cost[k]
                        load[k] += 1
                if any(have > most for have, most in zip(load, case.capacity, strict=True)):
                    continue
                cost += 0 if case.must[r] else case.unmet[r] * (case.demand[r] - len(chosen))
                key = tuple(load)
                if key not in after or cost < after[key]:
                    after[key] = cost
        states = after
    return min(states.values(), default=None)


def linear_program(case: Case) -> int | None:
    """The optimum by HiGHS: a variable an arc, an unmet unit, and a unit of a node's load; None: infeasible.

    The program is a flow, so its vertices are integral: the cost is that of the rounded vertex, in integers.
    """
    n_arcs = len(case.request)
    below = loads(case, [1] * n_arcs)
    cost = [*case.cost, *case.unmet]
    upper: list[int] = [1] * n_arcs + [
        0 if must else n for must, n in zip(case.must, case.demand, strict=True)
    ]
    rows: list[tuple[int, int, int]] = [(r, a, 1) for a, r in enumerate(case.request)]
    rows += [(r, n_arcs + r, 1) for r in range(case.n_requests)]
    for a, node in enumerate(case.provider):
        rows += [(case.n_requests + k, a, 1) for k in chain_above(case.parent, node)]
    for k, step in enumerate(case.load_cost):
        room = min(case.capacity[k], below[k])
        if step == 0:
            rows.append((case.n_requests + k, len(cost), -1))
            cost.append(0)
            upper.append(room)
        for j in range(room if step else 0):
            rows.append((case.n_requests + k, len(cost), -1))
            cost.append(j * step)
            upper.append(1)
    once: dict[tuple[int, int], int] = {}
    members = [
        (once.setdefault((r, g), len(once)), a, 1)
        for a, (r, g) in enumerate(zip(case.request, case.groups, strict=True))
    ]
    pins = [
        (len(once) + i, a, -1)
        for i, (r, p) in enumerate(case.pins)
        for a in range(n_arcs)
        if case.request[a] == r and case.provider[a] == p
    ]
    if not cost:
        return 0
    n_equal = case.n_requests + len(case.capacity)
    n_less = len(once) + len(case.pins)
    found = linprog(
        np.array(cost, float),  # not scaled: HiGHS's tolerances are absolute, and 1 is a difference
        A_ub=_sparse(members + pins, n_less, len(cost)) if n_less else None,
        b_ub=[1] * len(once) + [-1] * len(case.pins) if n_less else None,
        A_eq=_sparse(rows, n_equal, len(cost)) if n_equal else None,
        b_eq=[*case.demand, *[0] * len(case.capacity)] if n_equal else None,
        bounds=np.array([[0] * len(upper), upper], float).T,
        method="highs-ds",
    )
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    x = np.rint(found.x).astype(np.int64)
    assert np.abs(found.x - x).max(initial=0) < 1e-6, "a vertex of a flow is integral"
    return sum(int(c) * int(units) for c, units in zip(cost, x, strict=True) if units)


def _sparse(entries: list[tuple[int, int, int]], n_rows: int, n_columns: int) -> csr_array:
    if not entries:
        return csr_array((n_rows, n_columns))
    row, column, value = (np.array(part) for part in zip(*entries, strict=True))
    return csr_array((value.astype(float), (row, column)), shape=(n_rows, n_columns))


def or_tools(case: Case) -> int | None:
    """The optimum by OR-Tools' `SimpleMinCostFlow`; None: infeasible.

    request → (request, group) → node → … → sink; a pin is an arc with a lower bound of one unit.
    """
    solved = or_tools_flow(case)
    return None if solved is None else cost_of(case, *solved)


def or_tools_flow(case: Case) -> tuple[list[int], list[int]] | None:
    """An optimal flow and what is unmet, by OR-Tools; None: infeasible."""
    pairs: dict[tuple[int, int], int] = {}
    for key in zip(case.request, case.groups, strict=True):
        pairs.setdefault(key, len(pairs))
    first_pin = case.n_requests + len(pairs)
    pins = {pin: first_pin + i for i, pin in enumerate(case.pins)}
    first_node = first_pin + len(pins)
    sink = first_node + len(case.capacity)
    supply = [*case.demand, *[0] * (sink - case.n_requests), -sum(case.demand)]
    arcs: list[tuple[int, int, int, int]] = []
    for r, p, g, c in zip(case.request, case.provider, case.groups, case.cost, strict=True):
        arcs.append((case.n_requests + pairs[r, g], pins.get((r, p), first_node + p), 1, c))
    free = [r for r in range(case.n_requests) if not case.must[r]]
    arcs += [(r, sink, case.demand[r], case.unmet[r]) for r in free]
    arcs += [(r, case.n_requests + i, 1, 0) for (r, _), i in pairs.items()]
    for (_, p), middle in pins.items():
        arcs.append((middle, first_node + p, len(case.request), 0))
        supply[middle] -= 1
        supply[first_node + p] += 1
    units = min(sum(case.demand), len(case.request)) if case.request else 0
    for k, step in enumerate(case.load_cost):
        above = first_node + case.parent[k] if case.parent[k] >= 0 else sink
        room = min(case.capacity[k], units)
        if step == 0:
            arcs.append((first_node + k, above, room, 0))
        else:
            arcs += [(first_node + k, above, 1, j * step) for j in range(room)]
    if not arcs:
        return ([], [0] * case.n_requests) if not any(case.demand) and not case.pins else None
    solver = min_cost_flow.SimpleMinCostFlow()
    tail, head, capacity, cost = np.array(arcs, np.int64).T
    numbers = solver.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
    solver.set_nodes_supplies(np.arange(sink + 1), np.array(supply, np.int64))
    status = solver.solve()
    if status == solver.INFEASIBLE:
        return None
    assert status == solver.OPTIMAL, f"OR-Tools ended with {status}"
    flow = solver.flows(numbers).tolist()
    n_arcs = len(case.request)
    unmet = [0] * case.n_requests
    for i, r in enumerate(free):
        unmet[r] = flow[n_arcs + i]
    return flow[:n_arcs], unmet


# ---------------------------------------------------------------- random cases


def random_case(seed: int, largest: int | None = None) -> Case:
    """A random case; each part is drawn in one of several styles, so that all of them meet.

    Most are tiny (brute force answers them), some are middling; `largest` limits requests and nodes.
    """
    rng = random.Random(seed)
    most = largest or rng.choices([4, 8, 25, 60], [45, 40, 12, 3])[0]
    n_requests = rng.randint(1, most) if rng.random() < 0.98 else 0
    parent = random_forest(rng, rng.randint(1, most + 2) if rng.random() < 0.98 else 0)
    n_nodes = len(parent)
    request, provider = _random_arcs(rng, n_requests, parent, max(400, 12 * most))
    draw_cost = _cost_drawer(rng)
    cost = [draw_cost() for _ in request]
    ones = rng.random() < 0.4
    demand = [1 if ones else rng.choice([0, 1, 1, 2, 3, 4]) for _ in range(n_requests)]
    if request and rng.random() < 0.2:  # repeated arcs
        for a in rng.choices(range(len(request)), k=rng.randint(1, 4)):
            request.append(request[a])
            provider.append(provider[a])
            cost.append(rng.choice([cost[a], cost[a] + rng.randint(-2, 2)]))
    order = list(range(len(request)))
    if rng.random() < 0.8:
        rng.shuffle(order)
    request, provider, cost = ([part[a] for a in order] for part in (request, provider, cost))
    unmet_cost, required = _random_unmet(rng, n_requests)
    return Case(
        request=request,
        provider=provider,
        cost=cost,
        n_requests=n_requests,
        demand=demand,
        capacity=_random_capacity(rng, n_nodes, sum(demand)),
        parent=parent,
        load_cost=_random_load_cost(rng, n_nodes),
        unmet_cost=unmet_cost,
        required=required,
        group=_random_group(rng, provider, parent),
    )


def random_forest(rng: random.Random, n_nodes: int) -> list[int]:
    """Parents of a forest: flat, slots below people below firms, one chain, deep, any labelling."""
    shape = rng.choice(["flat", "people", "chain", "deep", "bushy", "one root"])
    parent = [-1] * n_nodes
    for k in range(1, n_nodes):
        if shape == "chain":
            parent[k] = k - 1
        elif shape == "deep":
            parent[k] = rng.choice([-1, k - 1, k - 1, rng.randrange(k)])
        elif shape == "bushy":
            parent[k] = rng.randrange(-1, k)
        elif shape == "one root":
            parent[k] = rng.choice([0, rng.randrange(k)])
        elif shape == "people":
            tier = (k * 4) // n_nodes
            above = [j for j in range(k) if (j * 4) // n_nodes == tier - 1]
            parent[k] = rng.choice(above) if above else -1
    label = list(range(n_nodes))
    if rng.random() < 0.7:
        rng.shuffle(label)
    mixed = [-1] * n_nodes
    for k, p in enumerate(parent):
        mixed[label[k]] = label[p] if p >= 0 else -1
    return mixed


def _random_arcs(
    rng: random.Random, n_requests: int, parent: list[int], most: int
) -> tuple[list[int], list[int]]:
    n_nodes = len(parent)
    if not n_requests or not n_nodes:
        return [], []
    inner = set(parent)
    leaves = [k for k in range(n_nodes) if k not in inner]
    targets = leaves if rng.random() < 0.5 else list(range(n_nodes))
    shape = rng.choice(["sparse", "sparse", "dense", "one provider", "blocks", "ladder", "few"])
    if shape == "sparse":
        share = rng.uniform(0.1, 0.7)
        pairs = [(r, k) for r in range(n_requests) for k in targets if rng.random() < share]
    elif shape == "dense":
        pairs = [(r, k) for r in range(n_requests) for k in targets]
    elif shape == "one provider":
        only = rng.choice(targets)
        pairs = [(r, only) for r in range(n_requests)]
    elif shape == "blocks":
        blocks = rng.randint(2, 3)
        pairs = [(r, k) for r in range(n_requests) for k in targets if r % blocks == k % blocks]
    elif shape == "ladder":  # each arrival may push all the earlier ones along
        pairs = [(r, targets[(r + step) % len(targets)]) for r in range(n_requests) for step in (0, 1)]
    else:
        pairs = [(rng.randrange(n_requests), rng.choice(targets)) for _ in range(rng.randint(0, 6))]
    if len(pairs) > most:
        pairs = rng.sample(pairs, most)
    return [r for r, _ in pairs], [k for _, k in pairs]


def _cost_drawer(rng: random.Random) -> Callable[[], int]:
    style = rng.choice(["ties", "ties", "equal", "small", "small", "negative", "large", "wild", "steps"])
    if style == "ties":
        return lambda: rng.randint(0, 2)
    if style == "equal":
        same = rng.choice([0, 1, 7, 10**9, -3])
        return lambda: same
    if style == "small":
        return lambda: rng.randint(0, 30)
    if style == "negative":
        return lambda: rng.randint(-20, 20)
    if style == "large":
        return lambda: rng.randint(10**9 - 3, 10**9)
    if style == "wild":
        return lambda: rng.choice([-(10**9), -1, 0, 1, 10**9, rng.randint(-(10**9), 10**9)])
    return lambda: 10 ** rng.randint(0, 9)


def _random_capacity(rng: random.Random, n_nodes: int, demand: int) -> list[int]:
    style = rng.choice(["tight", "tight", "zeros", "ones", "ample", "huge", "mixed", "mixed"])
    draw: dict[str, Callable[[], int]] = {
        "tight": lambda: rng.randint(0, 2),
        "zeros": lambda: rng.choice([0, 0, 0, 1, 3]),
        "ones": lambda: 1,
        "ample": lambda: rng.randint(2, max(3, demand + 1)),
        "huge": lambda: 10**9,
        "mixed": lambda: rng.choice([0, 1, 1, 2, 3, 5, 10**9]),
    }
    return [draw[style]() for _ in range(n_nodes)]


def _random_load_cost(rng: random.Random, n_nodes: int) -> list[int]:
    style = rng.choice(["none", "none", "ones", "some", "all", "large"])
    draw: dict[str, Callable[[], int]] = {
        "none": lambda: 0,
        "ones": lambda: 1,
        "some": lambda: rng.choice([0, 0, 1, 3]),
        "all": lambda: rng.randint(0, 8),
        "large": lambda: rng.choice([0, 5, 10**9]),
    }
    return [draw[style]() for _ in range(n_nodes)]


def _random_unmet(rng: random.Random, n_requests: int) -> tuple[list[int] | None, list[bool] | None]:
    style = rng.choice(["zero", "small", "small", "negative", "high", "high", "huge", "mixed", "none"])
    draw: dict[str, Callable[[], int]] = {
        "zero": lambda: 0,
        "small": lambda: rng.randint(0, 30),
        "negative": lambda: rng.randint(-20, 5),
        "high": lambda: rng.randint(40, 60),
        "huge": lambda: 10**9 + rng.randint(0, 1),
        "mixed": lambda: rng.choice([-5, 0, 10, 50, 10**9]),
    }
    if style == "none":
        return None, None
    unmet = [draw[style]() for _ in range(n_requests)]
    if rng.random() < 0.8:
        return unmet, None
    share = rng.choice([0.2, 0.5, 1.0])
    return unmet, [rng.random() < share for _ in range(n_requests)]


def _random_group(rng: random.Random, provider: list[int], parent: list[int]) -> list[int] | None:
    style = rng.choice(["provider", "provider", "owner", "owner", "few", "own", "top"])
    if style == "provider":
        return None
    if style == "owner":
        return [max(p, parent[p]) if parent[p] >= 0 else p for p in provider]
    if style == "top":
        return [chain_above(parent, p)[-1] for p in provider]
    if style == "own":
        return list(range(len(provider)))
    return [rng.choice([0, 1, 5]) for _ in provider]


def random_large(seed: int, n_requests: int | None = None) -> Case:
    """A case of hundreds or thousands of requests near to providers, as communities have them.

    Slots belong to people, some of these to firms; supply from short to ample; hot spots, ties, priorities.
    Too large for an oracle in a moment: its answer is judged by its own proof.
    """
    rng = np.random.default_rng(seed)
    n_requests = n_requests or int(rng.integers(300, 2_500))
    n_slots = max(2, int(n_requests / rng.choice([0.1, 0.75, 1.0, 1.5, 2.4, 3.0])))
    k = int(rng.integers(1, 17))
    hot = rng.random(n_requests) < rng.choice([0.0, 0.6])
    place = np.where(hot, 0.5 + 0.01 * rng.random(n_requests), rng.random(n_requests))
    reach = rng.choice([3 * k, 30 * k, n_slots])
    request = np.repeat(np.arange(n_requests), k)
    provider = (place[request] * n_slots).astype(int) + rng.integers(-reach, reach + 1, len(request))
    provider %= n_slots
    if rng.random() < 0.1:  # a ladder, along which one arrival may push everybody
        provider = (request + np.tile(np.arange(k) % 2, n_requests)) % n_slots
    far = np.abs(provider / n_slots - place[request])
    grain = rng.choice([3, 100, 10_000])
    cost = (far * grain).astype(int) + rng.integers(0, max(2, grain // 3), len(request))
    sizes, tiers, below = [n_slots], rng.integers(1, 5), rng.choice([8, 8, 40, 200])
    while sizes[-1] > 4 and len(sizes) < tiers:
        sizes.append(max(1, sizes[-1] // int(rng.integers(2, below))))
    start = np.cumsum([0, *sizes])
    parent = [start[tier + 1] + np.arange(n) * sizes[tier + 1] // n for tier, n in enumerate(sizes[:-1])] + [
        np.full(sizes[-1], -1)
    ]
    units = [max(1, round(n_slots / n * float(rng.choice([0.3, 0.6, 1.0])))) for n in sizes]
    capacity = [
        rng.integers(0 if tier else 1, u + 1, n) for tier, (n, u) in enumerate(zip(sizes, units, strict=True))
    ]
    load_cost = [rng.integers(0, 1 + grain // 5, n) * int(rng.random() < 0.2) for n in sizes]
    parents = np.concatenate(parent)
    if len(sizes) == 1 and rng.random() < 0.2:  # one chain, labelled in any order
        order = rng.permutation(n_slots)[:1_000]
        parents[order[1:]] = order[:-1]
        capacity[0][order] = rng.integers(0, 1 + np.arange(len(order), 0, -1))
    return Case(
        request=request.tolist(),
        provider=provider.tolist(),
        cost=(cost * int(rng.choice([1, 1, 10**5])) - int(rng.choice([0, 0, 50]))).tolist(),
        n_requests=n_requests,
        demand=(rng.integers(1, 4, n_requests) if rng.random() < 0.3 else np.ones(n_requests, int)).tolist(),
        capacity=np.concatenate(capacity).tolist(),
        parent=parents.tolist(),
        load_cost=np.concatenate(load_cost).tolist(),
        unmet_cost=(grain // 2 + 2 * grain * rng.integers(0, rng.choice([1, 4]), n_requests)).tolist(),
        group=parents[provider].tolist() if len(sizes) > 1 else None,
    )


def random_square(seed: int, n: int, largest: int = 100) -> tuple[np.ndarray, dict[str, object]]:
    """A dense square as in the OR-Library, costs uniform in 1..largest; also as arguments of `gm.assign`."""
    rng = np.random.default_rng(seed)
    matrix = rng.integers(1, largest + 1, (n, n))
    request, provider = np.divmod(rng.permutation(n * n), n)
    return matrix, {"request": request, "provider": provider, "cost": matrix[request, provider]}


# ---------------------------------------------------------------- shrinking


def without_request(case: Case, gone: int) -> Case:
    """The case without one request."""
    keep = [a for a, r in enumerate(case.request) if r != gone]
    moved = keep_arcs(case, keep)
    rest = [r for r in range(case.n_requests) if r != gone]
    return replace(
        moved,
        request=[r - (r > gone) for r in moved.request],
        n_requests=case.n_requests - 1,
        demand=[case.demand[r] for r in rest],
        unmet_cost=None if case.unmet_cost is None else [case.unmet_cost[r] for r in rest],
        required=None if case.required is None else [case.required[r] for r in rest],
        pins=tuple((r - (r > gone), p) for r, p in case.pins if r != gone),
    )


def keep_arcs(case: Case, keep: list[int]) -> Case:
    """The case with these arcs only, in this order."""
    return replace(
        case,
        request=[case.request[a] for a in keep],
        provider=[case.provider[a] for a in keep],
        cost=[case.cost[a] for a in keep],
        group=None if case.group is None else [case.group[a] for a in keep],
    )


def without_node(case: Case, gone: int) -> Case:
    """The case without one node that no arc enters; what stood below it moves up."""
    rest = [k for k in range(len(case.capacity)) if k != gone]
    up = case.parent[gone]
    parent = [up if case.parent[k] == gone else case.parent[k] for k in rest]
    return replace(
        case,
        provider=[p - (p > gone) for p in case.provider],
        capacity=[case.capacity[k] for k in rest],
        parent=[p - (p > gone) for p in parent],
        load_cost=[case.load_cost[k] for k in rest],
        pins=tuple((r, p - (p > gone)) for r, p in case.pins),
    )


def _smaller(case: Case) -> Iterator[Case]:
    for r in reversed(range(case.n_requests)):
        yield without_request(case, r)
    for a in reversed(range(len(case.request))):
        yield keep_arcs(case, [b for b in range(len(case.request)) if b != a])
    for k in reversed(range(len(case.capacity))):
        if k not in case.provider and all(p != k for _, p in case.pins):
            yield without_node(case, k)
    for name in ("required", "group"):
        if getattr(case, name) is not None:
            yield replace(case, **{name: None})
    for name in ("demand", "load_cost", "parent", "capacity", "unmet_cost", "cost"):
        values = getattr(case, name)
        for i, value in enumerate(values or ()):
            simpler = {-1} - {value} if name == "parent" else {0, 1, value // 2, value - 1}
            for low in sorted(simpler, key=abs):
                if name == "parent" or abs(low) < abs(value):
                    yield replace(case, **{name: [*values[:i], low, *values[i + 1 :]]})


def shrink(case: Case, fails: Callable[[Case], bool], seconds: float = 60.0) -> Case:
    """The smallest case found by greedy dropping on which `fails` still holds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for smaller in _smaller(case):
            if fails(smaller):
                case = smaller
                break
            if time.monotonic() > until:
                break
        else:
            return case
    return case

"""The nightly-size hunt for wrong answers: `make fuzz`, or

    python -m tests.fuzz --instances 100000 --seed 0 --jobs 2

Random instances go through `gm.assign` and through the oracles of `naive_assign`; random sequences of
events through `gm.Matcher` and its naive twin. A mismatch is shrunk and printed as Python literals. A
worker that crashes or hangs is told by the seed it was at.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing as mp
import os
import pprint
import random
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from queue import Empty

import numpy as np
from scipy.optimize import linear_sum_assignment

import govmatch as gm
from govmatch.solve import flow
from govmatch.solve.instance import Instance
from tests.naive_assign import (
    Answer,
    Case,
    bound_of,
    brute_force,
    brute_size,
    complaints,
    cost_of,
    faults_of,
    linear_program,
    or_tools,
    random_case,
    random_forest,
    random_large,
    random_square,
    shrink,
    witness_faults,
)
from tests.naive_matcher import Twin

# ---------------------------------------------------------------- gm.assign


def trouble_with(case: Case, seed: int = 0, *, oracles: bool = False) -> str | None:
    """What `gm.assign` gets wrong on a case, or None. `oracles`: also hold the oracles against each other."""
    optimum = or_tools(case)
    if oracles:
        others = {"HiGHS": linear_program(case)}
        if brute_size(case) <= 20_000:
            others["brute force"] = brute_force(case)
        for name, value in others.items():
            if value != optimum:
                return f"the oracles disagree: OR-Tools {optimum}, {name} {value}"
    try:
        result = gm.assign(**case.arguments(random.Random(seed)))
    except gm.Infeasible as error:
        if optimum is not None:
            return f"Infeasible, but the optimum is {optimum}: {error}"
        return _joined(witness_faults(case, error.witness))
    except Exception:
        return traceback.format_exc(limit=-6)
    if optimum is None:
        return "the case is infeasible and gm.assign returns an answer"
    return _joined(complaints(case, Answer.of(result), optimum))


def trouble_with_large(case: Case, seed: int = 0) -> str | None:
    """What `gm.assign` gets wrong on a case in which nobody must be served, judged by its proof alone.

    Also where it is stopped somewhere in the middle, and where a small gap suffices.
    """
    rng = random.Random(seed)
    begin = time.monotonic()
    try:
        result = gm.assign(**case.arguments(random.Random(seed)))
    except Exception:
        return traceback.format_exc(limit=-6)
    answer = Answer.of(result)
    took = time.monotonic() - begin
    wrong = faults_of(case, answer.flow, answer.unmet)
    wrong = wrong or complaints(case, answer, cost_of(case, answer.flow, answer.unmet))
    if wrong:
        return _joined(wrong)
    for stop in ({"time_limit": max(1e-6, rng.random() * took)}, {"gap": rng.choice([0.001, 0.01, 0.1])}):
        trouble = trouble_when_stopped(case, seed, answer.total_cost, **stop)
        if trouble is not None:
            return f"with {stop}: {trouble}"
    return None


def trouble_when_stopped(case: Case, seed: int, optimum: int | None = None, **stop: object) -> str | None:
    """What is wrong with an answer that was stopped early: it must be feasible and its bound true.

    Stopped by time or a signal it may leave what must be served; its gap is then infinite. Where the
    optimum is not given, an oracle is asked.
    """
    optimum = or_tools(case) if optimum is None else optimum
    try:
        result = gm.assign(**case.arguments(random.Random(seed)), **stop)
    except gm.Infeasible as error:
        if optimum is not None:
            return f"Infeasible, but the optimum is {optimum}: {error}"
        return _joined(witness_faults(case, error.witness))
    except Exception:
        return traceback.format_exc(limit=-6)
    answer = Answer.of(result)
    unserved = any(must and z for must, z in zip(case.must, answer.unmet, strict=True))
    wrong = faults_of(replace(case, unmet_cost=case.unmet, required=None), answer.flow, answer.unmet)
    if wrong:
        return _joined(wrong)
    cost, bound = cost_of(case, answer.flow, answer.unmet), bound_of(case, answer.request_dual, answer.price)
    if answer.total_cost != cost or answer.bound != bound:
        wrong.append(f"says {answer.total_cost} and {answer.bound}, it is {cost} and {bound}")
    if optimum is None and not unserved:
        return "the case is infeasible and gm.assign serves everybody"
    if optimum is not None and bound > optimum:
        wrong.append(f"bound {bound}, the optimum is {optimum}")
    if optimum is not None and not unserved and cost < optimum:
        wrong.append(f"cost {cost}, the optimum is {optimum}")
    gap = math.inf if unserved else (cost - bound) / max(1, abs(cost))
    if answer.gap != gap:
        wrong.append(f"gap says {answer.gap}, it is {gap}")
    if "gap" in stop and gap > stop["gap"]:
        wrong.append(f"the gap {gap} is above what was asked for")
    ended = str(answer.termination)
    allowed = {"gap": "gap", "time_limit": "time_limit", "cancel": "cancelled"}
    if (ended == "optimal") != (gap == 0) or ended not in {"optimal", *(allowed[name] for name in stop)}:
        wrong.append(f"{ended} with a gap of {gap}")
    return _joined(wrong)


def random_stop(seed: int) -> dict[str, object]:
    """How to stop a solve early."""
    cancel = threading.Event()
    cancel.set()
    return [{"gap": 0.05}, {"gap": 1.0}, {"time_limit": 1e-9}, {"cancel": cancel}][seed % 4]


def trouble_with_floats(case: Case, seed: int) -> str | None:
    """What `gm.assign` gets wrong where costs are floats, against brute force in fractions; None: nothing.

    The costs are divided: by a power of two, into cents, or into what no scale holds exactly.
    """
    if brute_size(case) > 20_000:
        return None
    rng = random.Random(seed)
    divisor = rng.choice([1.0, 1024.0, 100.0, 3.0, 1e-6, 7e8])
    floats = {
        name: [x / divisor for x in values]
        for name in ("cost", "load_cost", "unmet_cost")
        if (values := getattr(case, name)) is not None
    }
    exact = replace(case, **{name: [Fraction(x) for x in values] for name, values in floats.items()})
    optimum = brute_force(exact)
    given = case.arguments()
    given |= {name: np.array(values, float) for name, values in floats.items()}
    if any(case.load_cost) or rng.random() < 0.5:
        given["load_cost"] = np.array(floats["load_cost"], float)
    try:
        result = gm.assign(**given)
    except gm.Infeasible as error:
        return None if optimum is None else f"Infeasible, but the optimum is {float(optimum)}: {error}"
    except Exception:
        return traceback.format_exc(limit=-6)
    if optimum is None:
        return "the case is infeasible and gm.assign returns an answer"
    flow, unmet = result.flow.tolist(), result.unmet.tolist()
    wrong = faults_of(case, flow, unmet)
    if wrong:
        return _joined(wrong)
    cost = cost_of(exact, flow, unmet)
    if float(cost) != result.total_cost:
        wrong.append(f"total_cost {result.total_cost}, it is {float(cost)}")
    if Fraction(result.bound) > optimum:
        wrong.append(f"bound {result.bound} above the optimum {float(optimum)}")
    units = sum(case.demand) + len(case.cost) + 1
    size = max((abs(x) for values in floats.values() for x in values), default=0) * units**2
    if cost - optimum > result.resolution * units or cost - Fraction(result.bound) > (
        result.resolution * units + 1e-12 * size
    ):
        wrong.append(f"cost {float(cost)}, bound {result.bound}, optimum {float(optimum)}")
    if divisor in (1.0, 1024.0) and not cost == optimum == Fraction(result.bound):
        wrong.append(f"powers of two are exact: {float(cost)}, {result.bound}, optimum {float(optimum)}")
    if str(result.termination) != "optimal":
        wrong.append(f"termination says {result.termination}")
    return _joined(wrong)


def trouble_when_scaled(case: Case, seed: int) -> str | None:
    """What `gm.assign` gets wrong on a case of much larger costs; it refuses what no int64 holds."""
    optimum = or_tools(case)
    largest = max(map(abs, [1, *case.cost, *case.load_cost, *(case.unmet_cost or ())]))
    factor = max(1, 2 ** random.Random(seed).randint(40, 61) // largest)
    large = replace(
        case,
        cost=[c * factor for c in case.cost],
        load_cost=[c * factor for c in case.load_cost],
        unmet_cost=None if case.unmet_cost is None else [c * factor for c in case.unmet_cost],
    )
    try:
        result = gm.assign(**large.arguments())
    except gm.InvalidInput:
        units = 2 + min(len(case.cost), sum(case.demand))
        sums = largest * factor * units * (2 + sum(case.demand))
        return None if sums >= 2**55 else "refused, though sums are small"
    except gm.Infeasible as error:
        return None if optimum is None else f"Infeasible, but the optimum is {optimum * factor}: {error}"
    except Exception:
        return traceback.format_exc(limit=-6)
    if optimum is None:
        return "the case is infeasible and gm.assign returns an answer"
    return _joined(complaints(large, Answer.of(result), optimum * factor))


def trouble_from_a_start(case: Case, seed: int) -> str | None:
    """What `flow.solve` gets wrong when it is given prices to start from, near or wild ones."""
    if any(case.must):
        return None
    rng = random.Random(seed)
    arrays = {
        "request": case.request,
        "node": case.provider,
        "group": case.groups,
        "cost": case.cost,
        "demand": case.demand,
        "unmet_cost": case.unmet,
        "capacity": case.capacity,
        "parent": case.parent,
        "load_cost": case.load_cost,
    }
    instance = Instance(**{name: np.array(values, np.int64) for name, values in arrays.items()})
    try:
        near = flow.solve(instance).price.tolist()
        shift = rng.choice([0, 1, 5, 10**9])
        start = rng.choice(
            [
                [max(0, y + rng.randint(-shift, shift)) for y in near],
                [rng.choice([0, 1, 7, 10**9, 10**12]) for _ in near],
                near,
            ]
        )
        solution = flow.solve(instance, start=np.array(start, np.int64))
    except Exception:
        return traceback.format_exc(limit=-6)
    return _joined(complaints(case, Answer.of(solution), or_tools(case)))


def _joined(wrong: list[str]) -> str | None:
    return "; ".join(wrong) or None


def check_square(seed: int, n: int, largest: int = 100) -> str | None:
    """What `gm.assign` gets wrong on a dense square, against `scipy.optimize.linear_sum_assignment`."""
    matrix, arguments = random_square(seed, n, largest)
    rows, columns = linear_sum_assignment(matrix)
    result = gm.assign(**arguments)
    optimum = int(matrix[rows, columns].sum())
    used = np.asarray(result.flow) > 0
    request, provider, cost = (arguments[name][used] for name in ("request", "provider", "cost"))
    if not (sorted(request) == sorted(provider) == list(range(n))):
        return "the flow is not a permutation"
    above = np.asarray(result.request_dual)[:, None] - np.asarray(result.price)[None, :]
    bound = (
        int(np.sum(result.request_dual))
        - int(np.sum(result.price))
        - int(np.maximum(0, above - matrix).sum())
    )
    if not int(cost.sum()) == int(result.total_cost) == int(result.bound) == bound == optimum:
        return f"{cost.sum()}, {result.total_cost}, {result.bound}, {bound}, optimum {optimum}"
    return None


# ---------------------------------------------------------------- gm.Matcher


Event = tuple[object, ...]
Node = int | str


@dataclass
class _Day:
    """What a writer of random events knows of the state: labels, so that any event can be left out later."""

    nodes: list[Node]
    arcs: dict[str, list[Node]] = field(default_factory=dict)  # live and removed requests
    gone: set[str] = field(default_factory=set)
    n_added: int = 0


def random_day(seed: int, length: int | None = None) -> tuple[dict[str, list[int]], list[Event]]:
    """The arguments of a `Matcher` and a random sequence of events on it, ties everywhere."""
    rng = random.Random(seed)
    long = length is None and seed % 100 == 7  # so that arrays grow, and are laid out anew
    n_nodes = rng.randint(20, 60) if long else rng.randint(0, rng.choice([3, 6, 12]))
    parent = random_forest(rng, n_nodes) if rng.random() < 0.6 else [-1] * n_nodes
    capacity_of = rng.choice([lambda: 1, lambda: rng.randint(0, 2), lambda: rng.choice([0, 1, 2, 10**9])])
    load_of = rng.choice([lambda: 0, lambda: 0, lambda: rng.choice([0, 1, 4])])
    huge = 2**40  # the largest that a matcher takes
    cost_of_arc = rng.choice(
        [
            lambda: rng.randint(0, 2),
            lambda: rng.randint(0, 2),
            lambda: rng.randint(0, 30),
            lambda: rng.randint(-9, 9),
            lambda: rng.choice([0, 1, 10**9, -(10**9)]),
            lambda: rng.choice([0, 1, huge, -huge, huge // 2]),
        ]
    )
    unmet_of = rng.choice(
        [
            lambda: 50,
            lambda: rng.randint(0, 30),
            lambda: rng.choice([-5, 0, 3, 10**9]),
            lambda: 10**9,
            lambda: rng.choice([huge, huge, -huge, 10]),
        ]
    )
    demand_of = rng.choice([lambda: 1, lambda: rng.choice([1, 1, 2, 3])])
    grouping = rng.choice(["none", "none", "none", "few"])
    start = {
        "capacity": [capacity_of() for _ in range(n_nodes)],
        "parent": parent,
        "load_cost": [load_of() for _ in range(n_nodes)],
    }
    day = _Day(list(range(n_nodes)))
    weight = {
        "add": rng.choice([3, 6]) * (3 if long else 1),
        "remove": rng.choice([1, 3]),
        "add_arcs": 1,
        "set_cost": 2,
        "pin": rng.choice([0, 1, 3]),
        "unpin": rng.choice([0, 1, 2]),
        "set_capacity": rng.choice([1, 3]),
        "add_node": 0.5,
        "close_node": rng.choice([0, 0.2]),
        "reload": 0.2,
        "copy": 0.2,
        "what_if": 0.3,
    }

    def some_arcs() -> tuple[list[Node], list[int], list[int] | None]:
        most = rng.choice([1, 3, len(day.nodes)])
        nodes = rng.choices(day.nodes, k=rng.randint(0, most)) if day.nodes else []
        if rng.random() < 0.8:
            nodes = list(dict.fromkeys(nodes))
        group = [rng.choice([0, 1, 5]) for _ in nodes] if grouping == "few" else None
        return nodes, [cost_of_arc() for _ in nodes], group

    def some_request() -> str:
        live = [h for h in day.arcs if h not in day.gone]
        if live and rng.random() < 0.97:
            return rng.choice(live)
        return rng.choice(list(day.arcs)) if day.arcs else "r?"

    def some_node_of(h: str) -> Node:
        near = day.arcs.get(h)
        return rng.choice(near) if near and rng.random() < 0.95 else rng.choice([*day.nodes, -1, 99])

    def write(name: str) -> Event:
        if name == "add":
            nodes, costs, group = some_arcs()
            h = f"r{day.n_added}"
            day.n_added += 1
            day.arcs[h] = nodes
            return (name, h, nodes, costs, demand_of(), unmet_of(), group)
        h = some_request()
        if name == "add_arcs":
            nodes, costs, group = some_arcs()
            day.arcs[h] = [*day.arcs.get(h, []), *nodes]
            return (name, h, nodes, costs, group)
        if name == "set_cost":
            return (name, h, some_node_of(h), cost_of_arc())
        if name == "pin":
            return (name, h, some_node_of(h))
        if name in ("remove", "unpin"):
            if name == "remove":
                day.gone.add(h)
            return (name, h)
        if name == "add_node":
            label = f"n{len(day.nodes)}"
            event = (name, label, capacity_of(), rng.choice([-1, *day.nodes]), load_of())
            day.nodes.append(label)
            return event
        if name == "close_node":
            return (name, some_node_of("r?"))
        if name == "set_capacity":
            return (
                name,
                some_node_of("r?"),
                rng.choice([0, 1, 2, 3, capacity_of(), -1 if rng.random() < 0.1 else 1]),
            )
        if name == "what_if":
            known = _Day(list(day.nodes), dict(day.arcs), set(day.gone), day.n_added)
            inner = [write(k) for k in rng.choices(["add", "remove", "pin", "set_capacity", "set_cost"], k=3)]
            day.nodes, day.arcs, day.gone, day.n_added = known.nodes, known.arcs, known.gone, known.n_added
            return (name, inner)
        return (name,)

    kinds = rng.choices(
        list(weight), list(weight.values()), k=length or (300 if long else rng.choice([10, 25, 50]))
    )
    return start, [write(kind) for kind in kinds]


class Player:
    """Plays events on a `Twin`; what refers to something that was never added is left out."""

    def __init__(self, start: dict[str, list[int]], **options: bool) -> None:
        self.twin = Twin(**start, **options)
        self.handle: dict[str, int] = {}
        self.node: dict[Node, int] = {k: k for k in [*range(len(start["capacity"])), -1, 99]}

    def play(self, event: Event) -> None:
        """Play one event."""
        name, *rest = event
        if name == "add":
            h, nodes, costs, demand, unmet_cost, group = rest
            nodes, costs, group = self._arcs(nodes, costs, group)
            got = self.twin.call("add", nodes, costs, demand=demand, unmet_cost=unmet_cost, **_given(group))
            if got is not None:
                self.handle[h] = got
        elif name == "add_node":
            label, capacity, parent, load_cost = rest
            if parent in self.node:
                got = self.twin.call("add_node", capacity, self.node[parent], load_cost)
                if got is not None:
                    self.node[label] = got
        elif name == "reload":
            self.twin.reload()
        elif name == "copy":
            self.twin = self.twin.copy()
        elif name == "what_if":
            self.twin.what_if(lambda twin: self._on(twin, rest[0]))
        elif name in ("set_capacity", "close_node"):
            if rest[0] in self.node:
                self.twin.call(name, self.node[rest[0]], *rest[1:])
        elif rest[0] in self.handle:
            h = self.handle[rest[0]]
            if name == "add_arcs":
                nodes, costs, group = self._arcs(*rest[1:])
                self.twin.call(name, h, nodes, costs, **_given(group))
            elif name in ("remove", "unpin"):
                self.twin.call(name, h)
            elif rest[1] in self.node:
                self.twin.call(name, h, self.node[rest[1]], *rest[2:])
        elif rest[0] == "r?":
            self.twin.call("remove", 10**6)

    def _arcs(
        self, nodes: list[Node], costs: list[int], group: list[int] | None
    ) -> tuple[list[int], list[int], list[int] | None]:
        keep = [i for i, node in enumerate(nodes) if node in self.node]
        kept_group = None if group is None else [group[i] for i in keep]
        return [self.node[nodes[i]] for i in keep], [costs[i] for i in keep], kept_group

    def _on(self, twin: Twin, events: list[Event]) -> None:
        aside = Player.__new__(Player)
        aside.twin, aside.handle, aside.node = twin, dict(self.handle), dict(self.node)
        for event in events:
            aside.play(event)


def _given(group: list[int] | None) -> dict[str, object]:
    return {} if group is None else {"group": group}


def trouble_on_day(start: dict[str, list[int]], events: list[Event], **options: bool) -> str | None:
    """What `gm.Matcher` gets wrong on a sequence of events, or None."""
    at: Event = ("start",)
    try:
        player = Player(start, **options)
        for at in events:
            player.play(at)
    except Exception:
        return f"at {at}:\n{traceback.format_exc(limit=-6)}"
    return None


def shrink_day(
    start: dict[str, list[int]],
    events: list[Event],
    fails: Callable[[list[Event]], bool],
    seconds: float = 60,
) -> list[Event]:
    """The fewest events found by greedy dropping, in ever smaller blocks, on which `fails` still holds."""
    until = time.monotonic() + seconds
    size = max(1, len(events) // 2)
    while time.monotonic() < until:
        dropped = False
        i = len(events) - size
        while i > -size and time.monotonic() < until:
            fewer = events[: max(0, i)] + events[max(0, i) + size :]
            if len(fewer) < len(events) and fails(fewer):
                events, dropped = fewer, True
            i -= size
        if not dropped and size == 1:
            return _shrink_adds(events, fails, until)
        if not dropped:
            size = max(1, size // 2)
    return events


def _shrink_adds(events: list[Event], fails: Callable[[list[Event]], bool], until: float) -> list[Event]:
    """Drop arcs of the events that bring some."""
    for at, event in enumerate(events):
        if event[0] not in ("add", "add_arcs"):
            continue
        for i in reversed(range(len(event[2]))):
            name, h, nodes, costs, *rest, group = events[at]
            parts = [[x for j, x in enumerate(part) if j != i] for part in (nodes, costs)]
            smaller = None if group is None else [g for j, g in enumerate(group) if j != i]
            fewer = [*events[:at], (name, h, *parts, *rest, smaller), *events[at + 1 :]]
            if time.monotonic() < until and fails(fewer):
                events = fewer
    return events


# ---------------------------------------------------------------- the run


HANG_SECONDS = 120


def check_seed(kind: str, seed: int) -> str | None:
    """Check one seed of one kind; what is wrong, with a small reproduction, or None."""
    tree = flow.TREE
    try:
        flow.TREE = (1, 4, 64)[seed % 3]  # small trees, too, are to go the way of large ones
        return _trouble_of_seed(kind, seed)
    finally:
        flow.TREE = tree


def _trouble_of_seed(kind: str, seed: int) -> str | None:
    if kind == "matcher":
        start, events = random_day(seed)
        trouble = trouble_on_day(start, events, with_assign=seed % 5 == 0)
        if trouble is None:
            return None
        small = shrink_day(start, events, lambda some: trouble_on_day(start, some) is not None)
        shown = pprint.pformat(small, width=110)
        now = trouble_on_day(start, small) or trouble
        return f"{now}\nreproduce: tests.fuzz.trouble_on_day({start!r},\n{shown})"
    if kind == "square":
        trouble = check_square(
            seed, (100, 200, 300, 400, 500, 600, 700, 800)[seed % 8], (100, 10**9)[seed // 8 % 2]
        )
        return trouble and f"{trouble}\nreproduce: tests.fuzz.check_seed('square', {seed})"
    if kind == "large":
        trouble = trouble_with_large(random_large(seed), seed)
        return trouble and f"{trouble}\nreproduce: trouble_with_large(random_large({seed}), {seed})"
    case = case_of(seed)
    trouble = trouble_with(case, seed, oracles=seed % 50 == 0)
    if trouble is not None:
        if trouble.startswith("the oracles"):
            return f"{trouble}\nreproduce: {case!r}"
        return explained(case, trouble, lambda some: trouble_with(some, seed))
    if seed % 20 == 1:
        stop = random_stop(seed // 20)
        trouble = trouble_when_stopped(case, seed, **stop)
        if trouble is not None:
            shown = explained(case, trouble, lambda some: trouble_when_stopped(some, seed, **stop))
            return f"with {stop}: {shown}"
    more = {2: trouble_with_floats, 3: trouble_when_scaled, 4: trouble_from_a_start}.get(seed % 20)
    if more is not None and (trouble := more(case, seed)) is not None:
        return f"{more.__name__}(case, {seed}): {explained(case, trouble, lambda some: more(some, seed))}"
    return None


def explained(case: Case, trouble: str, check: Callable[[Case], str | None], seconds: float = 60) -> str:
    """The trouble with a case, beside it a small one and what is wrong there."""
    small = shrink(case, lambda some: check(some) is not None, seconds)
    return f"{trouble}\nsmallest: {check(small)}\nreproduce: {small.call()}"


def case_of(seed: int) -> Case:
    """The case of a seed: mostly tiny, each 300th of some hundred requests."""
    return random_case(seed, 300 if seed % 300 == 7 else None)


def _work(jobs: list[tuple[str, int]], at: mp.sharedctypes.Synchronized, found: mp.Queue) -> None:
    warnings.simplefilter("error")
    for position, (kind, seed) in enumerate(jobs):
        at.value = position
        try:
            trouble = check_seed(kind, seed)
        except Exception:
            trouble = traceback.format_exc()
        if trouble:
            found.put((kind, seed, trouble))
    at.value = len(jobs)
    found.close()
    found.join_thread()


def run(jobs: list[tuple[str, int]], workers: int, most_faults: int) -> int:
    """Share the seeds out, watch the workers, print what is found; returns the number of faults."""
    context = mp.get_context("spawn")
    found = context.Queue()
    begin = shown = time.monotonic()
    faults = 0
    parts = [jobs[i::workers] for i in range(workers)]
    counters = [context.Value("q", 0, lock=False) for _ in parts]
    done = [0] * workers  # of the part, at the start of the process at work
    hands = [_start(context, part, at, found) for part, at in zip(parts, counters, strict=True)]
    seen = [(0, begin)] * workers
    while any(hand is not None for hand in hands) and faults < most_faults:
        try:
            kind, seed, trouble = found.get(timeout=0.5)
            faults += 1
            print(f"\n== {kind} seed {seed}\n{trouble}", flush=True)
            continue
        except Empty:
            pass
        now = time.monotonic()
        for i, hand in enumerate(hands):
            if hand is None:
                continue
            position = counters[i].value
            if position != seen[i][0]:
                seen[i] = (position, now)
            finished = position >= len(parts[i]) - done[i]
            hangs = now - seen[i][1] > HANG_SECONDS and hand.is_alive() and not finished
            if hand.is_alive() and not hangs:
                continue
            if finished or (hand.exitcode == 0 and not hangs):
                hand.join()
                hands[i] = None
                continue
            kind, seed = parts[i][done[i] + position]
            faults += 1
            how = f"hangs for {HANG_SECONDS} s" if hangs else f"ended its process with {hand.exitcode}"
            print(f"\n== {kind} seed {seed}\n{how}\nreproduce: {_whole(kind, seed)}", flush=True)
            hand.kill()
            hand.join()
            done[i] += position + 1
            counters[i].value = 0
            seen[i] = (0, now + 60)  # it imports first
            hands[i] = _start(context, parts[i][done[i] :], counters[i], found)
        if now - shown > 30:
            shown = now
            n = sum(d + c.value for d, c in zip(done, counters, strict=True))
            print(f"{n:,} of {len(jobs):,}, {n / (now - begin):.0f} a second", file=sys.stderr, flush=True)
    for hand in hands:
        if hand is not None:
            hand.kill()
            hand.join()
    while faults < most_faults:
        try:
            kind, seed, trouble = found.get(timeout=0.2)
        except Empty:
            break
        faults += 1
        print(f"\n== {kind} seed {seed}\n{trouble}", flush=True)
    return faults


def _start(
    context: mp.context.SpawnContext,
    part: list[tuple[str, int]],
    at: mp.sharedctypes.Synchronized,
    found: mp.Queue,
) -> mp.process.BaseProcess:
    hand = context.Process(target=_work, args=(part, at, found), daemon=True)
    hand.start()
    return hand


def _whole(kind: str, seed: int) -> str:
    if kind == "assign":
        return case_of(seed).call()
    if kind == "matcher":
        start, events = random_day(seed)
        return f"tests.fuzz.trouble_on_day({start!r},\n{pprint.pformat(events, width=110)})"
    return f"tests.fuzz.check_seed({kind!r}, {seed})"


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--instances", type=int, default=100_000, help="random instances for gm.assign")
    parser.add_argument("--sequences", type=int, help="event sequences for gm.Matcher (default: a 20th)")
    parser.add_argument("--large", type=int, help="of hundreds or thousands of requests (default: a 1000th)")
    parser.add_argument("--squares", type=int, default=16, help="dense squares, n = 100 … 800 in turn")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--faults", type=int, default=5, help="stop after so many")
    given = parser.parse_args(arguments)
    sequences = given.instances // 20 if given.sequences is None else given.sequences
    large = given.instances // 1000 if given.large is None else given.large
    counts = {"assign": given.instances, "matcher": sequences, "large": large, "square": given.squares}
    jobs = [(kind, given.seed + i) for kind, n in counts.items() for i in range(n)]
    random.Random(given.seed).shuffle(jobs)
    begin = time.monotonic()
    faults = run(jobs, max(1, given.jobs), given.faults)
    seconds = time.monotonic() - begin
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in Counter(kind for kind, _ in jobs).items())
    print(f"{kinds}: {seconds:.0f} s, {len(jobs) / seconds:.0f} a second, {faults} fault(s)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

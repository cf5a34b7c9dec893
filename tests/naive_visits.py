"""Visits by brute force, and a check of tours that shares no code with what finds them."""

from __future__ import annotations

import itertools

import numpy as np

from govmatch.solve.visit_instance import VisitInstance


def cost_of(instance: VisitInstance, tour, begin) -> tuple[list[str], int]:
    """Return what is wrong with tours, in words, and what they cost."""
    faults: list[str] = []
    made = [x for x in range(len(instance.place)) if tour[x] >= 0]
    cost = 0
    options = _options(instance)
    load = [0] * len(instance.parent)
    entries = list(zip(instance.entry_option, instance.entry_rule, instance.entry_weight, strict=True))
    used = [0] * len(instance.limit)
    for x in made:
        if (x, int(tour[x])) not in options:
            faults.append(f"visit {x} may not be made on tour {tour[x]}")
            continue
        cost += options[x, int(tour[x])][0]
        own = (instance.option_visit == x) & (instance.option_tour == tour[x])
        for option, rule, weight in entries:
            used[rule] += int(weight) if own[option] else 0
        if begin[x] < instance.earliest[x] or begin[x] > instance.latest[x]:
            faults.append(f"visit {x} begins at {begin[x]}")
        node = int(instance.node[tour[x]])
        while node >= 0:
            cost += load[node] * int(instance.load_cost[node])
            load[node] += 1
            node = int(instance.parent[node])
    faults += [f"node {k} carries {n}" for k, n in enumerate(load) if n > instance.capacity[k]]
    faults += [f"rule {i} lets {n} through" for i, n in enumerate(used) if n > instance.limit[i]]
    for k in range(len(instance.person)):
        before, free = None, int(instance.begin[k])
        stops = sorted((int(begin[x]), int(instance.minutes[x]), x) for x in made if tour[x] == k)
        since = None
        for start, minutes, x in stops:
            way = _way(instance, options, k, before, x)
            if since is None or start - way - free >= instance.rest:
                since = start - way
            if instance.rest and start + minutes - since > instance.rest_after:
                faults.append(f"visit {x} on tour {k} is over {start + minutes - since} after a rest")
            if start < free + way:
                faults.append(f"visit {x} on tour {k} begins at {start}, before {free + way}")
            cost += instance.travel_cost * way
            before, free = x, start + minutes
        if stops:
            way = options[before, k][2]
            cost += instance.travel_cost * way
            if free + way > instance.end[k]:
                faults.append(f"tour {k} ends at {free + way}")
    missing = [0] * len(instance.allowed)
    promises = (instance.promise_request, instance.promise_floor, instance.promise_people)
    for r, floor, people in zip(*promises, strict=True):
        own = np.flatnonzero(instance.request == r)
        missing[floor] += int(people) if len(own) and all(tour[x] < 0 for x in own) else 0
    for n, allowed, price in zip(missing, instance.allowed, instance.short_cost, strict=True):
        cost += int(price) * max(0, n - int(allowed))
    lateness = [max(0, int(begin[x] - instance.due[x])) for x in made]
    cost += sum(int(instance.late_cost[x]) * late for x, late in zip(made, lateness, strict=True))
    cost += instance.largest_late_cost * max(lateness, default=0)
    for r in range(len(instance.unmet_cost)):
        own = [x for x in range(len(instance.place)) if instance.request[x] == r]
        there = [x for x in own if tour[x] >= 0]
        if not own:
            continue
        if not there:
            cost += int(instance.unmet_cost[r])
        elif len(there) < len(own):
            faults.append(f"request {r} is made in part")
        elif len({int(instance.person[tour[x]]) for x in own}) < len(own):
            faults.append(f"request {r} has one person twice")
    for a, b, least, most in zip(
        instance.link_first, instance.link_second, instance.link_least, instance.link_most, strict=True
    ):
        if tour[a] >= 0 and tour[b] >= 0 and not least <= begin[b] - begin[a] <= most:
            faults.append(f"visits {a} and {b} begin {begin[b] - begin[a]} apart")
    return faults, cost


def _options(instance: VisitInstance) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Cost, way there and way back of each visit and tour."""
    names = ("visit", "tour", "cost", "out", "back")
    rows = zip(*(getattr(instance, f"option_{name}").tolist() for name in names), strict=True)
    return {(x, k): told for x, k, *told in rows}


def _way(instance: VisitInstance, options, k: int, before: int | None, x: int) -> int:
    if before is None:
        return options[x, k][1]
    return int(instance.travel[instance.mode[k], instance.place[before], instance.place[x]])


def brute_force(instance: VisitInstance) -> int:
    """Return the least cost, by trying every tour for every visit in every order."""
    n, t = len(instance.place), len(instance.person)
    choices = []
    for x in range(n):
        choices.append([-1, *(int(k) for k in instance.option_tour[instance.option_visit == x])])
    best = None
    for tour in itertools.product(*choices):
        on = [[x for x in range(n) if tour[x] == k] for k in range(t)]
        for orders in itertools.product(*(itertools.permutations(stops) for stops in on)):
            begin = _earliest(instance, tour, orders)
            if begin is None:
                continue
            faults, cost = cost_of(instance, np.array(tour), begin)
            if not faults and (best is None or cost < best):
                best = cost
    assert best is not None
    return best


def _earliest(instance: VisitInstance, tour, orders):
    begin, options = np.array(instance.earliest), _options(instance)
    for _ in range(3 * len(begin) + 3):
        before = begin.copy()
        for k, stops in enumerate(orders):
            last, free = None, instance.begin[k]
            for x in stops:
                begin[x] = max(begin[x], free + _way(instance, options, k, last, x))
                last, free = x, begin[x] + instance.minutes[x]
        for a, b, least, most in zip(
            instance.link_first, instance.link_second, instance.link_least, instance.link_most, strict=True
        ):
            if tour[a] >= 0 and tour[b] >= 0:
                begin[b] = max(begin[b], begin[a] + least)
                begin[a] = max(begin[a], begin[b] - most)
        if (begin == before).all():
            return begin
    return None

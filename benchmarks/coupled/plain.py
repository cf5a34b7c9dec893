"""The peer: the whole day in one CP-SAT model, as its manual would have it."""

from __future__ import annotations

import math
import time
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from benchmarks.coupled.days import Arrays

WORKERS = 8
"""On two cores, too: its kinds of search differ."""

DOUBT = 1e-3
"""By how much a bound told as a float may be off; costs are whole numbers."""

Terms = dict[int, list[cp_model.IntVar]]


def solve(day: Arrays, seconds: float) -> tuple[NDArray[np.bool_] | None, int, float]:
    """Return the arcs used, None if there is no answer, the bound, and the seconds of building."""
    begun = time.perf_counter()
    model = cp_model.CpModel()
    used = [model.new_bool_var("") for _ in day.request]
    variables: list[cp_model.IntVar] = list(used)
    costs: list[int] = day.cost.tolist()
    constant = int(day.worth.sum())
    team = day.team.tolist()
    of_request: Terms = defaultdict(list)
    of_team: Terms = defaultdict(list)
    through: Terms = defaultdict(list)
    of_person: dict[tuple[int, int], list[cp_model.IntVar]] = defaultdict(list)
    parent = day.parent.tolist()
    for x, request, node, group in zip(
        used, day.request.tolist(), day.node.tolist(), day.group.tolist(), strict=True
    ):
        of_request[request].append(x)
        if team[request] >= 0:
            of_team[team[request]].append(x)
        of_person[request if team[request] < 0 else -1 - team[request], group].append(x)
        while node >= 0:
            through[node].append(x)
            node = parent[node]
    for several in of_person.values():
        if len(several) > 1:
            model.add_at_most_one(several)
    for node, below in through.items():
        if len(below) > day.capacity[node]:
            model.add(sum(below) <= int(day.capacity[node]))
        if day.load_cost[node]:
            units = [model.new_bool_var("") for _ in range(min(len(below), int(day.capacity[node])))]
            model.add(sum(below) == sum(units))
            variables += units
            costs += [int(day.load_cost[node]) * nth for nth in range(len(units))]
    for request, people in enumerate(day.demand.tolist()):
        if team[request] < 0 and people:
            unmet = model.new_int_var(0, people, "")
            model.add(sum(of_request[request]) + unmet == people)
            variables.append(unmet)
            costs.append(int(day.unmet_cost[request]))

    on = [model.new_bool_var("") for _ in day.worth]
    state = [model.new_bool_var("") for _ in range(len(day.start_team) + len(day.state_role))]
    _starts(model, day, on, state)
    people_of = day.role_people.tolist()
    for chosen, role, request in zip(
        state[len(day.start_team) :], day.state_role.tolist(), day.state_request.tolist(), strict=True
    ):
        come = sum(of_request[request])
        if day.must[role]:
            model.add(come == people_of[role] * chosen)
        else:
            model.add(come <= people_of[role] * chosen)
        for x in of_request[request]:
            model.add_implication(x, chosen)
    asked = np.bincount(day.role_team, day.role_people, len(on)).astype(int).tolist()
    for number, served in enumerate(on):
        come = sum(of_team[number])
        model.add(come >= int(day.fewest[number]) * served)
        variables += [served, *of_team[number]]
        absence = int(day.absence[number])
        costs += [absence * asked[number] - int(day.worth[number]), *[-absence] * len(of_team[number])]
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs) + constant)
    built = time.perf_counter() - begun
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = WORKERS
    solver.parameters.max_time_in_seconds = max(1.0, seconds - built)
    status = solver.solve(model)
    bound = math.ceil(solver.best_objective_bound - DOUBT)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, bound, built
    return np.array([solver.boolean_value(x) for x in used], np.bool_), bound, built


def _starts(
    model: cp_model.CpModel, day: Arrays, on: list[cp_model.IntVar], state: list[cp_model.IntVar]
) -> None:
    """Choose one start of each team that is served, and one state of each of its roles that goes with it."""
    n_starts = len(day.start_team)
    of_team, of_role = defaultdict(list), defaultdict(list)
    for x, number in zip(state, day.start_team.tolist(), strict=False):
        of_team[number].append(x)
    for x, role in zip(state[n_starts:], day.state_role.tolist(), strict=True):
        of_role[role].append(x)
    for number, served in enumerate(on):
        model.add(sum(of_team[number]) == served)
    for role, number in enumerate(day.role_team.tolist()):
        model.add(sum(of_role[role]) == on[number])
    above, below = defaultdict(list), defaultdict(list)
    for child, parent in zip(day.link_state.tolist(), day.link_parent.tolist(), strict=True):
        above[child].append(state[parent])
        below[parent, int(day.state_role[child - n_starts])].append(state[child])
    for child, parents in above.items():
        model.add_bool_or([state[child].negated(), *parents])
    for (parent, _), children in below.items():
        model.add_bool_or([state[parent].negated(), *children])

"""The peer: everything in one CP-SAT model, as its manual would have it."""

from __future__ import annotations

import time

import numpy as np
from ortools.sat.python import cp_model

from govmatch.solve.team_instance import TeamInstance


def solve(instance: TeamInstance, seconds: float) -> tuple[np.ndarray | None, float]:
    """Return the arcs used, None if there is no answer, and the bound; building counts as time."""
    begun = time.perf_counter()
    model = cp_model.CpModel()
    used = [model.new_bool_var("") for _ in instance.arc_role]
    unmet = [model.new_bool_var("") for _ in instance.unmet_cost]
    of_role: list[list[cp_model.IntVar]] = [[] for _ in instance.count]
    through: list[list[cp_model.IntVar]] = [[] for _ in instance.capacity]
    for a, (role, node) in enumerate(zip(instance.arc_role.tolist(), instance.node.tolist(), strict=True)):
        of_role[role].append(used[a])
        while node >= 0:
            through[node].append(used[a])
            node = int(instance.parent[node])
    for q, (request, count) in enumerate(
        zip(instance.role_request.tolist(), instance.count.tolist(), strict=True)
    ):
        model.add(sum(of_role[q]) + count * unmet[request] == count)
    for k, arcs in enumerate(through):
        if len(arcs) > instance.capacity[k]:
            model.add(sum(arcs) <= int(instance.capacity[k]))
    costs = [*instance.cost.tolist(), *instance.unmet_cost.tolist()]
    model.minimize(cp_model.LinearExpr.weighted_sum([*used, *unmet], costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 8  # on two cores, too, the best it has: its kinds of search differ
    solver.parameters.max_time_in_seconds = max(1.0, seconds - (time.perf_counter() - begun))
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, solver.best_objective_bound
    return np.array([solver.boolean_value(x) for x in used]), solver.best_objective_bound

"""The peer: all series in one CP-SAT model, as anybody would write it first."""

from __future__ import annotations

import numpy as np
from ortools.sat.python import cp_model

from govmatch.solve.certificate import flow_cost
from govmatch.solve.series_instance import IntArray, SeriesInstance, faces_cost


def solve(instance: SeriesInstance, seconds: float, most: int) -> tuple[IntArray | None, int | None, float]:
    """Return the flow, what it costs (None: none found), and the bound over the `most` cheapest arcs each."""
    a = instance.flow
    model = cp_model.CpModel()
    order = np.lexsort((a.cost, a.request))
    rank = np.arange(len(order)) - np.searchsorted(a.request[order], a.request[order])
    arcs = np.sort(order[rank < most])
    arcs = arcs[a.cost[arcs] < a.unmet_cost[a.request[arcs]]]
    x = {int(i): model.new_bool_var("") for i in arcs}
    served: list[list[int]] = [[] for _ in a.demand]
    below: list[list[int]] = [[] for _ in a.parent]
    costs, terms = [], []
    for i in x:
        served[a.request[i]].append(i)
        k = int(a.node[i])
        while k >= 0:
            below[k].append(i)
            k = int(a.parent[k])
        terms.append(x[i])
        costs.append(int(a.cost[i]))
    fixed = 0
    for r, mine in enumerate(served):
        model.add(sum(x[i] for i in mine) <= int(a.demand[r]))
        fixed += int(a.demand[r] * a.unmet_cost[r])
        terms += [x[i] for i in mine]
        costs += [-int(a.unmet_cost[r])] * len(mine)
    for k, mine in enumerate(below):
        if len(mine) > a.capacity[k]:
            model.add(sum(x[i] for i in mine) <= int(a.capacity[k]))
        if mine and a.load_cost[k]:
            steps = [model.new_bool_var("") for _ in range(min(len(mine), int(a.capacity[k])))]
            model.add(sum(x[i] for i in mine) <= sum(steps))
            terms += steps
            costs += [j * int(a.load_cost[k]) for j in range(len(steps))]
    faces: dict[tuple[int, int], cp_model.IntVar] = {}
    for i in x:
        s = int(instance.series[a.request[i]])
        if s >= 0:
            face = faces.setdefault((s, int(instance.face[i])), model.new_bool_var(""))
            model.add_implication(x[i], face)
    by_series: dict[int, list[cp_model.IntVar]] = {}
    for (s, _), face in faces.items():
        by_series.setdefault(s, []).append(face)
    for s, mine in by_series.items():
        further = model.new_int_var(0, len(mine), "")
        model.add(further >= sum(mine) - int(instance.free[s]))
        terms.append(further)
        costs.append(instance.further_cost)
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, costs) + fixed)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, None, solver.best_objective_bound
    flow = np.zeros(len(a.cost), np.int64)
    flow[[i for i in x if solver.value(x[i])]] = 1
    unmet = a.demand - np.bincount(a.request[flow > 0], minlength=len(a.demand))
    return flow, flow_cost(a, flow, unmet) + faces_cost(instance, flow), solver.best_objective_bound

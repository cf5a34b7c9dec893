"""The flow written with PuLP and given to the CBC that comes with it."""

from __future__ import annotations

import numpy as np
import pulp
from numpy.typing import NDArray

from benchmarks.network import Day


def build(day: Day) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """One variable an arc, one balance a node."""
    problem = pulp.LpProblem("day", pulp.LpMinimize)
    flow = [pulp.LpVariable(f"x{arc}", 0, capacity) for arc, capacity in enumerate(day.upper.tolist())]
    problem += pulp.LpAffineExpression(zip(flow, day.price.tolist(), strict=True))
    terms: list[list[tuple[pulp.LpVariable, int]]] = [[] for _ in range(len(day.supply))]
    for variable, tail, head in zip(flow, day.tail.tolist(), day.head.tolist(), strict=True):
        terms[tail].append((variable, 1))
        terms[head].append((variable, -1))
    for balance, supply in zip(terms, day.supply.tolist(), strict=True):
        problem += pulp.LpAffineExpression(balance) == supply
    return problem, flow


def solve(model: tuple[pulp.LpProblem, list[pulp.LpVariable]]) -> NDArray[np.float64]:
    """Write the file, run CBC, read the answer: that is what PuLP does."""
    problem, flow = model
    problem.solve(pulp.PULP_CBC_CMD(msg=False))
    if pulp.LpStatus[problem.status] != "Optimal":
        raise RuntimeError(f"CBC: {pulp.LpStatus[problem.status]}")
    return np.array([variable.varValue for variable in flow], float)

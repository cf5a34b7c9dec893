"""CP-SAT with one Boolean an arc, its model filled in bulk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.matching.instances import Instance, IntArray
from benchmarks.matching.programme import programme_of


@dataclass(frozen=True)
class Model:
    """The model and its Booleans."""

    model: cp_model.CpModel
    columns: int


def build(instance: Instance) -> Model:
    """Fill the model's arrays themselves: one at-most-one or linear constraint a row."""
    programme, model = programme_of(instance), cp_model.CpModel()
    proto = model.proto
    boolean = cp_model.CpModel()
    boolean.new_bool_var("")
    proto.variables.extend([boolean.proto.variables[0]] * len(programme.cost))
    order = np.argsort(programme.row, kind="stable")
    edge = np.searchsorted(programme.row[order], np.arange(len(programme.lower) + 1)).tolist()
    column, value = programme.column[order].tolist(), programme.value[order]
    # where the demand or capacity is one and nothing is asked from below, a clause says it best
    at_most_one = (programme.lower == 0) & (programme.upper == 1)
    exactly_one = (programme.lower == 1) & (programme.upper == 1)
    bounds = zip(programme.lower.tolist(), programme.upper.tolist(), strict=True)
    for row, domain in enumerate(bounds):
        first, last = edge[row], edge[row + 1]
        if first == last and not domain[0]:
            continue
        constraint = proto.constraints.add()
        if at_most_one[row]:
            constraint.at_most_one.literals.extend(column[first:last])
        elif exactly_one[row]:
            constraint.exactly_one.literals.extend(column[first:last])
        else:
            constraint.linear.vars.extend(column[first:last])
            constraint.linear.coeffs.extend(value[first:last].tolist())
            constraint.linear.domain.extend(domain)
    proto.objective.vars.extend(list(range(len(programme.cost))))
    proto.objective.coeffs.extend(programme.cost.tolist())
    return Model(model, len(programme.cost))


def solve(model: Model) -> IntArray:
    """Solve, and read the solution.

    One worker that has the whole linear relaxation before it is the best of what was tried on these
    instances, several times faster than the default and than eight workers.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_presolve = False
    status = solver.solve(model.model)
    if status != cp_model.OPTIMAL:
        raise RuntimeError(f"CP-SAT ended with {solver.status_name(status)}")
    return np.array(list(solver.response_proto.solution), np.int64)


def read(instance: Instance, model: Model, answer: IntArray) -> IntArray:
    """Return the first ones, which are the instance's arcs."""
    return answer[: len(instance.cost)]

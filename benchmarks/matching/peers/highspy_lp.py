"""The flow as a linear programme for HiGHS, passed at once.

The network's balances with the presolve off were the best of what was tried on these instances: six times
faster than one row a request and capacity, and than the presolve on.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.instances import Instance
from benchmarks.matching.network import flow_of


def build(instance: Instance) -> highspy.Highs:
    """Pass the incidence matrix by columns: +1 at the tail, -1 at the head."""
    flow = flow_of(instance)
    n_arcs = len(flow.tail)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n_arcs, len(flow.supply)
    lp.col_cost_ = flow.cost.astype(float)
    lp.col_lower_, lp.col_upper_ = np.zeros(n_arcs), flow.upper.astype(float)
    lp.row_lower_ = lp.row_upper_ = flow.supply.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(0, 2 * n_arcs + 1, 2, dtype=np.int32)
    lp.a_matrix_.index_ = np.column_stack([flow.tail, flow.head]).reshape(-1).astype(np.int32)
    lp.a_matrix_.value_ = np.tile([1.0, -1.0], n_arcs)
    solver = highspy.Highs()
    solver.silent()
    # the simplex ends at a vertex, which is integral
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("presolve", "off")
    solver.passModel(lp)
    return solver


def solve(model: highspy.Highs) -> NDArray[np.float64]:
    """Solve and read the columns."""
    model.run()
    status = model.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with status {status}")
    return np.asarray(model.getSolution().col_value)


def read(instance: Instance, model: highspy.Highs, answer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first ones, which are the instance's arcs."""
    return answer[: len(instance.cost)]

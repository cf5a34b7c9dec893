"""The flow as a linear programme for HiGHS's own Python interface."""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

from benchmarks.network import Day


def build(day: Day) -> highspy.Highs:
    """Pass the whole programme at once, column by column."""
    lp = highspy.HighsLp()
    lp.num_col_ = len(day.tail)
    lp.num_row_ = len(day.supply)
    lp.col_cost_ = day.price.astype(float)
    lp.col_lower_ = np.zeros(len(day.tail))
    lp.col_upper_ = day.upper.astype(float)
    lp.row_lower_ = lp.row_upper_ = day.supply.astype(float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(0, 2 * len(day.tail) + 1, 2, dtype=np.int32)
    lp.a_matrix_.index_ = np.column_stack([day.tail, day.head]).reshape(-1).astype(np.int32)
    lp.a_matrix_.value_ = np.tile([1.0, -1.0], len(day.tail))
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("solver", "simplex")
    solver.passModel(lp)
    return solver


def solve(model: highspy.Highs) -> NDArray[np.float64]:
    """Solve and read the columns."""
    model.run()
    status = model.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with status {status}")
    return np.array(model.getSolution().col_value)

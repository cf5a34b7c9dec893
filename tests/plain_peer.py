"""A plan beside the optimum that the plain model of `benchmarks.kinds` proves on all eligible pairs."""

from __future__ import annotations

import govmatch as gm
from benchmarks.kinds import plain, read
from benchmarks.kinds.check import cost_of


def beside_the_optimum(problem, seconds=60.0):
    """Return (faults, plan, outcome); the faults are sentences."""
    plan = gm.match(problem)
    day = read.day_of(plan, read.all_pairs(plan))
    told = plain.solve(day, seconds, workers=1)
    cost, bound = (round(100 * x) for x in (plan.certificate.primal, plan.certificate.bound))
    counted = cost_of(day, read.answer_of(plan, day))
    faults = []
    if told.status != "optimal":
        faults.append(f"the model ended {told.status}")
        return faults, plan, told
    again = cost_of(day, told.answer)
    if again != (told.cost, told.left):
        faults.append(f"the model says {told.cost, told.left}, counted again its plan costs {again}")
    if counted[0] != cost:
        faults.append(f"the certificate says {cost}, counted again the plan costs {counted[0]}")
    if (told.left, told.cost) > (counted[1], cost):
        faults.append(
            f"the plan costs {cost}, less than the optimum {told.cost}, left {counted[1], told.left}"
        )
    if told.left <= counted[1] and bound > told.cost:
        faults.append(f"the bound is {bound}, above the optimum {told.cost}")
    return faults, plan, told

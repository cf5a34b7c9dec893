"""The objective of the plain model."""

from __future__ import annotations

from ortools.sat.python import cp_model

from benchmarks.kinds.day import Day
from benchmarks.kinds.plain_variables import IntVar, Variables


def minimise(model: cp_model.CpModel, day: Day, x: Variables) -> int:
    """Minimise all costs, hundredths; who is assigned goes before everything else.

    Returns
    -------
    int
        What leaving an assigned request costs on top: for each person, or once for a team and for a request
        that needs goods. 0 where nobody is assigned.
    """
    terms: list[tuple[IntVar, int]] = list(zip(x.sent, day.pair_cost.tolist(), strict=True))
    terms += zip(x.lots, day.stocks.way_cost.tolist(), strict=True)
    terms += zip(x.held, day.offered.session_cost.tolist(), strict=True)
    for steps in x.steps.values():
        terms += [(step, day.rules.load_cost * nth) for nth, step in enumerate(steps)]
    terms += [(lonely, day.rules.lonely_cost) for lonely in x.lonely.values()]
    terms += [(short, day.rules.floor_cost) for short in x.short]
    terms += [(further, day.rules.face_cost) for further in x.further.values()]
    met = {s for s, _ in day.rules.known.tolist()}
    known = set(map(tuple, day.rules.known.tolist()))
    terms += [
        (face, day.rules.stranger_cost) for (s, p), face in x.face.items() if s in met and (s, p) not in known
    ]
    asked = day.asked
    constant = int(asked.unmet_cost @ asked.people)
    first = 0
    if asked.assigned.any():
        first = 1 + constant + sum(cost * v.domain.max() for v, cost in terms)
    for r, pairs in x.of_request.items():
        extra = first if asked.assigned[r] and r not in x.on else 0
        terms += [(x.sent[i], -int(asked.unmet_cost[r]) - extra) for i in pairs]
    for r in asked.assigned.nonzero()[0].tolist():
        if r in x.on:
            terms.append((x.on[r], -first))
            constant += first
        else:
            constant += first * int(asked.people[r])
    variables, costs = [v for v, _ in terms], [c for _, c in terms]
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs) + constant)
    return first

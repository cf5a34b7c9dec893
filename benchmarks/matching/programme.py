"""The instance as rows and columns: one row a request, one a node that can bind; one column an arc.

The rows of a request and of the nodes above an arc are a laminar family each, so the matrix is
totally unimodular (Schrijver 2003, ch. 13) and a vertex of the linear programme is integral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.matching.instances import Instance, IntArray, arcs_below, levels
from benchmarks.matching.network import binding


@dataclass(frozen=True)
class Programme:
    """Minimise ``cost @ x`` for 0 ≤ x ≤ 1 and ``lower <= A x <= upper``; the first columns are the arcs.

    ``A`` is given by its entries, `value` at (`row`, `column`). A load cost adds one column a unit,
    and an arc's cost is less the unmet cost that it saves.
    """

    cost: IntArray
    row: IntArray
    column: IntArray
    value: IntArray
    lower: IntArray  # (n_rows,)
    upper: IntArray  # (n_rows,)


def programme_of(instance: Instance) -> Programme:
    """Write it out; no row for a node that cannot bind."""
    nodes, n = binding(instance), len(instance.demand)
    row_of = np.full(len(instance.parent), -1)
    row_of[nodes] = n + np.arange(len(nodes))
    must = not len(instance.unmet_cost)
    rows, columns = [instance.request], [np.arange(len(instance.cost))]
    for arcs, above in levels(instance):
        bound = row_of[above] >= 0
        rows.append(row_of[above][bound])
        columns.append(arcs[bound])
    stepped = instance.load_cost[nodes] > 0
    units = np.where(stepped, np.minimum(instance.capacity, arcs_below(instance))[nodes], 0)
    step = np.arange(units.sum()) - np.repeat(np.cumsum(units) - units, units)
    ones = np.ones(sum(map(len, rows)), np.int64)
    rows.append(np.repeat(row_of[nodes], units))
    columns.append(len(instance.cost) + np.arange(len(step)))
    return Programme(
        cost=np.concatenate(
            [
                instance.cost if must else instance.cost - instance.unmet_cost[instance.request],
                step * np.repeat(instance.load_cost[nodes], units),
            ]
        ),
        row=np.concatenate(rows),
        column=np.concatenate(columns),
        value=np.concatenate([ones, -np.ones(len(step), np.int64)]),
        lower=np.concatenate([instance.demand if must else 0 * instance.demand, 0 * nodes]),
        upper=np.concatenate([instance.demand, np.where(stepped, 0, instance.capacity[nodes])]),
    )

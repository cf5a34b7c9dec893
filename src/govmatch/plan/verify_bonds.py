"""Who is sent together: people kept apart, people who prefer each other, and neutrality to parties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, Ids, IntArray, table_of
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import TERM_TOLERANCE, Faults, Rows
from govmatch.plan.verify_paths import hundredths


@dataclass(frozen=True)
class Bonds:
    """The bonds of volunteers, each way round: one column of providers, one of sets of providers."""

    apart: dict[int, set[int]]
    together: dict[int, set[int]]


def read_bonds(tables: Any, people: Ids) -> Bonds:
    """Read the table `bonds`."""
    rows = table_of(tables, "bonds", ("provider_id", "other_id", "kind"))
    found: dict[str, dict[int, set[int]]] = {"apart": {}, "together": {}}
    ends = [people.at(rows[column]).tolist() for column in ("provider_id", "other_id")]
    for one, other, kind in zip(*ends, rows["kind"].tolist(), strict=True):
        found[kind].setdefault(one, set()).add(other)
        found[kind].setdefault(other, set()).add(one)
    return Bonds(**found)


def check_bonds(rows: Rows, facts: Facts, bonds: Bonds, faults: Faults) -> IntArray:
    """Check who is sent together to each request of several people; return what being apart costs, by row.

    Returns
    -------
    int64 (n,)
        Hundredths.
    """
    price = int(hundredths(facts.policy.teams.together_minutes))
    cost, ids = np.zeros(len(rows.r), dtype=np.int64), facts.providers.ids
    several = np.flatnonzero(facts.requests.people[rows.r] > 1)
    bonded = np.array([*bonds.apart, *bonds.together], dtype=np.int64)
    some = np.unique(rows.r[several][np.isin(rows.p[several], bonded)])
    at = several[np.isin(rows.r[several], some)]
    for _, mine in pd.Series(at).groupby(rows.r[at]):
        sent = set(rows.p[mine].tolist())
        for i in mine.tolist():
            p = int(rows.p[i])
            for other in sorted(bonds.apart.get(p, set()) & sent):
                text = f"is sent to one request with {ids[other]!r}; the bonds keep the two apart"
                faults.add("not_apart", text, rows.text["request_id"][i], ids[p])
            cost[i] = price * len(bonds.together.get(p, set()) - sent)
    stated = rows.number["bond_cost"]
    rows.fault(
        faults,
        "wrong_bond_cost",
        ~(np.abs(stated - cost / 100.0) <= TERM_TOLERANCE),
        lambda i: f"bond_cost is {stated[i]:.2f}; {cost[i] / 100:.2f} by who comes without whom",
    )
    return cost


def may_clash(bonds: Bonds, holders: BoolArray) -> bool:
    """Tell whether two who are kept apart both hold what is needed, (n_providers,)."""
    return any(
        holders[one] and any(holders[other] for other in others) for one, others in bonds.apart.items()
    )

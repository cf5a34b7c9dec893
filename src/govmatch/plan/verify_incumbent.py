"""What changing an announced plan costs, read anew from the plan's incumbent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, Rows, missing_columns, texts
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_slots import NEVER, utc_minutes

COLUMNS = ("request_id", "role", "provider_id", "start", "possible")


@dataclass(frozen=True)
class Stays:
    """People announced, by position: role `q` and provider `p`, -1 where the tables do not hold them."""

    change: int  # hundredths
    total: int
    named: BoolArray  # by request: whether anybody was announced for it
    q: IntArray
    p: IntArray
    start: IntArray
    possible: BoolArray

    def kept(self, q: IntArray, p: IntArray, start: IntArray) -> BoolArray:
        """Tell which rows keep somebody: as many of equal ones as were announced, the first ones."""
        rows = pd.DataFrame({"q": q, "p": p, "start": start})
        nth = rows.groupby(["q", "p", "start"], sort=False).cumcount().to_numpy()
        return np.asarray(nth < self._counts(rows), dtype=np.bool_)

    def keeps(self, q: int, p: IntArray, start: IntArray) -> BoolArray:
        """Tell which providers were announced for a role at these starts."""
        rows = pd.DataFrame({"q": np.full(len(p), q), "p": p, "start": start})
        return np.asarray(self._counts(rows) > 0, dtype=np.bool_)

    def _counts(self, rows: pd.DataFrame) -> IntArray:
        known = (self.q >= 0) & (self.p >= 0) & (self.start != NEVER)
        mine = pd.DataFrame({"q": self.q[known], "p": self.p[known], "start": self.start[known]})
        counted = mine.groupby(["q", "p", "start"], sort=False).size().rename("n").reset_index()
        found = rows.merge(counted, how="left", on=["q", "p", "start"])["n"]
        return found.fillna(0).to_numpy(np.int64)


def read_stays(frame: Any, facts: Facts, faults: Faults) -> Stays | None:
    """Read a plan's incumbent; None where it has none, or a malformed one."""
    if frame is None or missing_columns(frame, "incumbent", COLUMNS, faults):
        return None
    wish = facts.requests
    r = wish.ids.at(texts(frame["request_id"]))
    p = facts.providers.ids.at(texts(frame["provider_id"]))
    live = (r >= 0) & ~np.append(wish.linked, True)[r]
    role = texts(frame["role"])
    q = np.full(len(r), -1)
    q[live] = wish.role_at(r[live], role[live])
    named = np.zeros(len(wish.ids), dtype=np.bool_)
    named[r[live]] = True
    possible = frame["possible"].astype(object).map(lambda x: x is True or x is np.True_).to_numpy(bool)
    change = int(hundredths(facts.policy.stability.change_minutes))
    return Stays(change, len(r), named, q, p, utc_minutes(frame["start"]), possible)


def check_changes(rows: Rows, facts: Facts, stays: Stays | None, faults: Faults) -> int:
    """Check what is said to be possible; return what all changes cost together, hundredths."""
    if stays is None:
        return 0
    kept = stays.kept(rows.q, rows.p, rows.time["start"])
    sent = set(
        zip(rows.q[kept].tolist(), rows.p[kept].tolist(), rows.time["start"][kept].tolist(), strict=True)
    )
    here = zip(stays.q.tolist(), stays.p.tolist(), stays.start.tolist(), strict=True)
    for i, who in enumerate(here):
        if not stays.possible[i] and who in sent:
            name, provider = (
                facts.requests.ids[facts.requests.roles.request[who[0]]],
                facts.providers.ids[who[1]],
            )
            faults.add("incumbent_wrong", "is said to be impossible, yet stays", name, provider)
        if stays.possible[i] and min(who[:2]) < 0:
            text = (
                f"plan.incumbent row {i}: is said to be possible; the tables lack the request, role or person"
            )
            faults.add("incumbent_wrong", text)
    return stays.change * (stays.total - int(kept.sum()))

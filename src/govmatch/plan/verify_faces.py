"""The faces of recurring requests: who else comes, at what price, and how many at most."""

from __future__ import annotations

import numpy as np

from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import TERM_TOLERANCE, Faults, Rows
from govmatch.plan.verify_paths import hundredths


def check_faces(rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check caps and the price of each new face; return it in hundredths, by row."""
    wish = facts.requests
    rules = facts.policy.continuity
    further, stranger = (int(hundredths(price)) for price in (rules.face_minutes, rules.known_minutes))
    cost = np.zeros(len(rows.r), dtype=np.int64)
    seen: dict[int, set[int]] = {}
    for i in np.argsort(rows.time["start"], kind="stable").tolist():
        r, p = int(rows.r[i]), int(rows.p[i])
        row = int(wish.row[r])
        if row not in wish.caps or p in seen.setdefault(row, set()):
            continue
        faces = seen[row]
        faces.add(p)
        known = wish.known[row] & facts.providers.ids.position.keys()
        cost[i] = further if len(faces) > wish.people[r] else 0
        cost[i] += stranger if known and facts.providers.ids[p] not in known else 0
        if len(faces) == wish.caps[row] + 1:
            text = f"more than {wish.caps[row]} different providers serve the visits of {wish.base[row]!r}"
            faults.add("too_many_faces", text, rows.text["request_id"][i], rows.text["provider_id"][i])
    stated = rows.number["face_cost"]
    rows.fault(
        faults,
        "wrong_face_cost",
        ~(np.abs(stated - cost / 100.0) <= TERM_TOLERANCE),
        lambda i: f"face_cost is {stated[i]:.2f}; {cost[i] / 100:.2f} by the faces that came before",
    )
    return cost


def reached(rows: Rows, facts: Facts) -> IntArray:
    """Return the requests (positions) whose series has as many faces as it may have."""
    wish = facts.requests
    faces: dict[int, set[int]] = {}
    for r, p in zip(rows.r.tolist(), rows.p.tolist(), strict=True):
        faces.setdefault(int(wish.row[r]), set()).add(p)
    full = [row for row, who in faces.items() if len(who) >= wish.caps.get(row, 10**6)]
    return np.flatnonzero(np.isin(wish.row, np.array(full, dtype=np.int64)))

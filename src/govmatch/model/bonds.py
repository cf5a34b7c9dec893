"""Relations of people as arrays: who keeps apart, who prefers whom, and who is not neutral to whom."""

from __future__ import annotations

import numpy as np

from govmatch.model.encoded import Bonds, Int32Array, IntArray, Supply
from govmatch.model.policy import Policy
from govmatch.model.session_pins import sessions_held
from govmatch.model.sheets import Sheets
from govmatch.ragged import runs


def encode_bonds(sheets: Sheets, policy: Policy) -> Bonds:
    """Encode the table `bonds`; volunteers are the first providers. A preference without a price is none."""
    one, other = (sheets.positions("bonds", column) for column in ("provider_id", "other_id"))
    kind = sheets["bonds"]["kind"].values
    cost = int(np.floor(policy.teams.together_minutes * 100 + 0.5))

    def pairs(name: str) -> IntArray:
        at = np.flatnonzero(kind == name)
        both = np.sort(np.stack([one[at], other[at]], axis=1).astype(np.int64), axis=1)
        found: IntArray = np.unique(both, axis=0).reshape(-1, 2)
        return found

    together = pairs("together") if cost > 0 else np.zeros((0, 2), np.int64)
    return Bonds(pairs("apart"), together, cost)


def with_kin(
    sheets: Sheets, supply: Supply, request_of: IntArray, forbidden: tuple[Int32Array, Int32Array]
) -> tuple[Int32Array, Int32Array]:
    """Add to forbidden pairs of request and provider those of a request and the kin of one of its parties.

    Also the sessions that these hold.
    `request_of` is the position of each row of `requests`; the last, of -1, is -1. Pairs ascend.
    """
    if not (sheets["parties"].n and sheets["kin"].n):
        return forbidden
    request = request_of[sheets.positions("parties", "request_id")]
    party = sheets.positions("parties", "resident_id")
    kin, resident = sheets.positions("kin", "volunteer_id"), sheets.positions("kin", "resident_id")
    order = np.argsort(resident, kind="stable")
    first, last = (np.searchsorted(resident[order], party, side=side) for side in ("left", "right"))
    of, nth = runs(np.where((request >= 0) & (party >= 0), last - first, 0))
    who, asked = kin[order][first[of] + nth].astype(np.int64), request[of].astype(np.int64)
    if supply.sessions.n:
        held, session = sessions_held(sheets, supply, who)
        who, asked = np.append(who, session), np.append(asked, asked[held])
    width = int(max(who.max(initial=0), forbidden[1].max(initial=0))) + 1
    pairs = np.unique(
        np.concatenate([forbidden[0].astype(np.int64) * width + forbidden[1], asked * width + who])
    )
    return (pairs // width).astype(np.int32), (pairs % width).astype(np.int32)

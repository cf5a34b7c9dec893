"""Which sessions a pin on whoever holds them means."""

from __future__ import annotations

import numpy as np

from govmatch.model.encoded import Int32Array, IntArray, Supply
from govmatch.model.sheets import Sheets


def sessions_held(sheets: Sheets, supply: Supply, row: Int32Array | IntArray) -> tuple[IntArray, IntArray]:
    """Return pairs of a place in `row` and a session that is held by it, or by somebody charged to it.

    `row`: positions among volunteers, then organisations, of the tables. A session is told by its position
    as a provider.
    """
    n_volunteers, holder = sheets["volunteers"].n, supply.sessions.holder
    charged = sheets.positions("volunteers", "organization_id").astype(np.int64)
    firm = np.full(n_volunteers + sheets["organizations"].n + 1, -1)
    firm[:n_volunteers] = np.where(charged >= 0, n_volunteers + charged, -1)
    firm = firm[holder]
    held = (row[:, None] == holder) | (row[:, None] == np.where(firm >= 0, firm, -2))
    place, session = np.nonzero(held & (holder >= 0))
    return place, supply.n_people + session

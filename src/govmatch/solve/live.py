"""The arrays of a matcher: a network, a flow on it and work space, all of which grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.live import Entries
from govmatch._kernels.market import (
    CAPACITY,
    FIRST_USED,
    LOAD_COST,
    PARENT,
    PRICE,
    REST,
    SURPLUS,
    UNITS,
    Flow,
    Log,
    Network,
    Scratch,
    blank_page,
    blank_rows,
    blank_scratch,
)

Array = NDArray[Any]

FIELDS: dict[str, dict[str, tuple[type, int | Array, int]]] = {
    # name: dtype, what an unused place holds, columns
    "rows": {
        "row": (np.int64, blank_rows(1)[0], 8),
        "held": (np.int64, REST, 2),
        "event": (np.int64, -1, 0),
        "before": (np.int64, REST, 0),
        "rows": (np.int64, 0, 0),
    },
    "arcs": {
        "arc_row": (np.int32, 0, 0),
        "arc_node": (np.int32, 0, 0),
        "arc_cost": (np.int64, 0, 0),
        "place": (np.int32, 0, 0),
    },
    "nodes": {
        "entry_start": (np.int64, 0, 0),
        "entry_size": (np.int32, 0, 0),
        "room": (np.int32, 0, 0),
        "closed": (np.bool_, False, 0),
        "first_child": (np.int32, -1, 0),
        "next_sibling": (np.int32, -1, 0),
    },
    "hubs": {
        "hub_start": (np.int64, 0, 0),
        "hub_size": (np.int32, 0, 0),
        "hub_unmet_cost": (np.int64, 0, 0),
        "hub_level": (np.int64, 0, 0),
        "hub_rest": (np.int64, 0, 0),
        "hub_open": (np.int64, 0, 0),
    },
    "entries": {
        "entry_arc": (np.int32, 0, 0),
        "entry_row": (np.int32, 0, 0),
        "entry_cost": (np.int64, 0, 0),
    },
}
"""Every array by what it has one place for."""

COLUMNS = {
    "price": PRICE,
    "units": UNITS,
    "capacity": CAPACITY,
    "load_cost": LOAD_COST,
    "surplus": SURPLUS,
    "parent": PARENT,
    "first_used": FIRST_USED,
}
"""What of a node stands in a column of ``Flow.page``."""

CLASSES = 60


class LiveArrays:
    """Arrays with room to spare, and the tuples of them that the kernels take.

    Attributes
    ----------
    net, flow, entries, scratch, log
        Made anew whenever an array has grown.
    """

    net: Network
    flow: Flow
    entries: Entries
    scratch: Scratch
    log: Log

    def __init__(self, **room: int) -> None:
        self.arrays: dict[str, Array] = {
            "free": np.full(CLASSES, -1),
            "top": np.zeros(1, np.int64),
            "state": np.zeros(2, np.int64),
        }
        for kind, fields in FIELDS.items():
            for name, (dtype, blank, columns) in fields.items():
                shape = (room[kind], columns) if columns else room[kind]
                self.arrays[name] = np.full(shape, blank, dtype)
        self.arrays["page"] = blank_page(room["nodes"], room["hubs"])
        self.bind()

    def room(self, kind: str) -> int:
        """Places there are of a kind."""
        return len(self.arrays[next(iter(FIELDS[kind]))])

    def need(self, **places: int) -> None:
        """See that there are so many places of each kind; double what is too short."""
        n_nodes = self.room("nodes")
        short = {kind: n for kind, n in places.items() if n > self.room(kind)}
        for kind, n in short.items():
            more = max(n, 2 * self.room(kind)) - self.room(kind)
            for name, (_, blank, _) in FIELDS[kind].items():
                old = self.arrays[name]
                added = np.full((more, *old.shape[1:]), blank, old.dtype)
                self.arrays[name] = np.concatenate([old, added])
        if short.keys() & {"nodes", "hubs"}:
            page = blank_page(self.room("nodes"), self.room("hubs"))
            page[:n_nodes] = self.arrays["page"][:n_nodes]
            self.arrays["page"] = page
        if short:
            self.bind()

    def bind(self) -> None:
        """Make the kernels' tuples of the arrays."""
        nodes = self.arrays["page"][: self.room("nodes")]
        arrays = self.arrays | {name: nodes[:, column] for name, column in COLUMNS.items()}
        self.net = Network(**{name: arrays[name] for name in Network._fields})
        self.flow = Flow(**{name: arrays[name] for name in Flow._fields})
        self.entries = Entries(**{name: arrays[name] for name in Entries._fields})
        self.log = Log(**{name: arrays[name] for name in Log._fields})
        self.scratch = blank_scratch(self.net)

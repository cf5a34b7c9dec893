"""What is live in a matcher, as an instance with its solution: what its certificate is made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.market import USED
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.live_flow import LiveFlow
from govmatch.solve.live_request import LiveRequest

IntArray = NDArray[np.int64]


def live_instance(
    live: LiveFlow, requests: Iterable[LiveRequest], price: IntArray
) -> tuple[Instance, Solution, NDArray[np.bool_]]:
    """Tell what is live: a pinned unit is a request of its own that must be served.

    Parameters
    ----------
    live : LiveFlow
    requests : iterable of LiveRequest
    price : int64 (n_nodes,)
        The own price of each node.

    Returns
    -------
    Instance, Solution
    required : bool (n_requests,)
    """
    parts = [(request, part) for request in requests for part in request.parts]
    sizes = [len(part.arcs) for _, part in parts]
    arcs = [
        np.stack([request.node[part.arcs], request.group[part.arcs], request.cost[part.arcs]])
        for request, part in parts
    ]
    node, group, cost = np.concatenate([np.zeros((3, 0), np.int64), *arcs], axis=1)
    used = live.arrays.flow.held[:, USED]
    flow = np.zeros(len(node), np.int64)
    first = 0
    for size, (_, part) in zip(sizes, parts, strict=True):
        chosen = used[part.row : part.row + len(part.sizes)]
        flow[first + chosen[chosen >= 0] - part.arc] = 1
        first += size
    net, n = live.arrays.net, len(price)
    request_of = np.repeat(np.arange(len(parts)), sizes)
    demand = np.array([part.demand for _, part in parts], np.int64)
    instance = Instance(
        request=request_of,
        node=node,
        group=group,
        cost=cost,
        demand=demand,
        unmet_cost=np.array([0 if part.pinned else r.unmet_cost for r, part in parts], np.int64),
        capacity=net.capacity[:n].copy(),
        parent=net.parent[:n].astype(np.int64),
        load_cost=net.load_cost[:n].copy(),
    )
    served = np.bincount(request_of[flow > 0], minlength=len(parts))
    dual = np.array([live.dual(request, part) for request, part in parts], np.int64)
    solution = Solution(flow, demand - served, dual, price, "optimal")
    return instance, solution, np.array([part.pinned for _, part in parts], np.bool_)

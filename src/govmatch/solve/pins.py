"""Pins of a matcher: how many units they hold at each node, and whether they outweigh all that is live."""

from __future__ import annotations

from govmatch.errors import Infeasible, InvalidInput
from govmatch.solve.live_flow import MUST, LiveFlow
from govmatch.solve.live_request import LiveRequest


class Pins:
    """Counts of what is live, by which a pin is taken or refused.

    A pinned unit is one that costs `MUST` inside where it is left. That keeps it as long as no way of
    serving it costs as much: a shortest augmenting path moves each live unit once at most, which changes
    its cost by twice the dearest, and adds a unit to each node once at most, which costs what the node's
    load costs for every unit that is there.
    """

    def __init__(self, live: LiveFlow) -> None:
        self._live = live
        self._through: dict[int, int] = {}  # units pinned through each node
        self._units = 0  # that can be served at all
        self._of_size: dict[int, int] = {}  # live requests by the binary digits of their dearest cost

    def count(self, request: LiveRequest, sign: int) -> None:
        """Count a request in (1) or out (-1)."""
        self._units += sign * request.most_units
        _add(self._of_size, request.dearest.bit_length(), sign)
        for pin in request.pins:
            for k in self._live.chain(pin):
                _add(self._through, k, sign)

    def see(self, old: LiveRequest | None, new: LiveRequest | None) -> None:
        """See that pins would hold beside a request that takes another's place.

        Raises
        ------
        InvalidInput
            Costs and units too large for it.
        """
        if not self._through and (new is None or not new.pins):
            return
        units, of_size = self._units, self._of_size.copy()
        for request, sign in ((old, -1), (new, 1)):
            if request is not None:
                units += sign * request.most_units
                _add(of_size, request.dearest.bit_length(), sign)
        _see(units, of_size, self._live.steepest)

    def see_load_costs(self, steepest: int) -> None:
        """See that pins would hold if load costs added up to so much on the way to a root.

        Raises
        ------
        InvalidInput
            Costs and units too large for it.
        """
        if self._through:
            _see(self._units, self._of_size, steepest)

    def see_room(self, h: int, node: int) -> None:
        """See that one unit more can be pinned to a node.

        Raises
        ------
        Infeasible
            As many are pinned there, or above, as can pass.
        """
        for k in self._live.chain(node):
            capacity = int(self._live.arrays.net.capacity[k])
            if self._through.get(k, 0) >= capacity:
                raise Infeasible(
                    f"request {h} cannot be pinned to node {node}: node {k} lets {capacity} units through, "
                    "and as many are pinned there"
                )

    def see_capacity(self, k: int, c: int) -> None:
        """See that a node may be given this capacity.

        Raises
        ------
        Infeasible
            More units are pinned through it.
        """
        if c < self._through.get(k, 0):
            raise Infeasible(
                f"node {k} cannot be given capacity {c}: {self._through[k]} units are pinned through it"
            )


def _add(counts: dict[int, int], key: int, sign: int) -> None:
    counts[key] = counts.get(key, 0) + sign
    if not counts[key]:
        del counts[key]


def _see(units: int, of_size: dict[int, int], steepest: int) -> None:
    dearest = 1 << max(of_size, default=0)
    if 2 * dearest * (units + 1) + steepest * units >= MUST // 2:
        raise InvalidInput(
            f"costs up to {dearest} of {units} units, and load costs of {steepest} on the way to a root, add "
            "up too far beside a pin: twice the first and the second, times the units, must stay below 2**56"
        )

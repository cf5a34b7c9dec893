"""What a way of travelling must offer: the plug that `Problem(travel=...)` takes."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from govmatch.model.encoded import FloatArray, Int32Array


class PairTravel(Protocol):
    """Travel between origins and destinations that have been prepared once, asked for in blocks."""

    def minutes(self, origins: Int32Array, destinations: Int32Array) -> FloatArray:
        """Return the one-way minutes of pairs.

        Parameters
        ----------
        origins, destinations : int32 (n,)
            Positions in the places that `Travel.prepare` was given.

        Returns
        -------
        float64 (n,)
            Minutes from ``origins[i]`` to ``destinations[i]``. NaN: a coordinate is unknown on either
            side, so that nobody can tell. Infinity: both are known and there is no way between them.
            Anything else that is no minutes, 0 or more, is refused where plans are made.
        """
        ...


class Travel(Protocol):
    """How people get from home to a place; `GreatCircle` and `RoadGraph` are two of these.

    Where people make rounds, the places of requests and of organisations are origins and destinations, too.
    """

    @property
    def fingerprint(self) -> str:
        """A text that differs wherever minutes may differ."""
        ...

    def prepare(
        self,
        origin_lat: ArrayLike,
        origin_lon: ArrayLike,
        origin_mode: ArrayLike,
        destination_lat: ArrayLike,
        destination_lon: ArrayLike,
    ) -> PairTravel:
        """Take all places once, so that blocks of pairs are cheap.

        Parameters
        ----------
        origin_lat, origin_lon : float64 (n_origins,)
            Degrees, WGS-84; NaN where unknown.
        origin_mode : int8 (n_origins,)
            Position in `schema.MODES`.
        destination_lat, destination_lon : float64 (n_destinations,)
            Degrees, WGS-84; NaN where unknown.
        """
        ...

"""Great-circle travel: distance times detour over the speed of the mode."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch._kernels.travel import chord_minutes
from govmatch.errors import InvalidInput
from govmatch.model.encoded import FloatArray, Int32Array
from govmatch.model.policy import Policy, TravelRules
from govmatch.model.real import as_real
from govmatch.model.schema import MODES
from govmatch.model.suggest import shown
from govmatch.model.travel import PairTravel

EARTH_KM = 6371.0088  # mean radius of the Earth, IUGG


@dataclass(frozen=True)
class GreatCircle:
    """Great-circle distance, lengthened by a detour, at the speed of the traveller's mode.

    ``minutes = haversine(home, place) * detour / speed_kmh[mode] * 60``, with the mean radius
    R = 6371.0088 km.

    Parameters
    ----------
    detour : float
        What a way is longer than the line, 1 or more.
    speed_kmh : mapping of str to float
        Kilometres an hour by mode: ``walk``, ``ebike`` and ``car``.

    Raises
    ------
    InvalidInput
        A detour below 1, a mode that is missing or not known, a speed that is not positive and finite.
    """

    detour: float = field(default_factory=lambda: TravelRules().detour)
    speed_kmh: Mapping[str, float] = field(default_factory=lambda: TravelRules().speed_kmh)

    def __post_init__(self) -> None:
        if not 1 <= as_real(self.detour) < math.inf:
            raise InvalidInput(f"detour is {shown(self.detour)}; expected a finite number of 1 or more")
        if not isinstance(self.speed_kmh, Mapping):
            raise InvalidInput(f"speed_kmh is {shown(self.speed_kmh)}; expected a mapping of mode to km/h")
        for mode in {*MODES} ^ {*self.speed_kmh}:
            verb = "lacks" if mode in MODES else "has"
            raise InvalidInput(f"speed_kmh {verb} the mode {mode!r}; expected {', '.join(MODES)}")
        for mode, speed in self.speed_kmh.items():
            if not 0 < as_real(speed) < math.inf:
                raise InvalidInput(f"speed_kmh[{mode!r}] is {shown(speed)}; expected a finite number above 0")
        object.__setattr__(self, "detour", float(self.detour))
        frozen = MappingProxyType({m: float(v) for m, v in self.speed_kmh.items()})
        object.__setattr__(self, "speed_kmh", frozen)

    def __reduce__(self) -> tuple[type[GreatCircle], tuple[float, dict[str, float]]]:
        return GreatCircle, (self.detour, dict(self.speed_kmh))  # a mapping proxy cannot be pickled

    @classmethod
    def from_policy(cls, policy: Policy) -> GreatCircle:
        """Take detour and speeds from the policy's travel rules."""
        return cls(policy.travel.detour, policy.travel.speed_kmh)

    @property
    def fingerprint(self) -> str:
        """Changes with the detour and with every speed."""
        text = json.dumps(["great_circle", EARTH_KM, self.detour, dict(self.speed_kmh)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def prepare(
        self,
        origin_lat: ArrayLike,
        origin_lon: ArrayLike,
        origin_mode: ArrayLike,
        destination_lat: ArrayLike,
        destination_lon: ArrayLike,
    ) -> GreatCirclePairs:
        """Turn every place into a unit vector, once; parameters as `govmatch.model.travel.Travel` has them.

        Raises
        ------
        InvalidInput
            Arrays of unequal lengths, degrees out of range, or a mode that is no position in MODES.
        """
        origin = _vectors(origin_lat, origin_lon, "origin")
        mode = np.asarray(origin_mode)
        if mode.shape != (len(origin),):
            raise InvalidInput(f"origin_mode has shape {mode.shape}; expected ({len(origin)},)")
        if len(mode) and not np.issubdtype(mode.dtype, np.integer):
            raise InvalidInput(f"origin_mode has dtype {mode.dtype}; expected integer positions in MODES")
        if len(mode) and (mode.min() < 0 or mode.max() >= len(MODES)):
            wrong = int(np.argmax((mode < 0) | (mode >= len(MODES))))
            raise InvalidInput(f"origin_mode[{wrong}] is {mode[wrong]}; expected 0 to {len(MODES) - 1}")
        per_radian = np.array([EARTH_KM * self.detour / self.speed_kmh[m] * 60 for m in MODES])
        origin[:, 3] = per_radian[mode.astype(np.int64)]
        return GreatCirclePairs(origin, _vectors(destination_lat, destination_lon, "destination"))


@dataclass(frozen=True, eq=False)
class GreatCirclePairs:
    """Places of a `GreatCircle`, as unit vectors (and minutes per radian of the origins)."""

    origin: FloatArray  # (n_origins, 4)
    destination: FloatArray  # (n_destinations, 4)

    def minutes(self, origins: Int32Array, destinations: Int32Array) -> FloatArray:
        """Return the one-way minutes of pairs; NaN where a coordinate is unknown.

        Parameters
        ----------
        origins, destinations : int32 (n,)
            Positions in the places that were prepared.

        Raises
        ------
        InvalidInput
            Unequal lengths, or a position that is outside the places.
        """
        o, d = positions(origins, destinations)
        minutes = np.empty(len(o))
        wrong = chord_minutes(self.origin, self.destination, o, d, minutes)
        if wrong >= 0:
            raise outside_places(wrong, o, d, len(self.origin), len(self.destination))
        return minutes


def checked_minutes(pair_travel: PairTravel, origins: Int32Array, destinations: Int32Array) -> FloatArray:
    """Ask a plug for the minutes of pairs, and pass on only what loops over plain memory may trust.

    Parameters
    ----------
    pair_travel : PairTravel
        What the plug's `prepare` returned.
    origins, destinations : int32 (n,)
        Positions in the places that were prepared.

    Returns
    -------
    float64 (n,)
        Contiguous; 0 or more, NaN or infinity.

    Raises
    ------
    InvalidInput
        The plug answers with something else. The message names its class.
    """
    if type(pair_travel) is GreatCirclePairs:  # 20 million pairs in a county, never wrong
        return pair_travel.minutes(origins, destinations)
    name = f"{type(pair_travel).__name__}.minutes"
    if not callable(getattr(pair_travel, "minutes", None)):
        raise InvalidInput(f"travel.prepare returned a {type(pair_travel).__name__} without `minutes`")
    answer: object = pair_travel.minutes(origins, destinations)
    expected = f"expected a float64 array of shape ({len(origins)},)"
    if not isinstance(answer, np.ndarray):
        raise InvalidInput(f"{name} returned a {type(answer).__name__}; {expected}")
    if answer.dtype != np.float64 or answer.shape != (len(origins),):
        raise InvalidInput(f"{name} returned {answer.dtype} of shape {answer.shape}; {expected}")
    negative = answer < 0
    if negative.any():
        i = int(np.argmax(negative))
        raise InvalidInput(
            f"{name} returned {answer[i]} minutes from origin {origins[i]} to destination "
            f"{destinations[i]}; expected 0 or more, infinity (no way) or NaN (unknown)"
        )
    return np.require(answer, np.float64, ("C_CONTIGUOUS", "ALIGNED", "WRITEABLE"))


def positions(origins: ArrayLike, destinations: ArrayLike) -> tuple[Int32Array, Int32Array]:
    """Return pairs as contiguous int32, or say which argument holds none."""
    o, d = _positions(origins, "origins"), _positions(destinations, "destinations")
    if len(o) != len(d):
        raise InvalidInput(f"{len(o)} origins and {len(d)} destinations; expected pairs")
    return o, d


def outside_places(
    pair: int, origins: Int32Array, destinations: Int32Array, n_origins: int, n_destinations: int
) -> InvalidInput:
    """Say that a pair points outside the places that were prepared."""
    return InvalidInput(
        f"pair {pair} is ({origins[pair]}, {destinations[pair]}); expected positions below "
        f"{n_origins} origins and {n_destinations} destinations"
    )


def _positions(values: ArrayLike, name: str) -> Int32Array:
    """Return `values` as contiguous int32, or say which argument holds none."""
    array = np.asarray(values)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or not array.size):
        raise InvalidInput(f"{name} has shape {array.shape} and dtype {array.dtype}; expected integers (n,)")
    if array.dtype != np.int32:
        # A wide integer must fail the range check, not wrap around into a valid position.
        array = np.clip(array, -1, np.iinfo(np.int32).max).astype(np.int32)
    return np.ascontiguousarray(array)


def coordinates(lat: ArrayLike, lon: ArrayLike, name: str) -> tuple[FloatArray, FloatArray]:
    """Return latitudes and longitudes as float64 (n,); NaN (either) makes a place unknown.

    Raises
    ------
    InvalidInput
        Unequal lengths, something that is no number, or degrees out of range.
    """
    try:
        a, b = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{name}_lat and {name}_lon are to be numbers in degrees: {error}") from error
    if a.ndim != 1 or a.shape != b.shape:
        raise InvalidInput(f"{name}_lat has shape {a.shape}, {name}_lon {b.shape}; expected one length")
    wrong = np.flatnonzero((np.abs(a) > 90) | (np.abs(b) > 180))
    if len(wrong):
        i = wrong[0]
        raise InvalidInput(f"{name} {i} lies at lat {a[i]}, lon {b[i]}; expected ±90 and ±180 degrees")
    return a, b


def unit_vectors(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Return (n, 3) points on the unit sphere; NaN where a coordinate is."""
    a, b = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)


def _vectors(lat: ArrayLike, lon: ArrayLike, name: str) -> NDArray[np.float64]:
    a, b = coordinates(lat, lon, name)
    vectors = np.zeros((len(a), 4))
    vectors[:, :3] = unit_vectors(a, b)
    return vectors

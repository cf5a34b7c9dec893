"""The verifier's own travel minutes: datums undone, great circle, or what a plug answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.plan.verify_roads import Roads, is_road_graph

FloatArray = NDArray[np.float64]

_RADIUS_KM = 6371.0088
_SEMI_MAJOR = 6378245.0
_E2 = 0.00669342162296594323
MODES = ("walk", "ebike", "car")


def _gcj02(lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """WGS-84 to GCJ-02, by the formula that became public."""
    x, y, pi = lon - 105.0, lat - 35.0, np.pi

    def ripple(v: FloatArray, terms: tuple[tuple[float, float], ...]) -> FloatArray:
        waves: FloatArray = sum((a * np.sin(v * pi / b) for a, b in terms), np.zeros_like(v)) * 2.0 / 3.0
        return waves

    shared = ripple(x, ((20.0, 1 / 6), (20.0, 1 / 2)))
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + shared
    north = north + ripple(y, ((20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0)))
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + shared
    east = east + ripple(x, ((20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0)))
    squash = 1 - _E2 * np.sin(np.radians(lat)) ** 2
    north_metres = np.radians(_SEMI_MAJOR * (1 - _E2) / squash**1.5)
    east_metres = np.radians(_SEMI_MAJOR / np.sqrt(squash) * np.cos(np.radians(lat)))
    return lat + north / north_metres, lon + east / east_metres


def _bd09(lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """WGS-84 to BD-09, which twists GCJ-02 a little more."""
    y, x = _gcj02(lat, lon)
    turn = np.pi * 3000.0 / 180.0
    z = (
        (x + 1j * y)
        * (1 + 0.00002 * np.sin(y * turn) / np.hypot(x, y))
        * np.exp(0.000003j * np.cos(x * turn))
    )
    return z.imag + 0.006, z.real + 0.0065


def wgs84(lat: FloatArray, lon: FloatArray, crs: NDArray[np.object_]) -> tuple[FloatArray, FloatArray]:
    """Return WGS-84 degrees of columns whose rows each name their datum.

    The forward transforms are inverted by correcting a guess by what it misses. They apply within
    China's bounding box only.
    """
    lat, lon = np.array(lat, dtype=np.float64), np.array(lon, dtype=np.float64)
    box = (lat >= 0.8293) & (lat <= 55.8271) & (lon >= 72.004) & (lon <= 137.8347)
    for name, forward in (("gcj02", _gcj02), ("bd09", _bd09)):
        rows = box & (crs == name)
        if not rows.any():
            continue
        y0, x0 = lat[rows], lon[rows]
        y, x = y0.copy(), x0.copy()
        for _ in range(12):
            fy, fx = forward(y, x)
            y, x = y + (y0 - fy), x + (x0 - fx)
        lat[rows], lon[rows] = y, x
    return lat, lon


def great_circle_km(lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray) -> FloatArray:
    """Haversine distance in kilometres; NaN where a coordinate is missing."""
    a, b = np.radians(lat1), np.radians(lat2)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return np.asarray(2 * _RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


class TravelTimes:
    """One-way minutes between places of providers and of requests, NaN where a place is unknown.

    A road graph is searched anew. Any other plug has to be asked itself.
    """

    def __init__(self, travel: Any, policy: Any, origins: tuple[Any, ...], targets: tuple[Any, ...]) -> None:
        self._lat, self._lon, self._mode = origins
        self._to_lat, self._to_lon = targets
        self.plug = travel  # None: great circles by the policy
        self._travel = policy.travel if travel is None else travel
        self._is_circle = hasattr(self._travel, "detour") and hasattr(self._travel, "speed_kmh")
        self._roads = Roads(travel) if not self._is_circle and is_road_graph(travel) else None
        self.is_foreign = not self._is_circle and self._roads is None

    def minutes(self, provider: NDArray[np.int64], request: NDArray[np.int64]) -> FloatArray:
        """Return minutes (n,) for pairs of positions."""
        places = self._lat[provider], self._lon[provider], self._to_lat[request], self._to_lon[request]
        known = ~np.isnan(sum(places))
        if self._is_circle:
            speeds = self._travel.speed_kmh
            speed = np.array([float(speeds.get(mode, np.nan)) for mode in MODES])[self._mode[provider]]
            return np.asarray(great_circle_km(*places) * float(self._travel.detour) / speed * 60.0)
        answer = np.full(len(provider), np.nan)
        if not known.any():
            return answer
        if self._roads is not None:
            answer[known] = self._roads.minutes(*(place[known] for place in places))
            return answer
        people, mine = np.unique(provider[known], return_inverse=True)
        wishes, theirs = np.unique(request[known], return_inverse=True)
        where = self._lat[people], self._lon[people], self._mode[people].astype(np.int8)
        plug = self._travel.prepare(*where, self._to_lat[wishes], self._to_lon[wishes])
        answer[known] = plug.minutes(mine.astype(np.int32), theirs.astype(np.int32))
        return answer

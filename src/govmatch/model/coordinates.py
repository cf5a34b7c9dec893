"""The three Chinese datums, to and from WGS-84, for whole columns.

Outside mainland China's bounding box the three datums coincide. A coordinate that is not finite
passes through unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch.errors import InvalidInput
from govmatch.model.schema import CRS

FloatArray = NDArray[np.float64]
Shift = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

_AXIS = 6378245.0  # metres; Krasovsky 1940, on which the published formula works
_ECCENTRICITY2 = 0.00669342162296594323
_LAT_BOX = (0.8293, 55.8271)
_LON_BOX = (72.004, 137.8347)
_BAIDU = np.pi * 3000.0 / 180.0
_TOLERANCE = 1e-12  # degrees
_MAX_ITERATIONS = 30  # the maps contract by a factor of 0.02 or better, so about ten are used


def inside_china(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie in the bounding box in which the datums differ.

    Parameters
    ----------
    lat, lon : array_like of float, shape (n,)
        Degrees.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for coordinates that are not finite.
    """
    y, x = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
    return (y >= _LAT_BOX[0]) & (y <= _LAT_BOX[1]) & (x >= _LON_BOX[0]) & (x <= _LON_BOX[1])


def _gcj02_shift(lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Degrees by which GCJ-02 lies off WGS-84, taken at WGS-84 points."""
    x, y = lon - 105.0, lat - 35.0
    root = 0.1 * np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 2.0 * root
    north += (wave + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + root
    east += (wave + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _ECCENTRICITY2 * np.sin(phi) ** 2
    meridian = _AXIS * (1.0 - _ECCENTRICITY2) / (w2 * np.sqrt(w2))
    parallel = _AXIS / np.sqrt(w2) * np.cos(phi)
    return np.degrees(north / meridian), np.degrees(east / parallel)


def _bd09_shift(lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Degrees by which BD-09 lies off GCJ-02, taken at GCJ-02 points."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    return radius * np.sin(angle) + 0.006 - lat, radius * np.cos(angle) + 0.0065 - lon


def _undo(shift: Shift, lat: FloatArray, lon: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find the points that `shift` moves to (lat, lon), by fixed-point iteration."""
    y, x = lat, lon
    for _ in range(_MAX_ITERATIONS):
        dy, dx = shift(y, x)
        y_next, x_next = lat - dy, lon - dx
        moved = max(np.max(np.abs(y_next - y), initial=0.0), np.max(np.abs(x_next - x), initial=0.0))
        y, x = y_next, x_next
        if moved < _TOLERANCE:
            break
    return y, x


def wgs84_to_gcj02(lat: ArrayLike, lon: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert WGS-84 to GCJ-02, the datum of AMap, Tencent and other Chinese maps.

    Parameters
    ----------
    lat, lon : array_like of float, shape (n,)
        Degrees, WGS-84.

    Returns
    -------
    lat, lon : ndarray of float64, shape (n,)
        Degrees, GCJ-02; equal to the input outside China and where not finite.

    Notes
    -----
    The official transform is secret. This is the approximation that became public in 2010-2013
    (the C# program "EvilTransform"; described in Wikipedia, "Restrictions on geographic data in
    China"). With x = lon - 105 and y = lat - 35 it adds up a quadratic in x and y, a square root of
    |x| and sines whose periods are 1/3 to 60 degrees; the two sums are metres to the north and to the east on
    the Krasovsky 1940 ellipsoid, turned into degrees by its radii of curvature. It agrees with the
    maps to about a metre.
    """
    y, x = np.array(lat, dtype=np.float64), np.array(lon, dtype=np.float64)
    rows = inside_china(y, x)
    dy, dx = _gcj02_shift(y[rows], x[rows])
    y[rows] += dy
    x[rows] += dx
    return y, x


def wgs84_to_bd09(lat: ArrayLike, lon: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert WGS-84 to BD-09, the datum of Baidu's maps.

    Parameters
    ----------
    lat, lon : array_like of float, shape (n,)
        Degrees, WGS-84.

    Returns
    -------
    lat, lon : ndarray of float64, shape (n,)
        Degrees, BD-09; equal to the input outside China and where not finite.

    Notes
    -----
    BD-09 lies on top of GCJ-02. In the published form (the same sources as in `wgs84_to_gcj02`) a
    point (lon, lat) is written in polar form; a small sine of the latitude lengthens its radius, a
    small cosine of the longitude turns its angle, and a constant offset (0.0065, 0.006) is added.
    """
    y, x = np.array(lat, dtype=np.float64), np.array(lon, dtype=np.float64)
    rows = inside_china(y, x)
    gy, gx = wgs84_to_gcj02(y[rows], x[rows])
    dy, dx = _bd09_shift(gy, gx)
    y[rows] = gy + dy
    x[rows] = gx + dx
    return y, x


def to_wgs84(lat: ArrayLike, lon: ArrayLike, crs_codes: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Convert columns of mixed datums to WGS-84.

    Parameters
    ----------
    lat, lon : array_like of float, shape (n,)
        Degrees, each row in the datum that its code names. NaN where unknown.
    crs_codes : array_like of int, shape (n,)
        Positions in `schema.CRS`: 0 wgs84, 1 gcj02, 2 bd09.

    Returns
    -------
    lat, lon : ndarray of float64, shape (n,)
        Degrees, WGS-84. Inverts `wgs84_to_gcj02` and `wgs84_to_bd09` to 1e-11 degree, except within
        0.02 degree of the bounding box's edge, where the forward transform jumps.

    Raises
    ------
    InvalidInput
        If the three columns differ in length, or a code names no datum.
    """
    y, x = np.array(lat, dtype=np.float64), np.array(lon, dtype=np.float64)
    codes = np.asarray(crs_codes)
    if not y.shape == x.shape == codes.shape:
        raise InvalidInput(
            f"lat, lon and crs_codes must have one shape; found {y.shape}, {x.shape} and {codes.shape}"
        )
    wrong = (codes < 0) | (codes >= len(CRS))
    if wrong.any():
        raise InvalidInput(
            f"crs_codes holds {codes[wrong][0]}; expected 0 to {len(CRS) - 1}, for {', '.join(CRS)}"
        )
    inside = inside_china(y, x)
    baidu = inside & (codes == CRS.index("bd09"))
    y[baidu], x[baidu] = _undo(_bd09_shift, y[baidu], x[baidu])
    shifted = inside & (codes != CRS.index("wgs84"))
    y[shifted], x[shifted] = _undo(_gcj02_shift, y[shifted], x[shifted])
    return y, x

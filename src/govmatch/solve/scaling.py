"""Costs given as floats, as whole numbers, and the way back.

A cost ``c`` becomes the int64 ``C`` near ``c * factor``, where ``factor`` is a power of two or of ten:

- if some power of two makes every cost whole, the smallest such one: ``C / factor = c`` exactly;
- else, if some power of ten does but for the rounding of decimal numbers to floats (``C / factor``,
  rounded to a float, is ``c``: amounts in cents), the smallest such one; then ``|C / factor - c| <=
  2**-53 |c|``, half a unit in the last place;
- else the largest power of two that leaves room, and ``C = floor(c * factor)``, so that ``C / factor <= c``.

A bound ``B`` on every flow at the costs ``C`` bounds every flow at the caller's own costs by

    B / factor - slack

rounded down to a float. A flow's own cost is at least its scaled one where costs are exact or rounded
down, so that ``slack`` is 0 for powers of two. For powers of ten it differs by at most ``2**-53`` of the
sum of the absolute values of what it consists of, of which an upper limit is known before solving
(``spread``): ``slack = 2**-53 * spread``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SUM_BITS, NUMBER_BITS = 61, 51
"""Sums of scaled costs stay below 2**61, half of the room; single numbers below 2**51, which floats hold."""

LARGEST_EXPONENT = 1000
MOST_DECIMALS = 15

BLOCK = 1 << 15
"""Costs looked at together: their intermediate arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Scale:
    """``factor = base ** exponent``: how many of the whole numbers' units make one of the caller's."""

    base: int
    exponent: int
    exact: bool
    slack: Fraction = Fraction(0)

    @property
    def factor(self) -> Fraction:
        """Exactly."""
        return Fraction(self.base) ** self.exponent

    @property
    def resolution(self) -> float:
        """One unit of the whole numbers, in the caller's unit."""
        return float(1 / self.factor)

    def whole(self, costs: FloatArray) -> IntArray:
        """Scale and round costs, int64."""
        whole, factor = np.empty(len(costs), np.int64), float(self.factor)
        for at, values in _blocks(costs):
            scaled = values * factor
            rounded = np.rint(scaled) if self.base == 10 else np.floor(scaled)
            if self.exponent < 0:  # what a product loses below the smallest float is rounded down, too
                rounded[(scaled == 0) & (values < 0)] = -1
            whole[at] = rounded
        return whole

    def real(self, numbers: IntArray) -> FloatArray:
        """Whole numbers in the caller's unit, float64; exact for powers of two and numbers below 2**53."""
        if self.base == 10:
            return numbers / float(self.factor)
        return np.ldexp(numbers.astype(np.float64), -self.exponent)

    def below(self, bound: int) -> float:
        """Return the largest float that is no larger than ``bound / factor - slack``."""
        exact = Fraction(bound) / self.factor - self.slack
        try:
            nearest = float(exact)
        except OverflowError:
            return -math.inf if exact < 0 else math.nextafter(math.inf, 0)
        return nearest if Fraction(nearest) <= exact else math.nextafter(nearest, -math.inf)


def choose_scale(costs: Sequence[FloatArray], spread: float, room: float, largest: float) -> Scale:
    """Choose the scale as the module says.

    Parameters
    ----------
    costs : sequence of float64 (any,)
        All costs, finite.
    spread : float
        An upper limit on the sum of the absolute values of what any flow's cost consists of.
    room : float
        The same, with what leaving required requests unserved costs inside.
    largest : float
        An upper limit on a single number.
    """
    most = min(_spare(SUM_BITS, room), _spare(NUMBER_BITS, largest), LARGEST_EXPONENT)
    binary = _exact_binary(costs, most)
    if binary is not None:
        return Scale(2, binary, exact=True)
    decimal = _decimals(costs, most)
    if decimal is not None:
        slack = Fraction(spread) * (1 + Fraction(1, 2**20)) / 2**53
        return Scale(10, decimal, exact=False, slack=slack)
    return Scale(2, most, exact=False)


def _spare(bits: int, number: float) -> int:
    """Largest k with ``number * 2**k <= 2**bits``, to within one."""
    return bits - math.frexp(number)[1] if number else LARGEST_EXPONENT


def _exact_binary(costs: Sequence[FloatArray], most: int) -> int | None:
    factor, seen = 2.0**most, 0
    for part in costs:
        for _, values in _blocks(part):
            scaled = values * factor
            # below the smallest float a product is 0, which is whole, and not the cost
            if (scaled != np.floor(scaled)).any() or (most < 0 and ((scaled == 0) & (values != 0)).any()):
                return None
            seen |= int(np.bitwise_or.reduce(scaled.astype(np.int64)))
    zeros = (seen & -seen).bit_length() - 1 if seen else max(most, 0)
    return most - min(zeros, max(most, 0))


def _decimals(costs: Sequence[FloatArray], most: int) -> int | None:
    for decimals in range(1, MOST_DECIMALS + 1):
        factor = 10.0**decimals
        if math.log2(factor) > most:
            return None
        blocks = (values for part in costs for _, values in _blocks(part))
        if all((np.rint(values * factor) / factor == values).all() for values in blocks):
            return decimals
    return None


def _blocks(values: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    for start in range(0, len(values), BLOCK):
        at = slice(start, start + BLOCK)
        yield at, values[at]


def exact_terms(values: FloatArray, counts: IntArray) -> list[float]:
    """Floats whose exact sum is ``sum_i values_i counts_i``.

    Floats, of 53 bits, and counts are cut into pieces of at most 27 bits, whose products are floats
    (Dekker 1971, A floating-point technique for extending the available precision).
    """
    used = np.flatnonzero(counts)
    values, counts = values[used], counts[used]
    high = (values.view(np.int64) & ~np.int64((1 << 27) - 1)).view(np.float64)
    terms: list[float] = []
    for shift in (0, 26, 52):
        part = (counts >> shift) & ((1 << 26) - 1)
        if part.any():
            factor = part * float(1 << shift)
            terms += (high * factor).tolist() + ((values - high) * factor).tolist()
    return terms

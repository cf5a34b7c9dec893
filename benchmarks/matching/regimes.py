"""The registry of regimes: what is matched, and the figure to reach there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.matching.shapes import Shape

FLOOR = 3.0
EXPONENT = 1.15
SECONDS, GIGABYTES = 120.0, 12.0  # a province, ours alone
QUICK_REQUESTS = 200


@dataclass(frozen=True)
class Regime:
    """One regime; `goal` is how many times faster than the fastest peer's solve, None where none is set."""

    label: str
    shape: Shape
    goal: float | None
    peers: bool = True  # False: ours alone, against SECONDS and GIGABYTES


def goal_of(shape: Shape) -> float:
    """Return the figure to reach, by one rule for all: ample, balanced, tight, short or a hot spot."""
    if shape.scarcity > 1 or shape.hot:
        return 8.0
    return 15.0 if shape.scarcity > 0.5 else 20.0 if shape.scarcity > 0.25 else 30.0


def _regime(label: str, shape: Shape) -> Regime:
    return Regime(label, shape, goal_of(shape))


_HAINING = Shape(20_000, 27_000)
_SHORT = Shape(60_000, 27_000)
_SWEEP = Shape(4_000, 20_000)

_TABLE = {
    "small": _regime("small", Shape(5_000, 27_000)),
    "ample": _regime("ample", Shape(20_000, 200_000)),
    "balanced": _regime("balanced", _HAINING),
    "tight": _regime("tight", replace(_HAINING, cap=1)),
    "short-2": _regime("short, cap 2", _SHORT),
    "short-1": _regime("short, cap 1", replace(_SHORT, cap=1)),
    "large": _regime("large", Shape(100_000, 200_000)),
}
_SCARCITY = {
    f"ds-{ratio}": _regime(f"demand ÷ supply {ratio}", replace(_SWEEP, requests=round(40_000 * ratio)))
    for ratio in (0.1, 0.75, 1, 1.5, 2.4, 3)
}
_HOT = {
    "hot-balanced": _regime("hot spot", replace(_HAINING, hot=0.6)),
    "hot-tight": _regime("hot spot, cap 1", replace(_HAINING, cap=1, hot=0.6)),
    "hot-short": _regime("hot spot, short", replace(_SHORT, hot=0.6)),
    "hot-3": _regime("hot spot, demand ÷ supply 3", replace(_SHORT, requests=81_000, cap=1, hot=0.6)),
}
_KINDS = {
    "priority-one": _regime("one priority, short", replace(_SHORT, priorities=(1,))),
    "priority-mixed": _regime("priorities 70:20:9:1, short", replace(_SHORT, priorities=(70, 20, 9, 1))),
    "deep": _regime("deep forest", replace(_HAINING, forest="deep")),
    "deep-short": _regime("deep forest, short", replace(_SHORT, forest="deep")),
    "quota": _regime(
        "one quota over all, short",
        replace(_HAINING, forest="deep", members=27_000, organisation_share=0.3),
    ),
    "load": _regime("load costs", replace(_HAINING, cap=3, load_cost=150)),
    "load-short": _regime("load costs, short", replace(_SHORT, load_cost=150)),
    "several": _regime("2–3 people a request", Shape(20_000, 60_000, demand=(2, 3))),
    "several-short": _regime("2–3 people a request, short", Shape(30_000, 27_000, demand=(2, 3))),
}
# no slots, each volunteer once: what assignment solvers are for
_FLAT = {
    f"flat-{name}": _regime(f"flat, {name}", Shape(requests, volunteers, cap=1, forest="flat"))
    for name, requests, volunteers in (
        ("small", 5_000, 27_000),
        ("ample", 20_000, 200_000),
        ("tight", 20_000, 27_000),
        ("large", 100_000, 200_000),
        ("short", 60_000, 27_000),
        ("large-short", 100_000, 60_000),
    )
}
_SQUARES = {f"square-{n}": Regime(f"dense square {n}", Shape(square=n), None) for n in (100, 200, 400, 800)}
SCALING = {
    f"scale-{n}": _regime(
        f"constant density, {n:,}", Shape(n, round(1.35 * n), places=max(4, round(n * 236 / 20_000)))
    )
    for n in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
}
_PROVINCE = {
    "province": Regime("a province", Shape(1_000_000, 5_000_000, arcs=16, places=11_800), None, peers=False)
}

REGIMES: dict[str, Regime] = {
    **_TABLE,
    **_SCARCITY,
    **_HOT,
    **_KINDS,
    **_FLAT,
    **_SQUARES,
    **SCALING,
    **_PROVINCE,
}
QUICK = ("balanced", "short-2", "deep", "several", "load", "flat-tight", "square-100")

# a day of arrivals, one after the other; the first is the one that re-solving is compared with
ONLINE: dict[str, Shape] = {
    "day": Shape(20_000, 200_000),
    **{f"day-{ratio}": Shape(20_000, round(20_000 / ratio), cap=1) for ratio in (0.1, 0.75, 1, 1.5, 2.4)},
}
QUICK_ONLINE = ("day", "day-1.5")

"""Measured regimes as the Markdown that benchmarks/README.md shows."""

from __future__ import annotations

from itertools import pairwise
from math import log
from statistics import linear_regression, median

from benchmarks.isolate import Measured
from benchmarks.matching.peers import PEERS
from benchmarks.matching.regimes import EXPONENT, FLOOR, GIGABYTES, REGIMES, SCALING, SECONDS
from benchmarks.table import markdown, seconds

SHRUNK = "shrunk: none"
MARKERS = ("<!-- matching:start -->", "<!-- matching:end -->")

OURS = [
    "regime",
    "requests × volunteers, cap",
    "demand ÷ supply",
    "arcs",
    "govmatch, s",
    "MB",
    "passes over the arcs",
    "fastest peer's solve, s",
    "its solve ÷ ours",
    "building + solving ÷ ours",
    "goal",
]


def table(results: Measured) -> str:
    """Return the setup, our figures beside the fastest peer's, every peer's, and the growth."""
    regimes = {name: results["regimes"][name] for name in REGIMES if name in results["regimes"]}
    parts = [_setup(results["setup"]), markdown(OURS, [_row(name, done) for name, done in regimes.items()])]
    peers = [peer for peer in PEERS if any(done["peers"].get(peer) for done in regimes.values())]
    if peers:
        rows = [
            [done["label"], *(_cell(done["peers"].get(peer, []), len(done["runs"])) for peer in peers)]
            for done in regimes.values()
            if done["peers"]
        ]
        parts += [
            "Every peer: building + solving in seconds, peak memory; whoever answered found the same cost to "
            "the unit. *once*: more than ten times slower than the fastest, and not repeated. *at …*: the "
            "cap ended it at so many arcs already, and it was not asked here. The peers: "
            + "; ".join(_label(peer, regimes) for peer in peers)
            + ".",
            markdown(["", *peers], rows),
        ]
    return "\n\n".join([*parts, *_growth(regimes, peers)])


def fastest(done: Measured, *phases: str) -> tuple[str, float] | None:
    """Return the peer with the least median of the phases' sum, and that; None where no peer answered."""
    known = {
        peer: median(sum(told[phase] for phase in phases) for told in answers)
        for peer, answers in done["peers"].items()
        if answers and all("solve" in told for told in answers)
    }
    return min(known.items(), key=lambda item: item[1]) if known else None


def our_seconds(done: Measured) -> float | None:
    """Return our median; None where the cap or a failure came first, even once."""
    runs = done["runs"]
    return median(run["seconds"] for run in runs) if all("seconds" in run for run in runs) else None


def _setup(setup: Measured) -> str:
    return (
        f"{setup['date']}, {setup['machine']}, {setup['cores']} cores, Python {setup['python']}. Medians of "
        f"{setup['repeat']} instance(s) a regime, each with a seed of its own, on both sides "
        f"(`--seed {setup['seed']}`); a peer's process was ended after {setup['cap']:g} s. Ours is the whole "
        f"`gm.assign` call. Goals are of its solve ÷ ours; the floor everywhere is {FLOOR:g} ×."
    )


def _row(name: str, done: Measured) -> list[str]:
    shape, ours = REGIMES[name].shape, our_seconds(done)
    made, runs = done["made"][0], [run for run in done["runs"] if "seconds" in run]
    solve, whole = fastest(done, "solve"), fastest(done, "build", "solve")
    size = f"{made['requests']:,} × {made['volunteers']:,}" + ("" if shape.square else f", {shape.cap}")
    return [
        done["label"],
        size,
        "1" if shape.square else f"{shape.scarcity:.2f}",
        f"{made['arcs']:,}",
        _cell([run for run in done["runs"] if "seconds" not in run], 0)
        if ours is None
        else f"**{seconds(ours)}**",
        _peak(runs),
        f"{median(run['passes'] for run in runs):,.0f}" if runs else "–",
        f"{seconds(solve[1])} ({solve[0]})" if solve else "–",
        _times(solve, ours),
        _times(whole, ours),
        _goal(name, done, _ratio(solve, ours)),
    ]


def _ratio(peer: tuple[str, float] | None, ours: float | None) -> float | None:
    return peer[1] / ours if peer and ours else None


def _times(peer: tuple[str, float] | None, ours: float | None) -> str:
    ratio = _ratio(peer, ours)
    return "–" if ratio is None else f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×"


def _goal(name: str, done: Measured, ratio: float | None) -> str:
    regime = REGIMES[name]
    if done["requests_at_most"]:
        return SHRUNK
    if not regime.peers:
        ours, runs = our_seconds(done), done["runs"]
        peaks = [run.get("peak_mb") for run in runs]
        small = all(peak is not None and peak <= 1000 * GIGABYTES for peak in peaks)
        quick = ours is not None and ours <= SECONDS
        return f"≤ {SECONDS:g} s, ≤ {GIGABYTES:g} GB: {reached(quick and small)}"
    if regime.goal is None:
        return f"to be right: {reached(our_seconds(done) is not None)}"
    if ratio is None:
        return f"≥ {regime.goal:g} ×: no peer or no figure"
    below = "" if ratio >= FLOOR else ", below the floor"
    return f"≥ {regime.goal:g} ×: {reached(ratio >= regime.goal)}{below}"


def reached(yes: bool) -> str:
    """Say whether a goal was reached, in plain sight."""
    return "✓" if yes else "**not reached**"


def _label(peer: str, regimes: Measured) -> str:
    told = (answer for done in regimes.values() for answer in done["peers"].get(peer, []))
    version = next((answer["version"] for answer in told if "version" in answer), "")
    return f"{peer}: {PEERS[peer].label} {version}".strip()


def _cell(told: list[Measured], repetitions: int) -> str:
    if not told:
        return "–"
    for answer in told:
        if "over" in answer:
            at = answer.get("at_arcs")
            return f"> {answer['over']:g} s" + (f", *at {at:,} arcs*" if at else "")
        for key, words in (("refused", "no"), ("failed", "failed")):
            if key in answer:
                return f"{words}: {answer[key]}"
    build, solve = median(t["build"] for t in told), median(t["solve"] for t in told)
    once = " *once*" if len(told) < repetitions else ""
    return f"{seconds(build)} + {seconds(solve)}, {_peak(told)} MB{once}"


def _peak(told: list[Measured]) -> str:
    known = [t["peak_mb"] for t in told if t["peak_mb"] is not None]
    return f"{median(known):,.0f}" if known else "?"


def _growth(regimes: Measured, peers: list[str]) -> list[str]:
    """Fit seconds = a · requests^exponent over the regimes of constant density."""
    sizes = {
        name: regimes[name] for name in SCALING if name in regimes and not regimes[name]["requests_at_most"]
    }
    if len(sizes) < 2:
        return []
    whole = [(done["made"][0]["requests"], our_seconds(done)) for done in sizes.values()]
    large = [point for point in whole if point[0] >= 10_000]
    rows = [
        ["govmatch", _exponent(whole, goal=True), _exponent(large), _steps(whole)],
        *(
            [peer, _exponent(points), _exponent([p for p in points if p[0] >= 10_000]), _steps(points)]
            for peer in peers
            if (points := _points(peer, sizes)) and len(points) > 1
        ),
    ]
    return [
        "Growth in requests at constant density: the exponent fitted to the medians, and from size to size.",
        markdown(["", "over all sizes", "from 10,000 requests", "from size to size"], rows),
    ]


def _points(peer: str, sizes: Measured) -> list[tuple[int, float | None]]:
    return [
        (done["made"][0]["requests"], median(told["solve"] for told in answers))
        for done in sizes.values()
        if (answers := done["peers"].get(peer)) and all("solve" in told for told in answers)
    ]


def _exponent(points: list[tuple[int, float | None]], goal: bool = False) -> str:
    known = [(log(requests), log(value)) for requests, value in points if value]
    if len(known) < 2:
        return "–"
    slope = linear_regression(*zip(*known, strict=True)).slope
    verdict = f", goal ≤ {EXPONENT:g}: {reached(slope <= EXPONENT)}" if goal else ""
    # a size that the cap ended cannot be left out of a verdict
    unknown = " (a size is over the cap)" if goal and len(known) < len(points) else ""
    return f"{slope:.2f}{verdict}{unknown}"


def _steps(points: list[tuple[int, float | None]]) -> str:
    known = [(log(requests), log(value)) for requests, value in points if value]
    return ", ".join(f"{(y2 - y1) / (x2 - x1):.2f}" for (x1, y1), (x2, y2) in pairwise(known))

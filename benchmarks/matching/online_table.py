"""Measured days of single events as the Markdown that benchmarks/README.md shows."""

from __future__ import annotations

from benchmarks.isolate import Measured
from benchmarks.matching.regimes import ONLINE
from benchmarks.matching.table import SHRUNK, reached
from benchmarks.table import markdown, seconds

MARKERS = ("<!-- matching-online:start -->", "<!-- matching-online:end -->")

FASTER = 1000.0  # than solving again, at 200,000 volunteers
AGAINST_SCRATCH = ("day", "day-0.1")

LATENCIES = ["demand ÷ supply", "event", "number", "p50", "p99", "p99.9", "max", "mean", "goal"]
SCRATCH = [
    "demand ÷ supply",
    "arrivals × volunteers, cap",
    "live at the end",
    "govmatch.assign again, s",
    "OR-Tools again, building + solving, s",
    "its solving ÷ a mean event",
    "assign ÷ a mean event",
    "requests moved an event",
    "goal",
]


def table(results: Measured) -> str:
    """Return the setup, latencies by day and event, and what solving again would cost."""
    days = {name: results["online"][name] for name in ONLINE if name in results["online"]}
    setup = results["setup"]
    played = {name: day for name, day in days.items() if "events" in day}
    rows = [row for day in played.values() for row in _latencies(day)]
    over = [
        [f"{ONLINE[name].scarcity:g}", "all", *["–"] * 6, f"> {day['over']:g} s: **not reached**"]
        for name, day in days.items()
        if "over" in day
    ]
    return "\n\n".join(
        [
            f"{setup['date']}, {setup['machine']}, {setup['cores']} cores, Python {setup['python']}; "
            f"`--seed {setup['seed']}`. Milliseconds for one `Matcher` call and reading what it changed.",
            markdown(LATENCIES, rows + over),
            "The state solved again from scratch, medians of four points of the day; there the "
            "matcher's cost was the same to the unit.",
            markdown(SCRATCH, [_scratch(name, day) for name, day in played.items()]),
        ]
    )


def _latencies(day: Measured) -> list[list[str]]:
    kinds = {**day["events"], "all, last quarter of the day": day["last_quarter"]}
    return [
        [
            f"{day['scarcity']:.3g}",
            kind,
            f"{told['count']:,}",
            *(f"{told[key]:.3f}" for key in ("p50", "p99", "p999", "max", "mean")),
            _goal(day, told) if kind.startswith("all") else "",
        ]
        for kind, told in kinds.items()
        if told["count"]
    ]


def _goal(day: Measured, told: Measured) -> str:
    if day["requests_at_most"]:
        return SHRUNK
    # a day at 1 has a few volunteers more than that, or fewer
    if round(day["scarcity"], 2) < 1:
        return f"p99 ≤ 1, p99.9 ≤ 10: {reached(told['p99'] <= 1 and told['p999'] <= 10)}"
    return f"p99 ≤ 5: {reached(told['p99'] <= 5)}; ≤ 1: {reached(told['p99'] <= 1)}"


def _scratch(name: str, day: Measured) -> list[str]:
    again, mean = day["resolve"], day["events"]["all"]["mean"] / 1000
    solve = again["peer_solve"]
    goal = SHRUNK if day["requests_at_most"] else ""
    if name in AGAINST_SCRATCH and not goal:
        goal = f"≥ {FASTER:,.0f} ×: {reached(solve is not None and solve / mean >= FASTER)}"
    return [
        f"{day['scarcity']:.3g}",
        f"{day['arrivals']:,} × {day['volunteers']:,}, {day['cap']}",
        f"{day['checks'][-1]['live']:,}",
        seconds(again["assign"]),
        "–" if solve is None else f"{seconds(again['peer_build'])} + {seconds(solve)}",
        "–" if solve is None else f"{solve / mean:,.0f} ×",
        f"{again['assign'] / mean:,.0f} ×",
        f"{day['moved']:.2f}",
        goal,
    ]

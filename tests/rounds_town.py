"""A town on a line for tests of rounds: a minute of way for every thousandth of a degree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import govmatch as gm

DAY = "2026-11-21"


def clock(text):
    """A time of the day in UTC."""
    return pd.Timestamp(f"{DAY} {text}", tz="UTC")


@dataclass(frozen=True, eq=False)
class Line:
    """Minutes along the line; coordinates that are unknown give no minutes."""

    fingerprint = "line"

    def prepare(self, origin_lat, origin_lon, origin_mode, destination_lat, destination_lon):
        return Pairs(np.asarray(origin_lat), np.asarray(destination_lat))


@dataclass(frozen=True, eq=False)
class Pairs:
    origin: np.ndarray
    destination: np.ndarray

    def minutes(self, origins, destinations):
        return np.abs(self.origin[origins] - self.destination[destinations]) * 1000.0


def asked(name, place, window, minutes=30, **more):
    first, last = window.split("-")
    row = {"request_id": name, "community_id": "C", "lat": place / 1000, "lon": 0.0, "minutes": minutes}
    return {**row, "earliest": clock(first), "latest": clock(last), **more}


def person(name, place, **more):
    return {"volunteer_id": name, "community_id": "C", "lat": place / 1000, "lon": 0.0, **more}


def free(name, window):
    first, last = window.split("-")
    return {"provider_id": name, "start": clock(first), "end": clock(last)}


def tables(requests, people, slots, **more):
    """Return tables of one community; `more` are further tables as lists of rows."""
    found = {
        "communities": [{"community_id": "C", "name": "line", "lat": 0.0, "lon": 0.0}],
        "requests": requests,
        "volunteers": people,
        "availability": slots,
        **more,
    }
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


def policy(rounds="", more=""):
    """Return a policy with rounds in UTC, under which nothing but ways and lateness costs anything."""
    text = (
        f'time_zone = "UTC"\n{more}\n[load]\njobs_per_day = 9\nfurther_job_minutes = 0\n[rounds]\non = true\n'
    )
    return gm.Policy.from_text(text + rounds)


def problem(requests, people, slots, rounds="", more="", **tables_more):
    return gm.Problem.from_tables(
        tables(requests, people, slots, **tables_more), policy(rounds, more), travel=Line()
    )


def line(plan, *columns):
    """Return rows of the assignments in the order of their starts, times as text."""
    frame = plan.assignments.sort_values(["start", "role"])
    cells = {}
    for name in columns:
        values = frame[name]
        cells[name] = values.dt.strftime("%H:%M").tolist() if name in ("start", "end") else values.tolist()
    return list(zip(*cells.values(), strict=True))

"""What a policy may say: type, unit and range of every key.

Works on nested dicts, so that values from a file and values from Python pass the same checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from govmatch.model.schema import EDGE_KINDS, HOLIDAY_RULES, MODES
from govmatch.model.suggest import listed, nearest, shown

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {
    **{name: day for names in (WEEKDAYS, _ENGLISH) for day, name in enumerate(names)},
    **{week + name: day for week in ("周", "星期") for day, name in enumerate("一二三四五六日")},
    **dict.fromkeys(("周天", "星期天"), 6),
    **{str(day): day for day in range(7)},
}
_UNITS: dict[str, dict[str, float]] = {
    "minutes": {
        **dict.fromkeys(("min", "minute", "minutes", "分钟"), 1.0),
        **dict.fromkeys(("h", "hour", "hours", "小时"), 60.0),
    },
    "km/h": {**dict.fromkeys(("km/h", "kmh", "公里/小时"), 1.0), "m/s": 3.6},
}
_EXAMPLES = {"minutes": '"45 min" or "0.75 h"', "km/h": '"18 km/h" or "5 m/s"'}
_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(\S+)\s*")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


@dataclass(frozen=True)
class Fault:
    """A value that a policy may not have. `related` is a key to name where `path` is not in the file."""

    path: tuple[str, ...]
    sentence: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A finite number between `low` and `high`, both included."""

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def converted(self, value: Any) -> Any:
        """Return a text such as ``"0.75 h"`` as a number in the unit of the key."""
        found = _QUANTITY.fullmatch(value) if isinstance(value, str) and self.unit else None
        factor = _UNITS[self.unit].get(found[2].casefold()) if found else None
        if found is None or factor is None:
            return value
        number = float(found[1]) * factor
        return int(number) if self.whole and number.is_integer() else number

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is a finite number in the range."""
        number = isinstance(value, Integral if self.whole else Real) and not isinstance(value, bool)
        return number and bool(self.low <= value <= self.high)

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        kind = "a whole number" if self.whole else "a number"
        of = f" of {self.unit}" if self.unit else ""
        text = f", plain or as text such as {_EXAMPLES[self.unit]}" if self.unit else ""
        return f"{kind}{of} from {self.low:g} to {self.high:,}{text}"


@dataclass(frozen=True)
class Text:
    """Any text, or one of `choices`."""

    choices: tuple[str, ...] = ()

    def converted(self, value: Any) -> Any:
        """Return the value."""
        return value

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is text, and among the choices if there are any."""
        return isinstance(value, str) and (not self.choices or value in self.choices)

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return f"one of {listed(self.choices)}" if self.choices else "text"


class Switch(Text):
    """True or false."""

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is true or false."""
        return isinstance(value, bool)

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return "true or false"


class Zone(Text):
    """The name of a time zone."""

    def accepts(self, value: Any) -> bool:
        """Tell whether the zone is known on this machine."""
        if not isinstance(value, str):
            return False
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # unknown; a path; a folder of zones
            return False
        return True

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return 'the name of a time zone such as "Asia/Shanghai"'


class Clock(Text):
    """A pair of times of a day, the first before the second."""

    def converted(self, value: Any) -> Any:
        """Return a list as a tuple."""
        return tuple(value) if isinstance(value, list) else value

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is two times in order; texts of one form sort as the times do."""
        return (
            _is_texts(value) and len(value) == 2 and all(map(_CLOCK.fullmatch, value)) and value[0] < value[1]
        )

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return 'two times of a day, the earlier first, such as ["08:00", "12:00"]'


class Days(Text):
    """Weekdays, 0 = Monday."""

    def converted(self, value: Any) -> Any:
        """Return names of weekdays as numbers, in a tuple."""
        return tuple(weekday_of(v) for v in value) if isinstance(value, list) else value

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is different weekdays."""
        return (
            isinstance(value, tuple)
            and all(Number(0, 6, whole=True).accepts(v) for v in value)
            and len(set(value)) == len(value)
        )

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return 'a list of different weekdays: 0 (Monday) to 6, or a name such as "sat", "saturday" or "周六"'


class Names(Clock):
    """A list of texts."""

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is texts."""
        return _is_texts(value)

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        return "a list of names"


@dataclass(frozen=True)
class Each:
    """A table whose keys are names; `among` limits them, and `all_of` asks for every one of those."""

    of: Any
    among: tuple[str, ...] = ()
    all_of: bool = False


_COST = Number(0, 10_000_000, "minutes")
_SHARE = Number(0, 1)
_HOP = Number(0, 100_000, "minutes")  # as agreements.hop_minutes

SHAPE: dict[str, Any] = {
    "name": Text(),
    "description": Text(),
    "time_zone": Zone(),
    "unmet": {"base_minutes": _COST, "priority_minutes": _COST, "group_minutes": Each(_COST)},
    "route": {"max_hops": Number(0, 20, whole=True), "hop_minutes": Each(_HOP, EDGE_KINDS)},
    "travel": {
        "mode": Text(MODES),
        "detour": Number(1, 10),
        "max_minutes": Number(0, 1440, "minutes"),
        "unknown_minutes": Number(0, 1440, "minutes"),
        "speed_kmh": Each(Number(0.1, 500, "km/h"), MODES, all_of=True),
    },
    "fit": {
        "dialect_minutes": _COST,
        "hometown_minutes": _COST,
        "level_minutes": _COST,
        "wait_minutes": _COST,
    },
    "load": {
        "jobs_per_day": Number(0, 1000, whole=True),
        "jobs_per_week": Number(0, 7000, whole=True),
        "minutes_per_week": Number(0, 10_080, "minutes", whole=True),
        "further_job_minutes": _COST,
    },
    "recurrence": {"holiday": Text(HOLIDAY_RULES)},
    "continuity": {"face_minutes": _COST, "known_minutes": _COST},
    "slots": {
        "long_minutes": Number(1, 10_080, "minutes", whole=True),
        "start_minutes": Number(1, 1440, "minutes", whole=True),
        "hours": Each(Clock()),
    },
    "presets": {"default": Text(), "named": Each({"days": Days(), "slots": Names()})},
    "rounds": {
        "on": Switch(),
        "start": Text(("home", "organization")),
        "cost": Text(("round", "home")),
        "rest_minutes": Number(0, 720, "minutes", whole=True),
        "rest_after_minutes": Number(1, 1440, "minutes", whole=True),
        "late_minutes": Number(0, 1000),
        "largest_late_minutes": Number(0, 1000),
    },
    "teams": {"together_minutes": _COST},
    "stability": {"change_minutes": _COST},
    "floors": {"group_share": Each(_SHARE), "community_share": _SHARE, "price_minutes": _COST},
    "reserve": {"share": _SHARE, "skills": Names()},
}


def plain(value: Any) -> Any:
    """Return dataclasses and mappings as nested dicts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return value


def converted(values: Any, shape: Any = SHAPE) -> Any:
    """Return what a file says with texts such as ``"45 min"`` as the numbers that they mean."""
    if isinstance(shape, dict | Each):
        if not isinstance(values, dict):
            return values
        inner = {k: shape.of if isinstance(shape, Each) else shape.get(k, Text()) for k in values}
        return {k: converted(v, inner[k]) for k, v in values.items()}
    return shape.converted(values)


def canonical(values: Any, shape: Any = SHAPE) -> Any:
    """Return faultless values in nested dicts: whole numbers as int, the others as float."""
    if isinstance(shape, dict | Each):
        return {k: canonical(v, shape.of if isinstance(shape, Each) else shape[k]) for k, v in values.items()}
    if isinstance(shape, Number):
        return int(values) if shape.whole else float(values)
    return tuple(map(int, values)) if isinstance(shape, Days) else values


def first_fault(values: Any) -> Fault | None:
    """Return the first fault of a policy's values, or None."""
    return _fault(values, SHAPE, ()) or _conflict(values)


def unknown_key(values: Any) -> Fault | None:
    """Return the first key that no policy has, or None."""
    return _fault(values, SHAPE, (), partial=True)


def _fault(values: Any, shape: Any, path: tuple[str, ...], partial: bool = False) -> Fault | None:
    """Return the first fault; `partial` values may lack keys and are not looked at themselves."""
    if not isinstance(shape, dict | Each):
        if partial or shape.accepts(values):
            return None
        hint = (
            nearest(values, available_timezones())
            if isinstance(shape, Zone) and isinstance(values, str)
            else ""
        )
        return Fault(path, f"found {shown(values)}{hint}; expected {shape.expected}")
    if not isinstance(values, Mapping):
        return Fault(path, f"found {shown(values)}; expected a table of keys")
    known, needed = _keys(shape)
    for key in values:
        if not isinstance(key, str) or (known and key not in known):
            hint = nearest(str(key), known)
            return Fault(
                (*path, str(key)), f"unknown key {shown(key)}{hint}; expected {listed(known) or 'text'}"
            )
    if not partial:
        for key in needed:
            if key not in values:
                return Fault((*path, key), f"missing; expected {listed(needed)}", path)
    for key, value in values.items():
        fault = _fault(value, shape.of if isinstance(shape, Each) else shape[key], (*path, key), partial)
        if fault:
            return fault
    return None


def _keys(shape: Any) -> tuple[Sequence[str], Sequence[str]]:
    """Return the keys that a table may have (none: any), and those that it must have."""
    if isinstance(shape, Each):
        return shape.among, shape.among if shape.all_of else ()
    return tuple(shape), tuple(shape)


def _conflict(values: Mapping[str, Any]) -> Fault | None:
    """Return the first fault that lies between values, each of which is allowed."""
    hours = values["slots"]["hours"]
    in_order = sorted(hours, key=lambda name: hours[name])
    for before, after in pairwise(in_order):
        if hours[after][0] < hours[before][1]:
            sentence = (
                f"{list(hours[after])} overlaps {before!r}, {list(hours[before])}; slots must lie apart"
            )
            return Fault(("slots", "hours", after), sentence)
    presets = values["presets"]
    for name, preset in presets["named"].items():
        for slot in preset["slots"]:
            if slot not in hours:
                sentence = (
                    f"unknown slot {shown(slot)}{nearest(slot, hours)}; slots.hours has {listed(hours)}"
                )
                return Fault(("presets", "named", name, "slots"), sentence, ("slots", "hours"))
    default = presets["default"]
    if default not in presets["named"]:
        hint = nearest(default, presets["named"])
        sentence = f"unknown preset {shown(default)}{hint}; presets.named has {listed(presets['named'])}"
        return Fault(("presets", "default"), sentence, ("presets", "named"))
    return None


def _is_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, str) for v in value)


def weekday_of(value: Any) -> Any:
    """Return the number of a weekday that is named, 0 = Monday; anything else as it is."""
    return _DAYS.get(value.strip().casefold(), value) if isinstance(value, str) else value

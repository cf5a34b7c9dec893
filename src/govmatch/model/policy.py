"""The policy: weights and rules as frozen data. What TOML says is read by `policy_file`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from govmatch.errors import InvalidPolicy
from govmatch.model.policy_file import file_text, is_profile, policy_text, policy_values, profile_text
from govmatch.model.policy_rules import canonical, first_fault, plain
from govmatch.model.suggest import shown


@dataclass(frozen=True)
class Unmet:
    """What leaving one unit of a request unserved costs, in equivalent minutes.

    ``base_minutes + priority_minutes * (priority - 1) + group_minutes.get(group, 0)``
    """

    base_minutes: float = 240.0
    priority_minutes: float = 240.0
    group_minutes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """How a request may travel through the alliance; a kind of edge without a price is closed."""

    max_hops: int = 4
    hop_minutes: Mapping[str, float] = field(
        default_factory=lambda: {"tier": 2.0, "joint_building": 5.0, "membership": 5.0, "federation": 10.0}
    )


@dataclass(frozen=True)
class TravelRules:
    """Travel of people who state nothing themselves, and how great-circle distance becomes minutes."""

    mode: str = "ebike"
    detour: float = 1.3
    max_minutes: float = 45.0
    unknown_minutes: float = 15.0  # a place without coordinates, on either side
    speed_kmh: Mapping[str, float] = field(default_factory=lambda: {"walk": 4.5, "ebike": 18.0, "car": 30.0})


@dataclass(frozen=True)
class Fit:
    """Prices of a less than perfect fit, in equivalent minutes."""

    dialect_minutes: float = 15.0
    hometown_minutes: float = 5.0
    level_minutes: float = 4.0  # per level held above the level needed
    wait_minutes: float = 2.0  # per hour between the earliest wish and the start


@dataclass(frozen=True)
class Load:
    """Jobs of one volunteer; the j-th job of a week costs (j - 1) * `further_job_minutes` more."""

    jobs_per_day: int = 2
    jobs_per_week: int = 5
    further_job_minutes: float = 6.0
    minutes_per_week: int = 0  # of one volunteer's jobs, without the ways; 0: no limit


@dataclass(frozen=True)
class Recurrence:
    """What becomes of a recurring visit on a day that `holidays` lists: "keep", "skip" or "move"."""

    holiday: str = "keep"


@dataclass(frozen=True)
class Continuity:
    """The price of new faces in one recurring request, in equivalent minutes.

    `face_minutes` for each different provider beyond as many as come to one visit; `known_minutes` for each
    who never served the resident, by `history`, where somebody did.
    """

    face_minutes: float = 60.0
    known_minutes: float = 30.0


@dataclass(frozen=True)
class Slots:
    """Pieces of a day. Availability longer than `long_minutes` is cut at their bounds.

    A team starts at its earliest wish or a whole number of `start_minutes` later.
    """

    long_minutes: int = 300
    start_minutes: int = 30
    hours: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "morning": ("08:00", "12:00"),
            "afternoon": ("12:00", "18:00"),
            "evening": ("18:00", "21:00"),
            "late": ("21:00", "24:00"),
            "night": ("00:00", "08:00"),
        }
    )


@dataclass(frozen=True)
class Preset:
    """A habit of being free: weekdays (0 = Monday) and names of slots."""

    days: tuple[int, ...]
    slots: tuple[str, ...]


@dataclass(frozen=True)
class Presets:
    """Assumed availability where none is known. `default` names the preset of who states nothing."""

    default: str = "weekends"
    named: Mapping[str, Preset] = field(
        default_factory=lambda: {
            "always": Preset((0, 1, 2, 3, 4, 5, 6), ("morning", "afternoon", "evening")),
            "workdays": Preset((0, 1, 2, 3, 4), ("morning", "afternoon")),
            "evenings": Preset((0, 1, 2, 3, 4), ("evening",)),
            "weekends": Preset((5, 6), ("morning", "afternoon")),
        }
    )


@dataclass(frozen=True)
class Rounds:
    """Rounds: one person makes several visits in one slot, one after the other, with the way between them.

    Where `on`, a visit begins at any time of its request's window and leaves room for the way. A tour keeps
    within its slot, ways included; a pause for lunch is a gap between the hours of `Slots`.
    """

    on: bool = False
    start: str = "home"  # where a tour begins and ends: "home" or "organization"
    # "round": every way of the tour, the one back too; "home": from its start to each visit
    cost: str = "round"
    rest_minutes: int = 0  # 0: no rule
    rest_after_minutes: int = 240  # nobody works and travels longer without a rest, the way back aside
    # prices count to the hundredth; both 0: windows are hard
    late_minutes: float = 0.0  # price of one minute after the latest begin
    largest_late_minutes: float = 0.0  # price of one minute of the largest lateness of all visits

    @property
    def soft(self) -> bool:
        """Whether a visit may begin after its window, at a price."""
        return self.late_minutes > 0 or self.largest_late_minutes > 0


@dataclass(frozen=True)
class Teams:
    """Prices of who is sent together, in equivalent minutes."""

    # once for every two who prefer each other, by `bonds`, of whom a request of several people takes one only
    together_minutes: float = 20.0


@dataclass(frozen=True)
class Stability:
    """What changing an announced plan costs, where one is given to `match`."""

    # once for every announced person who is not sent again: same request, role and start; 0: nothing
    change_minutes: float = 0.0


@dataclass(frozen=True)
class Floors:
    """The least share of the people asked for that each group and each community gets, as far as can be.

    The people of a floor are those that its requests ask for, rounded up. Each that is sent too few costs
    `price_minutes`.
    """

    group_share: Mapping[str, float] = field(default_factory=dict)
    community_share: float = 0.0  # of each community; 0: no floor
    price_minutes: float = 10_000.0


@dataclass(frozen=True)
class Reserve:
    """Certified people who are kept free, by town and hour, for what cannot wait.

    Of the places of people who are free in an hour and hold a valid certificate in one of `skills`, `share`,
    rounded down, is left by all jobs but those of priority 5. A community without a town is a town.
    """

    share: float = 0.0  # 0: nobody
    skills: tuple[str, ...] = ()  # none: any


@dataclass(frozen=True)
class Policy:
    """Weights and rules. All costs are equivalent minutes; all durations minutes.

    Raises
    ------
    InvalidPolicy
        If a value is out of its range or of another type, or two values contradict each other.
    """

    name: str = "default"
    description: str = ""
    time_zone: str = "Asia/Shanghai"
    unmet: Unmet = field(default_factory=Unmet)
    route: Route = field(default_factory=Route)
    travel: TravelRules = field(default_factory=TravelRules)
    fit: Fit = field(default_factory=Fit)
    load: Load = field(default_factory=Load)
    recurrence: Recurrence = field(default_factory=Recurrence)
    continuity: Continuity = field(default_factory=Continuity)
    slots: Slots = field(default_factory=Slots)
    presets: Presets = field(default_factory=Presets)
    rounds: Rounds = field(default_factory=Rounds)
    teams: Teams = field(default_factory=Teams)
    stability: Stability = field(default_factory=Stability)
    floors: Floors = field(default_factory=Floors)
    reserve: Reserve = field(default_factory=Reserve)

    def __post_init__(self) -> None:
        for name, kind in _SECTIONS.items():
            if not isinstance(getattr(self, name), kind):
                raise InvalidPolicy(f"{name}: found {shown(getattr(self, name))}; expected {kind.__name__}")
        values = plain(self)
        fault = first_fault(values)
        if fault is not None:
            raise InvalidPolicy(f"{'.'.join(fault.path)}: {fault.sentence}")
        for name, section in _sections(canonical(values)).items():
            object.__setattr__(self, name, section)

    @classmethod
    def from_toml(cls, path: str | PathLike[str]) -> Policy:
        """Read a policy from a TOML file.

        Parameters
        ----------
        path : path
            Keys as the fields of this class, every one of them optional. Durations are minutes, or
            text such as ``"45 min"`` or ``"0.75 h"``; speeds km/h. A policy without a name is named as
            the file.

        Raises
        ------
        InvalidPolicy
            Naming the file, line and key, what was found and what is expected.
        """
        return cls.from_text(file_text(path), Path(path).name)

    @classmethod
    def from_text(cls, text: str, source: str = "<text>") -> Policy:
        """Read a policy from TOML text; as `from_toml`. `source` is named in messages."""
        if not isinstance(text, str):
            raise InvalidPolicy(f"text: found {shown(text)}; expected TOML as text")
        return _built({"name": Path(source).stem}, text, source)

    @classmethod
    def profile(cls, name: str) -> Policy:
        """Return an example policy that ships with the package, such as ``neighbours-first``.

        Raises
        ------
        InvalidPolicy
            If there is no such profile; the message lists those that are.
        """
        return _built({"name": name}, profile_text(name), f"profile {name}")

    @classmethod
    def read(cls, name_or_path: str | PathLike[str]) -> Policy:
        """Return a profile by name, or else the policy of a TOML file."""
        if not isinstance(name_or_path, str | PathLike):
            raise InvalidPolicy(f"found {shown(name_or_path)}; expected the name of a profile or a path")
        if is_profile(name_or_path):
            return cls.profile(str(name_or_path))
        return cls.from_toml(name_or_path)

    @property
    def fingerprint(self) -> str:
        """A text that is equal where all weights and rules are; name and description do not count."""
        rules = {key: value for key, value in plain(self).items() if key not in ("name", "description")}
        text = json.dumps(_numbers_alike(rules), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()

    def to_toml(self) -> str:
        """Return the whole policy as TOML text that reads back to an equal policy."""
        return policy_text(plain(self))


_SECTIONS: dict[str, type] = {
    "unmet": Unmet,
    "route": Route,
    "travel": TravelRules,
    "fit": Fit,
    "load": Load,
    "recurrence": Recurrence,
    "continuity": Continuity,
    "slots": Slots,
    "presets": Presets,
    "rounds": Rounds,
    "teams": Teams,
    "stability": Stability,
    "floors": Floors,
    "reserve": Reserve,
}


def _numbers_alike(value: Any) -> Any:
    # 240 and 240.0 are the same rule
    if isinstance(value, dict):
        return {key: _numbers_alike(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_numbers_alike(inner) for inner in value]
    return value if isinstance(value, str) else float(value)


def _built(names: Mapping[str, str], text: str, source: str) -> Policy:
    values: dict[str, Any] = policy_values(text, source, {**plain(Policy()), **names})
    texts = (values["name"], values["description"], values["time_zone"])
    return Policy(*texts, **_sections(values))


def _sections(values: Mapping[str, Any]) -> dict[str, Any]:
    sections = {name: kind(**values[name]) for name, kind in _SECTIONS.items() if name != "presets"}
    presets = values["presets"]
    named = {name: Preset(**preset) for name, preset in presets["named"].items()}
    return {**sections, "presets": Presets(presets["default"], named)}

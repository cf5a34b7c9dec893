"""What an answer breaks, or pays for, beside capacities, teams and goods."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmarks.kinds.day import URGENT, Day

if TYPE_CHECKING:
    from benchmarks.kinds.check import Job


def check_rules(day: Day, jobs: list[Job], come: Counter[int]) -> int:
    """Check sessions, bonds, limits and the reserve; return what sessions, bonds, floors and faces cost.

    Raises
    ------
    ValueError
        A rule is broken; the message says which.
    """
    _limits(day, jobs)
    _reserve(day, jobs)
    return _sessions(day, jobs) + _bonds(day, jobs) + _floors(day, come) + _faces(day, jobs)


def _sessions(day: Day, jobs: list[Job]) -> int:
    offered, asked = day.offered, day.asked
    seats = [job for job in jobs if job.provider >= offered.n_people]
    taken, total = Counter[int](), 0
    where: dict[int, Counter[int]] = defaultdict(Counter)
    for job in seats:
        taken[job.provider - offered.n_people] += job.people
        where[job.request][job.provider] += job.people
    for session, n in taken.items():
        total += int(offered.session_cost[session])
        if n < offered.session_fewest[session]:
            raise ValueError(
                f"session {session} has {n} people, fewer than {offered.session_fewest[session]}"
            )
    could = {
        int(r) for r in day.pair_request[day.pair_provider >= offered.n_people]
    }  # whoever could sit nowhere does not bind a household
    homes: dict[int, list[int]] = defaultdict(list)
    for r in sorted(could):
        if asked.household[r] >= 0:
            homes[int(asked.household[r])].append(r)
    for members in homes.values():
        rooms = {p for r in members for p in where[r]}
        apart = len(rooms) > 1 or any(sum(where[r].values()) < asked.people[r] for r in members)
        if len(members) > 1 and rooms and apart:
            raise ValueError(f"requests {members} of one household do not sit together")
    return total


def _bonds(day: Day, jobs: list[Job]) -> int:
    rules, total = day.rules, 0
    there: dict[int, set[int]] = defaultdict(set)
    for job in jobs:
        there[job.request].add(job.provider)
    for r, who in there.items():
        if day.asked.people[r] == 1:
            continue
        for one, other in rules.apart.tolist():
            if one in who and other in who:
                raise ValueError(f"providers {one} and {other} keep apart, and both serve request {r}")
        total += rules.lonely_cost * sum((a in who) != (b in who) for a, b in rules.together.tolist())
    return total


def _limits(day: Day, jobs: list[Job]) -> None:
    offered, rules = day.offered, day.rules
    passed: dict[int, list[int]] = defaultdict(list)
    for pair, quota in zip(rules.pass_pair.tolist(), rules.pass_quota.tolist(), strict=True):
        passed[pair].append(quota)
    used, most = Counter[tuple[str, int, int]](), dict[tuple[str, int, int], int]()
    for job in jobs:
        week, p = int(offered.slot_week[job.slot]), job.provider
        counts = [("agreement", q, int(rules.quota[q]), 1) for q in passed[job.pair]]
        if p < offered.n_volunteers:
            home = int(offered.community[p])
            if home >= 0 and home != day.asked.community[job.request]:
                counts.append(("community", home, int(rules.away_per_week[home]), 1))
            minutes = int(day.option_minutes[job.option])
            counts.append(("volunteer", p, int(offered.minutes_per_week[p]), minutes))
        for kind, who, limit, weight in counts:
            if limit >= 0:
                used[kind, who, week] += weight * job.people
                most[kind, who, week] = limit
    for key, n in used.items():
        if n > most[key]:
            raise ValueError(f"{key[0]} {key[1]} uses {n} in a week, more than {most[key]}")


def _reserve(day: Day, jobs: list[Job]) -> None:
    offered, rules = day.offered, day.rules
    if not rules.reserve_share:
        return
    under_way: dict[tuple[int, int], int] = Counter()
    for job in jobs:
        if offered.slot_certified[job.slot] and day.asked.priority[job.request] < URGENT:
            town = int(rules.town[offered.community[job.provider]])
            begin = int(day.pair_begin[job.pair])
            for hour in _touched(begin, begin + int(day.option_minutes[job.option])):
                under_way[town, hour] += job.people
    free = Counter[tuple[int, int]]()
    seen: set[tuple[int, int]] = set()
    for slot, certified in enumerate(offered.slot_certified.tolist()):
        p = int(offered.slot_provider[slot])
        for hour in _touched(int(offered.slot_start[slot]), int(offered.slot_end[slot])) if certified else ():
            if p >= offered.n_volunteers or (p, hour) not in seen:
                free[int(rules.town[offered.community[p]]), hour] += int(offered.slot_capacity[slot])
            seen.add((p, hour))
    for key, n in under_way.items():
        if n > free[key] - (rules.reserve_share * free[key]).__floor__():
            raise ValueError(f"{n} of {free[key]} certified people of town {key[0]} are sent within an hour")


def _touched(start: int, end: int) -> Iterable[int]:
    hour = start // 60
    while hour * 60 < end:
        yield hour
        hour += 1


def _floors(day: Day, come: Counter[int]) -> int:
    missing = Counter[int]()
    for r, floor in zip(day.rules.floor_member.tolist(), day.rules.floor_of.tolist(), strict=True):
        missing[floor] += int(day.asked.people[r]) - come[r]
    allowed: list[int] = day.rules.floor_allowed.tolist()
    return day.rules.floor_cost * sum(max(0, missing[floor] - most) for floor, most in enumerate(allowed))


def _faces(day: Day, jobs: list[Job]) -> int:
    rules, total = day.rules, 0
    seen: dict[int, set[int]] = defaultdict(set)
    for job in jobs:
        if day.asked.series[job.request] >= 0:
            seen[int(day.asked.series[job.request])].add(job.provider)
    known: dict[int, set[int]] = defaultdict(set)
    for series, provider in rules.known.tolist():
        known[series].add(provider)
    for series, who in seen.items():
        if 0 <= rules.face_most[series] < len(who):
            raise ValueError(f"series {series} has {len(who)} faces, more than {rules.face_most[series]}")
        total += rules.face_cost * max(0, len(who) - int(rules.face_free[series]))
        if known[series]:
            total += rules.stranger_cost * len(who - known[series])
    return total

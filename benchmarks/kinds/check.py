"""What an answer costs, counted again from who is sent where: no solver, and no code of the plain model."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import product

from benchmarks.kinds.check_rules import check_rules
from benchmarks.kinds.day import Answer, Day


@dataclass(frozen=True)
class Job:
    """So many people of one provider at one option of a request."""

    pair: int
    people: int
    request: int
    option: int
    provider: int
    slot: int


def jobs_of(day: Day, answer: Answer) -> list[Job]:
    """List everybody who is sent."""
    return [
        Job(i, int(answer.sent[i]), int(day.pair_request[i]), int(day.pair_option[i]),
            int(day.pair_provider[i]), int(day.pair_slot[i]))
        for i in answer.sent.nonzero()[0].tolist()
    ]  # fmt: skip


def cost_of(day: Day, answer: Answer) -> tuple[int, int]:
    """Return what the answer costs, hundredths, and how much that is assigned it leaves out.

    Left out are people, but a team or a request with goods counts once.

    Raises
    ------
    ValueError
        The answer breaks a rule; the message says which.
    """
    jobs = jobs_of(day, answer)
    come = Counter[int]()
    for job in jobs:
        come[job.request] += job.people
    total = sum(int(day.pair_cost[job.pair]) * job.people for job in jobs)
    left = 0
    for r, people in enumerate(day.asked.people.tolist()):
        if come[r] > people:
            raise ValueError(f"request {r} gets {come[r]} people, and asked for {people}")
        total += (people - come[r]) * int(day.asked.unmet_cost[r])
        if day.asked.assigned[r]:
            whole = day.asked.team[r] or day.needs_goods[r]
            left += int(come[r] == 0) if whole else people - come[r]
    total += _loads(day, jobs)
    starts = _starts(day, jobs, come)
    total += _goods(day, answer, come, starts)
    total += check_rules(day, jobs, come)
    return total, left


def _loads(day: Day, jobs: list[Job]) -> int:
    """Check capacities; return what rising loads cost."""
    offered = day.offered
    uses, room = Counter[tuple[object, ...]](), dict[tuple[object, ...], int]()
    met = Counter[tuple[int, int]]()
    for job in jobs:
        p, week = job.provider, int(offered.slot_week[job.slot])
        keys: list[tuple[tuple[object, ...], int]] = []
        keys.append((("slot", job.slot), int(offered.slot_capacity[job.slot])))
        if p < offered.n_volunteers:
            met[job.request, p] += job.people
            keys.append((("day", p, int(offered.slot_day[job.slot])), int(offered.day_cap[p])))
            keys.append((("week", p, week), int(offered.week_cap[p])))
        firm = int(offered.firm[p])
        if firm >= 0 and offered.firm_week_cap[firm] >= 0:
            keys.append((("organisation", firm, week), int(offered.firm_week_cap[firm])))
        for key, most in keys:
            uses[key] += job.people
            room[key] = most
    if max(met.values(), default=0) > 1:
        raise ValueError("somebody serves a request twice")
    for key, n in uses.items():
        if n > room[key]:
            raise ValueError(f"{key[0]} {key[1:]} has {n} jobs, more than {room[key]}")
    weeks = [n for key, n in uses.items() if key[0] == "week"]
    return day.rules.load_cost * sum(n * (n - 1) // 2 for n in weeks)


def _starts(day: Day, jobs: list[Job], come: Counter[int]) -> dict[int, set[int]]:
    """Check the roles of every team; return the local days on which each that is served may start."""
    asked = day.asked
    roles, here = defaultdict(list), dict[int, dict[int, int]]()
    for role, r in enumerate(asked.role_request.tolist()):
        roles[r].append(role)
        here[role] = {}
    for job in jobs:
        role, start = int(day.option_role[job.option]), int(day.option_start[job.option])
        if role >= 0:
            here[role][start] = here[role].get(start, 0) + job.people
    found: dict[int, set[int]] = {}
    known = set(zip(day.option_role.tolist(), day.option_start.tolist(), strict=True))
    for r, mine in roles.items():
        if not come[r]:
            continue
        if come[r] < asked.fewest[r]:
            raise ValueError(f"request {r} gets {come[r]} people, fewer than {asked.fewest[r]}")
        for role in mine:
            people, wanted = sum(here[role].values()), int(asked.role_people[role])
            if len(here[role]) > 1:
                raise ValueError(f"role {role} of request {r} starts at two times")
            if people > wanted or (asked.role_must[role] and people < wanted):
                raise ValueError(f"role {role} of request {r} gets {people} people, and asked for {wanted}")
        at = {role: next(iter(here[role]), None) for role in mine}
        begins = [
            (int(asked.start_minute[i]), int(asked.start_day[i]))
            for i in (asked.start_request == r).nonzero()[0].tolist()
        ]
        found[r] = {on for minute, on in begins if _together(day, mine, minute, at, known)}
        if not found[r]:
            raise ValueError(f"request {r} has no start from which its roles start as they do")
    return found


def _together(
    day: Day, roles: list[int], minute: int, at: dict[int, int | None], known: set[tuple[int, int]]
) -> bool:
    """Tell whether all roles can start where somebody serves them, if their team starts at a minute.

    Every choice of waits is tried; who serves no role leaves its start open.
    """
    asked = day.asked
    waits = [range(int(asked.role_least[q]), int(asked.role_most[q]) + 1, asked.step) for q in roles]
    for chosen in product(*waits):
        wait = dict(zip(roles, chosen, strict=True))

        def begins(role: int, wait: dict[int, int] = wait) -> int:
            up = int(asked.role_after[role])
            return wait[role] + (minute if up < 0 else begins(up, wait))

        times = {role: begins(role) for role in roles}
        if all(at[q] in (None, t) and (q, t) in known for q, t in times.items()):
            return True
    return False


def _goods(day: Day, answer: Answer, come: Counter[int], starts: dict[int, set[int]]) -> int:
    """Check that whoever is served has all its goods on one day, and nobody else any; return their cost."""
    stocks = day.stocks
    total, used = 0, Counter[tuple[int, int]]()
    sent: dict[int, Counter[int]] = defaultdict(Counter)
    for way in answer.lots.nonzero()[0].tolist():
        n = int(answer.lots[way])
        total += n * int(stocks.way_cost[way])
        used[int(stocks.way_stock[way]), int(stocks.way_period[way])] += n
        sent[int(stocks.way_want[way])][int(stocks.way_day[way])] += n
    for (stock, _), n in used.items():
        if n > stocks.lots[stock]:
            raise ValueError(f"stock {stock} gives {n} lots, more than {stocks.lots[stock]}")
    days: dict[int, set[int]] = {}
    for want, r in enumerate(stocks.want_request.tolist()):
        needed = int(stocks.want_lots[want]) if come[r] else 0
        if sum(sent[want].values()) != needed or len(sent[want]) > 1:
            raise ValueError(f"request {r} gets {dict(sent[want])} lots by day; it needs {needed} on one")
        if come[r]:
            before = days.get(r, starts.get(r, {int(day.asked.day[r])}))
            days[r] = before & set(sent[want])
            if not days[r]:
                raise ValueError(f"goods of request {r} come on another day than it starts")
    return total

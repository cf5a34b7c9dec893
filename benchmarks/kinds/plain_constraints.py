"""The constraints of the plain model, kind by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from ortools.sat.python import cp_model

from benchmarks.kinds.day import URGENT, Day
from benchmarks.kinds.plain_variables import IntVar, Variables

Constraint = Callable[[cp_model.CpModel, Day, Variables], None]

HOUR = 60


def people(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Send no more people than are asked for, and no volunteer twice."""
    for r, n in enumerate(day.asked.people.tolist()):
        model.add(x.come(x.of_request.get(r, ())) <= n)
    for (_, provider), pairs in x.of_person.items():
        if provider < day.offered.n_volunteers and len(pairs) > 1:
            model.add_at_most_one(x.sent[i] for i in pairs)


def capacities(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Keep to what slots, days and weeks of volunteers, and weeks of organisations hold."""
    offered = day.offered
    of_slot, of_day, of_week, of_firm = (defaultdict(list) for _ in range(4))
    for sent, slot, p in zip(x.sent, day.pair_slot.tolist(), day.pair_provider.tolist(), strict=True):
        week, firm = int(offered.slot_week[slot]), int(offered.firm[p])
        of_slot[slot].append(sent)
        if p < offered.n_volunteers:
            of_day[p, int(offered.slot_day[slot])].append(sent)
            of_week[p, week].append(sent)
        if firm >= 0 and offered.firm_week_cap[firm] >= 0:
            of_firm[firm, week].append(sent)
    for slot, jobs in of_slot.items():
        _at_most(model, jobs, int(offered.slot_capacity[slot]), several=True)
    for (p, _), jobs in of_day.items():
        _at_most(model, jobs, int(offered.day_cap[p]))
    for (p, _), jobs in of_week.items():
        _at_most(model, jobs, int(offered.week_cap[p]))
    for (firm, _), jobs in of_firm.items():
        _at_most(model, jobs, int(offered.firm_week_cap[firm]), several=True)
    for key, steps in x.steps.items():
        model.add(sum(of_week[key]) <= sum(steps))


def _at_most(model: cp_model.CpModel, jobs: list[IntVar], most: int, several: bool = False) -> None:
    """Bound a sum, unless it is of Booleans (not `several`) that are too few to exceed it."""
    if several or len(jobs) > most:
        model.add(sum(jobs) <= most)


def teams(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Let a team start once, each role at one time that goes with it, and enough people come or nobody."""
    asked = day.asked
    starts, options, roles = defaultdict(list), defaultdict(list), defaultdict(list)
    for number, r in enumerate(asked.start_request.tolist()):
        starts[r].append((int(asked.start_minute[number]), x.start[number]))
    for option, state in x.state.items():
        options[int(day.option_role[option])].append((int(day.option_start[option]), state, option))
    for role, r in enumerate(asked.role_request.tolist()):
        roles[r].append(role)
    for r, mine in roles.items():
        on = x.on[r]
        model.add(sum(start for _, start in starts[r]) == on)
        model.add(x.come(x.of_request.get(r, ())) >= int(asked.fewest[r]) * on)
        for role in mine:
            model.add(sum(state for _, state, _ in options[role]) == on)
            before = int(asked.role_after[role])
            above = starts[r] if before < 0 else [(minute, state) for minute, state, _ in options[before]]
            _follows(model, day, role, above, [(minute, state) for minute, state, _ in options[role]])
            for _, state, option in options[role]:
                pairs = x.of_option.get(option, [])
                if asked.role_must[role]:
                    model.add(x.come(pairs) == int(asked.role_people[role]) * state)
                else:
                    model.add(x.come(pairs) <= int(asked.role_people[role]) * state)
                for i in pairs:
                    model.add(x.sent[i] <= x.most[i] * state)


def _follows(
    model: cp_model.CpModel,
    day: Day,
    role: int,
    above: list[tuple[int, IntVar]],
    below: list[tuple[int, IntVar]],
) -> None:
    """Let a role start so long after what it follows as it may."""
    asked = day.asked
    least, most = int(asked.role_least[role]), int(asked.role_most[role])

    def fits(later: int) -> bool:
        return least <= later <= most and (later - least) % asked.step == 0

    for minute, state in below:
        model.add_bool_or([state.negated(), *(up for begun, up in above if fits(minute - begun))])
    for begun, up in above:
        model.add_bool_or([up.negated(), *(state for minute, state in below if fits(minute - begun))])


def goods(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Send all that a request needs on the day on which it starts, or nobody goes; keep to the stocks."""
    asked, stocks = day.asked, day.stocks
    for r in set(stocks.want_request.tolist()):
        if not asked.team[r]:
            pairs = x.of_request.get(r, ())
            model.add(x.come(pairs) <= int(asked.people[r]) * x.on[r])
            model.add(x.come(pairs) >= x.on[r])
    starts = defaultdict(list)
    for r, on_day, start in zip(asked.start_request.tolist(), asked.start_day.tolist(), x.start, strict=True):
        starts[r, on_day].append(start)
    ways, of_stock = defaultdict(list), defaultdict(list)
    for way, (want, on_day, stock, period) in enumerate(
        zip(
            stocks.way_want.tolist(), stocks.way_day.tolist(), stocks.way_stock.tolist(),
            stocks.way_period.tolist(), strict=True,
        )
    ):  # fmt: skip
        ways[want, on_day].append(x.lots[way])
        of_stock[stock, period].append(x.lots[way])
    for want, (r, lots) in enumerate(
        zip(stocks.want_request.tolist(), stocks.want_lots.tolist(), strict=True)
    ):
        if asked.team[r]:
            for on_day in {d for request, d in starts if request == r}:
                model.add(sum(ways[want, on_day]) == lots * sum(starts[r, on_day]))
        else:
            model.add(sum(ways[want, int(asked.day[r])]) == lots * x.on[r])
    for (stock, _), lots_sent in of_stock.items():
        model.add(sum(lots_sent) <= int(stocks.lots[stock]))


def sessions(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Hold a session with enough people or not at all, and seat a household together or not at all."""
    offered, asked = day.offered, day.asked
    if not x.held:
        return
    taken, seats = defaultdict(list), defaultdict(list)
    for sent, p, r in zip(x.sent, day.pair_provider.tolist(), day.pair_request.tolist(), strict=True):
        if p >= offered.n_people:
            taken[p].append(sent)
            seats[r, p].append(sent)
    room = dict(zip(offered.slot_provider.tolist(), offered.slot_capacity.tolist(), strict=True))
    for number, held in enumerate(x.held):
        p = offered.n_people + number
        model.add(sum(taken[p]) <= room.get(p, 0) * held)
        model.add(sum(taken[p]) >= int(offered.session_fewest[number]) * held)
    homes = defaultdict(set)
    for r, _ in seats:
        if asked.household[r] >= 0:
            homes[int(asked.household[r])].add(r)
    for members in homes.values():
        if len(members) < 2:
            continue
        size = sum(int(asked.people[r]) for r in members)
        for p in taken:
            if all((r, p) in seats for r in members) and size <= room[p]:
                together = model.new_bool_var("")
                for r in members:
                    model.add(sum(seats[r, p]) == int(asked.people[r]) * together)
            else:
                for r in members:
                    if (r, p) in seats:
                        model.add(sum(seats[r, p]) == 0)


def bonds(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Keep people apart, and note who comes without whom they prefer."""
    for r, n in enumerate(day.asked.people.tolist()):
        for one, other in day.rules.apart.tolist() if n > 1 else ():
            if (r, one) in x.of_person and (r, other) in x.of_person:
                model.add_at_most_one(x.sent[i] for who in (one, other) for i in x.of_person[r, who])
    for (r, one, other), lonely in x.lonely.items():
        here, there = (x.come(x.of_person.get((r, who), ())) for who in (one, other))
        model.add(here <= there + lonely)
        model.add(there <= here + lonely)


def limits(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Keep to the quotas of agreements, to jobs away from home, and to the minutes of a week."""
    offered, rules = day.offered, day.rules
    passed, away, hours = (defaultdict(list) for _ in range(3))
    week = offered.slot_week[day.pair_slot].tolist()
    for pair, quota in zip(rules.pass_pair.tolist(), rules.pass_quota.tolist(), strict=True):
        passed[quota, week[pair]].append(x.sent[pair])
    minutes = day.option_minutes[day.pair_option].tolist()
    place = day.asked.community[day.pair_request].tolist()
    for pair, p in enumerate(day.pair_provider.tolist()):
        home = int(offered.community[p])
        if p >= offered.n_volunteers:
            continue
        if home >= 0 and home != place[pair] and rules.away_per_week[home] >= 0:
            away[home, week[pair]].append(x.sent[pair])
        if offered.minutes_per_week[p] >= 0:
            hours[p, week[pair]].append((minutes[pair], x.sent[pair]))
    for (quota, _), jobs in passed.items():
        model.add(sum(jobs) <= int(rules.quota[quota]))
    for (home, _), jobs in away.items():
        model.add(sum(jobs) <= int(rules.away_per_week[home]))
    for (p, _), timed in hours.items():
        model.add(sum(n * sent for n, sent in timed) <= int(offered.minutes_per_week[p]))


def reserve(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Keep a share of certified people free, in each town and hour, of all but what is urgent."""
    offered, rules, asked = day.offered, day.rules, day.asked
    if not rules.reserve_share:
        return
    free: dict[tuple[int, int], int] = defaultdict(int)
    counted = set()
    for slot in offered.slot_certified.nonzero()[0].tolist():
        p = int(offered.slot_provider[slot])
        town = int(rules.town[offered.community[p]])
        for hour in _hours(int(offered.slot_start[slot]), int(offered.slot_end[slot])):
            if p >= offered.n_volunteers or (p, hour) not in counted:
                free[town, hour] += int(offered.slot_capacity[slot])
            counted.add((p, hour))
    busy = defaultdict(list)
    begin, minutes = day.pair_begin.tolist(), day.option_minutes[day.pair_option].tolist()
    for pair, (slot, r) in enumerate(zip(day.pair_slot.tolist(), day.pair_request.tolist(), strict=True)):
        if offered.slot_certified[slot] and asked.priority[r] < URGENT:
            town = int(rules.town[offered.community[offered.slot_provider[slot]]])
            for hour in _hours(begin[pair], begin[pair] + minutes[pair]):
                busy[town, hour].append(x.sent[pair])
    for key, jobs in busy.items():
        kept = (rules.reserve_share * free[key]).__floor__()
        model.add(sum(jobs) <= free[key] - kept)


def _hours(start: int, end: int) -> range:
    return range(start // HOUR, -(-end // HOUR))


def floors(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Count who is missing beyond what each floor allows."""
    rules = day.rules
    for floor, short in enumerate(x.short):
        members = rules.floor_member[rules.floor_of == floor].tolist()
        asked = sum(int(day.asked.people[r]) for r in members)
        come = x.come(i for r in members for i in x.of_request.get(r, ()))
        model.add(come + short >= asked - int(rules.floor_allowed[floor]))


def faces(model: cp_model.CpModel, day: Day, x: Variables) -> None:
    """Note who comes to each recurring request; count, and limit, its faces."""
    series, rules = day.asked.series.tolist(), day.rules
    of_series = defaultdict(list)
    for (r, p), pairs in x.of_person.items():
        if series[r] >= 0:
            for i in pairs:
                model.add(x.sent[i] <= x.most[i] * x.face[series[r], p])
    for (s, _), face in x.face.items():
        of_series[s].append(face)
    for s, mine in of_series.items():
        model.add(x.further[s] >= sum(mine) - int(rules.face_free[s]))
        if rules.face_most[s] >= 0:
            model.add(sum(mine) <= int(rules.face_most[s]))


ALL: tuple[Constraint, ...] = (
    people, capacities, teams, goods, sessions, bonds, limits, reserve, floors, faces,
)  # fmt: skip

"""The variables of the plain model: a Boolean for what happens or not, a whole number for how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from ortools.sat.python import cp_model

from benchmarks.kinds.day import Day

IntVar = cp_model.IntVar


Key = TypeVar("Key")


def positions(keys: Iterable[Key]) -> dict[Key, list[int]]:
    """Return where each key stands."""
    found: dict[Key, list[int]] = defaultdict(list)
    for i, key in enumerate(keys):
        found[key].append(i)
    return dict(found)


class Variables:
    """All decisions, and what follows from them and costs something.

    Attributes
    ----------
    sent : list
        People along each pair.
    most : list of int
        The most of each.
    lots : list
        Lots along each way.
    start : list
        Whether a team starts at each of its starts.
    state : dict
        Whether a role starts at each of its options, by option.
    on : dict
        Whether a request is served, by request: teams, and those that need goods.
    held : list
        Whether each session is held.
    steps : dict
        One for each job of a volunteer in a week, by (provider, week).
    lonely : dict
        Whether one comes without the other, by (request, provider, provider).
    short : list
        Who is missing beyond what each floor allows.
    face : dict
        Whether a provider comes to a recurring request, by (series, provider).
    further : dict
        Faces beyond those that are free, by series.
    of_request, of_option, of_person : dict
        Positions of pairs by request, by option, by (request, provider).
    """

    def __init__(self, model: cp_model.CpModel, day: Day) -> None:
        asked, offered, rules = day.asked, day.offered, day.rules
        self.most = [1] * day.n_pairs
        capacity = offered.slot_capacity.tolist()
        people = asked.people.tolist()
        role_people = asked.role_people.tolist()
        role, provider, request = (
            day.option_role.tolist(), day.pair_provider.tolist(), day.pair_request.tolist(),
        )  # fmt: skip
        option, slot = day.pair_option.tolist(), day.pair_slot.tolist()
        for i, (u, s, p, r) in enumerate(zip(option, slot, provider, request, strict=True)):
            if p >= offered.n_volunteers:  # staff, or seats
                self.most[i] = min(capacity[s], role_people[role[u]] if role[u] >= 0 else people[r])
        self.sent = [
            model.new_bool_var("") if most == 1 else model.new_int_var(0, most, "") for most in self.most
        ]
        stocks = day.stocks
        self.lots = [
            model.new_int_var(0, min(int(stocks.want_lots[w]), int(stocks.lots[s])), "")
            for w, s in zip(stocks.way_want.tolist(), stocks.way_stock.tolist(), strict=True)
        ]
        self.start = [model.new_bool_var("") for _ in asked.start_request]
        self.state = {u: model.new_bool_var("") for u, q in enumerate(role) if q >= 0}
        self.on = {
            r: model.new_bool_var("") for r in range(len(people)) if asked.team[r] or day.needs_goods[r]
        }
        self.held = [model.new_bool_var("") for _ in offered.session_cost]

        self.of_request, self.of_option = positions(request), positions(option)
        self.of_person = positions(zip(request, provider, strict=True))

        self.steps: dict[tuple[int, int], list[IntVar]] = {}
        if rules.load_cost:
            jobs: dict[tuple[int, int], int] = defaultdict(int)
            for p, s in zip(provider, slot, strict=True):
                if p < offered.n_volunteers:
                    jobs[p, int(offered.slot_week[s])] += 1
            for (p, week), n in jobs.items():
                self.steps[p, week] = [
                    model.new_bool_var("") for _ in range(min(n, int(offered.week_cap[p])))
                ]
        self.lonely: dict[tuple[int, int, int], IntVar] = {}
        friends = rules.together.tolist() if rules.lonely_cost else []
        for r in range(len(people)):
            if people[r] > 1:
                for one, other in friends:
                    if (r, one) in self.of_person or (r, other) in self.of_person:
                        self.lonely[r, one, other] = model.new_bool_var("")
        self.short = [model.new_int_var(0, sum(people), "") for _ in rules.floor_allowed]
        series = asked.series.tolist()
        self.face = {
            key: model.new_bool_var("")
            for key in sorted({(series[r], p) for r, p in self.of_person if series[r] >= 0})
        }
        self.further = {s: model.new_int_var(0, len(rules.known) + len(self.face), "") for s, _ in self.face}

    def come(self, pairs: Iterable[int]) -> cp_model.LinearExpr:
        """Return how many people are sent along some pairs."""
        return cp_model.LinearExpr.sum([0, *(self.sent[i] for i in pairs)])

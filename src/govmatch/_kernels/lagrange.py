"""Single requests and teams at their cheapest under prices, and prices that rise where too many meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.ascent import climb
from govmatch._kernels.jit import helper, jit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


class Ways(NamedTuple):
    """Arcs by request, each request's by cost."""

    first: I64  # (n_requests + 1,)
    node: I64  # (n_arcs,)
    cost: F64  # (n_arcs,)
    people: I64  # (n_requests,)
    absence: F64  # (n_requests,) of one person; infinite where nobody may be missing
    outside: F64  # (n_requests,) what ways that are no arcs cost at least, prices included


class Tree(NamedTuple):
    """States, children before their parents in `order`; the first are the starts of teams, by team.

    Of people who may be missing, `needed` have to come. A state's costs are those of 0, 1, … of them, and
    of as many as are needed or more.
    """

    order: I64  # (n_states,)
    request: I64  # (n_states,) -1 at a start
    role: I64  # (n_states,) -1 at a start
    cost_first: I64  # (n_states + 1,) where its costs stand
    group_first: I64  # (n_states + 1,) of each state, the roles that hang on it
    child_first: I64  # (n_groups + 1,) of each such role, its states
    child: I64  # (n_links,)
    closed: U8  # (n_states,) a role that hangs here has no state
    start_first: I64  # (n_teams + 1,)
    worth: F64  # (n_teams,)


class Forest(NamedTuple):
    """Nodes; parents come before their children in `order`."""

    order: I64
    parent: I64
    capacity: F64
    load_cost: F64


class Room(NamedTuple):
    """Scratch of one evaluation, and what it finds."""

    above: F64  # (n_nodes,)
    load: F64  # (n_nodes,)
    state: F64  # (n_costs,) costs of each state with all that hangs on it
    taken: I64  # (most people,) -1: a way that is no arc
    least: F64  # (most people,)
    own: F64  # (widest,) costs of one role alone
    sums: F64  # (most roles on a state + 1, widest) costs of a state with the first few roles on it
    stack: I64  # (n_states, 2)
    team: F64  # (n_teams,) found: the cost of each team at its cheapest
    come: I64  # (n_roles, 2) found: the request that serves each role then, and how many come


@helper
def take(ways: Ways, above: F64, r: int, many: bool, room: Room) -> int:
    """Find the cheapest ways to serve a request at prices; return how many.

    Nobody as dear as being missing is looked at, unless `many` have to come.
    """
    n, outside = ways.people[r], ways.outside[r]
    limit = np.inf if many else ways.absence[r]
    found = 0
    for a in range(ways.first[r], ways.first[r + 1]):
        # prices are >= 0: no later arc is cheaper than this one without its prices
        if ways.cost[a] >= limit or (found == n and ways.cost[a] >= room.least[n - 1]):
            break
        cost = ways.cost[a] + above[ways.node[a]]
        if cost >= limit or cost >= outside or (found == n and cost >= room.least[n - 1]):
            continue
        j = found if found < n else n - 1
        while j > 0 and room.least[j - 1] > cost:
            room.least[j] = room.least[j - 1]
            room.taken[j] = room.taken[j - 1]
            j -= 1
        room.least[j] = cost
        room.taken[j] = a
        found = min(n, found + 1)
    while found < n and outside < limit:
        room.least[found] = outside
        room.taken[found] = -1
        found += 1
    return found


@helper
def load_up(ways: Ways, room: Room, found: int) -> None:
    """Let those who were taken come through their nodes."""
    for j in range(found):
        if room.taken[j] >= 0:
            room.load[ways.node[room.taken[j]]] += 1.0


@helper
def serve_alone(ways: Ways, alone: I64, room: Room) -> float:
    """Serve every request that stands alone at its cheapest."""
    total = 0.0
    for r in alone:
        found = take(ways, room.above, r, False, room)
        for j in range(found):
            total += room.least[j]
        if found < ways.people[r]:
            total += (ways.people[r] - found) * ways.absence[r]
        load_up(ways, room, found)
    return total


@helper
def price_role(ways: Ways, r: int, width: int, room: Room) -> int:
    """Write into `room.own` what a role costs by how many come, if some may be missing; return the best."""
    for i in range(width):
        room.own[i] = np.inf
    n, absence = ways.people[r], ways.absence[r]
    found = take(ways, room.above, r, width > 1, room)
    if absence == np.inf:
        if found == n:
            room.own[0] = 0.0
            for j in range(n):
                room.own[0] += room.least[j]
        return found
    total, best = 0.0, 0
    for i in range(found + 1):
        if i:
            total += room.least[i - 1]
        cost = total + (n - i) * absence
        if i < width - 1:
            room.own[i] = cost
        elif cost < room.own[width - 1]:
            room.own[width - 1] = cost
            best = i
    return best


@helper
def add_up(ways: Ways, tree: Tree, s: int, room: Room) -> None:
    """Write into `room.sums` what a state costs with none, one, … of the roles that hang on it."""
    width = tree.cost_first[s + 1] - tree.cost_first[s]
    for i in range(width):
        room.sums[0, i] = np.inf
    if tree.closed[s]:
        pass
    elif tree.request[s] < 0:
        room.sums[0, 0] = 0.0
    else:
        price_role(ways, tree.request[s], width, room)
        for i in range(width):
            room.sums[0, i] = room.own[i]
    for g in range(tree.group_first[s], tree.group_first[s + 1]):
        row = g - tree.group_first[s]
        for i in range(width):
            room.sums[row + 1, i] = np.inf
        for j in range(width):
            least = cheapest_child(tree, g, j, room)[0]
            if least == np.inf:
                continue
            for i in range(width):
                both = min(i + j, width - 1)
                if room.sums[row, i] + least < room.sums[row + 1, both]:
                    room.sums[row + 1, both] = room.sums[row, i] + least


@helper
def cheapest_child(tree: Tree, g: int, j: int, room: Room) -> tuple[float, int]:
    """Return the cost and the state of a role that hangs on a state, if so many come."""
    least, best = np.inf, -1
    for i in range(tree.child_first[g], tree.child_first[g + 1]):
        c = tree.child[i]
        if room.state[tree.cost_first[c] + j] < least:
            least, best = room.state[tree.cost_first[c] + j], c
    return least, best


@helper
def price_teams(ways: Ways, tree: Tree, room: Room) -> None:
    """Go up the trees of all teams, then down each along its cheapest way."""
    room.come[:] = -1
    for s in tree.order:
        add_up(ways, tree, s, room)
        row = tree.group_first[s + 1] - tree.group_first[s]
        for i in range(tree.cost_first[s + 1] - tree.cost_first[s]):
            room.state[tree.cost_first[s] + i] = room.sums[row, i]
    for t in range(len(tree.worth)):
        best, least = -1, np.inf
        for s in range(tree.start_first[t], tree.start_first[t + 1]):
            if room.state[tree.cost_first[s + 1] - 1] < least:
                best, least = s, room.state[tree.cost_first[s + 1] - 1]
        room.team[t] = least
        if best >= 0:
            go_down(ways, tree, best, room)


@helper
def go_down(ways: Ways, tree: Tree, start: int, room: Room) -> None:
    """Find who serves a team at its cheapest from one start."""
    room.stack[0, 0], room.stack[0, 1] = start, tree.cost_first[start + 1] - tree.cost_first[start] - 1
    top = 1
    while top:
        top -= 1
        s, many = room.stack[top, 0], room.stack[top, 1]
        width = tree.cost_first[s + 1] - tree.cost_first[s]
        add_up(ways, tree, s, room)
        for g in range(tree.group_first[s + 1] - 1, tree.group_first[s] - 1, -1):
            row = g - tree.group_first[s]
            before, child, at = 0, -1, -1
            for j in range(width):
                least, state = cheapest_child(tree, g, j, room)
                for i in range(width):
                    # the same sum as before
                    if (
                        min(i + j, width - 1) == many
                        and room.sums[row, i] + least == room.sums[row + 1, many]
                    ):
                        if child < 0:
                            before, child, at = i, state, j
            room.stack[top, 0], room.stack[top, 1] = child, at
            top += 1
            many = before
        if tree.request[s] >= 0:
            best = price_role(ways, tree.request[s], width, room)
            room.come[tree.role[s], 0] = tree.request[s]
            sure = ways.absence[tree.request[s]] == np.inf  # who must come counts for nobody else
            room.come[tree.role[s], 1] = best if sure or many == width - 1 else many


@helper
def serve_teams(ways: Ways, tree: Tree, role_first: I64, room: Room) -> float:
    """Serve every team that is worth it, at its cheapest."""
    price_teams(ways, tree, room)
    total = 0.0
    for t in range(len(tree.worth)):
        if room.team[t] >= tree.worth[t]:
            total += tree.worth[t]
            continue
        total += room.team[t]
        for q in range(role_first[t], role_first[t + 1]):
            take(ways, room.above, room.come[q, 0], True, room)
            load_up(ways, room, room.come[q, 1])
    return total


@helper
def sum_prices(forest: Forest, price: F64, above: F64) -> None:
    """Sum each node's own price and those above it."""
    for k in forest.order:
        up = forest.parent[k]
        above[k] = price[k] + (above[up] if up >= 0 else 0.0)


@jit
def choose(ways: Ways, tree: Tree, forest: Forest, price: F64, room: Room) -> None:
    """Find the cheapest way to serve each team at prices; see `Room`."""
    sum_prices(forest, price, room.above)
    price_teams(ways, tree, room)


@helper
def evaluate(
    ways: Ways, alone: I64, tree: Tree, role_first: I64, forest: Forest, price: F64, way: F64, room: Room
) -> float:
    """Return the bound at prices, and write into `way` how it grows with each."""
    sum_prices(forest, price, room.above)
    room.load[:] = 0.0
    total = serve_alone(ways, alone, room)
    total += serve_teams(ways, tree, role_first, room)
    for i in range(len(forest.order) - 1, -1, -1):
        k = forest.order[i]
        up = forest.parent[k]
        if up >= 0:
            room.load[up] += room.load[k]
        step, capacity = forest.load_cost[k], forest.capacity[k]
        units = capacity
        if step > 0:
            units = min(capacity, np.ceil(price[k] / step))
        if price[k] <= 0:
            units = min(capacity, room.load[k]) if step <= 0 else min(1.0, room.load[k])
        total -= units * price[k] - step * units * max(units - 1.0, 0.0) / 2.0
        way[k] = room.load[k] - units
    return total


@jit
def ascend(
    ways: Ways,
    alone: I64,
    tree: Tree,
    role_first: I64,
    forest: Forest,
    price: F64,
    worth: float,
    steps: int,
    room: Room,
    stop: U8,
) -> float:
    """Improve prices by subgradient steps; return the bound that the best of them give.

    The steps (see `climb`) go towards `worth`, and are shorter where they have not helped for long.

    Parameters
    ----------
    price : float64 (n_nodes,)
        Own prices, >= 0; replaced by the best found.
    worth : float
        A cost that can be reached, or a guess of it.
    """
    n = len(price)
    best, at, way, more = price.copy(), price.copy(), np.zeros(n), np.zeros(n)
    found, length, failed = -np.inf, 1.0, 0
    for _step in range(steps):
        if stop[0]:
            break
        bound = evaluate(ways, alone, tree, role_first, forest, at, more, room)
        if bound > found:
            found, failed = bound, 0
            best[:] = at
        else:
            failed += 1
            if failed == 20:
                failed = 0
                length *= 0.7
                at[:] = best
                way[:] = 0.0
                if length < 1e-3:
                    break
                continue
        if not climb(at, way, more, 0.3 * length, worth - bound):
            break
    price[:] = best
    return found

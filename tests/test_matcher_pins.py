"""A pin holds whatever else comes: what would outweigh it is refused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

import govmatch as gm
from govmatch.solve import live_flow, pins
from tests.naive_matcher import observe

MANY = 20_000
"""Units which, at the largest cost, a pin could not outweigh."""

LARGEST = 2**40


def chain(m: gm.Matcher, length: int) -> None:
    """Nodes above each other, of the largest load cost."""
    node = -1
    for _ in range(length):
        node = m.add_node(1, node, load_cost=LARGEST)


def add_many(m: gm.Matcher, cost: int) -> int:
    return m.add(range(1, MANY + 1), [cost] * MANY, demand=MANY, unmet_cost=5)


DEARER: dict[str, Callable[[gm.Matcher, int], object]] = {
    "a request": lambda m, h: m.add([1], [LARGEST], unmet_cost=0),
    "an unmet cost": lambda m, h: m.add([1], [0], unmet_cost=-LARGEST),
    "an arc": lambda m, h: m.add_arcs(h, [2], [-LARGEST]),
    "a cost": lambda m, h: m.set_cost(h, 1, LARGEST),
    "load costs on the way": lambda m, h: chain(m, 5),
}


@pytest.mark.parametrize("change", DEARER.values(), ids=DEARER.keys())
def test_what_a_pin_could_not_outweigh_is_refused_beside_it(
    change: Callable[[gm.Matcher, int], object],
) -> None:
    m = gm.Matcher([1] * (MANY + 1))
    h = m.add([0, 1], [9, 1], unmet_cost=5)
    m.pin(h, 0)
    add_many(m, 7)
    before = observe(m, [h])
    with pytest.raises(
        gm.InvalidInput, match=r"of 2000\d units, .* add up too far beside a pin: .* below 2\*\*56"
    ):
        change(m, h)
    after = observe(m, [h])
    if change is DEARER["load costs on the way"]:
        assert m.prices().size == MANY + 4  # the three nodes before are as good as any
    else:
        assert after == before
    assert m.assignment(h).tolist() == [0]
    m.unpin(h)
    change(m, h)
    assert m.certificate().gap == 0


def test_a_pin_beside_what_it_could_not_outweigh_is_refused_until_that_is_gone() -> None:
    m = gm.Matcher([1] * (MANY + 1))
    h = m.add([0, 1], [9, 1], unmet_cost=5)
    dear = add_many(m, LARGEST)
    with pytest.raises(gm.InvalidInput, match=r"costs up to \d+ of 20001 units"):
        m.pin(h, 0)
    m.remove(dear)
    m.pin(h, 0)
    assert m.assignment(h).tolist() == [0]
    again = gm.Matcher.restore(m.snapshot())
    with pytest.raises(gm.InvalidInput, match=r"costs up to \d+ of 20001 units"):
        add_many(again, LARGEST)


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(40))
def test_pins_hold_wherever_they_are_not_refused(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small cost of leaving a pinned unit, so that it is nearly outweighed all the time."""
    rng = random.Random(seed)
    must = 2 ** rng.randint(7, 12)
    monkeypatch.setattr(live_flow, "MUST", must)
    monkeypatch.setattr(pins, "MUST", must)
    size = must // rng.choice([2, 5, 10, 40])
    m = gm.Matcher(
        [1, 1, 1, 2, 1, 2], parent=[3, 3, 5, 5, -1, -1], load_cost=[0, 0, 0, rng.randint(0, 3), 0, 2]
    )
    pins_of: dict[int, set[int]] = {}
    accepted = refused = 0
    for _ in range(60):
        action = rng.choice(["add", "add", "cost", "pin", "pin", "unpin", "remove", "arcs"])
        h = rng.choice(sorted(pins_of)) if pins_of else -1
        nodes = rng.sample(range(6), 3)
        costs = [rng.randint(-size, size) for _ in nodes]
        held = {k: set(v) for k, v in pins_of.items()}
        try:
            if action == "add" or h < 0:
                new = m.add(nodes, costs, demand=rng.choice([1, 1, 2]), unmet_cost=rng.randint(-size, size))
                pins_of[new] = set()
            elif action == "cost":
                m.set_cost(h, nodes[0], costs[0])
            elif action == "arcs":
                m.add_arcs(h, nodes, costs)
            elif action == "pin":
                m.pin(h, nodes[0])
                pins_of[h].add(nodes[0])
            elif action == "unpin":
                m.unpin(h)
                pins_of[h] = set()
            else:
                m.remove(h)
                del pins_of[h]
        except (gm.InvalidInput, gm.Infeasible):
            pins_of = held
            refused += 1
            continue
        accepted += 1
        for handle, wanted in pins_of.items():
            assert wanted <= set(m.assignment(handle).tolist())
        assert m.certificate().gap == 0
    assert accepted
    assert refused

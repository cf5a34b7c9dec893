"""What a matcher does when a call is interrupted, copied, or watched from another thread."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

import govmatch as gm
from govmatch.solve.live_flow import LiveFlow
from tests.naive_matcher import observe

CHANGES: dict[str, Callable[[gm.Matcher], object]] = {
    "add": lambda m: m.add([0, 1], [1, 1], unmet_cost=50),
    "add_arcs": lambda m: m.add_arcs(1, [1], [2]),
    "set_cost": lambda m: m.set_cost(0, 0, 30),
    "remove": lambda m: m.remove(0),
    "pin": lambda m: m.pin(0, 1),
    "set_capacity": lambda m: m.set_capacity(0, 0),
    "close_node": lambda m: m.close_node(0),
}

READS: dict[str, Callable[[gm.Matcher], object]] = {
    "total_cost": lambda m: m.total_cost,
    "changed": lambda m: m.changed,
    "len": len,
    "assignment": lambda m: m.assignment(0),
    "prices": lambda m: m.prices(),
    "certificate": lambda m: m.certificate(),
    "snapshot": lambda m: m.snapshot(),
    "copy": copy.deepcopy,
    "add": lambda m: m.add([0], [1], unmet_cost=5),
    "add_node": lambda m: m.add_node(1),
}


def two_requests() -> gm.Matcher:
    m = gm.Matcher([1, 1, 2], parent=[2, 2, -1], load_cost=[0, 0, 3])
    m.add([0, 1], [4, 6], unmet_cost=20)
    m.add([0], [5], unmet_cost=20)
    return m


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_change_leaves_a_matcher_that_says_so(
    change: Callable[[gm.Matcher], object], error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    m = two_requests()
    kept = m.snapshot()

    def interrupted(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(LiveFlow, "settle", interrupted)
        patch.setattr(LiveFlow, "resize", interrupted)
        with pytest.raises(error):
            change(m)
    for name, read in READS.items():
        with pytest.raises(gm.SolverError, match="interrupted in the middle of a change"):
            read(m)
            raise AssertionError(f"{name} answers")
    assert repr(m) == "Matcher(interrupted in the middle of a change)"
    again = gm.Matcher.restore(kept)
    change(again)
    assert again.certificate().gap == 0


INTERRUPTED = """
import signal, time
import numpy as np
import govmatch as gm

rng = np.random.default_rng(3)
m = gm.Matcher(np.ones(60, int))
for _ in range(90):
    m.add(rng.choice(60, 6, replace=False), rng.integers(0, 99, 6), unmet_cost=150)
m.set_cost(0, int(m._requests[0].node[0]), 5)
kept = m.snapshot()

def ring(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, ring)
torn = whole = 0
for step in range(1500):
    h = step % 90
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5 + 2e-4 * rng.random())
        m.set_cost(h, int(m._requests[h].node[step % 6]), int(rng.integers(0, 99)))
        time.sleep(0.001)
    except (KeyboardInterrupt, KeyError):
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        proof = m.certificate()
    except gm.SolverError as error:
        assert "interrupted in the middle of a change" in str(error)
        m = gm.Matcher.restore(kept)
        torn += 1
        continue
    assert (proof.gap, proof.primal) == (0, m.total_cost)
    whole += 1
print(torn > 0, whole > 0)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")
def test_signals_that_raise_never_leave_a_wrong_answer() -> None:
    """In a process of its own: a signal that raises in coverage's tracer would leave its lock held."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], env=plain, capture_output=True, text=True, timeout=200
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.split() == ["True", "True"]


def test_nobody_sees_the_middle_of_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    m = two_requests()
    settle, seen = LiveFlow.settle, []

    def slow(self: LiveFlow, *rest: list[int]) -> None:
        threads = [
            threading.Thread(target=lambda read=read: seen.append(read(m)), daemon=True)
            for read in (lambda m: m.total_cost, lambda m: m.changed, len, repr)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert not seen
        settle(self, *rest)
        waiting.extend(threads)

    waiting: list[threading.Thread] = []
    monkeypatch.setattr(LiveFlow, "settle", slow)
    m.set_cost(0, 0, 30)
    for thread in waiting:
        thread.join(10)
    assert sorted(map(repr, seen)) == sorted(map(repr, [m.total_cost, m.changed, 2, repr(m)]))


def test_several_calls_are_one_under_the_lock() -> None:
    m = two_requests()
    with m.lock:
        h = m.add([1], [1], unmet_cost=50)
        assert h in m.changed
        other = threading.Thread(target=m.set_capacity, args=(0, 0), daemon=True)
        other.start()
        other.join(0.05)
        assert other.is_alive()
        assert m.assignment(h).tolist() == [1]
    other.join(10)
    assert not other.is_alive()


def test_a_copy_shares_nothing() -> None:
    m = two_requests()
    m.pin(0, 1)
    twin = copy.deepcopy(m)
    before = observe(m, [0, 1])
    assert observe(twin, [0, 1]) == before
    twin.unpin(0)
    twin.set_capacity(2, 1)
    twin.remove(1)
    twin.close_node(0)
    twin.add_node(3)
    assert observe(m, [0, 1]) == before
    with pytest.raises(gm.Infeasible, match="1 units are pinned through it"):
        m.set_capacity(1, 0)
    assert m.add([0], [1], unmet_cost=50) == 2


def test_a_copy_takes_no_longer_than_its_arrays_do() -> None:
    m = gm.Matcher(np.ones(100_000, int))
    for r in range(300):
        m.add([r, r + 1], [1, 2], unmet_cost=9)
    begun = time.perf_counter()
    packed = m.snapshot()
    whole = time.perf_counter() - begun
    begun = time.perf_counter()
    copy.deepcopy(m)
    assert time.perf_counter() - begun < whole
    assert len(packed) > 10**6

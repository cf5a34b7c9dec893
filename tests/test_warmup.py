"""After `warmup` no call compiles: whatever is asked, the kernels' signatures are those it has made."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import importlib, pkgutil, threading
import numpy as np
import govmatch as gm
import govmatch._kernels as kernels

def signatures():
    found = set()
    for module in pkgutil.iter_modules(kernels.__path__):
        names = vars(importlib.import_module(f"govmatch._kernels.{module.name}"))
        found |= {
            (kernel.py_func.__name__, str(signature))
            for kernel in names.values()
            if hasattr(kernel, "py_func")
            for signature in kernel.signatures
        }
    return found

assert gm.warmup() > 0
before = signatures()
assert before
rng = np.random.default_rng(0)
gm.assign([], [], [], n_requests=2, unmet_cost=1)
gm.assign([0], [0], [1])
gm.assign([0, 0], [0, 1], [1, 2], demand=2)
gm.assign([0, 0], [0, 0], [1, 2], demand=2, group=[0, 1], capacity=5, unmet_cost=3)
gm.assign([0, 1], [0, 0], [1.5, 2.25], unmet_cost=9)
for n, nodes in ((1, 1), (3, 200), (200, 3), (2000, 900)):
    for demand in (1, 2):
        for load_cost in (None, 3):
            request, provider = np.repeat(np.arange(n), 70), rng.integers(0, nodes, 70 * n)
            cost = rng.integers(0, 99, 70 * n)
            mixed = rng.permutation(70 * n)
            for order in (slice(None), mixed):
                gm.assign(request[order], provider[order], cost[order], n_requests=n, demand=demand,
                          capacity=np.ones(nodes, int), load_cost=load_cost, unmet_cost=60, time_limit=9)
cancel = threading.Event()
cancel.set()
gm.assign(request, provider, cost, n_requests=n, unmet_cost=60, cancel=cancel)
gm.assign(request, provider, cost, n_requests=n, unmet_cost=60, gap=0.5)
for capacity in ([], [1], [2, 2]):
    m = gm.Matcher(capacity)
    for k in range(3):
        m.add_node(1, k - 1, 2)
    for _ in range(300):
        h = m.add([0, 1, 2], [1, 2, 3], unmet_cost=9, demand=1 + _ % 3)
    m.pin(h, 0)
    m.set_cost(h, 0, 4)
    m.remove(h)
    m.set_capacity(0, 4)
    m.close_node(0)
    gm.Matcher.restore(m.snapshot()).add([1], [1], unmet_cost=1)
gm.match(gm.Problem.from_tables(gm.datasets.xishan(seed=1, requests=60)))
rules = gm.Policy.from_text("[rounds]\\non = true\\n[floors]\\ncommunity_share = 0.9")
visits = gm.datasets.xishan(seed=1, requests=20, coupled=0.5, kinds=("rounds", "limits"))
gm.match(gm.Problem.from_tables(visits, rules), time_limit=2)
print(sorted(signatures() - before))
"""


def test_nothing_is_compiled_after_warmup() -> None:
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip() == "[]"

"""What an import costs, and which room may import what."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import govmatch as gm

HEAVY = (
    "numpy",
    "scipy",
    "pandas",
    "networkx",
    "ortools",
    "numba",
    "matplotlib",
    "openpyxl",
    "narwhals",
    "click",
)
ROOT = Path(__file__).parents[1]


def _in_fresh_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_import_is_light():
    # the best of a few: other work on the machine may only make one slower
    code = (
        "import json, sys, time; t = time.perf_counter(); import govmatch; t = time.perf_counter() - t;"
        f"print(json.dumps([t, [m for m in {HEAVY!r} if m in sys.modules]]))"
    )
    runs = [_in_fresh_process(code) for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.1
    assert all(loaded == [] for _, loaded in runs)


@pytest.mark.parametrize(
    ("use", "absent"),
    [
        ("govmatch.Policy", ("pandas", "ortools", "numba", "networkx", "matplotlib", "openpyxl")),
        (
            "govmatch.InvalidTables",
            ("numpy", "pandas", "ortools", "numba", "networkx", "matplotlib", "openpyxl"),
        ),
        ("govmatch.Problem", ("ortools", "networkx", "matplotlib", "openpyxl")),
        ("govmatch.verify", ("ortools", "numba", "networkx", "matplotlib", "openpyxl")),
        ("govmatch.match", ("matplotlib", "openpyxl")),
        ("govmatch.assign", ("pandas", "networkx", "matplotlib", "openpyxl", "narwhals")),
        ("govmatch.Infeasible", ("numpy", "pandas", "ortools", "numba", "networkx")),
    ],
)
def test_a_name_loads_only_what_it_needs(use, absent):
    code = (
        f"import json, sys, govmatch; {use}; print(json.dumps([m for m in {absent!r} if m in sys.modules]))"
    )
    assert _in_fresh_process(code) == []


def test_the_rooms_keep_their_contracts():
    importlinter = pytest.importorskip("importlinter.cli", reason="import-linter comes with govmatch[dev]")
    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_modules_stay_short():
    lengths = {
        p: len(p.read_text(encoding="utf-8").splitlines()) for p in Path(gm.__file__).parent.rglob("*.py")
    }
    assert {p.name: n for p, n in lengths.items() if n > 600} == {}

"""Run the sizes and the peers, and print the table that the README shows."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from benchmarks.isolate import Measured, in_own_process
from benchmarks.peers import PEERS
from benchmarks.sizes import QUICK, SIZES
from benchmarks.table import table, write_between_markers

ROOT = Path(__file__).parents[1]
MATCH_CAP_SECONDS = 1800.0


def main() -> None:
    """Measure, print, and write down what was asked for."""
    if sys.argv[1:2] == ["teams"]:
        from benchmarks.teams.run import main as teams

        return teams(sys.argv[2:])
    if sys.argv[1:2] == ["recurrence"]:
        from benchmarks.recurrence.run import main as recurrence

        return recurrence(sys.argv[2:])
    if sys.argv[1:2] == ["coupled"]:
        from benchmarks.coupled.run import main as coupled

        return coupled(sys.argv[2:])
    if sys.argv[1:2] == ["kinds"]:
        from benchmarks.kinds.run import main as kinds

        return kinds(sys.argv[2:])
    if sys.argv[1:2] == ["matching"]:
        from benchmarks.matching.run import main as matching

        return matching(sys.argv[2:])
    asked = _arguments()
    rng = random.Random(asked.seed)
    results: Measured = {"setup": _setup(asked), "sizes": {}}
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes:
            seeds = [rng.randrange(1, 100_000) for _ in range(asked.repeat)]
            results["sizes"][size] = _measure(size, seeds, asked, Path(folder))
    print(table(results))
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if asked.write_readme:
        write_between_markers(ROOT / "README.md", table(results))
        write_between_markers(ROOT / "README.zh-CN.md", table(results, chinese=True))


def _measure(size: str, seeds: list[int], asked: argparse.Namespace, folder: Path) -> Measured:
    runs: list[Measured] = []
    peers: dict[str, list[Measured]] = {name: [] for name in asked.peers}
    over: set[str] = set()
    for seed in seeds:
        _say(f"{size}, seed {seed}")
        tables, arcs = folder / "tables.pickle", folder / "arcs.npz"
        made = in_own_process(["make", size, str(seed), str(tables)], MATCH_CAP_SECONDS)
        run = in_own_process(["match", str(tables), str(arcs)], MATCH_CAP_SECONDS)
        if made is None or run is None:
            raise RuntimeError(f"{size} with seed {seed} took more than {MATCH_CAP_SECONDS:g} s")
        if run["gap"] != 0 or not run["verified"]:
            raise RuntimeError(f"{size} with seed {seed}: gap {run['gap']}, verified {run['verified']}")
        runs.append({"seed": seed, **made, **run})
        for name in asked.peers:
            # a peer that was too slow once is not asked again
            if name in over:
                continue
            _say(f"  {name}")
            told = in_own_process(["peer", name, str(arcs)], asked.cap)
            if told is None:
                over.add(name)
                told = {"over": asked.cap}
            peers[name].append(told)
    return {"label": SIZES[size].label, "label_zh": SIZES[size].label_zh, "runs": runs, "peers": peers}


def _setup(asked: argparse.Namespace) -> Measured:
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "seed": asked.seed,
        "repeat": asked.repeat,
        "cap": asked.cap,
    }


def _arguments() -> argparse.Namespace:
    also = "`python -m benchmarks matching --help`: the matching loop alone, on arrays, beside its peers"
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=also)
    parser.add_argument("--quick", action="store_true", help="the smallest size, once, with a short cap")
    parser.add_argument("--sizes", type=_names(SIZES), help=f"of {','.join(SIZES)}")
    parser.add_argument("--peers", type=_names(PEERS), help=f"of {','.join(PEERS)}, or none")
    parser.add_argument("--repeat", type=int, help="days of each size, every one with its own seed (3)")
    parser.add_argument("--cap", type=float, help="seconds a peer may take (600)")
    parser.add_argument("--seed", type=int, help="repeat a run; without it the seeds are fresh")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    parser.add_argument("--write-readme", action="store_true", help="put the table into both READMEs")
    asked = parser.parse_args()
    short = asked.quick
    asked.sizes = asked.sizes if asked.sizes is not None else list(QUICK if short else SIZES)
    asked.peers = asked.peers if asked.peers is not None else list(PEERS)
    asked.repeat = asked.repeat or (1 if short else 3)
    asked.cap = asked.cap or (30.0 if short else 600.0)
    asked.seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    return asked


def _names(registry: Mapping[str, object]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        unknown = [name for name in names if name not in registry]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(registry)}")
        return names

    return read


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

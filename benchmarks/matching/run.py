"""`python -m benchmarks matching`: `govmatch.assign` and `govmatch.Matcher` beside the peers."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.isolate import Measured, ProcessKilled, in_own_process
from benchmarks.matching import online_table, table
from benchmarks.matching.peers import PEERS
from benchmarks.matching.regimes import ONLINE, QUICK, QUICK_ONLINE, QUICK_REQUESTS, REGIMES
from benchmarks.table import write_between_markers

README = Path(__file__).parents[1] / "README.md"
WORK, PLAY = "benchmarks.matching.work", "benchmarks.matching.online"
OUR_CAP_SECONDS = 3600.0
ONCE = 10.0  # a peer this many times slower than the fastest is not repeated
PEER_ONLINE = "ortools"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write down what was asked for."""
    asked = _arguments(arguments)
    results = _begun(asked)
    part, measure, show = (
        ("online", _measure_day, online_table) if asked.online else ("regimes", _measure, table)
    )
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for name in asked.regimes:
            # what an earlier run measured at another size is measured again
            if results[part].get(name, {}).get("requests_at_most") == asked.requests:
                continue
            # each regime's seeds are its own, whichever others are asked for
            seeds = random.Random(f"{results['setup']['seed']} {part} {name}")
            results[part][name] = measure(name, seeds, asked, Path(folder), results)
            _keep(asked, results)
    text = show.table(results)
    print(text)
    if asked.write_readme:
        write_between_markers(README, text, show.MARKERS)


def _measure(
    name: str, seeds: random.Random, asked: argparse.Namespace, folder: Path, results: Measured
) -> Measured:
    """Measure one regime with every peer, `--repeat` times, each with a fresh seed."""
    made: list[Measured] = []
    runs: list[Measured] = []
    peers: dict[str, list[Measured]] = {}
    asking = list(asked.peers if REGIMES[name].peers else ())
    for repetition in range(asked.repeat):
        seed = seeds.randrange(1, 10**9)
        _say(f"{name}, seed {seed}")
        told = in_own_process(
            ["make", name, str(asked.requests), str(seed), str(folder)], OUR_CAP_SECONDS, WORK
        )
        if told is None:
            raise RuntimeError(f"{name} with seed {seed} took more than {OUR_CAP_SECONDS:g} s to make")
        made.append({"seed": seed, **told})
        run = _ours(folder)
        runs.append(run)
        least = ("govmatch", run["objective"]) if "objective" in run else None
        for peer in list(asking):
            answer = _ask(peer, name, told, asked, folder, results)
            peers.setdefault(peer, []).append(answer)
            if "solve" not in answer:
                asking.remove(peer)
                continue
            _say(f"  {peer} {answer['build']:.3f} + {answer['solve']:.3f} s")
            least = least or (peer, answer["objective"])
            if answer["objective"] != least[1]:
                raise RuntimeError(
                    f"{name} with seed {seed}: {peer} found {answer['objective']}, {least[0]} {least[1]}"
                )
        if repetition == 0:
            asking = _contenders(asking, peers)
    label = REGIMES[name].label
    return {"label": label, "made": made, "runs": runs, "peers": peers, "requests_at_most": asked.requests}


def _ours(folder: Path) -> Measured:
    try:
        told = in_own_process(["ours", str(folder)], OUR_CAP_SECONDS, WORK)
    except ProcessKilled as killed:
        return {"failed": str(killed)}
    return {"over": OUR_CAP_SECONDS} if told is None else told


def _ask(
    peer: str, name: str, made: Measured, asked: argparse.Namespace, folder: Path, results: Measured
) -> Measured:
    why = made["refusals"][PEERS[peer].takes]
    if why:
        return {"refused": why}
    over = _too_slow_at(peer, name, asked.cap, results)
    if over is not None and made["arcs"] >= over:
        return {"over": asked.cap, "at_arcs": over}
    try:
        told = in_own_process(["give", peer, str(folder)], asked.cap, WORK)
    except ProcessKilled as killed:
        told = {"failed": str(killed)}
    if told is None:
        _say(f"  {peer} > {asked.cap:g} s")
        return {"over": asked.cap}
    return told


def _too_slow_at(peer: str, name: str, cap: float, results: Measured) -> int | None:
    """Return the least number of arcs at which such a cap ended a peer, among squares or the others."""
    square = bool(REGIMES[name].shape.square)
    arcs = [
        done["made"][0]["arcs"]
        for other, done in results["regimes"].items()
        if bool(REGIMES[other].shape.square) == square
        for told in done["peers"].get(peer, [])
        if told.get("over", 0.0) >= cap
    ]
    return min(arcs, default=None)


def _contenders(asking: Iterable[str], peers: dict[str, list[Measured]]) -> list[str]:
    first = {peer: peers[peer][0]["solve"] for peer in asking}
    return [peer for peer in first if first[peer] <= ONCE * min(first.values())]


def _measure_day(
    name: str, seeds: random.Random, asked: argparse.Namespace, folder: Path, results: Measured
) -> Measured:
    """Play one day with the matcher; then let the peer solve its states from scratch."""
    seed = seeds.randrange(1, 10**9)
    _say(f"{name}, seed {seed}")
    told = in_own_process([name, str(asked.requests), str(seed), str(folder)], OUR_CAP_SECONDS, PLAY)
    if told is None:
        return {"seed": seed, "requests_at_most": asked.requests, "over": OUR_CAP_SECONDS}
    answers = []
    for check in told["checks"] if PEER_ONLINE in asked.peers else ():
        os.replace(folder / check["file"], folder / "instance.npz")
        answer = in_own_process(["give", PEER_ONLINE, str(folder)], asked.cap, WORK) or {"over": asked.cap}
        if "solve" in answer and answer["objective"] != check["objective"]:
            raise RuntimeError(
                f"{name} with seed {seed}: {PEER_ONLINE} found {answer['objective']}, "
                f"govmatch {check['objective']}"
            )
        answers.append(answer)
    solved = [answer for answer in answers if "solve" in answer]
    told["resolve"] = {
        "assign": median(check["assign"] for check in told["checks"]),
        "peer_build": median(answer["build"] for answer in solved) if solved else None,
        "peer_solve": median(answer["solve"] for answer in solved) if solved else None,
    }
    return {"seed": seed, "requests_at_most": asked.requests, **told}


def _begun(asked: argparse.Namespace) -> Measured:
    """Return what an earlier run left, where it is to be gone on with, or an empty record."""
    setup = {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "seed": asked.seed,
        "repeat": asked.repeat,
        "cap": asked.cap,
    }
    if asked.resume and asked.json.exists():
        before: Measured = json.loads(asked.json.read_text(encoding="utf-8"))
        return {**before, "setup": {**setup, "seed": before["setup"]["seed"]}}
    return {"setup": setup, "regimes": {}, "online": {}}


def _keep(asked: argparse.Namespace, results: Measured) -> None:
    if asked.json:
        text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
        beside = asked.json.with_name(asked.json.name + ".new")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, asked.json)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks matching", description=__doc__)
    add = parser.add_argument
    add("--online", action="store_true", help="days of single events with the Matcher, instead of batches")
    add("--quick", action="store_true", help="a few regimes made tiny, once, with a short cap")
    add("--regimes", type=str, help=f"of {','.join(REGIMES)}; with --online of {','.join(ONLINE)}")
    add("--peers", type=str, help=f"of {','.join(PEERS)}, or none")
    add("--repeat", type=int, help="instances of each regime, every one with its own seed (5)")
    add(
        "--requests", type=int, help="at most so many requests, all else in proportion; for trying things out"
    )
    add("--cap", type=float, help="seconds a peer may take, its process as a whole (300)")
    add("--seed", type=int, help="repeat a run; without it the seeds are fresh")
    add("--json", type=Path, help="keep all that was measured in this file, after every regime")
    add(
        "--resume",
        action="store_true",
        help="go on with what --json holds; its regimes are not measured again",
    )
    add("--folder", type=Path, help="where the instances are kept meanwhile (the system's; 1 GB)")
    add("--write-readme", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args(arguments)
    short, registry = asked.quick, ONLINE if asked.online else REGIMES
    quick = QUICK_ONLINE if asked.online else QUICK
    asked.regimes = _names(parser, asked.regimes, registry) or list(quick if short else registry)
    asked.peers = [] if asked.peers == "none" else _names(parser, asked.peers, PEERS) or list(PEERS)
    asked.repeat = asked.repeat or (1 if short else 5)
    asked.requests = asked.requests or (QUICK_REQUESTS if short else 0)
    asked.cap = asked.cap or (20.0 if short else 300.0)
    asked.seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    if asked.resume and not asked.json:
        parser.error("--resume needs --json")
    if asked.write_readme and asked.requests:
        parser.error("--write-readme is for regimes at their own size, without --quick and --requests")
    return asked


def _names(parser: argparse.ArgumentParser, text: str | None, registry: Iterable[str]) -> list[str]:
    names, known = text.split(",") if text else [], list(registry)
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(known)}")
    return names


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

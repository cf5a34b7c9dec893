"""Results as the Markdown that the README shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.isolate import Measured
from benchmarks.peers import PEERS
from benchmarks.work import PHASES

START, END = "<!-- benchmark:start -->", "<!-- benchmark:end -->"

COUNTS = (
    ("requests", "订单", "requests"),
    ("providers", "服务者", "providers"),
    ("slots", "时段", "slots"),
    ("eligible pairs", "合格的“订单—时段”对", "pairs"),
    ("arcs in the last solve", "最后一次求解的候选弧", "arcs"),
    ("rounds of solving and pricing out", "求解与补全的轮数", "rounds"),
)
INTRO = (
    "The same arcs given to others, each in a process of its own: building + solving in seconds, and "
    "peak memory. Whoever gave an answer found the plan's cost, to the last hundredth of a minute."
)
INTRO_ZH = (
    "同样的候选弧交给其他求解器，各用独立进程：建模 + 求解（秒）、内存峰值。"
    "凡给出结果的，总成本都与方案完全一致，精确到百分之一分钟。"
)
PHASES_ZH = {
    "check": "检查",
    "encode": "编码",
    "reach": "可达",
    "candidates": "候选",
    "solve": "求解",
    "price_out": "定价补全",
    "decode": "还原",
    "verify": "核验",
}


def table(results: Measured, chinese: bool = False) -> str:
    """Return the setup in a sentence, the phases by size and the peers by size."""
    parts = [_setup(results, chinese), _phases(results, chinese), *_peers(results, chinese)]
    return "\n\n".join(parts)


def write_between_markers(readme: Path, text: str, markers: tuple[str, str] = (START, END)) -> None:
    """Replace what stands between the two markers.

    Raises
    ------
    ValueError
        If the file lacks a marker.
    """
    start, end = markers
    old = readme.read_text(encoding="utf-8")
    if start not in old or end not in old:
        raise ValueError(f"{readme.name} lacks {start} or {end}")
    before, rest = old.split(start, 1)
    after = rest.split(end, 1)[1]
    readme.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def _setup(results: Measured, chinese: bool) -> str:
    setup = results["setup"]
    first = max(run["first"] for size in results["sizes"].values() for run in size["runs"])
    facts = f"{setup['date']}, {setup['machine']}, {setup['cores']} cores, Python {setup['python']}"
    if chinese:
        return (
            f"{facts}。每种规模各算 {setup['repeat']} 天，取中位数，每天用不同的随机种子"
            f"（`--seed {setup['seed']}`）；人员均为合成。"
            f"以下为热启动时间：首次导入与编译另需至多 {first:.1f} 秒，每个进程一次。"
        )
    return (
        f"{facts}. Medians of {setup['repeat']} day(s) a size, each with a seed of its own "
        f"(`--seed {setup['seed']}`); the people are synthetic. These are warm times: imports and the first "
        f"compilation come on top, at most {first:.1f} s, once in a process."
    )


def _phases(results: Measured, chinese: bool) -> str:
    sizes = list(results["sizes"].values())
    rows: list[list[str]] = []

    def add(english: str, zh: str, cell: Callable[[list[Measured]], str]) -> None:
        rows.append([zh if chinese else english, *(cell(size["runs"]) for size in sizes)])

    for english, zh, key in COUNTS:
        add(english, zh, lambda runs, key=key: f"{median(run[key] for run in runs):,.0f}")
    for phase in PHASES:
        name = phase.replace("_", " ")
        zh = f"{PHASES_ZH[phase]} {name}，秒"
        add(f"{name}, s", zh, lambda runs, phase=phase: seconds(median(r["seconds"][phase] for r in runs)))
    add(
        "**DataFrames to verified plan, s**",
        "**从数据表到核验完的方案，秒**",
        lambda runs: f"**{seconds(median(run['total'] for run in runs))}**",
    )
    add(
        "… besides the flow solver, s",
        "……其中求解器以外，秒",
        lambda runs: seconds(median(run["total"] - run["seconds"]["solve"] for run in runs)),
    )
    add(
        "making the tables (apart), s",
        "生成数据表（另计），秒",
        lambda runs: seconds(median(r["generate"] for r in runs)),
    )
    add("peak memory, MB", "内存峰值，MB", _peak)
    add("gap; verified", "间隙；核验", _proof)
    return markdown(_header(sizes, chinese), rows)


def _peers(results: Measured, chinese: bool) -> list[str]:
    sizes = list(results["sizes"].values())
    names = [name for name in PEERS if any(size["peers"].get(name) for size in sizes)]
    if not names:
        return []
    rows = []
    for name in names:
        told = [size["peers"].get(name, []) for size in sizes]
        version = next((t["version"] for runs in told for t in runs if "version" in t), "")
        label = f"{PEERS[name].label} · {version}" if version else PEERS[name].label
        rows.append([label, *(_peer(runs, chinese) for runs in told)])
    intro = INTRO_ZH if chinese else INTRO
    return [intro, markdown(_header(sizes, chinese), rows)]


def _header(sizes: list[Measured], chinese: bool) -> list[str]:
    return ["", *(size["label_zh" if chinese else "label"] for size in sizes)]


def _peer(told: list[Measured], chinese: bool) -> str:
    if not told:
        return "–"
    over = next((t["over"] for t in told if "over" in t), None)
    if over is not None:
        return f"> {over:g} s"
    refused = next((t["refused"] for t in told if "refused" in t), None)
    if refused is not None:
        return "不适用" if chinese else f"cannot: {refused}"
    build, solve = median(t["build"] for t in told), median(t["solve"] for t in told)
    return f"{seconds(build)} + {seconds(solve)}, {_peak(told)} MB"


def _peak(told: list[Measured]) -> str:
    known = [t["peak_mb"] for t in told if t["peak_mb"] is not None]
    return f"{median(known):,.0f}" if known else "?"


def _proof(runs: list[Measured]) -> str:
    return "0; ✓" if all(run["gap"] == 0 and run["verified"] for run in runs) else "**not proved**"


def seconds(value: float) -> str:
    """Return a time with three figures or so."""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a table whose first column is to the left, the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

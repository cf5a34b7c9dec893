"""The command line: ``govmatch demo | check | match | template | schema``.

Exit status: 0 done; 2 wrong input, told on the error stream; 130 interrupted. What is heavy is imported
by the commands that need it.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import govmatch as gm

if TYPE_CHECKING:
    import pandas as pd

Command = TypeVar("Command", bound=Callable[..., Any])

WRONG = 2
INTERRUPTED = 130

_SIZES = ("xishan", "great-xishan", "haining")


class _Group(click.Group):
    """Commands that end with 0, 2 or 130, where click itself would also say 1."""

    def main(self, *arguments: Any, **extra: Any) -> Any:
        """Run a command."""
        run: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return run(*arguments, standalone_mode=False, **extra)
        try:
            status = run(*arguments, standalone_mode=False, **extra)
        except click.Abort:
            click.echo("interrupted 已中断", err=True)
            status = INTERRUPTED
        except click.ClickException as error:
            error.show()
            status = WRONG
        except SystemExit:
            status = 0  # whoever read the output has gone, and wants no more
        sys.exit(status or 0)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(gm.__version__, prog_name="govmatch")
def main() -> None:
    """Who helps whom, when, and through whom 谁帮助谁,何时,经由谁.

    Matches residents' requests with volunteers and organisations, and proves the plan optimal.
    """
    for stream in (sys.stdout, sys.stderr):
        # a console that lacks a character shows a question mark instead of stopping
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _guarded(command: Command) -> Command:
    """Turn every error that is raised on purpose into a message and an exit status."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON for machines. 输出 JSON。")
    @functools.wraps(command)
    def run(as_json: bool, **arguments: Any) -> None:
        try:
            command(as_json=as_json, **arguments)
        except KeyboardInterrupt:
            click.echo("interrupted; no file is left half-written 已中断,未留下写了一半的文件", err=True)
            _leave(INTERRUPTED)
        except gm.GovmatchError as error:
            _tell_fault(error, as_json)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            _tell_fault(error, as_json)
        except MemoryError:
            _tell_fault(gm.GovmatchError("the memory of this machine does not suffice 内存不足"), as_json)

    return run  # type: ignore[return-value]


def _tell_fault(error: Exception, as_json: bool) -> None:
    violations = error.violations if isinstance(error, gm.InvalidTables) else None
    if as_json:
        from govmatch.reporting.console import records

        fault: dict[str, Any] = {"ok": False, "error": type(error).__name__, "message": str(error)}
        if violations is not None:
            fault["violations"] = records(violations)
        _print_json(fault)
    elif violations is not None:
        from govmatch.reporting.console import violations_text

        click.echo(violations_text(violations))
        click.echo(
            f"{len(violations):,} fault(s) in the tables 数据表共有 {len(violations):,} 处错误", err=True
        )
    else:
        click.echo(f"govmatch: {error}", err=True)
    _leave(WRONG)


def _leave(status: int) -> None:
    click.get_current_context().exit(status)


def _print_json(value: object) -> None:
    # ASCII, because a pipe's encoding is not ours to know
    click.echo(json.dumps(value, indent=1, allow_nan=False))


def _of_tables(command: Command) -> Command:
    """Add the options that say how tables are read."""
    for option in (
        click.option("--on-error", type=click.Choice(["raise", "drop"]), default="raise", show_default=True,
                     help="Stop at faulty rows, or leave them out and say so. 遇错停止,或剔除错行。"),
        click.option("--encoding", metavar="NAME",
                     help="Encoding of the CSV files, such as gb18030, if it cannot be told. 文件编码。"),
        click.option("--aliases", metavar="FILE", help="TOML file with other names. 别名文件。"),
        _policy,
    ):  # fmt: skip
        command = option(command)
    return command


_policy = click.option(
    "--policy",
    metavar="NAME_OR_FILE",
    help="An example policy such as neighbours-first, or a TOML file. 政策:示例名或 TOML 文件。",
)
_time_limit = click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop after so long with the best plan found, and say how good it is. 计算时限(秒)。",
)
_outside = click.option(
    "--outside",
    is_flag=True,
    help="Write only what outside readers may see: the summary, places joined until no count is "
    "under 5, and the certificate. 仅输出可对外的汇总表(合并至无小于5的数字)与证书。",
)


def _problem(
    folder: str, policy: str | None, aliases: str | None, encoding: str | None, on_error: Any
) -> gm.Problem:
    rules = None if policy is None else gm.Policy.read(policy)
    tables = gm.read_tables(folder, aliases=aliases, encoding=encoding)
    return gm.Problem.from_tables(tables, policy=rules, on_error=on_error)


def _tell_unused(problem: gm.Problem, err: bool) -> None:
    """Tell which columns and rows of the tables count for nothing."""
    from govmatch.reporting.console import violations_text

    if problem.ignored:
        click.echo(f"columns that are not used 未使用的列: {', '.join(problem.ignored)}", err=err)
    if len(problem.dropped):
        click.echo(f"left out 已剔除:\n{violations_text(problem.dropped)}\n", err=err)


def _unused_record(problem: gm.Problem) -> dict[str, Any]:
    from govmatch.reporting.console import records

    return {"ignored": list(problem.ignored), "dropped": records(problem.dropped)}


@main.command()
@click.argument("folder", metavar="DIR")
@_of_tables
@_guarded
def check(
    folder: str,
    policy: str | None,
    aliases: str | None,
    encoding: str | None,
    on_error: str,
    as_json: bool,
) -> None:
    """Check the tables in DIR, or in one .xlsx 检查数据表.

    Lists every fault, with table, row and column; rows are counted from 0, below the header.
    """
    from govmatch.reporting.console import aligned

    problem = _problem(folder, policy, aliases, encoding, on_error)
    counts = {name: len(frame) for name, frame in problem.tables.items()}
    facts = {
        "requests": problem.demand.n_requests,
        "providers": problem.supply.n_providers,
        "slots": len(problem.supply.slot_provider),
        "assumed_share": problem.supply.assumed_share,
    }
    if as_json:
        more = {"features": sorted(problem.features), **_unused_record(problem)}
        _print_json({"ok": True, "tables": counts, **facts, **more})
        return
    click.echo(aligned(_frame({"table 表": list(counts), "rows 行": list(counts.values())})))
    click.echo(
        f"\n{facts['requests']:,} requests to match 待匹配需求, {facts['providers']:,} providers 服务者, "
        f"{facts['slots']:,} slots 时段 ({facts['assumed_share']:.1%} assumed 假定)"
    )
    if problem.features:
        click.echo(f"asked for beyond single roles 另有要求: {', '.join(sorted(problem.features))}")
    _tell_unused(problem, err=False)
    click.echo("no faults 无错误" if not len(problem.dropped) else "no other faults 无其他错误")


@main.command("match")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--out", required=True, metavar="OUT", help="Folder for the results. 结果目录。")
@_outside
@_time_limit
@_of_tables
@_guarded
def match_(
    folder: str,
    out: str,
    outside: bool,
    time_limit: float | None,
    policy: str | None,
    aliases: str | None,
    encoding: str | None,
    on_error: str,
    as_json: bool,
) -> None:
    """Match the tables in DIR, and write the plan into OUT 匹配并输出方案.

    Writes assignments.csv, unmet.csv, funnel.csv, certificate.json, the sheets 派单表, 待协调清单 and 汇总表,
    and report.html.
    """
    if os.path.realpath(out) == os.path.realpath(folder):
        raise gm.InvalidInput(
            f"OUT is {out!r}, the folder of the tables; expected another, the results are not tables"
        )
    problem = _problem(folder, policy, aliases, encoding, on_error)
    if not as_json:
        _tell_unused(problem, err=True)
    plan = gm.match(problem, time_limit=time_limit)
    _tell_plan(plan, _write(plan, out, outside), as_json, details=False)


@main.command()
@click.option(
    "--size", type=click.Choice(_SIZES), default="haining", show_default=True, help="How large. 规模。"
)
@click.option("--requests", type=click.IntRange(min=0), metavar="N", help="Number of requests. 需求数。")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another day. 随机种子。"
)
@click.option(
    "-o", "--out", default="demo", show_default=True, metavar="OUT", help="Folder for the results. 结果目录。"
)
@_outside
@_time_limit
@_policy
@_guarded
def demo(
    size: str,
    requests: int | None,
    seed: int,
    out: str,
    outside: bool,
    time_limit: float | None,
    policy: str | None,
    as_json: bool,
) -> None:
    """Match a day of Haining: real places, synthetic people 演示:真实地名,合成人员."""
    rules = None if policy is None else gm.Policy.read(policy)
    make = getattr(gm.datasets, size.replace("-", "_"))
    if not as_json:
        click.echo("Real places, synthetic people 真实地名,合成人员: nobody here exists 所有人员均为虚构\n")
    problem = gm.Problem.from_tables(make(seed=seed, requests=requests), policy=rules)
    if not as_json:
        _tell_unused(problem, err=True)
    plan = gm.match(problem, time_limit=time_limit)
    _tell_plan(plan, _write(plan, out, outside), as_json, details=True)


def _write(plan: gm.Plan, out: str, outside: bool) -> list[Path]:
    from govmatch.model.files import write_atomically
    from govmatch.plan.export import outside_certificate

    folder = Path(out)
    if outside:
        certificate = folder / "certificate.json"
        paths = gm.write_sheets(plan, folder, outside=True)
        write_atomically(certificate, json.dumps(outside_certificate(plan), indent=1, allow_nan=False) + "\n")
        return [*paths, certificate]
    page = folder / "report.html"
    paths = [*plan.to_csv(folder), *gm.write_sheets(plan, folder)]
    gm.report(plan, page)
    return [*paths, page]


def _tell_plan(plan: gm.Plan, paths: list[Path], as_json: bool, details: bool) -> None:
    from govmatch.reporting.console import headline, plan_record, plan_text

    if as_json:
        told = {**plan_record(plan), **_unused_record(plan.problem)}
        _print_json({"ok": True, **told, "files": [str(p) for p in paths]})
        return
    click.echo(f"{headline(plan)}\n\n{plan_text(plan, details)}\n\nWritten 已写入")
    for path in paths:
        click.echo(f"  {path}")


@main.command()
@click.argument("folder", metavar="DIR")
@_guarded
def template(folder: str, as_json: bool) -> None:
    """Write empty tables and an explanation of every column into DIR 输出空白数据表与列说明."""
    frames = gm.templates(folder)
    if as_json:
        _print_json({"ok": True, "tables": list(frames), "folder": folder})
        return
    click.echo(f"{len(frames)} empty tables and 列说明.csv are in {folder} 已写入空白数据表与列说明")


@main.command()
@click.option(
    "--markdown", is_flag=True, help="The reference page instead of the JSON Schema. 输出参考文档。"
)
@_guarded
def schema(markdown: bool, as_json: bool) -> None:
    """Print the JSON Schema of all tables 输出数据表的 JSON Schema."""
    from govmatch.model.reference import reference_markdown

    if as_json:
        _print_json({"ok": True, "markdown": reference_markdown()} if markdown else gm.schema_json())
        return
    text = (
        reference_markdown()
        if markdown
        else json.dumps(gm.schema_json(), indent=1, ensure_ascii=False) + "\n"
    )
    # in a file it is UTF-8, whatever the console speaks
    click.echo(text if sys.stdout.isatty() else text.encode(), nl=False)


def _frame(columns: dict[str, list[Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)

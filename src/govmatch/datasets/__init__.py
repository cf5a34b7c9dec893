"""Haining's real places with synthetic people, and tables from elsewhere. Returns tables only.

Importing this module loads nothing heavy: the generator, pandas included, loads at the first call.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from govmatch.model.aliases import Aliases, AliasSource
    from govmatch.model.policy import Policy

__all__ = [
    "chinese_holidays",
    "from_csv",
    "great_xishan",
    "haining",
    "los_angeles",
    "los_angeles_policy",
    "xishan",
]


def xishan(
    seed: int = 0,
    *,
    requests: int | None = None,
    volunteers: int | None = None,
    scarcity: float = 1.0,
    day: str = "2026-05-20",
    coupled: float = 0.0,
    kinds: Sequence[str] = ("teams",),
) -> dict[str, pd.DataFrame]:
    """Return one day of 西山社区 and five neighbours: real places, synthetic people.

    The sizes follow the published account: 27 joint units, 45 social organisations of Xishan and,
    apart from these, a Love Alliance of 162 members with 27,000 volunteers.

    Parameters
    ----------
    seed : int
        The same seed gives the same tables, whatever ran before.
    requests : int, optional
        Number of requests; 300 if absent.
    volunteers : int, optional
        Number of registered volunteers, a tenth of whom are free on the day; 27,000 if absent.
    scarcity : float
        Divides how many people hold the scarce skills: 2 halves them.
    day : str
        The one day of the horizon, ISO format; a Saturday or Sunday has a weekend's rhythm.
    coupled : float
        Share of the requests, for each of `kinds`, that are coupled; of free volunteers, for bonds.
    kinds : sequence of str
        "teams" of several roles, group "sessions", "goods" and funds, "bonds" between people (and parties of
        disputes), "limits" (quotas of agreements, jobs elsewhere, hours of a week; these whatever the
        share), "recurrence" (visits for four weeks, and some carers who are free on two or more days of each;
        nothing else is asked after the first day), "rounds" of home visits, for policies with rounds.
        `match` says which of them it does not do together.

    Returns
    -------
    dict of str to pandas.DataFrame
        Tables by the names of the schema.

    Raises
    ------
    InvalidInput
        If an argument is out of range; the message names it.
    """
    from govmatch.datasets.generator import XISHAN, generate

    return generate(
        XISHAN,
        seed,
        requests=requests,
        volunteers=volunteers,
        scarcity=scarcity,
        day=day,
        coupled=coupled,
        kinds=kinds,
    )


def great_xishan(
    seed: int = 0,
    *,
    requests: int | None = None,
    volunteers: int | None = None,
    scarcity: float = 1.0,
    day: str = "2026-05-20",
    coupled: float = 0.0,
    kinds: Sequence[str] = ("teams",),
) -> dict[str, pd.DataFrame]:
    """Return one day of 18 communities in 4 towns, linked by federation, with Xishan's alliance.

    The account names neither the 18 communities nor their volunteers: which ones they are is our
    choice. 900 requests and 40,000 volunteers unless asked otherwise; parameters, return and errors
    are those of `xishan`.
    """
    from govmatch.datasets.generator import GREAT_XISHAN, generate

    return generate(
        GREAT_XISHAN,
        seed,
        requests=requests,
        volunteers=volunteers,
        scarcity=scarcity,
        day=day,
        coupled=coupled,
        kinds=kinds,
    )


def haining(
    seed: int = 0,
    *,
    requests: int | None = None,
    volunteers: int | None = None,
    scarcity: float = 1.0,
    day: str = "2026-05-20",
    coupled: float = 0.0,
    kinds: Sequence[str] = ("teams",),
) -> dict[str, pd.DataFrame]:
    """Return one day of the county: 236 communities and villages, 4,100 organisations.

    3,000 requests (an ordinary day; ``requests=20_000`` is the stress day, with the same supply) and
    200,000 registered volunteers unless asked otherwise; parameters, return and errors are those of
    `xishan`.
    """
    from govmatch.datasets.generator import HAINING, generate

    return generate(
        HAINING,
        seed,
        requests=requests,
        volunteers=volunteers,
        scarcity=scarcity,
        day=day,
        coupled=coupled,
        kinds=kinds,
    )


def from_csv(
    folder: str | os.PathLike[str], aliases: Aliases | AliasSource = None, encoding: str | None = None
) -> dict[str, pd.DataFrame]:
    """Return the tables of a folder of CSV files, or of one .xlsx file.

    Parameters
    ----------
    folder : path
        Holds one file a table, named as the schema names it.
    aliases : path or Aliases, optional
        Other names of tables and columns, as `govmatch.read_tables` takes them.
    encoding : str, optional
        The encoding of the CSV files, such as ``"gb18030"``; found out for every file if absent.

    Returns
    -------
    dict of str to pandas.DataFrame
        What was read, not yet checked.
    """
    from govmatch.model.files import read_tables

    return read_tables(folder, aliases=aliases, encoding=encoding)


def chinese_holidays(*years: int) -> pd.DataFrame:
    """Return the public holidays of mainland China, and the weekend days worked instead, as `holidays`.

    From the library ``chinesecalendar``, which follows the State Council's yearly notices.

    Parameters
    ----------
    *years : int
        Such as 2026; at least one.

    Returns
    -------
    pandas.DataFrame
        date, kind ("holiday" or "workday"), name (in Chinese), by date: every day off, weekends within a
        holiday included.

    Raises
    ------
    InvalidInput
        A year that the installed version does not know; the message names those that it does.
    """
    from govmatch.datasets.holidays import listed

    return listed(years)


def los_angeles(
    folder: str | os.PathLike[str], day: str | None = None, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Return one real day of Los Angeles requests, with synthetic supply.

    See `govmatch.datasets.los_angeles_311`, which also says what the folder must hold. Plans need
    `los_angeles_policy`, whose time zone is that of the city.

    Parameters
    ----------
    folder : path
        The folder of the city's open data; not shipped.
    day : str, optional
        An ISO day on which requests were made; the busiest one if absent.
    seed : int
        Seed of the synthetic supply.

    Returns
    -------
    dict of str to pandas.DataFrame
        Tables by the names of the schema.

    Raises
    ------
    InvalidInput
        If a file or column is missing, or nothing was asked on `day`; the message names it.
    """
    from govmatch.datasets.los_angeles_311 import tables_of_a_day

    return tables_of_a_day(folder, day=day, seed=seed)


def los_angeles_policy() -> Policy:
    """Return the policy for `los_angeles`: the city's time zone, crews that drive."""
    from govmatch.datasets.los_angeles_311 import policy

    return policy()

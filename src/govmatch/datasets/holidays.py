"""Chinese public holidays as a table, from the library that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from numbers import Integral

import chinese_calendar
import pandas as pd

from govmatch.errors import InvalidInput


def listed(years: Sequence[object]) -> pd.DataFrame:
    """Return the table `holidays` of some years; see `govmatch.datasets.chinese_holidays`."""
    off, worked = chinese_calendar.holidays, chinese_calendar.workdays
    known = known_years()
    wrong = [y for y in years if not isinstance(y, Integral) or y not in known]
    if wrong or not years:
        found = repr(wrong[0]) if wrong else "no year"
        raise InvalidInput(
            f"years: found {found}; expected years from {known[0]} to {known[-1]}, as chinesecalendar "
            "knows them, or a newer version of it"
        )
    rows: list[tuple[date, str, str]] = []
    for kind, days in (("holiday", off), ("workday", worked)):
        rows += [(day, kind, _chinese(name)) for day, name in days.items() if day.year in years]
    frame = pd.DataFrame(sorted(rows), columns=["date", "kind", "name"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def known_years() -> list[int]:
    """Return the years that the installed library knows, ascending."""
    return sorted({day.year for day in chinese_calendar.holidays})


def _chinese(name: str) -> str:
    return str(chinese_calendar.Holiday(name).chinese)

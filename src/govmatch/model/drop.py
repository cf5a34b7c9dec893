"""Leaving faulty rows out, without letting a request ask for less than it did."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.sheets import Sheets
from govmatch.model.violations import WHOLE, Violations

_SAYS_MORE = ("roles", "visits", "request_goods", "pins", "parties")


def drop_rows(
    frames: dict[str, pd.DataFrame], places: dict[str, NDArray[np.intp]], faults: pd.DataFrame, sheets: Sheets
) -> pd.DataFrame:
    """Take faulty rows out of `frames` in place.

    A request goes with any row that says more of it: without a lost role or pin it would ask for
    less, or for what was forbidden. A pin that forbids a provider who is not there may go alone.

    Parameters
    ----------
    frames : dict of str to DataFrame
    places : dict of str to int (n,)
        For each row of `frames`, its place in the table as it was given. Kept in step.
    faults : DataFrame
        Of the present rows.
    sheets : Sheets
        The present rows in canonical form.

    Returns
    -------
    DataFrame
        The faults, with rows as they were given.
    """
    faults = pd.concat([faults, _incomplete(faults, sheets)], ignore_index=True)
    told = as_given(faults, places)
    for name, rows in faults.groupby("table", sort=False)["row"]:
        stays = np.ones(len(frames[str(name)]), dtype=bool)
        stays[rows.to_numpy()] = False
        frames[str(name)] = frames[str(name)].iloc[stays]
        places[str(name)] = places[str(name)][stays]
    return told


def as_given(faults: pd.DataFrame, places: Mapping[str, NDArray[np.intp]]) -> pd.DataFrame:
    """Return faults with their rows counted in the tables as they were given."""
    told = faults.copy()
    for name, rows in faults.groupby("table", sort=False)["row"]:
        if name in places:
            moved = np.append(places[str(name)], WHOLE)[rows.to_numpy()]
            told.loc[rows.index, "row"] = moved
    return told


def _incomplete(faults: pd.DataFrame, sheets: Sheets) -> pd.DataFrame:
    """Return a fault for every request that loses a row which says more of it."""
    found = Violations()
    requests = sheets["requests"]["request_id"].values
    for name in _SAYS_MORE:
        of_table = faults[faults["table"] == name]
        if name == "pins":
            harmless = (of_table["code"] == "unknown_reference") & (of_table["column"] == "provider_id")
            actions = sheets["pins"]["action"].values[of_table["row"].to_numpy()]
            of_table = of_table[~(harmless & (actions == "forbid"))]
        rows = np.unique(of_table["row"].to_numpy())
        lost = np.unique(sheets.positions(name, "request_id")[rows])
        lost = lost[lost >= 0]
        if len(lost):
            message = (
                f"a faulty row of {name} says more of request {{}}; without it the request would ask for less"
            )
            found.rows("requests", "request_id", "incomplete_request", message, lost, requests[lost].tolist())
    return found.frame()

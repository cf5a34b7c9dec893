"""Synthetic relations of people: who keeps apart, who prefers whom, parties of disputes and their kin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.datasets.columns import IntArray, TextArray, frame, generator, numbered
from govmatch.ragged import runs

_PART = 31
_APART = 0.3  # of all bonds
_MEDIATION = "dispute_mediation"
_PARTIES = 2
_KIN = np.array([0.5, 0.3, 0.2])  # share of parties with no, one and two relatives who volunteer nearby


def bonds(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Draw relations of volunteers and of the parties of disputes, all of them synthetic.

    Bonds are drawn among those who are free on the day, within one organisation, or one community for
    those in none. Every request for mediation gets two parties, some of whose relatives volunteer in the
    same community, mediators among them.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As `govmatch.datasets.haining` gives them.
    seed : int
    share : float
        Share of the free volunteers who have a bond.

    Returns
    -------
    dict of str to DataFrame
        bonds, residents (those given and the parties), parties and kin.
    """
    rng = generator(seed, _PART)
    volunteers = tables["volunteers"]
    free = volunteers["volunteer_id"].isin(tables["availability"]["provider_id"]).to_numpy(dtype=bool)
    body = volunteers["organization_id"].where(
        volunteers["organization_id"].notna(), volunteers["community_id"]
    )
    code, _ = pd.factorize(body)
    one, other = _pairs(rng, np.flatnonzero(free), code)
    n = min(len(one), round(share * int(free.sum()) / 2))
    chosen = np.sort(rng.choice(len(one), n, replace=False))
    ids = volunteers["volunteer_id"].to_numpy(dtype=object)
    kind = np.where(rng.random(n) < _APART, "apart", "together").astype(object)
    related = frame(provider_id=ids[one[chosen]], other_id=ids[other[chosen]], kind=kind)
    return {"bonds": related, **_disputes(rng, tables, ids)}


def _pairs(rng: np.random.Generator, people: IntArray, body: IntArray) -> tuple[IntArray, IntArray]:
    """Pair people of one body at random, each once."""
    order = people[np.lexsort((rng.random(len(people)), body[people]))]
    place = np.arange(len(order)) - np.searchsorted(body[order], body[order])
    first = np.flatnonzero((place[:-1] % 2 == 0) & (body[order][:-1] == body[order][1:]))
    return order[first], order[first + 1]


def _disputes(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], ids: TextArray
) -> dict[str, pd.DataFrame]:
    """Give every request for mediation two parties, and some of these kin among the volunteers nearby."""
    requests, roles = tables["requests"], tables["roles"]
    asks = (requests["skill"] == _MEDIATION) | requests["request_id"].isin(
        roles["request_id"][roles["skill"] == _MEDIATION]
    )
    row = np.flatnonzero((asks & requests["duplicate_of"].isna()).to_numpy(dtype=bool))
    request = np.repeat(row, _PARTIES)
    resident = numbered("P-D", np.arange(1, len(request) + 1), 6)
    community = requests["community_id"].to_numpy(dtype=object)[request]
    skilled = tables["skills"]["provider_id"][tables["skills"]["skill"] == _MEDIATION]
    lives = tables["volunteers"]["community_id"].to_numpy(dtype=object)
    code, names = pd.factorize(np.concatenate([lives, community]))
    home, where = code[: len(lives)], code[len(lives) :]
    # mediators of a community first, so that neutrality matters, then everybody
    rank = np.lexsort((rng.random(len(ids)), ~pd.Series(ids).isin(skilled).to_numpy(), home))
    first = np.searchsorted(home[rank], np.arange(len(names)))
    size = np.bincount(home[home >= 0], minlength=len(names))
    count = np.minimum(rng.choice(len(_KIN), len(request), p=_KIN), size[where])
    party, nth = runs(count)
    # neighbours in that order are different people
    start = np.floor(rng.random(len(request)) * np.minimum(size[where], 6)).astype(np.int64)
    who = rank[first[where[party]] + (start[party] + nth) % size[where[party]]]
    new = frame(resident_id=resident, community_id=community)
    known = tables.get("residents")
    return {
        "residents": new if known is None else pd.concat([known, new], ignore_index=True),
        "parties": frame(
            request_id=requests["request_id"].to_numpy(dtype=object)[request], resident_id=resident
        ),
        "kin": frame(volunteer_id=ids[who], resident_id=resident[party]),
    }

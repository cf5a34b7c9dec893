"""The generator of relations between people: who is drawn, and that they matter."""

import govmatch as gm
from govmatch.datasets.bonds import bonds


def test_relations_of_a_day():
    tables = gm.datasets.xishan(seed=3, requests=120, volunteers=4000)
    drawn = bonds(tables, 3, 0.4)
    again = bonds(tables, 3, 0.4)
    assert all(drawn[name].equals(again[name]) for name in drawn)
    assert not bonds(tables, 4, 0.4)["bonds"].equals(drawn["bonds"])
    problem = gm.Problem.from_tables({**tables, **drawn})
    assert "bonds" in problem.features
    assert problem.synthetic
    kinds = drawn["bonds"]["kind"].value_counts(normalize=True)
    assert 0.2 < kinds["apart"] < 0.4
    people = tables["volunteers"].set_index("volunteer_id")
    one, other = (people.loc[drawn["bonds"][side]] for side in ("provider_id", "other_id"))
    body = [frame["organization_id"].fillna(frame["community_id"]).tolist() for frame in (one, other)]
    assert body[0] == body[1]
    free = set(tables["availability"]["provider_id"])
    assert set(drawn["bonds"]["provider_id"]) | set(drawn["bonds"]["other_id"]) <= free
    plan = gm.match(problem)
    assert plan.certificate.verified


def test_parties_of_disputes_and_their_kin():
    tables = gm.datasets.great_xishan(seed=5)
    drawn = bonds(tables, 5, 0.1)
    assert (drawn["parties"].groupby("request_id").size() == 2).all()
    assert drawn["residents"]["resident_id"].is_unique
    asked = tables["requests"].set_index("request_id").loc[drawn["parties"]["request_id"]]
    assert asked["duplicate_of"].isna().all()
    home = tables["volunteers"].set_index("volunteer_id")["community_id"]
    where = drawn["residents"].set_index("resident_id")["community_id"]
    assert (
        home[drawn["kin"]["volunteer_id"]].to_numpy() == where[drawn["kin"]["resident_id"]].to_numpy()
    ).all()
    problem = gm.Problem.from_tables({**tables, **drawn})
    assert len(problem.demand.forbid_provider) >= len(drawn["kin"]) * 0.5
    known = {**tables, "residents": drawn["residents"].head(0)}
    assert len(bonds(known, 5, 0.1)["residents"]) == len(drawn["residents"])

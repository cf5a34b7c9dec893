"""A village for tests of the tables: everything small, everything clean, all synthetic."""

import pandas as pd


def village():
    """Two communities, one organisation with staff, three volunteers, three requests on Friday 2026-05-01."""
    return {
        "communities": pd.DataFrame(
            {
                "community_id": ["C1", "C2"],
                "name": ["West", "East"],
                "lat": [30.5, 30.6],
                "lon": [120.7, 120.8],
            }
        ),
        "party_units": pd.DataFrame(
            {"unit_id": ["U1", "U2"], "parent_id": [None, "U1"], "community_id": ["C1", "C2"]}
        ),
        "organizations": pd.DataFrame(
            {
                "organization_id": ["O1", "O2"],
                "community_id": ["C2", "C1"],
                "party_unit_id": ["U2", None],
                "capacity_per_slot": [3, None],
                "capacity_per_week": [None, 7],
            }
        ),
        "agreements": pd.DataFrame(
            {"agreement_id": ["A1"], "from_id": ["C1"], "to_id": ["O1"], "kind": ["joint_building"]}
        ),
        "volunteers": pd.DataFrame(
            {
                "volunteer_id": ["V1", "V2", "V3"],
                "organization_id": ["O2", None, "O1"],
                "community_id": ["C1", "C2", None],
                "lat": [30.55, None, None],
                "lon": [120.75, None, None],
                "mode": ["walk", None, "car"],
                "max_jobs_per_day": [1, None, None],
                "clearance": [0, 2, None],
                "dialect": ["Wu", None, "Min"],
            }
        ),
        "availability": pd.DataFrame(
            {
                "provider_id": ["V2", "V1", "O1"],
                "start": ["2026-05-01 08:00", "2026-05-01 09:00", "2026-05-01 07:00"],
                "end": ["2026-05-01 10:00", "2026-05-01 11:30", "2026-05-01 20:00"],
            }
        ),
        "skills": pd.DataFrame(
            {
                "provider_id": ["V2", "V1", "O1", "V1"],
                "skill": ["tutoring", "repair", "repair", "first aid"],
                "level": [2, 3, 1, 1],
                "certified_until": [None, None, None, "2026-12-31"],
            }
        ),
        "requests": pd.DataFrame(
            {
                "request_id": ["R1", "R2", "R3"],
                "community_id": ["C1", "C2", "C1"],
                "skill": ["repair", None, "juggling"],
                "earliest": ["2026-05-01 09:00", "2026-05-01 08:00", None],
                "latest": ["2026-05-01 12:00", "2026-05-01 18:00", None],
                "minutes": [60, 30, 45],
                "priority": [1, 3, 5],
                "group": ["elderly", None, None],
                "resident_id": [None, "P1", None],
                "dialect": ["Wu", "Hakka", None],
            }
        ),
        "residents": pd.DataFrame({"resident_id": ["P1"], "group": ["child"]}),
        "pins": pd.DataFrame({"request_id": ["R1"], "provider_id": ["O1"], "action": ["forbid"]}),
        "about": pd.DataFrame({"key": ["synthetic"], "value": ["people"]}),
    }


def changed(table, **columns):
    """The village with other values in some columns of one table; rows that it lacks are not added."""
    tables = village()
    tables[table] = tables[table].assign(**columns)
    return tables


def with_rows(table, *rows):
    """The village with more rows in one table."""
    tables = village()
    given = tables.get(table, pd.DataFrame()).to_dict("records")
    tables[table] = pd.DataFrame([*given, *rows], dtype=object)
    return tables

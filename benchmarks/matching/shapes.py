"""The shape of an instance: how many, how scarce, where, under which forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Shape:
    """What the generator is asked for; `square` alone asks for a dense square of that size."""

    requests: int = 0
    volunteers: int = 0
    cap: int = 2  # requests a volunteer may serve in the week
    forest: Literal["flat", "slots", "deep"] = "slots"
    arcs: int = 32  # the cheapest arcs of each request
    places: int = 236  # communities
    skills: int = 24
    hot: float = 0.0  # share of the requests that is moved to one community
    priorities: tuple[int, ...] = (1, 1, 1, 1)  # their weights; unmet costs 2,000 x priority + 1,000
    demand: tuple[int, int] = (1, 1)  # people a request, from–to
    load_cost: int = 0  # each further job of one volunteer costs so much more than the one before
    members: int = 150  # volunteers of one organisation ("deep")
    organisation_share: float = 0.8  # of its members' capacity that an organisation can look after ("deep")
    square: int = 0

    @property
    def scarcity(self) -> float:
        """Demand ÷ supply; supply is what the volunteers, or their organisations, can serve in the week."""
        supply = self.volunteers * self.cap * (self.organisation_share if self.forest == "deep" else 1.0)
        return self.requests * sum(self.demand) / 2 / supply

    def shrunk(self, requests: int) -> Shape:
        """Return the same with so many requests at most, and all else in proportion."""
        if self.square:
            return replace(self, square=min(self.square, 30))
        part = min(1.0, requests / self.requests)
        return replace(
            self,
            requests=round(self.requests * part),
            volunteers=max(10, round(self.volunteers * part)),
            places=max(4, round(self.places * part)),
            # as many volunteers of a skill as before, so that there still are arcs
            skills=max(2, round(self.skills * part)),
        )

"""An operator at a hub, for tests: asks for acts by number, as the command does."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from hub.corrections.acts import Act, Outcome
from hub.corrections.carrying_out import Request
from hub.corrections.constraints import Constraints
from hub.corrections.rebuilding import Rebuilt, RebuiltIdentity
from hub.reader import SiteReader
from hub.records import IdentityState
from hub.site_hub import Hub
from hub.state import SiteState


@dataclass
class Operator:
    """Says things to the hub of a data folder."""

    data: Path

    def ask(self, hub: Hub, act: Act, *, now_ns: int, request_id: str = "") -> Outcome:
        """Let the hub carry it out. Raises DataError where it cannot."""
        request = Request(request_id=request_id or uuid.uuid4().hex, actor="tester", act=act)
        with SiteReader(self.data) as archive:
            return hub.correct(request, archive, now_ns=now_ns)


def stored(data: Path, constraints: Constraints) -> Rebuilt:
    """What the rows say, in the form in which the log says it; `constraints` are those that the hub has in mind."""
    with SiteReader(data) as reader:
        everybody = reader.identities()
        return Rebuilt(
            tracklets={t.number: t.identity_id for t in reader.tracklets() if t.identity_id is not None},
            identities={one.identity_id: RebuiltIdentity(one.state, one.merged_into, one.name_id) for one in everybody},
            constraints=constraints,
        )


def comparable(told: Rebuilt) -> tuple[object, ...]:
    """Comparable by ==."""
    return told.tracklets, told.identities, told.constraints.in_force(), list(told.constraints.assertions)


def live(state: SiteState) -> dict[int, int]:
    """Identity by tracklet, of those in mind."""
    return {number: t.identity_id for number, t in sorted(state.tracklets.items()) if t.identity_id is not None}


def active(data: Path) -> list[int]:
    """Who stands."""
    with SiteReader(data) as reader:
        return [one.identity_id for one in reader.identities() if one.state is IdentityState.ACTIVE]

"""Everything that a hub has in mind, as plain values: two hubs that have the same are the same."""

from typing import Any

from hub.state import SiteState


def fingerprint(state: SiteState) -> dict[str, Any]:
    """Comparable by ==; arrays as bytes."""
    return {
        "clock": state.clock_ns,
        "counters": dict(state.counters),
        "boots": dict(state.boots),
        "identities": dict(state.identities),
        "tracklets": {n: (t, t.embedding.tobytes()) for n, t in state.tracklets.items()},
        "constraints": (state.constraints.in_force(), list(state.constraints.assertions)),
        "members": {i: [m.number for m in state.members(i)] for i in state.identities},
        "spaces": {
            model_id: (
                space.dimension,
                space.active_version,
                None if space.statistics is None else space.statistics.parts(),
                {
                    n: space.prototypes([n]).tobytes()
                    for n, t in state.tracklets.items()
                    if t.prototype and t.model_id == model_id
                },
                len(space),
            )
            for model_id, space in state.spaces.items()
        },
    }

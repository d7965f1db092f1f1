"""Everything that a hub has in mind, as plain values: two hubs that have the same are the same."""

from typing import Any

from hub.state import SiteState


def knowledge_parts(state: SiteState) -> list[str]:
    """The names of all parts of what was learned, also those of which nothing is known yet."""
    knowledge = state.knowledge
    for model_id in state.spaces:
        knowledge.calibration(model_id)
    calibrations = [f"calibration {model_id}" for model_id in knowledge.calibrated_models]
    maps = [f"map {name}" for name in sorted(knowledge.floor.maps)]
    return ["topology", "spacings", "promise", *calibrations, *maps]


def fingerprint(state: SiteState) -> dict[str, Any]:
    """Comparable by ==; arrays as bytes."""
    return {
        "clock": state.clock_ns,
        "counters": dict(state.counters),
        "boots": dict(state.boots),
        "identities": dict(state.identities),
        "tracklets": {n: (t, t.embedding.tobytes()) for n, t in state.tracklets.items()},
        "constraints": (state.constraints.in_force(), list(state.constraints.assertions)),
        "paths": {
            number: tuple(array.tobytes() for array in (path.at_ns, path.feet, path.heights, path.cut))
            for number, path in state.paths.items()
        },
        "knowledge": {part: state.knowledge.packed(part) for part in knowledge_parts(state)},
        "rollout": state.rollout,
        "members": {i: [m.number for m in state.members(i)] for i in state.identities},
        "spaces": {
            model_id: (
                space.dimension,
                space.active_version,
                None if space.statistics is None else space.statistics.parts(),
                {
                    n: space.prototypes([n]).tobytes()
                    for n, t in state.tracklets.items()
                    if t.prototype and space.describes(t)
                },
                len(space),
                {n: (twin, twin.embedding.tobytes()) for n in state.tracklets if (twin := space.twin(n)) is not None},
                {i: [m.number for m in state.prototypes(i, model_id)] for i in state.identities},
            )
            for model_id, space in state.spaces.items()
        },
    }

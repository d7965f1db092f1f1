"""A camera that was moved: what was learned of it holds no more."""

from dataclasses import dataclass

from hub.records import ActId
from hub.state import SiteState
from passerby.errors import DataError
from passerby.ids import CameraId


@dataclass(frozen=True, slots=True)
class Resetting:
    """The statistics of a camera begin anew, those of every model that knows it."""

    camera_id: CameraId

    def carry_out(self, state: SiteState, act_id: ActId) -> None:  # noqa: ARG002 - it makes no event
        spaces = [space for _, space in sorted(state.spaces.items()) if self.camera_id in space.cameras()]
        if not spaces:
            known = {name for space in state.spaces.values() for name in space.cameras()}
            raise DataError(
                f"no statistics of camera {self.camera_id!r}; there are some of: {', '.join(sorted(known)) or 'none'}"
            )
        for space in spaces:
            space.reset_camera(self.camera_id)
            state.changes.models[space.model_id] = None

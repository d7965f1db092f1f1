"""Moments of a simulated site as endless live pictures: somebody is always in them, and drawing them costs nothing."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulation.site import SimulatedSite

_SEED = 1
_SECONDS = 6
_MIN_HEIGHT, _MIN_VISIBILITY = 100, 0.5


@dataclass(frozen=True, slots=True)
class Loop:
    """Pictures (n, height, width, 3) uint8 BGR, shown forwards and backwards in turn: nobody jumps."""

    pictures: np.ndarray
    fps: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pictures.shape[2], self.pictures.shape[1]

    def picture(self, index: int) -> np.ndarray:
        """The picture of any index."""
        last = len(self.pictures) - 1
        return self.pictures[last - abs(last - index % (2 * last))]


@lru_cache(maxsize=1)
def _site() -> SimulatedSite:
    return SimulatedSite.make("default", seed=_SEED)


def busy_loop(camera: str, *, begin_s: float) -> Loop:
    """Six seconds of a camera of the demo's site; AssertionError if a picture has nobody who can be recognized."""
    site = _site()
    spec = site.spec(site.camera_ids[[str(one) for one in site.camera_ids].index(camera)])
    first = round(begin_s * spec.fps)
    frames = [site.render(spec.camera_id, index) for index in range(first, first + round(_SECONDS * spec.fps))]
    for frame in frames:
        heights = frame.truth.boxes_xyxy[:, 3] - frame.truth.boxes_xyxy[:, 1]
        seen = (heights >= _MIN_HEIGHT) & (frame.truth.visibility >= _MIN_VISIBILITY)
        assert seen.any(), f"nobody can be recognized in {camera} at {frame.truth.time_s:.1f} s; choose another moment"
    return Loop(np.stack([frame.image for frame in frames]), spec.fps)

"""How many people the cameras see now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hub.reader import SiteReader
from passerby.ids import CameraId

WITHIN_NS = 5 * 10**9
"""An open tracklet has news every second (`update_interval_s`). Longer than for boxes over a picture: a count that
falls and rises again switches somebody's light."""


@dataclass(frozen=True, slots=True)
class People:
    """Counts. Somebody whom two cameras see is one person of the site, once the hub has decided who they are."""

    site: int = 0
    cameras: Mapping[CameraId, int] = field(default_factory=dict)


def people_now(reader: SiteReader, cameras: Collection[CameraId], *, now_ns: int) -> People:
    """As of `now_ns`, in the hub's time. Raises StoreError."""
    present = reader.present(updated_since_ns=now_ns - WITHIN_NS)
    # Who is not decided yet counts as somebody: by the tracklet, which no identity's number can equal when negated.
    seen = [(camera, identity if identity is not None else -number) for camera, number, identity in present]
    return People(
        site=len({person for _, person in seen}),
        cameras={camera: len({person for where, person in seen if where == camera}) for camera in cameras},
    )

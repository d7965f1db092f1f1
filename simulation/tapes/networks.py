"""What a re-ID network's raw embeddings are made of: shares of their energy, measured on real ones. docs/tapes.md."""

from dataclasses import dataclass
from typing import Literal, get_args

from passerby.errors import ConfigError
from passerby.ids import ModelId

DIMENSION = 256

NetworkName = Literal["like-retail-0288", "like-retail-0277"]


@dataclass(frozen=True, slots=True)
class NetworkProfile:
    """Shares of an embedding's energy within one camera: those of a person and of a picture make about 1 together.

    First read off PKU-Reid (44 people, 2 cameras, 8 directions; one camera's mean taken away), then moved until the
    similarities of tapes were those of the real network.
    """

    name: NetworkName
    length: float
    """Root of the mean squared length within a camera."""
    person: float
    """Of the person alone: common to all cameras and directions."""
    view: float
    """Of the person as seen from a direction, common to all cameras."""
    common_view: float
    """Of the direction, common to everybody: fronts are like fronts."""
    person_camera: float
    """Of the person in one camera, from all directions."""
    view_camera: float
    """Of the person in one camera from one direction."""
    picture: float
    """Of the picture: pose, background, box."""
    site: float
    """Of the site's mean, beside the sum of the shares above."""
    camera: float
    """Of a camera's shift from the site's mean, beside the sum of the shares above."""
    scale: float
    """Standard deviation of the logarithm of a camera's scale on each axis."""
    person_decay: float
    """The person's energy on axis k falls as (k + 4) ** -decay."""
    picture_decay: float
    """The same of pictures, directions, cameras and the site."""
    person_spread: float
    """Some people are more striking than others: standard deviation of the logarithm of a person's energy."""
    in_camera_spread: float
    """The same of what is the person's in one camera: some change much, most little."""
    picture_spread: float
    """The same of pictures."""

    @property
    def model_id(self) -> ModelId:
        """The embedding space that messages name."""
        return ModelId(f"{self.name}@1")


_PROFILES: dict[NetworkName, NetworkProfile] = {
    "like-retail-0288": NetworkProfile(
        name="like-retail-0288", length=5.75, person=0.297, view=0.13, common_view=0.04, person_camera=0.185,
        view_camera=0.196, picture=0.12, site=0.033, camera=0.12, scale=0.04, person_decay=1.28, picture_decay=0.83,
        person_spread=0.58, in_camera_spread=0.48, picture_spread=0.48,
    ),
    "like-retail-0277": NetworkProfile(
        name="like-retail-0277", length=6.35, person=0.36, view=0.122, common_view=0.03, person_camera=0.187,
        view_camera=0.172, picture=0.122, site=0.042, camera=0.091, scale=0.015, person_decay=1.07, picture_decay=0.665,
        person_spread=0.49, in_camera_spread=0.76, picture_spread=0.60,
    ),
}  # fmt: skip


def network_profile(name: str) -> NetworkProfile:
    """The profile of that name. Raises ConfigError for any other."""
    for known in get_args(NetworkName):
        if name == known:
            profile: NetworkProfile = _PROFILES[known]
            return profile
    raise ConfigError(f"no network is called {name!r}; there are {', '.join(_PROFILES)}")

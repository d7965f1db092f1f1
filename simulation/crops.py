"""Single people as pictures, for training: any person from any side, as any camera shows it."""

from dataclasses import dataclass

import cv2
import numpy as np

from passerby.arrays import Image, require_image
from passerby.errors import DataError
from simulation.blending import brightened, laid_over
from simulation.bodies.drawing import Sprite, draw
from simulation.bodies.figure import FINE_PX_PER_M, Figure
from simulation.bodies.skeleton import Stance
from simulation.looks import Person
from simulation.responses import CameraResponse

_MARGIN = 0.04
"""Of the box's size, left around the person on each side."""


@dataclass(frozen=True, slots=True)
class CropView:
    """How a person is seen.

    `yaw_rad` is the camera's direction from the person's front, left positive; `pitch_rad` how far it looks down;
    `phase` the fraction of the walking cycle; `height_px` the height of the person in the crop.
    """

    yaw_rad: float
    pitch_rad: float
    height_px: int
    phase: float = 0.0
    stance: Stance = "walk"
    carrying: bool = True
    brightness: float = 1.0


def figure(person: Person) -> Figure:
    """What `render_crop` needs of a person; building it takes longer than a crop, so keep it."""
    return Figure(person)


def render_crop(body: Figure, view: CropView, *, response: CameraResponse, background: Image | None = None) -> Image:
    """The person's box with a small margin, (height, width, 3) uint8 BGR, before noise is added.

    `background` is stretched to the crop; without one it is grey. Raises DataError for a height below 8 pixels or a
    background that is no picture.
    """
    if view.height_px < 8:
        raise DataError(f"height_px is {view.height_px}, expected 8 or more")
    samples = body.sample(
        phase=view.phase, stance=view.stance, yaw=view.yaw_rad, pitch=view.pitch_rad, carrying=view.carrying
    )
    sprite: Sprite = draw(samples, px_per_m=FINE_PX_PER_M)
    x0, y0, x1, y1 = sprite.bounds_xyxy
    scale = view.height_px / (y1 - y0)
    inner = sprite.bgra[y0:y1, x0:x1]
    size = max(4, round((x1 - x0) * scale)), view.height_px
    drawn = cv2.resize(inner, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    aside, above = round(size[0] * _MARGIN) + 1, round(size[1] * _MARGIN) + 1
    drawn = cv2.copyMakeBorder(drawn, above, above, aside, aside, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    height, width = drawn.shape[:2]
    if background is None:
        under = np.full((height, width, 3), 140, np.uint8)
    else:
        require_image("background", background)
        under = np.asarray(cv2.resize(background, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    lit = brightened(np.asarray(drawn, dtype=np.uint8), view.brightness)
    return response.optics(response.colours(laid_over(under, lit)))


def add_noise(crop: Image, *, response: CameraResponse, draw: np.random.Generator) -> Image:
    """The camera's noise on a crop."""
    noise = draw.normal(0, response.noise, crop.shape)
    return np.asarray(np.clip(crop + noise, 0, 255).round(), dtype=np.uint8)

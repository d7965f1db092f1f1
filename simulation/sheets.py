"""Contact sheets: a site at a glance."""

import cv2
import numpy as np

from passerby.arrays import Image
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth

_COLOURS = ((80, 200, 60), (60, 160, 240), (230, 140, 60), (200, 80, 200), (60, 220, 220), (90, 90, 230))


def contact_sheet(site: SimulatedSite, *, times_s: list[float], columns: int = 2, boxes: bool = True) -> Image:
    """All cameras side by side, at each time one below the other; `boxes` draws who is who."""
    pictures = []
    for time_s in times_s:
        for camera in site.camera_ids:
            rendered = site.render(camera, int(time_s * site.spec(camera).fps))
            pictures.append(_with_boxes(rendered.image, rendered.truth) if boxes else rendered.image)
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * height, columns * width, 3), 30, np.uint8)
    for number, picture in enumerate(pictures):
        y, x = number // columns * height, number % columns * width
        sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return sheet


def _with_boxes(image: Image, truth: FrameTruth) -> Image:
    drawn = image.copy()
    for number, box, share in zip(truth.person_ids.tolist(), truth.boxes_xyxy, truth.visibility, strict=True):
        if share < 0.1:
            continue
        x0, y0, x1, y1 = (int(value) for value in box)
        colour = _COLOURS[number % len(_COLOURS)]
        cv2.rectangle(drawn, (x0, y0), (x1 - 1, y1 - 1), colour, 1)
        cv2.putText(drawn, str(number), (x0 + 2, max(11, y0 - 3)), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3)
        cv2.putText(drawn, str(number), (x0 + 2, max(11, y0 - 3)), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1)
    return drawn

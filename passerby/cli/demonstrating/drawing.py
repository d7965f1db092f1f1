"""Pictures of a site in which a person has one name and one colour, whatever the camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from passerby.arrays import Float32Array, Image

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red."""

_COLOURS: tuple[Colour, ...] = (
    (60, 60, 235), (70, 170, 30), (220, 110, 20), (0, 140, 255), (190, 50, 170), (190, 170, 0),
    (140, 80, 255), (20, 190, 190), (90, 90, 150), (180, 130, 90), (60, 110, 40), (110, 20, 90),
)  # fmt: skip

_PAPER: Colour = (255, 255, 255)
_INK: Colour = (45, 40, 40)
_FONT = cv2.FONT_HERSHEY_DUPLEX
_GAP = 8
_LINE = 34
_NAME = 24
_NAMED_HEIGHT_PX = 90.0
_CROP_HEIGHT = 190

_Place: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class NamedBox:
    """A person to be drawn; `twice`: another camera of the same sheet shows them too."""

    identity: int
    box_xyxy: Float32Array
    twice: bool = False


class Palette:
    """One colour for each identity; those who come first get those that differ most."""

    def __init__(self, identities: Sequence[int]) -> None:
        self._order = {identity: number for number, identity in enumerate(dict.fromkeys(identities))}

    def colour(self, identity: int) -> Colour:
        """The colour of an identity."""
        return _COLOURS[self._order.get(identity, identity) % len(_COLOURS)]


def draw_people(image: Image, people: Sequence[NamedBox], *, palette: Palette) -> Image:
    """A copy of a picture with a box and a name for everybody; who is in another picture too has a thick box."""
    drawn = image.copy()
    for person in people:
        x0, y0, x1, y1 = (int(value) for value in person.box_xyxy)
        cv2.rectangle(drawn, (x0, y0), (x1, y1), palette.colour(person.identity), 4 if person.twice else 2)
    taken: list[_Place] = []
    for person in sorted(people, key=lambda one: not one.twice):  # names over all boxes
        taken.append(_name_place(drawn, person, taken=taken))
        _name(drawn, person, place=taken[-1], colour=palette.colour(person.identity))
    return drawn


def camera_sheet(pictures: Mapping[str, Image], *, lines: Sequence[tuple[Colour, str]], columns: int = 2) -> Image:
    """Pictures side by side under the names of their cameras, and below them a line of text with its colour each."""
    width = max(picture.shape[1] for picture in pictures.values())
    height = max(picture.shape[0] for picture in pictures.values()) + _LINE
    rows = -(-len(pictures) // columns)
    sheet = _paper(rows * (height + _GAP) + _GAP + len(lines) * _LINE, columns * (width + _GAP) + _GAP)
    for number, (name, picture) in enumerate(pictures.items()):
        y, x = _GAP + number // columns * (height + _GAP), _GAP + number % columns * (width + _GAP)
        _write(sheet, f"camera {name}", at=(x + 2, y + 23), size=0.7)
        sheet[y + _LINE : y + _LINE + picture.shape[0], x : x + picture.shape[1]] = picture
    for number, (colour, text) in enumerate(lines):
        y = rows * (height + _GAP) + _GAP + number * _LINE
        cv2.rectangle(sheet, (_GAP, y + 2), (_GAP + 24, y + 26), colour, -1)
        _write(sheet, text, at=(_GAP + 36, y + 22), size=0.7)
    return sheet


def people_sheet(looks: Mapping[int, Mapping[str, Image]], *, palette: Palette) -> Image:
    """A row for each identity: the crop of each camera that saw it, under the camera's name; cameras are columns."""
    cameras = sorted({camera for crops in looks.values() for camera in crops})
    cells = {identity: {camera: _fitted(crop) for camera, crop in crops.items()} for identity, crops in looks.items()}
    least = max((_text_width(camera, 0.6) for camera in cameras), default=0)
    widths = {
        camera: max([least, *(crops[camera].shape[1] for crops in cells.values() if camera in crops)]) + 2 * _GAP
        for camera in cameras
    }
    label = max((_text_width(f"person {identity}", 0.8) for identity in looks), default=0) + 4 * _GAP
    sheet = _paper(_LINE + len(looks) * (_CROP_HEIGHT + _GAP), label + sum(widths.values()))
    for row, (identity, crops) in enumerate(cells.items()):
        y = _LINE + row * (_CROP_HEIGHT + _GAP)
        cv2.rectangle(sheet, (0, y), (_GAP, y + _CROP_HEIGHT), palette.colour(identity), -1)
        _write(sheet, f"person {identity}", at=(2 * _GAP, y + _CROP_HEIGHT // 2), size=0.8)
        x = label
        for camera in cameras:
            if row == 0:
                _write(sheet, camera, at=(x, 23), size=0.6)
            if camera in crops:
                crop = crops[camera]
                sheet[y : y + _CROP_HEIGHT, x : x + crop.shape[1]] = crop
                right, bottom = x + crop.shape[1] - 1, y + _CROP_HEIGHT - 1
                cv2.rectangle(sheet, (x + 1, y + 1), (right - 1, bottom - 1), palette.colour(identity), 3)
            x += widths[camera]
    return sheet


def cut_out(image: Image, box_xyxy: Float32Array, *, margin: float = 0.12) -> Image:
    """The box with some of what is around it, as far as the picture goes."""
    x0, y0, x1, y1 = box_xyxy.tolist()
    aside, above = margin * (y1 - y0), 0.5 * margin * (y1 - y0)
    left, top = max(0, int(x0 - aside)), max(0, int(y0 - above))
    return image[top : int(np.ceil(y1 + above)), left : int(np.ceil(x1 + aside))]


def _name_place(image: Image, person: NamedBox, *, taken: Sequence[_Place]) -> _Place:
    """Above the box; where another name is, below it or within it."""
    height, width = image.shape[:2]
    left, top, _, bottom = (int(value) for value in person.box_xyxy)
    across = _text_width(_called(person), 0.6) + 8
    x = min(max(0, left - 2), width - across)
    places = [(x, y, x + across, y + _NAME) for y in (top - _NAME, bottom, top, (top + bottom) // 2)]
    places = [place for place in places if place[1] >= 0 and place[3] <= height] or [(x, 0, x + across, _NAME)]
    free = [place for place in places if not any(_overlap(place, other) for other in taken)]
    return (free or places)[0]


def _overlap(one: _Place, other: _Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _name(image: Image, person: NamedBox, *, place: _Place, colour: Colour) -> None:
    cv2.rectangle(image, place[:2], place[2:], colour, -1)
    _write(image, _called(person), at=(place[0] + 4, place[3] - 6), size=0.6, ink=_PAPER)


def _called(person: NamedBox) -> str:
    """Far away there is room for the number alone."""
    tall = float(person.box_xyxy[3] - person.box_xyxy[1])
    return f"person {person.identity}" if person.twice or tall >= _NAMED_HEIGHT_PX else str(person.identity)


def _fitted(crop: Image) -> Image:
    width = max(1, round(crop.shape[1] * _CROP_HEIGHT / crop.shape[0]))
    return np.asarray(cv2.resize(crop, (width, _CROP_HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _write(image: Image, text: str, *, at: tuple[int, int], size: float, ink: Colour = _INK) -> None:
    cv2.putText(image, text, at, _FONT, size, ink, 1, cv2.LINE_AA)


def _text_width(text: str, size: float) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, size, 1)
    return int(width)

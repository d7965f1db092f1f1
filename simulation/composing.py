"""One frame: people drawn into the empty scene, farthest first, behind what hides them, as the camera sees it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image
from simulation.blending import brightened, darkened, laid_over, masked, opaque
from simulation.bodies.drawing import Sprite
from simulation.bodies.sprites import SpriteBook, view_of
from simulation.cameras import CameraSpec
from simulation.day import STEP_S, Day, Light
from simulation.plan import OUTSIDE, Plan
from simulation.responses import aligned
from simulation.scenery.background import Background, render_background
from simulation.scenery.lighting import RoomLight
from simulation.streams import stream
from simulation.truth import FrameTruth, RenderedFrame, frame_truth
from simulation.world import PersonState

_NEAREST_M = 0.7
"""Who is nearer fills the picture with a coat; nobody is drawn."""

_SLACK_M = 0.12
"""Things hide a person when they are nearer by more than this."""

_NOISE_TILES = 2

_Rect: TypeAlias = tuple[int, int, int, int]

_Item: TypeAlias = tuple[float, float, float, PersonState, bool]
"""Place, height, whose it is, and whether it is the case instead of the person."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A sprite in the picture. `matrix` (2, 3) takes its pixels there; `depths` are of feet and head."""

    sprite: Sprite
    matrix: NDArray[np.float64]
    feet_y: float
    head_y: float
    depths: tuple[float, float]
    place: tuple[float, float]
    person_id: int
    """0: a thing, of which nothing is told."""


class CameraView:
    """Draws the frames of one camera; the empty scene is drawn once. Not thread-safe."""

    def __init__(self, seed: int, plan: Plan, camera: CameraSpec, *, book: SpriteBook) -> None:
        self._seed, self._plan, self._camera, self._book = seed, plan, camera, book
        self._background: Background = render_background(plan, camera)
        self._day = Day(seed)
        self._lights: dict[int, RoomLight] = {}
        self._steps: OrderedDict[int, tuple[Light, Image, Image]] = OrderedDict()
        draw = stream(seed, "noise", camera.camera_id)
        shape = (camera.height + 64, camera.width + 64, 3)
        tiles = [draw.normal(0, camera.response.noise, shape).round() for _ in range(_NOISE_TILES)]
        self._noise = [
            (np.clip(tile, 0, 255).astype(np.uint8), np.clip(-tile, 0, 255).astype(np.uint8)) for tile in tiles
        ]
        self._blob = _blob()

    def render(self, frame_index: int, states: Sequence[PersonState]) -> RenderedFrame:
        """The frame of an index, with the people who are in the world at its time."""
        camera = self._camera
        time_s = frame_index / camera.fps
        light, scene, finished = self._empty(int(np.floor(time_s / STEP_S)))
        placed = sorted(self._place_all(states), key=lambda one: -one.depths[0])
        scene, picture = (scene.copy(), finished.copy()) if placed else (scene, finished.copy())
        owner = np.zeros(scene.shape[:2], np.int16)
        changed: list[_Rect] = []
        told: list[tuple[int, _Placed, int, _Rect]] = []
        for one in placed:
            changed += self._shadow(scene, one)
        for order, one in enumerate(placed, start=1):
            drawn = self._draw(scene, owner, one, order=order, light=light)
            if drawn is not None:
                changed.append(drawn[2])
                told.append((order, one, drawn[0], drawn[1]))
        for x0, y0, x1, y1 in _merged(changed, camera):
            part = np.ascontiguousarray(scene[y0:y1, x0:x1])
            picture[y0:y1, x0:x1] = camera.response.optics(camera.response.colours(part))
        self._add_noise(picture, frame_index)
        return RenderedFrame(picture, self._truth(frame_index, time_s, owner=owner, told=told))

    def _truth(
        self, frame_index: int, time_s: float, *, owner: NDArray[np.int16], told: list[tuple[int, _Placed, int, _Rect]]
    ) -> FrameTruth:
        camera = self._camera
        rows = []
        for order, one, area, box in told:
            x0, y0, x1, y1 = box
            seen = cv2.countNonZero((owner[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] == order).astype(np.uint8))
            if one.person_id and seen:
                rows.append(
                    (one.person_id, (float(x0), float(y0), float(x1), float(y1)), min(1.0, seen / area), one.place)
                )
        return frame_truth(
            camera.camera_id,
            frame_index,
            time_s=time_s,
            rows=rows,
            size=(camera.width, camera.height),
        )

    def _empty(self, step: int) -> tuple[Light, Image, Image]:
        """The light of a step, the empty scene under it, and the same as the camera shows it."""
        found = self._steps.get(step)
        if found is None:
            light = self._day.light(step, self._camera.camera_id)
            scene = cv2.addWeighted(self._background.artificial, light.lamps, self._background.daylight, light.day, 0)
            response = self._camera.response
            found = self._steps[step] = (light, np.asarray(scene), response.optics(response.colours(np.asarray(scene))))
            while len(self._steps) > 2:
                self._steps.popitem(last=False)
        return found

    def _place_all(self, states: Sequence[PersonState]) -> list[_Placed]:
        items: list[_Item] = [(s.x, s.y, s.person.look.body.height_m, s, False) for s in states]
        items += [(*s.case_at, 0.34, s, True) for s in states if s.case_at is not None]
        if not items:
            return []
        feet, feet_depth = self._camera.project([(x, y, 0.0) for x, y, *_ in items])
        head, head_depth = self._camera.project([(x, y, tall) for x, y, tall, *_ in items])
        placed = []
        for k, item in enumerate(items):
            nearest = float(min(feet_depth[k], head_depth[k]))
            if nearest < _NEAREST_M or not self._may_show(feet[k], head[k], nearest_m=nearest):
                continue
            depths = (float(feet_depth[k]), float(head_depth[k]))
            placed.append(self._place(item, feet=feet[k], head=head[k], depths=depths))
        return placed

    def _may_show(self, feet: NDArray[np.float64], head: NDArray[np.float64], *, nearest_m: float) -> bool:
        """Whether any pixel around the line from feet to head is in the picture and not behind a wall."""
        margin = 0.5 * float(np.hypot(*(head - feet))) + 4
        x0, y0 = np.maximum(np.minimum(feet, head) - margin, 0).astype(int)
        x1, y1 = np.minimum(np.maximum(feet, head) + margin, [self._camera.width, self._camera.height]).astype(int)
        if x0 >= x1 or y0 >= y1:
            return False
        # Every third pixel: a gap that is missed would show a sliver.
        return bool((self._background.depth[y0:y1:3, x0:x1:3] > nearest_m - _SLACK_M).any())

    def _place(
        self, item: _Item, *, feet: NDArray[np.float64], head: NDArray[np.float64], depths: tuple[float, float]
    ) -> _Placed:
        x, y, tall, state, is_case = item
        at_x, at_y, at_z = self._camera.position
        level = float(np.hypot(at_x - x, at_y - y))
        pitch = float(np.arctan2(at_z - tall / 2, level))
        up = head - feet
        length = float(np.hypot(*up))
        view = view_of(
            stance=state.stance,
            phase=state.phase,
            yaw_rad=float(np.arctan2(at_y - y, at_x - x)) - state.heading_rad,
            pitch_rad=pitch,
            px_per_m=length / (tall * max(0.2, float(np.cos(pitch)))),
            carrying=state.carrying,
        )
        sprite = self._book.case(state.person, view) if is_case else self._book.person(state.person, view)
        scale = length / (tall * max(0.2, float(np.cos(view.pitch_rad))) * view.px_per_m)
        ux, uy = up / length
        turn = scale * np.array([[-uy, -ux], [ux, -uy]])
        matrix = np.column_stack([turn, feet - turn @ np.asarray(sprite.origin)])
        return _Placed(
            sprite, matrix, float(feet[1]), float(head[1]), depths, (x, y), 0 if is_case else state.person.person_id
        )

    def _draw(
        self, scene: Image, owner: NDArray[np.int16], one: _Placed, *, order: int, light: Light
    ) -> tuple[int, _Rect, _Rect] | None:
        """Draw it; gives the pixels of the whole body, its whole box, and the part of the picture that changed."""
        height, width = one.sprite.bgra.shape[:2]
        corners = one.matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], float)
        x0, y0 = np.floor(corners.min(axis=1)).astype(int)
        x1, y1 = np.ceil(corners.max(axis=1)).astype(int)
        matrix = one.matrix - np.array([[0, 0, x0], [0, 0, y0]])
        warped: NDArray[np.uint8] = np.asarray(
            cv2.warpAffine(one.sprite.bgra, matrix, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR),
            dtype=np.uint8,
        )
        solid = opaque(np.ascontiguousarray(warped[..., 3]))
        bx, by, bw, bh = cv2.boundingRect(solid)
        area = cv2.countNonZero(solid)
        cx0, cy0, cx1, cy1 = max(0, x0), max(0, y0), min(scene.shape[1], x1), min(scene.shape[0], y1)
        if area == 0 or cx0 >= cx1 or cy0 >= cy1:
            return None
        part = np.s_[cy0 - y0 : cy1 - y0, cx0 - x0 : cx1 - x0]
        warped, solid = np.ascontiguousarray(warped[part], dtype=np.uint8), solid[part]
        hidden = self._hidden(one, (cx0, cy0, cx1, cy1))
        if hidden is not None:
            kept = 255 - hidden
            warped, solid = masked(warped, kept), solid & opaque(kept)
        under = scene[cy0:cy1, cx0:cx1]
        under[:] = laid_over(under, brightened(warped, self._gain(one.place, light)))
        owner[cy0:cy1, cx0:cx1][solid > 0] = order
        box = (int(x0 + bx), int(y0 + by), int(x0 + bx + bw), int(y0 + by + bh))
        return area, box, (int(cx0), int(cy0), int(cx1), int(cy1))

    def _hidden(self, one: _Placed, rect: _Rect) -> NDArray[np.uint8] | None:
        """255 where the scene is nearer than the person, soft at the edges; None where it is nowhere."""
        x0, y0, x1, y1 = rect
        rows = np.arange(y0, y1, dtype=np.float32)
        span = one.head_y - one.feet_y
        share = np.clip((rows - one.feet_y) / span, 0, 1) if abs(span) > 1 else np.zeros_like(rows)
        depth: Float32Array = (one.depths[0] + share * (one.depths[1] - one.depths[0]) - _SLACK_M).astype(np.float32)
        nearer = self._background.depth[y0:y1, x0:x1] < depth[:, None]
        if not nearer.any():
            return None
        return np.asarray(cv2.blur(nearer.astype(np.uint8) * 255, (3, 3)), dtype=np.uint8)

    def _shadow(self, scene: Image, one: _Placed) -> list[_Rect]:
        """Darken the floor around the feet; gives what changed."""
        x, y = one.place
        reach = 0.75 if one.person_id else 0.4
        pixels, depth = self._camera.project([(x, y, 0), (x + reach, y, 0), (x, y + reach, 0)])
        if (depth < 0.3).any():
            return []
        size = self._blob.shape[0] / 2
        matrix = np.column_stack([(pixels[1] - pixels[0]) / size, (pixels[2] - pixels[0]) / size, pixels[0]])
        matrix[:, 2] -= matrix[:, :2] @ np.array([size, size])
        corners = matrix @ np.array([[0, 2 * size, 0, 2 * size], [0, 0, 2 * size, 2 * size], [1, 1, 1, 1]])
        x0, y0 = np.maximum(np.floor(corners.min(axis=1)), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(corners.max(axis=1)), [scene.shape[1], scene.shape[0]]).astype(int)
        if x0 >= x1 or y0 >= y1 or (x1 - x0) * (y1 - y0) > scene.shape[0] * scene.shape[1] // 2:
            return []
        local = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        dark = cv2.warpAffine(self._blob, local, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
        nearer = self._background.depth[y0:y1, x0:x1] < np.float32(one.depths[0] - _SLACK_M)
        dark[nearer] = 0
        part = scene[y0:y1, x0:x1]
        part[:] = darkened(part, np.asarray(dark, dtype=np.uint8))
        return [(int(x0), int(y0), int(x1), int(y1))]

    def _gain(self, place: tuple[float, float], light: Light) -> float:
        """How bright somebody at `place` is lit, 1 is a well lit room."""
        room = self._plan.room_at(*place)
        if room == OUTSIDE:
            return float(np.clip(0.25 + 1.0 * light.day, 0.3, 1.25))
        if room not in self._lights:
            self._lights[room] = RoomLight.of(self._plan, room)
        at, up = np.array([[*place, 1.2]], np.float32), np.array([0.0, 0.0, 0.8], np.float32)
        lamps, day = self._lights[room].artificial(at, up)[0], self._lights[room].daylight(at, up)[0]
        return float(np.clip(1.18 * (lamps * light.lamps + day * light.day), 0.4, 1.4))

    def _add_noise(self, picture: Image, frame_index: int) -> None:
        draw = stream(self._seed, "frame noise", self._camera.camera_id, frame_index)
        tile, x, y = int(draw.integers(0, _NOISE_TILES)), int(draw.integers(0, 64)), int(draw.integers(0, 64))
        more, less = (half[y : y + picture.shape[0], x : x + picture.shape[1]] for half in self._noise[tile])
        cv2.add(picture, more, dst=picture)
        cv2.subtract(picture, less, dst=picture)


def _blob() -> NDArray[np.uint8]:
    """A soft shadow (64, 64) uint8: dark under the feet, faint around."""
    x = (np.arange(64) - 31.5) / 32
    away = np.hypot(x[:, None], x[None, :])
    dark = 0.38 * np.exp(-((away / 0.30) ** 2)) + 0.22 * np.clip(1 - away, 0, 1) ** 1.5
    return np.asarray(255 * np.clip(dark * (away < 1), 0, 0.6), dtype=np.uint8)


def _merged(rects: list[_Rect], camera: CameraSpec) -> list[_Rect]:
    """The rectangles on the camera's compression grid, those that overlap joined."""
    waiting = [aligned(rect, width=camera.width, height=camera.height) for rect in rects]
    joined: list[_Rect] = []
    while waiting:
        x0, y0, x1, y1 = waiting.pop()
        touching = [r for r in joined if r[0] < x1 and x0 < r[2] and r[1] < y1 and y0 < r[3]]
        if not touching:
            joined.append((x0, y0, x1, y1))
            continue
        joined = [rect for rect in joined if rect not in touching]
        every = [(x0, y0, x1, y1), *touching]
        waiting.append(
            (min(r[0] for r in every), min(r[1] for r in every), max(r[2] for r in every), max(r[3] for r in every))
        )
    return joined

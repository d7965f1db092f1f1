"""What a camera makes of the light: white balance, gamma, contrast, saturation, blur, noise and compression."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Image

_BLOCK = 16
"""JPEG works in blocks of 16 pixels when colour is halved; a part is compressed on their grid."""


@dataclass(frozen=True, slots=True)
class CameraResponse:
    """One camera's colours. The defaults change nothing but add no noise either."""

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Blue, green, red: white balance and exposure."""
    gamma: float = 1.0
    contrast: float = 1.0
    lift: float = 0.0
    """Added to all values, 0-255: haze or crushed blacks."""
    saturation: float = 1.0
    blur_px: float = 0.0
    noise: float = 0.0
    """Standard deviation, 0-255."""
    jpeg_quality: int = 100
    """100 leaves compression out."""

    def matrix(self) -> NDArray[np.float32]:
        """Saturation and gains as one (3, 3) matrix on BGR."""
        grey = np.array([0.114, 0.587, 0.299])
        mix = self.saturation * np.eye(3) + (1 - self.saturation) * np.broadcast_to(grey, (3, 3))
        return np.asarray(np.diag(self.gains) @ mix, dtype=np.float32)

    def table(self) -> NDArray[np.uint8]:
        """Gamma, contrast and lift as a table (256,) uint8."""
        values = 255.0 * (np.arange(256) / 255.0) ** self.gamma
        return np.clip((values - 118.0) * self.contrast + 118.0 + self.lift, 0, 255).round().astype(np.uint8)

    def colours(self, scene: Image) -> Image:
        """The scene's picture as this camera colours it; no blur, noise or compression."""
        mixed = cv2.transform(scene, self.matrix())
        return np.asarray(cv2.LUT(mixed, self.table()), dtype=np.uint8)

    def optics(self, picture: Image) -> Image:
        """Blur and compression of a picture, or of a part that lies on the grid of `aligned`."""
        if self.blur_px > 0.2:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), self.blur_px), dtype=np.uint8)
        if self.jpeg_quality < 100:
            _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
            picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)
        return picture


def aligned(box: tuple[int, int, int, int], *, width: int, height: int) -> tuple[int, int, int, int]:
    """`box` (x0, y0, x1, y1) grown to whole compression blocks with a margin for the blur, and cut to the picture."""
    x0, y0, x1, y1 = box
    return (
        max(0, (x0 - 4) // _BLOCK * _BLOCK),
        max(0, (y0 - 4) // _BLOCK * _BLOCK),
        min(width, -(-(x1 + 4) // _BLOCK) * _BLOCK),
        min(height, -(-(y1 + 4) // _BLOCK) * _BLOCK),
    )


def random_response(draw: np.random.Generator, *, spread: float = 1.0) -> CameraResponse:
    """A camera's colours; `spread` 0 makes all cameras alike, 1 is a site of mixed cameras."""

    def within(limit: float) -> float:
        return float(draw.uniform(-limit, limit)) * spread

    # Bounded, not normal: every camera differs, and none is absurd.
    exposure, warmth, tint = within(0.22), within(0.32), within(0.12)
    gains = np.exp([exposure - warmth, exposure + tint, exposure + warmth])
    return CameraResponse(
        gains=(float(gains[0]), float(gains[1]), float(gains[2])),
        gamma=float(np.exp(within(0.44))),
        contrast=float(np.exp(within(0.32))),
        lift=within(16.0),
        saturation=float(np.clip(1 + spread * draw.uniform(-0.6, 0.22), 0.1, 1.6)),
        blur_px=float(draw.uniform(0.0, 0.9)),
        noise=float(draw.uniform(0.8, 3.6)),
        jpeg_quality=int(draw.integers(55, 93)),
    )

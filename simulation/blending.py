"""Pictures over pictures: premultiplied alpha in uint8."""

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Image


def brightened(bgra: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    """The colours, not the alpha, of (height, width, 4) multiplied by `gain`."""
    factors = np.array([gain, gain, gain, 1.0])
    return np.asarray(cv2.multiply(bgra, factors), dtype=np.uint8)


def masked(bgra: NDArray[np.uint8], kept: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours and alpha (height, width, 4) times a mask (height, width), 255 keeps."""
    return np.asarray(cv2.multiply(bgra, cv2.merge([kept] * 4), scale=1 / 255), dtype=np.uint8)


def laid_over(under: Image, bgra: NDArray[np.uint8]) -> Image:
    """`bgra` (height, width, 4), premultiplied, on `under` (height, width, 3)."""
    through = cv2.cvtColor(255 - bgra[..., 3], cv2.COLOR_GRAY2BGR)
    rest = cv2.multiply(under, through, scale=1 / 255)
    return np.asarray(cv2.add(rest, np.ascontiguousarray(bgra[..., :3])), dtype=np.uint8)


def darkened(under: Image, dark: NDArray[np.uint8]) -> Image:
    """`under` (height, width, 3) where `dark` (height, width) takes away up to all, 255."""
    return np.asarray(cv2.multiply(under, cv2.cvtColor(255 - dark, cv2.COLOR_GRAY2BGR), scale=1 / 255), dtype=np.uint8)


def opaque(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 where alpha (height, width) is over a half, else 0."""
    return np.asarray(cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)

"""Named random streams: each thing of a site draws from its own, so that one more camera changes no person."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A generator that depends on `seed`, any integer, and on `names`, and on nothing else.

    >>> bool(stream(7, "person", 3).random() == stream(7, "person", 3).random())
    True
    >>> bool(stream(7, "person", 3).random() == stream(7, "person", 4).random())
    False
    >>> stream(-(10**30)).random() < 1
    True
    """
    text = "\x1f".join([str(int(seed)), *(f"{type(name).__name__}:{name}" for name in names)])
    digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
    return np.random.Generator(np.random.PCG64(np.frombuffer(digest, dtype="<u4").tolist()))


def smooth_noise(
    draw: np.random.Generator, shape: tuple[int, int], *, grain: tuple[float, float]
) -> NDArray[np.float32]:
    """Noise (rows, columns) float32 of mean 0 and deviation 1 without edges finer than `grain` cells.

    `grain` is (rows, columns) of one blotch. The noise closes on itself in columns, for surfaces that go round.
    """
    import cv2

    rows = max(2, round(shape[0] / grain[0]) + 1)
    columns = max(3, round(shape[1] / grain[1]))
    coarse = draw.standard_normal((rows, columns)).astype(np.float32)
    wrapped = np.concatenate([coarse[:, -2:], coarse, coarse[:, :2]], axis=1)
    across = max(1, round(shape[1] / columns))
    large = cv2.resize(wrapped, (across * (columns + 4), shape[0]), interpolation=cv2.INTER_CUBIC)
    inner = large[:, 2 * across : -2 * across]
    fitted = cv2.resize(inner, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    deviation = float(fitted.std())
    return np.asarray((fitted - fitted.mean()) / (deviation if deviation > 0 else 1.0), dtype=np.float32)

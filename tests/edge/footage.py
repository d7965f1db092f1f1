"""Small films for the tests, written by PyAV, and pictures whose number can be read back."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 320, 240


def picture(number: int) -> np.ndarray:
    """A grey picture whose level says which it is: 20 + 5 x number, for up to 45."""
    return np.full((HEIGHT, WIDTH, 3), 20 + 5 * number, np.uint8)


def textured_picture(number: int) -> np.ndarray:
    """The same with something sharp on it, so that crops of it are usable."""
    noise = np.random.default_rng(1).integers(-40, 40, (HEIGHT, WIDTH, 1))
    return np.clip(picture(number).astype(int) + noise, 0, 255).astype(np.uint8)


def number_of(image: np.ndarray) -> int:
    """The number that `picture` wrote, after lossy coding."""
    return round((float(image.mean()) - 18.5) / 5)  # coding to YUV and back darkens greys by 2 to 3


def write_film(
    path: Path,
    *,
    frames: int,
    fps: int = 10,
    codec: str = "libx264",
    keyframe_every: int = 250,
    b_frames: int = 2,
    draw: Callable[[int], np.ndarray] = picture,
) -> Path:
    """A film of `draw(1)`, `draw(2)`, ..."""
    options = {"g": str(keyframe_every), "bf": str(b_frames), "preset": "ultrafast", "qp": "10", "sc_threshold": "0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p" if codec != "mjpeg" else "yuvj420p"
        for number in range(1, frames + 1):
            frame = av.VideoFrame.from_ndarray(draw(number), format="bgr24")
            frame.pts, frame.time_base = number - 1, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_packets(path: Path, packets: Sequence[bytes], *, codec: str) -> Path:
    """A file of these packets, as they are: what a camera may send that no encoder would."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
    return path


def jpeg(number: int, *, odd_sampling: bool = False) -> bytes:
    """`picture(number)` as a JPEG; with colours sampled as no camera does and FFmpeg cannot, if `odd_sampling`."""
    content = bytearray(cv2.imencode(".jpg", picture(number))[1].tobytes())
    if odd_sampling:
        frame_header = content.index(b"\xff\xc0")
        content[frame_header + 11] = 0x33
    return bytes(content)

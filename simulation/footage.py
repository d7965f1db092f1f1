"""A site rendered ahead into files: a video and a MOT file per camera, the truth, and a site file that replays it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import yaml

from passerby.arrays import Image
from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.cameras import CameraSpec
from simulation.ground_truth import TruthRecorder, write_mot, write_truth
from simulation.site import KEPT_VIEWS, SimulatedSite


@dataclass(frozen=True, slots=True)
class Written:
    """What was written where."""

    site_file: Path
    frames: int
    people: int


def frames_to_render(site: SimulatedSite, seconds: float) -> int:
    """How many frames all cameras together have in so many seconds."""
    return sum(round(site.spec(camera).fps * seconds) for camera in site.camera_ids)


def write_footage(site: SimulatedSite, out: Path, *, seconds: float, progress: Callable[[], None]) -> Written:
    """Render `seconds` of all cameras to `out`: CAMERA.mp4, gt/CAMERA.txt, truth.json and site.yaml.

    `progress` is called after each frame. Raises ConfigError for less than one frame, or when `out` cannot be made.
    """
    if frames_to_render(site, seconds) < len(site.camera_ids):
        raise ConfigError(f"{seconds} s is less than one frame of each camera")
    try:
        (out / "gt").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {out}: {error.strerror}") from error
    recorder = TruthRecorder(site)
    frames = 0
    with ExitStack() as stack:
        videos = {
            camera: stack.enter_context(VideoWriter(out / f"{camera}.mp4", site.spec(camera)))
            for camera in site.camera_ids
        }
        tables = {
            camera: stack.enter_context((out / "gt" / f"{camera}.txt").open("w", encoding="ascii"))
            for camera in site.camera_ids
        }
        for camera, index in _in_time_order(site, seconds):
            rendered = site.render(camera, index)
            videos[camera].write(rendered.image)
            write_mot(tables[camera], rendered.truth)
            recorder.add(rendered.truth)
            frames += 1
            progress()
    truth = recorder.finish()
    write_truth(out / "truth.json", truth)
    site_file = out / "site.yaml"
    site_file.write_text(site_yaml(site), encoding="utf-8")
    return Written(site_file, frames, truth.people)


def site_yaml(site: SimulatedSite) -> str:
    """A site file beside the videos, for `passerby replay`."""
    cameras = {str(camera): {"url": f"{camera}.mp4", "fps": site.spec(camera).fps} for camera in site.camera_ids}
    head = f"# A simulated site: kind {site.kind.name}, seed {site.seed}.\n"
    return head + yaml.safe_dump(
        {
            "site": f"simulated-{site.kind.name}",
            "data": "./site-data",
            "models": {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"},
            "defaults": {"min_person_height": 40},
            "cameras": cameras,
        },
        sort_keys=False,
    )


class VideoWriter:
    """H.264 in MP4, without frames that need later ones; a lower `crf` is a better picture."""

    def __init__(self, path: Path, spec: CameraSpec, *, crf: int = 23) -> None:
        self._container = av.open(str(path), "w")
        rate = Fraction(spec.fps).limit_denominator(1000)
        self._stream = self._container.add_stream(
            "libx264", rate=rate, options={"preset": "veryfast", "crf": str(crf), "bf": "0", "threads": "1"}
        )
        self._stream.width, self._stream.height, self._stream.pix_fmt = spec.width, spec.height, "yuv420p"
        self._stream.codec_context.time_base = 1 / rate
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        return self

    def write(self, image: Image) -> None:
        """Append a picture."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = self._count
        frame.time_base = self._stream.codec_context.time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._count:
            self._container.mux(self._stream.encode())
        self._container.close()


def _in_time_order(site: SimulatedSite, seconds: float) -> Iterator[tuple[CameraId, int]]:
    """Frames as they would come, of as many cameras at a time as a site keeps ready."""
    for group in _groups(site.camera_ids):
        due = [
            (index / site.spec(camera).fps, order, camera, index)
            for order, camera in enumerate(group)
            for index in range(round(site.spec(camera).fps * seconds))
        ]
        for _, _, camera, index in sorted(due):
            yield camera, index


def _groups(cameras: Sequence[CameraId]) -> Iterator[Sequence[CameraId]]:
    for first in range(0, len(cameras), KEPT_VIEWS):
        yield cameras[first : first + KEPT_VIEWS]

"""Files and folders: which frames come, with which number, time and content."""

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from edge.frames import Frame
from edge.sources import open_source
from edge.sources.prefetch import prefetch
from edge.sources.source import StreamInfo, Traffic
from passerby.config import CameraSettings
from passerby.errors import SourceError, SourceRefusedError
from passerby.ids import CameraId
from passerby.messages import Clock
from tests.edge import footage

HALL = CameraId("hall")


def read(path: Path, *, fps: float = 120.0, start_at_ns: int = 0) -> list[Frame]:
    with open_source(HALL, CameraSettings(url=str(path), fps=fps), realtime=False, start_at_ns=start_at_ns) as source:
        return list(source)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("keyframe_every", [1, 5, 250])
@pytest.mark.parametrize("fps", [120.0, 5.0, 2.0, 0.7])
def test_frame_numbers_are_the_files_own_whatever_is_passed_over(
    tmp_path: Path, fps: float, keyframe_every: int, b_frames: int
) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=41, keyframe_every=keyframe_every, b_frames=b_frames)
    frames = read(film, fps=fps)
    assert [footage.number_of(frame.image) for frame in frames] == [frame.frame_number for frame in frames]
    step = max(1, round(10 / fps))
    expected = [1 + k for k in range(0, 41, step)]
    if fps == 0.7:  # slots of 1.43 s; where every fifth frame is a keyframe, only keyframes are decoded by then
        expected = [1, 16, 31 if keyframe_every == 5 else 30]
    assert [frame.frame_number for frame in frames] == expected


def test_capture_time_is_the_start_plus_the_frames_own_time(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=5)
    frames = read(film, start_at_ns=1_000)
    assert [frame.captured_at_ns - 1_000 for frame in frames] == [i * 100_000_000 for i in range(5)]
    assert {frame.clock.source for frame in frames} == {"file"}


def test_two_readings_are_the_same(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=12)
    first, second = read(film), read(film)
    assert all(
        (a.image == b.image).all() and a.captured_at_ns == b.captured_at_ns for a, b in zip(first, second, strict=False)
    )


def test_a_raw_stream_is_timed_by_its_sequence_header(shared_data) -> None:
    frames = read(shared_data("footage/tworooms/room-b.264"), fps=6.0)
    # Its header says 12 fps, and so does the gait of the people in it; 25 is only FFmpeg's default for raw streams.
    assert [frame.frame_number for frame in frames[:4]] == [1, 3, 5, 7]
    assert frames[1].captured_at_ns == pytest.approx(166_666_666, abs=10)


def test_motion_jpeg_is_read(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.avi", frames=20, codec="mjpeg")
    assert [frame.frame_number for frame in read(film, fps=5.0)] == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]


@pytest.mark.parametrize(
    ("name", "size", "frames"),
    [("fourcam/cam0.mp4", (728, 1288), 268), ("retail/Retail02_short.mp4", (1080, 1920), 603)],
)
def test_h264_in_444_and_hevc_are_decoded(shared_data, name: str, size: tuple[int, int], frames: int) -> None:
    film = shared_data(f"footage/{name}")
    seen = read(film, fps=1.0)
    assert seen[0].image.shape == (*size, 3)
    assert seen[0].image.flags["C_CONTIGUOUS"]
    assert seen[-1].frame_number <= frames


def test_realtime_paces_a_file_by_its_own_time(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=6)
    began = time.monotonic()
    with open_source(HALL, CameraSettings(url=str(film), fps=120), realtime=True) as source:
        assert len(list(source)) == 6
    assert time.monotonic() - began >= 0.5


def test_a_folder_of_pictures_comes_in_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 9, 10, 11):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), footage.picture(number))
    (tmp_path / "notes.txt").write_text("not a picture")
    frames = read(tmp_path, fps=5.0)
    assert [footage.number_of(frame.image) for frame in frames] == [1, 2, 9, 10, 11]
    assert [frame.frame_number for frame in frames] == [1, 2, 3, 4, 5]
    assert frames[1].captured_at_ns == 200_000_000


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match="no such file"):
        read(tmp_path / "missing.mp4")
    with pytest.raises(SourceRefusedError, match="no picture"):
        read(tmp_path)
    (tmp_path / "text.mp4").write_text("this is not a film")
    with pytest.raises(SourceError, match="not a video"):
        read(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceError):
        read(tmp_path / "empty.mp4")
    with pytest.raises(SourceError, match="expected rtsp://"):
        open_source(HALL, CameraSettings(url="gopher://a:secret@b/c"), realtime=False)


def test_a_damaged_packet_is_passed_over(tmp_path: Path) -> None:
    packets = [footage.jpeg(1), b"no picture", footage.jpeg(3, odd_sampling=True), footage.jpeg(4)]
    frames = read(footage.write_packets(tmp_path / "f.avi", packets, codec="mjpeg"))
    assert [footage.number_of(frame.image) for frame in frames] == [1, 4]


@pytest.mark.parametrize("realtime", [False, True])
def test_a_recording_of_damaged_packets_alone_is_an_error_and_not_empty(tmp_path: Path, realtime: bool) -> None:
    packets = [b"no picture", footage.jpeg(2, odd_sampling=True)]
    film = footage.write_packets(tmp_path / "f.avi", packets, codec="mjpeg")
    with (
        open_source(HALL, CameraSettings(url=str(film)), realtime=realtime) as source,
        pytest.raises(SourceError, match=r"f\.avi: no picture could be decoded from its 2 packets"),
    ):
        list(source)


@pytest.mark.parametrize("called", [b"Y41P", b"theo"])  # raw video in too short packets; a codec without its headers
def test_a_decoder_that_fails_is_a_source_error(tmp_path: Path, called: bytes) -> None:
    film = footage.write_packets(tmp_path / "f.avi", [footage.jpeg(1)], codec="mjpeg")
    film.write_bytes(film.read_bytes().replace(b"MJPG", called))
    with open_source(HALL, CameraSettings(url=str(film)), realtime=False) as source:
        with pytest.raises(SourceError, match=r"f\.avi: its video cannot be decoded \(") as caught:
            list(source)
        assert caught.value.__context__ is None


def test_prefetch_gives_the_same_frames_and_ends(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=20)
    with open_source(HALL, CameraSettings(url=str(film), fps=120), realtime=False, start_at_ns=0) as source:
        assert [frame.frame_number for frame in prefetch(source, frames=2)] == list(range(1, 21))


def test_prefetch_can_be_left_in_the_middle(tmp_path: Path) -> None:
    film = footage.write_film(tmp_path / "f.mp4", frames=20)
    with open_source(HALL, CameraSettings(url=str(film), fps=120), realtime=False, start_at_ns=0) as source:
        frames = prefetch(source, frames=2)
        next(frames)
        frames.close()


def test_prefetch_hands_on_what_goes_wrong(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), footage.picture(1))
    (tmp_path / "2.png").write_text("not a picture")
    with open_source(HALL, CameraSettings(url=str(tmp_path)), realtime=False) as source:
        frames = prefetch(source)
        assert next(frames).frame_number == 1
        with pytest.raises(SourceError, match=r"2\.png"):
            next(frames)


def test_prefetch_hands_on_faults_of_every_kind_at_once() -> None:
    class Faulty:
        """A source with a fault of ours in it."""

        info = StreamInfo("none", "", 1, 1, 1.0, 0)
        traffic = Traffic()

        def __iter__(self) -> Iterator[Frame]:
            yield Frame(HALL, 1, 1, Clock(source="file", error_ns=0), footage.picture(1))
            raise IndexError("a fault of ours")

        def __enter__(self) -> "Faulty":
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def close(self) -> None:
            pass

    frames = prefetch(Faulty(), timeout_s=60.0)
    assert next(frames).frame_number == 1
    with pytest.raises(IndexError, match="a fault of ours"):
        next(frames)

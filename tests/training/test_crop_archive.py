"""Archives of crops: what was added comes back by camera and tracklet; half-read videos do not count."""

from pathlib import Path

import cv2
import lmdb
import msgspec
import numpy as np
import pytest

from passerby.errors import DataError
from training.datasets.crops import CropArchive, CropWriter
from training.datasets.records import ArchiveSettings, CropRecord, TrackletRecord, VideoRecord

HOW = ArchiveSettings(detector="detector@1", fps=5.0, crops_per_tracklet=4, min_person_height=64, min_confidence=None)


def video(name: str = "a.mp4", *, fingerprint: str = "1", cut_short: str = "") -> VideoRecord:
    return VideoRecord(camera=Path(name).stem, name=name, fingerprint=fingerprint, complete=True, cut_short=cut_short)


def flat(level: int, *, height: int = 80, width: int = 40) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1].tobytes()


def tracklet(*levels: int) -> tuple[TrackletRecord, list[bytes]]:
    crops = [
        CropRecord(captured_at_ns=level * 10**9, box_xyxy=(0.0, 0.0, 40.0, 80.0), quality=level / 255)
        for level in levels
    ]
    record = TrackletRecord(started_at_ns=0, ended_at_ns=9 * 10**9, crops=crops)
    return record, [flat(level) for level in levels]


def add(writer: CropWriter, of: VideoRecord, *tracklets: tuple[int, ...], finish: bool = True) -> int:
    number = writer.begin(msgspec.structs.replace(of, complete=False))
    for key, levels in enumerate(tracklets, 1):
        writer.add(number, [(key, *tracklet(*levels))])
    if finish:
        writer.finish(number, of)
    return number


def test_crops_come_back_in_the_order_of_videos_and_tracklets(tmp_path: Path) -> None:
    with CropWriter(tmp_path / "new" / "archive", HOW) as writer:
        add(writer, video("hall.mp4", fingerprint="1"), (10, 20), (30,))
        add(writer, video("door.mp4", fingerprint="2"), (40, 50))
    with CropArchive(tmp_path / "new" / "archive") as archive:
        assert len(archive) == 5
        assert archive.settings == HOW
        assert archive.camera_names == ("door", "hall")
        assert archive.cameras.tolist() == [1, 1, 1, 0, 0]
        assert archive.tracklets.tolist() == [0, 0, 1, 2, 2]
        assert archive.captured_at_ns.tolist() == [level * 10**9 for level in (10, 20, 30, 40, 50)]
        np.testing.assert_allclose(archive.qualities, np.array([10, 20, 30, 40, 50]) / 255, rtol=1e-6)
        assert [round(float(archive.crop(index).mean())) for index in range(5)] == [10, 20, 30, 40, 50]
        pictures = archive.resized(np.array([4, 0]), height=16, width=8)
        assert pictures.shape == (2, 16, 8, 3)
        assert pictures.mean(axis=(1, 2, 3)).round().tolist() == [50, 10]
        assert archive.resized([], height=16, width=8).shape == (0, 16, 8, 3)
        with pytest.raises(IndexError):
            archive.crop(5)


def test_a_video_that_was_not_finished_does_not_count_and_is_begun_anew(tmp_path: Path) -> None:
    with CropWriter(tmp_path, HOW) as writer:
        add(writer, video(), (10,), (20,), finish=False)
        assert writer.finished(fingerprint="1") is None
    with CropArchive(tmp_path) as archive:
        assert len(archive) == 0
        assert archive.camera_names == ()
    with CropWriter(tmp_path, HOW) as writer:
        add(writer, video(), (30,))
        assert writer.finished(fingerprint="1") == video()
    with CropArchive(tmp_path) as archive:
        assert archive.captured_at_ns.tolist() == [30 * 10**9]
    with lmdb.open(str(tmp_path), readonly=True) as environment:
        assert environment.stat()["entries"] == 4  # the settings, a video, a tracklet, a crop: nothing of before


def test_a_file_that_was_cut_short_is_replaced_when_it_is_whole_and_others_stay(tmp_path: Path) -> None:
    with CropWriter(tmp_path, HOW) as writer:
        add(writer, video("hall.mp4", fingerprint="half", cut_short="it ends"), (10,))
        add(writer, video("door.mp4", fingerprint="door", cut_short="it ends"), (20,))
        add(writer, video("hall.mp4", fingerprint="whole"), (30,))
        add(writer, video("hall.mp4", fingerprint="next day"), (40,))
    with CropArchive(tmp_path) as archive:
        assert sorted((archive.captured_at_ns // 10**9).tolist()) == [20, 30, 40]


def test_it_grows_beyond_its_first_size(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, 5 * 2**20, np.uint8).tobytes()
    record = tracklet(10)[0]
    with CropWriter(tmp_path, HOW) as writer:
        number = writer.begin(video())
        for key in range(15):  # 75 MiB into 64
            writer.add(number, [(key, record, [noise])])
        writer.finish(number, video())
    with CropArchive(tmp_path) as archive:
        assert len(archive) == 15
        with pytest.raises(DataError, match="crop 0 is damaged"):
            archive.crop(0)


def test_other_settings_other_folders_and_nothing_are_refused(tmp_path: Path) -> None:
    CropWriter(tmp_path / "archive", HOW).close()
    other = msgspec.structs.replace(HOW, fps=2.0, min_person_height=100)
    with pytest.raises(DataError, match=r"fps 5\.0 there, 2\.0 here, min_person_height 64 there, 100 here"):
        CropWriter(tmp_path / "archive", other)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(flat(1))
    with pytest.raises(DataError, match="photos holds other things"):
        CropWriter(tmp_path / "photos", HOW)
    with pytest.raises(DataError, match="cannot make the archive"):
        CropWriter(tmp_path / "photos" / "a.jpg", HOW)
    with pytest.raises(DataError, match="no archive of crops; make one with"):
        CropArchive(tmp_path / "photos")


def test_damaged_and_foreign_archives_are_refused(tmp_path: Path) -> None:
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "data.mdb").write_bytes(b"garbage" * 5000)
    with pytest.raises(DataError, match="cannot open the archive"):
        CropArchive(tmp_path / "garbage")
    for name, value, reason in (
        ("empty", None, "nothing was written"),
        ("foreign", b"\x01", "not an archive of crops"),
        ("later", msgspec.msgpack.encode(msgspec.structs.replace(HOW, format=2)), "of format 2, expected 1"),
    ):
        with lmdb.open(str(tmp_path / name)) as environment, environment.begin(write=True) as transaction:
            if value is not None:
                transaction.put(b"about", value)
        with pytest.raises(DataError, match=reason):
            CropArchive(tmp_path / name)

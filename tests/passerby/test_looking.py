"""From a film or pictures to the people in them, and which of them is meant."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hub.enrolment.records import Look, Picture
from passerby.cli.looking.choosing import Choice, choose
from passerby.cli.looking.films import frames_in, watch_film
from passerby.cli.looking.options import choice, material, place
from passerby.cli.looking.people import Person, Sighting
from passerby.cli.looking.pictures import look_at_picture
from passerby.cli.looking.sheet import Cell, write_sheet
from passerby.cli.looking.times import moment_ns
from passerby.errors import ConfigError, DataError
from tests.edge.engines import BrightnessDetector, MeanColourEmbedder, ScriptedDetector, people


def write_picture(file: Path, *, width: int = 400, height: int = 300, seed: int = 0) -> Path:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), noise)
    return file


def person(*boxes: tuple[float, float, float, float], frames: tuple[int, ...] = (0,)) -> Person:
    look = Look((Picture(np.ones(3, np.float32), 0.5, b""),))
    boxes_xyxy = np.array(boxes, np.float32)
    return Person((Sighting(look, np.array(frames, np.int64), boxes_xyxy, (0, 0)),))


NEAR, FAR = person((100, 50, 200, 290)), person((300, 100, 330, 170))


def test_one_person_needs_no_choice() -> None:
    assert choose([NEAR], Choice(), source="a.jpg") is NEAR


def test_of_several_the_box_or_the_largest_is_meant() -> None:
    assert choose([FAR, NEAR], Choice(largest=True), source="a.jpg") is NEAR
    assert choose([NEAR, FAR], Choice((295, 95, 335, 175)), source="a.jpg") is FAR


def test_several_without_a_choice_are_an_error_that_says_how_to_choose() -> None:
    with pytest.raises(DataError, match=r"2 people are seen in a\.jpg") as caught:
        choose([NEAR, FAR], Choice(), source="a.jpg")
    assert "--box 100,50,100,240; --box 300,100,30,70" in str(caught.value)
    assert "range of frames" not in str(caught.value)
    film = [person((0, 0, 10, 20), frames=(first,)) for first in range(1, 9)]
    with pytest.raises(DataError, match=r"range of frames: frames 1 to 1 --box .*; and 2 more"):
        choose(film, Choice(), source="a.mp4")


def test_a_box_with_nobody_in_it_is_an_error() -> None:
    with pytest.raises(DataError, match=r"nobody in a\.jpg is in that box; seen: --box"):
        choose([NEAR, FAR], Choice((0, 0, 20, 20)), source="a.jpg")


def test_the_options_say_one_thing() -> None:
    film, picture = "a.mp4", "a.jpg"
    assert material(film, [], from_frame=5).first == 5
    assert material(None, [picture, picture]).name == "2 pictures"
    for wrong in (
        lambda: material(None, []),
        lambda: material(film, [picture]),
        lambda: material(None, [picture], from_frame=3),
        lambda: material(film, [], whole=True),
        lambda: material(film, [], from_frame=5, to_frame=4),
        lambda: place(None, None),
        lambda: place(Path(film), Path(film)),
        lambda: choice("1,2,3", False),
        lambda: choice("1,2,3,x", False),
        lambda: choice("1,2,0,5", False),
        lambda: choice("1,2,nan,5", False),
        lambda: choice("nan,2,5,5", False),
        lambda: choice("1,2,inf,5", False),
        lambda: choice("1,2,3,4", True),
    ):
        with pytest.raises(ConfigError):
            wrong()
    assert choice("10,20,30,40", False) == Choice((10, 20, 40, 60))


def test_times_are_dates_with_a_time_of_day() -> None:
    assert moment_ns("2026-05-01T12:00:00.25+02:00", option="--to") == 1_777_629_600_250_000_000
    for wrong in ("yesterday", "", "12:00"):
        with pytest.raises(ConfigError, match="--from is"):
            moment_ns(wrong, option="--from")


def test_everybody_in_a_picture_is_cut_out_and_described(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.png")
    detector = ScriptedDetector([people([20, 20, 100, 280], [200, 20, 280, 280])])
    found = look_at_picture(file, detector=detector, embedder=MeanColourEmbedder())
    assert [one.typical_box.tolist() for one in found] == [[20, 20, 100, 280], [200, 20, 280, 280]]
    assert not found[0].in_film
    picture = found[0].pictures[0]
    assert picture.quality > 0.5
    crop = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None
    assert crop.shape == (260, 80, 3)


def test_who_is_unsure_or_too_small_is_not_described(tmp_path: Path) -> None:
    file, embedder = write_picture(tmp_path / "a.png"), MeanColourEmbedder()
    unsure = ScriptedDetector([people([20, 20, 100, 280], confidence=0.4)])
    with pytest.raises(DataError, match=r"nobody is seen in a\.png.*--whole"):
        look_at_picture(file, detector=unsure, embedder=embedder)
    flat = tmp_path / "flat.png"
    assert cv2.imwrite(str(flat), np.full((300, 400, 3), 90, np.uint8))
    with pytest.raises(DataError, match="too small, too blurred or too hidden"):
        look_at_picture(flat, detector=ScriptedDetector([people([20, 20, 100, 280])]), embedder=embedder)
    assert embedder.calls == []


def test_a_picture_that_is_cut_out_already_is_one_person(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "a.png", width=64, height=128)
    (found,) = look_at_picture(file, detector=ScriptedDetector(), embedder=MeanColourEmbedder(), whole=True)
    assert found.typical_box.tolist() == [0, 0, 64, 128]


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    with pytest.raises(DataError, match="not a picture"):
        look_at_picture(file, detector=ScriptedDetector(), embedder=MeanColourEmbedder())


def test_a_picture_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        look_at_picture(tmp_path / "none.png", detector=ScriptedDetector(), embedder=MeanColourEmbedder())


def film(folder: Path, *, frames: int) -> Path:
    """Pictures as a film: noise that gets brighter, so that the BrightnessDetector's person walks right."""
    for number in range(frames):
        noise = np.random.default_rng(number).integers(0, 60, (300, 400, 3)) + 6 * number
        folder.mkdir(exist_ok=True)
        assert cv2.imwrite(str(folder / f"{number:03d}.png"), noise.astype(np.uint8))
    return folder


def test_a_person_is_followed_through_a_film_and_only_in_the_wanted_frames(tmp_path: Path) -> None:
    folder, heard = film(tmp_path / "film", frames=20), list[int]()
    networks = {"detector": BrightnessDetector(), "embedder": MeanColourEmbedder()}
    (sighting,) = watch_film(folder, **networks, first=4, last=15, on_frame=heard.append)  # type: ignore[arg-type]
    assert heard == list(range(1, 16))
    assert sighting.frame_numbers.tolist() == list(range(4, 16))
    assert len(sighting.boxes_xyxy) == 12
    assert 1 <= len(sighting.look.pictures) <= 5
    assert all(picture.jpeg for picture in sighting.look.pictures)
    qualities = [picture.quality for picture in sighting.look.pictures]
    assert qualities == sorted(qualities, reverse=True)


def test_a_film_with_nobody_says_so(tmp_path: Path) -> None:
    folder = film(tmp_path / "film", frames=5)
    with pytest.raises(DataError, match="nobody is seen in 5 frames of film"):
        watch_film(folder, detector=ScriptedDetector(), embedder=MeanColourEmbedder())
    with pytest.raises(DataError, match="nobody is seen in 0 frames"):
        watch_film(folder, detector=BrightnessDetector(), embedder=MeanColourEmbedder(), first=100)


@pytest.mark.parametrize("url", ["rtsp://viewer:hunter2@127.0.0.1/sub", "https://viewer:hunter2@127.0.0.1/a.jpg"])
def test_a_url_is_refused_without_its_password(url: str) -> None:
    for wrong in (lambda: material(url, []), lambda: material(None, [url])):
        with pytest.raises(ConfigError, match="expected a file") as caught:
            wrong()
        assert "hunter2" not in str(caught.value)


def test_the_length_of_what_is_no_film_is_not_known(tmp_path: Path) -> None:
    assert frames_in(tmp_path / "none.mp4") is None
    assert frames_in(write_picture(tmp_path / "a.txt.png").parent) is None


def test_a_sheet_shows_crops_side_by_side(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", np.full((200, 80, 3), 200, np.uint8))[1].tobytes()
    cells = [Cell(jpeg, ("searched",)), Cell(None, ("person 3", "hall")), Cell(b"no picture", ())]
    write_sheet(cells, tmp_path / "new" / "sheet.jpg")
    sheet = cv2.imread(str(tmp_path / "new" / "sheet.jpg"))
    assert sheet is not None
    assert sheet.shape[1] == 3 * 162
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write the picture"):
        write_sheet(cells, tmp_path / "file" / "sheet.jpg")

"""Pictures of a simulated site as the hub saw it: rendered, replayed through the whole system, and drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hub.export import tracks
from passerby.arrays import Image
from passerby.cli.demonstrating.choosing import SeenPeople, best_looks, best_moment, identities_at, seen_people
from passerby.cli.demonstrating.drawing import NamedBox, Palette, camera_sheet, cut_out, draw_people, people_sheet
from passerby.cli.replaying.session import Wishes, replay_site
from passerby.cli.scratch import fresh_folder
from passerby.config import load_site
from passerby.errors import ConfigError, DataError
from passerby.ids import CameraId
from passerby.shipped import shipped_config
from simulation.footage import frames_to_render, write_footage
from simulation.site import SimulatedSite

CAMERAS, PEOPLE = "cameras.jpg", "people.jpg"
_MOST_PEOPLE = 4
_MOST_LINES = 3
_QUALITY = 88
"""JPEG: the noise of the cameras stays, at about 250 kB for four of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureWishes:
    """What to draw: `seconds` of a site are rendered and replayed under `data`, pictures go to `out`."""

    site: SimulatedSite
    seconds: float
    fps: float
    detector: str
    reid: str
    data: Path
    out: Path


def draw_pictures(wishes: PictureWishes, console: Console) -> list[Path]:
    """Write `cameras.jpg`, all cameras at the moment that shows most, and `people.jpg`, who was seen by several.

    Names and colours are those of the hub's identities, right or wrong. Gives the files written: without people in two
    cameras there is no `people.jpg`. Raises ConfigError, ModelError, EngineError, SourceError, StoreError.
    """
    try:
        wishes.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder {wishes.out}: {error.strerror}") from error
    folder = fresh_folder(wishes.data, made_by="demo")
    _render(wishes, folder / "footage", console)
    _replay(wishes, folder)
    site = wishes.site
    fps = {camera: site.spec(camera).fps for camera in site.camera_ids}
    found = tracks(folder / "replay" / "hub-data")
    people = {
        camera: seen_people(found[camera], size=(site.spec(camera).width, site.spec(camera).height))
        for camera in site.camera_ids
        if camera in found
    }
    moment = best_moment(people, fps=fps, seconds=wishes.seconds)
    cameras_of = identities_at(people, fps=fps, moment=moment)
    looks = best_looks(people, most=_MOST_PEOPLE)
    twice = [identity for identity, cameras in cameras_of.items() if len(cameras) > 1]
    palette = Palette([*twice, *looks, *cameras_of])
    written = [wishes.out / CAMERAS]
    _write(written[0], _cameras(site, people, cameras_of, moment=moment, palette=palette))
    if looks:
        written.append(wishes.out / PEOPLE)
        _write(written[1], people_sheet(_crops(site, people, looks), palette=palette))
    return written


def _render(wishes: PictureWishes, folder: Path, console: Console) -> None:
    columns = (TextColumn("rendering"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("render", total=frames_to_render(wishes.site, wishes.seconds))
        write_footage(wishes.site, folder, seconds=wishes.seconds, progress=lambda: bar.advance(task))


def _replay(wishes: PictureWishes, folder: Path) -> None:
    """The recordings with the settings of the demonstration."""
    document = yaml.safe_load(shipped_config("demo.yaml").read_text(encoding="utf-8"))
    recorded = yaml.safe_load((folder / "footage" / "site.yaml").read_text(encoding="utf-8"))
    document["cameras"] = recorded["cameras"]
    document["models"] = {"detector": wishes.detector, "reid": wishes.reid}
    for camera in document["cameras"].values():
        camera["fps"] = min(camera["fps"], wishes.fps)
    file = folder / "footage" / "demo.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    out = folder / "replay"
    replay_site(load_site(file), Wishes(out=out, as_decided=False, video=False, record=None, as_json=False))


def _cameras(
    site: SimulatedSite,
    people: Mapping[CameraId, SeenPeople],
    cameras_of: Mapping[int, list[CameraId]],
    *,
    moment: float,
    palette: Palette,
) -> Image:
    pictures: dict[str, Image] = {}
    for camera in site.camera_ids:
        frame = int(moment * site.spec(camera).fps)
        boxes = []
        if camera in people:
            seen = people[camera]
            boxes = [
                NamedBox(identity, seen.boxes_xyxy[row], twice=len(cameras_of[identity]) > 1)
                for row, identity in ((row, int(seen.identities[row])) for row in seen.at(frame).tolist())
            ]
        pictures[camera] = draw_people(site.render(camera, frame).image, boxes, palette=palette)
    lines = [
        (
            palette.colour(identity),
            f"person {identity} is in {', '.join(cameras[:-1])} and {cameras[-1]} at this moment",
        )
        for identity, cameras in cameras_of.items()
        if len(cameras) > 1
    ]
    return camera_sheet(pictures, lines=lines[:_MOST_LINES], columns=2 if len(pictures) <= 6 else 4)


def _crops(
    site: SimulatedSite, people: Mapping[CameraId, SeenPeople], looks: Mapping[int, Mapping[CameraId, int]]
) -> dict[int, dict[str, Image]]:
    crops: dict[int, dict[str, Image]] = {}
    for identity, rows in looks.items():
        crops[identity] = {}
        for camera, row in rows.items():
            image = site.render(camera, int(people[camera].frames[row])).image
            crops[identity][camera] = cut_out(image, people[camera].boxes_xyxy[row])
    return crops


def _write(file: Path, image: Image) -> None:
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise DataError(f"a picture of {image.shape[1]}x{image.shape[0]} cannot be written as JPEG")
    try:
        file.write_bytes(encoded.tobytes())
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from error

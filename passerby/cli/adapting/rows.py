"""`passerby adapt rows`: statistics of their own for cameras that came after a network was adapted."""

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console

from hub.crops import CropStore
from hub.reader import SiteReader
from passerby.arrays import Image
from passerby.cli.adapting.deployed import models_in_use
from passerby.cli.adapting.needs import require_training
from passerby.config import Site, load_site
from passerby.errors import ConfigError, DataError
from passerby.models import find_model

app = typer.Typer()

_MANY = 256


@app.command()
def rows(
    cameras: Annotated[
        list[str],
        typer.Argument(metavar="CAMERA[=FOLDER]", help="With the crops that the site keeps, or those of a folder."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.onnx", help="The network with the new rows.")],
    *,
    config: Annotated[Path | None, typer.Option(help="The site file, for crops and the model that is in use.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="FILE.onnx", help="Another network, with FILE.json and FILE.pth beside it.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="The latest crops of a camera that are looked at.")] = 1000,
) -> None:
    """Give cameras that came later statistics of their own in an adapted network, from their crops.

    Nothing is learned, and all other cameras' vectors stay as they are, to the bit.
    """
    require_training()
    from training.camera_rows import with_rows

    if out.suffix != ".onnx":
        raise ConfigError(f"--out {out}: expected a name that ends in .onnx")
    site = None if config is None else load_site(config, secrets="left")
    if model is None and site is None:
        raise ConfigError("say which network: --model FILE.onnx, or --config SITE for the one that is in use there")
    name = model if model is not None or site is None else models_in_use(site.data, site.models).reid
    file = find_model(str(name), task="embed").files[0]
    with Console(stderr=True).status("reading crops"):
        crops = dict(_crops(each, site, most=most) for each in cameras)
    target = out.expanduser().resolve()
    with Console(stderr=True).status("taking statistics"):
        grown = with_rows(Path(file), crops, out=target)
    counted = ", ".join(f"{camera} ({len(found)} crops)" for camera, found in crops.items())
    typer.echo(f"{target} is {grown.model_id}: rows for {counted}; the other cameras' vectors are as they were")


def _crops(wish: str, site: Site | None, *, most: int) -> tuple[str, list[Image]]:
    """A camera, and its pictures: of the folder that is named, or the latest that the site has kept."""
    camera, _, folder = wish.partition("=")
    if not camera:
        raise ConfigError(f"{wish!r}: expected CAMERA=FOLDER, or the name of a camera")
    if folder:
        from training.evaluate.labelled import pictures_in, read_image

        return camera, [read_image(file) for file in pictures_in(Path(folder).expanduser())[:most]]
    if site is None:
        raise ConfigError(f"where are crops of {camera}? Say {camera}=FOLDER, or --config SITE")
    found = _kept(site.data, camera, most=most)
    if not found:
        raise DataError(f"{site.data}: no crop of anybody who has left {camera} is kept; known there: {_known(site)}")
    return camera, found


def _kept(data_dir: Path, camera: str, *, most: int) -> list[Image]:
    pictures: list[Image] = []
    with SiteReader(data_dir) as reader, CropStore.open_for_reading(data_dir) as store:
        for tracklets in reader.closed_latest_first(at_once=_MANY):
            for tracklet in tracklets:
                if tracklet.camera_id != camera:
                    continue
                jpegs = (store.get(tracklet.number, crop_id) for crop_id in store.crop_ids(tracklet.number))
                decoded = (cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR) for each in jpegs if each)
                pictures += [np.asarray(each, np.uint8) for each in decoded if each is not None]
            if len(pictures) >= most:
                break
    return pictures[:most]


def _known(site: Site) -> str:
    with SiteReader(site.data) as reader:
        return ", ".join(reader.camera_ids()) or "no camera"

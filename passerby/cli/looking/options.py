"""The options that say what is looked at, and on whose behalf."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from passerby.cli.adapting.deployed import models_in_use
from passerby.cli.looking.choosing import Choice
from passerby.config import AssociationSettings, load_site
from passerby.config.settings import ModelSettings
from passerby.errors import ConfigError
from passerby.redaction import redact

EMBEDDED = ModelSettings(detector="passerby-sim-detector", reid="passerby-sim-reid")
"""The networks that come with Passerby: for a data folder without a site file."""

VideoOption = Annotated[str | None, typer.Option("--video", metavar="FILE", help="A film.")]
ImagesOption = Annotated[list[str], typer.Option("--image", metavar="FILE", help="A picture; may be repeated.")]
FromFrameOption = Annotated[
    int | None, typer.Option("--from-frame", min=1, help="The film's first frame to look at, from 1.")
]
ToFrameOption = Annotated[int | None, typer.Option("--to-frame", min=1, help="The last one.")]
BoxOption = Annotated[
    str | None, typer.Option("--box", metavar="X,Y,W,H", help="Of several people the one who is there, in pixels.")
]
LargestOption = Annotated[bool, typer.Option("--largest", help="Of several people the largest.")]
WholeOption = Annotated[bool, typer.Option("--whole", help="Each picture is cut out already: all of it is one person.")]
SureOption = Annotated[
    float, typer.Option(min=0.5, max=0.9999, help="The probability from which on something is said to be so.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is looked at: one film, frames [`first`, `last`] of it, or pictures."""

    video: Path | None
    images: tuple[Path, ...]
    first: int
    last: int | None
    whole: bool

    @property
    def name(self) -> str:
        """For a person."""
        if self.video is not None:
            return self.video.name
        return self.images[0].name if len(self.images) == 1 else f"{len(self.images)} pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The site on whose behalf it is looked at: its data, its networks, how it compares."""

    data: Path
    models: ModelSettings
    engine: str
    threads: int
    association: AssociationSettings


def material(
    video: str | None,
    images: Sequence[str],
    *,
    from_frame: int | None = None,
    to_frame: int | None = None,
    whole: bool = False,
) -> Material:
    """What the options say. Raises ConfigError where they contradict each other."""
    if (video is None) == (not images):
        raise ConfigError("say what to look at: --video FILE, or --image FILE (one of the two)")
    if video is None and (from_frame is not None or to_frame is not None):
        raise ConfigError("--from-frame and --to-frame go with --video; a picture has one frame")
    if video is not None and whole:
        raise ConfigError("--whole goes with --image: in a film people have to be found")
    for file in filter(None, (video, *images)):
        if "://" in file:
            raise ConfigError(f"{redact(file)}: expected a file; save the picture, or record some of the stream, first")
    first = from_frame or 1
    if to_frame is not None and to_frame < first:
        raise ConfigError(f"--to-frame {to_frame} is before --from-frame {first}")
    return Material(
        video=Path(video) if video else None, images=tuple(map(Path, images)), first=first, last=to_frame, whole=whole
    )


def choice(box: str | None, largest: bool) -> Choice:
    """Whom the options mean. Raises ConfigError."""
    if box is None:
        return Choice(None, largest)
    if largest:
        raise ConfigError("--box and --largest say two things; give one of them")
    try:
        x, y, width, height = (float(part) for part in box.split(","))
    except ValueError:
        raise ConfigError(f"--box is {box!r}, expected four numbers X,Y,W,H, as 388,0,152,378") from None
    if not (width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height)))):
        raise ConfigError(f"--box is {box!r}, expected finite numbers, width and height above 0")
    return Choice((x, y, x + width, y + height), False)


def place(config: Path | None, data: Path | None) -> Place:
    """The site file's data and networks, or a data folder with the networks that come with Passerby.

    A promoted re-ID network stands in place of either's own. Raises ConfigError unless exactly one of the two is
    given.
    """
    if data is not None and config is None:
        return Place(
            data=data, models=models_in_use(data, EMBEDDED), engine="auto", threads=0, association=AssociationSettings()
        )
    if config is not None and data is None:
        site = load_site(config, secrets="left")
        return Place(
            data=site.data,
            models=models_in_use(site.data, site.models),
            engine=site.engine,
            threads=site.edge.threads,
            association=site.association,
        )
    raise ConfigError("say which site: --config SITE, or --data DIR with the networks that come with Passerby")

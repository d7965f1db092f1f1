"""The networks of a site, looking at what somebody brings."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hub.association.appearance import Known
from hub.enrolment.likeness import Likeness, load_likeness
from passerby.cli.looking.films import frames_in, group, watch_film
from passerby.cli.looking.options import Material, Place
from passerby.cli.looking.people import Person
from passerby.cli.looking.pictures import look_at_picture
from passerby.ids import ModelId
from passerby.inference import DetectionEngine, EmbeddingEngine, load_detector, load_embedder
from passerby.models import find_model


@dataclass(frozen=True, slots=True, eq=False)
class Viewed:
    """A film or picture, and the people in it, at least one."""

    source: str
    people: list[Person]


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """Two networks, and what the site whose `data` folder it is knows of comparing what they see."""

    detector: DetectionEngine
    embedder: EmbeddingEngine
    likeness: Likeness
    data: Path

    @property
    def model_id(self) -> ModelId:
        """What describes people."""
        return self.embedder.manifest.model_id

    def view(self, material: Material) -> list[Viewed]:
        """The film, or each of the pictures, with a progress bar on stderr. Raises SourceError, DataError."""
        with _progress() as progress:
            if material.video is not None:
                task = progress.add_task(material.video.name, total=None)
                return [self._film(material, material.video, progress, task)]
            task = progress.add_task(material.name, total=len(material.images))
            viewed = []
            for file in material.images:
                viewed.append(self._picture(file, whole=material.whole))
                progress.advance(task)
            return viewed

    def known(self, person: Person) -> list[Known]:
        """What is seen of a person, to be compared with those who are known."""
        return [self.likeness.known(look, origin="seen") for look in person.looks]

    def film(
        self,
        file: Path,
        *,
        first: int,
        last: int | None,
        name: str = "",
        on_frame: Callable[[int], None] = lambda _: None,
        on_last: Callable[[], None] = lambda: None,
    ) -> Viewed:
        """The people of a film, which is called `name`; `on_frame` and `on_last` are as in `watch_film`.

        Raises SourceError, DataError.
        """
        sightings = watch_film(
            file,
            detector=self.detector,
            embedder=self.embedder,
            first=first,
            last=last,
            name=name,
            on_frame=on_frame,
            on_last=on_last,
        )
        return Viewed(name or file.name, group(sightings, self.likeness))

    def _film(self, material: Material, file: Path, progress: Progress, task: TaskID) -> Viewed:
        total = material.last or frames_in(file)
        progress.update(task, total=total)
        return self.film(
            file,
            first=material.first,
            last=material.last,
            on_frame=lambda number: progress.update(task, completed=number),
            on_last=lambda: progress.update(task, completed=total or 0),
        )

    def _picture(self, file: Path, *, whole: bool) -> Viewed:
        return Viewed(file.name, look_at_picture(file, detector=self.detector, embedder=self.embedder, whole=whole))


@contextlib.contextmanager
def open_eyes(place: Place) -> Iterator[Eyes]:
    """Load a site's networks, and close them at the end. Raises ModelError, EngineError, StoreError."""
    detector_model = find_model(place.models.detector, task="detect")
    reid_model = find_model(place.models.reid, task="embed")
    likeness = likeness_of(place)
    detector = load_detector(detector_model, engine=place.engine, threads=place.threads)
    with contextlib.closing(detector):
        embedder = load_embedder(reid_model, engine=place.engine, threads=place.threads)
        with contextlib.closing(embedder):
            yield Eyes(detector, embedder, likeness, place.data)


def likeness_of(place: Place) -> Likeness:
    """What a site knows now of comparing what its re-ID network sees. Raises ModelError, StoreError."""
    model = find_model(place.models.reid, task="embed")
    return load_likeness(place.data, model, normalized=place.association.normalize == "camera")


def _progress() -> Progress:
    """On stderr, where it does not get between a pipe and its reader."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

"""What the web process serves from: a site's data to be read, and whoever carries out what is asked.

The API and the dashboard are given one `Services`. It is safe to use from several threads at once; every call may block
(a database, a disk, a network), so that an event loop calls it in a thread.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from hub.access.store import AccessStore
from hub.camera_list import CameraLine
from hub.corrections.acts import Act, Outcome
from hub.corrections.desk import request_correction
from hub.crops import CropStore
from hub.enrolment.likeness import Likeness
from hub.enrolment.records import Look
from hub.films.records import Asked, Film, Viewing
from hub.listing import Listing
from hub.outgoing.trying import Trial
from hub.ownership import is_owned
from hub.reader import SiteReader
from hub.records import TrackletNumber
from passerby.adaptation.job import Job
from passerby.adaptation.schedule import Plan
from passerby.arrays import Float32Array, Image
from passerby.config import CameraSettings, RetentionSettings
from passerby.ids import BootId, CameraId, ModelId
from passerby.messages import Marked


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What the site file says, without secrets."""

    site: str
    cameras: tuple[CameraId, ...]
    """Those of the site file, in its order; attached ones are asked of `Services.cameras`."""
    detector: str
    reid: str
    engine: str
    false_link_rate: float
    association: Mapping[str, object]
    """All settings of the association, as in the file."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)


@dataclass(frozen=True, slots=True, eq=False)
class SeenPerson:
    """Somebody in a picture that was brought: `box_xyxy` (4,) float32 pixels, and what a network makes of the crop."""

    box_xyxy: Float32Array
    look: Look


class Eyes(Protocol):
    """The site's networks, looking at pictures that somebody brings. Loaded at the first use, which takes seconds."""

    @property
    def model_id(self) -> ModelId:
        """What describes people."""

    def people(self, picture: Image, *, name: str, whole: bool = False) -> Sequence[SeenPerson]:
        """Everybody in a picture (h, w, 3) uint8 BGR, the most confident first; with `whole` all of it is one person.

        Raises DataError, which calls it `name`, where nobody is seen, or nobody well enough to be recognized.
        """

    def likeness(self) -> Likeness:
        """What the site knows now of comparing people."""


class Adaptations(Protocol):
    """Adaptations of the site, and the models in use."""

    def start(self, *, actor: str, minutes: float | None = None, recipe: str | None = None) -> Job:
        """Begin one, as the site file has it where not said otherwise. Raises DataError where it cannot begin."""

    def jobs(self) -> Sequence[Job]:
        """All, in the order of their numbers."""

    def job(self, number: int) -> Job:
        """One of them. Raises DataError where there is none."""

    def cancel(self, number: int, *, actor: str) -> None:
        """Ask for its end. Raises DataError where there is none, or it has ended."""

    def compare(self, number: int) -> str:
        """The former model and the new one side by side, a whole page of HTML. Raises DataError where there is none."""

    def promote(self, number: int, *, actor: str, cameras: Sequence[CameraId] = ()) -> str:
        """Begin to use the model, in these cameras or in all; gives in words what happens now.

        Raises DataError where it may not be.
        """

    def rollback(self, *, actor: str) -> str:
        """Go back to the former model; gives in words what happens now. Raises DataError where there is none."""

    def plan(self, *, newest_tracklet: int) -> Plan:
        """When the next one begins by itself, and what it lacks; `newest_tracklet` is the latest number of all."""

    def tell_schedule(self, *, actor: str, schedule: str | None = None, min_new_tracklets: int | None = None) -> None:
        """Let this hold in place of what the site file says; None: as it is. Raises ConfigError where it is wrong."""

    def forget_schedule(self) -> None:
        """Let the site file hold again."""


Login: TypeAlias = tuple[str, str]
"""A camera's user and password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was found where a camera is said to be."""

    url: str
    """Of the stream, without user, password and other secrets."""
    facts: Mapping[str, object]
    """Codec, size, frames per second, person height, verdict and so on, for JSON."""
    tried: Sequence[str] = ()
    """Paths of common makers, where only a host was given; the last one answered."""
    picture: bytes | None = None
    """The one with the most people, as JPEG."""
    seen: Sequence[Float32Array] = ()
    """Of each picture that was looked at the people (n, 4), boxes xyxy as fractions of the picture."""


class Cameras(Protocol):
    """Cameras at run time. Settings are keys of a camera in the site file; all raise DataError where they are wrong."""

    def settings(self) -> Mapping[CameraId, CameraSettings]:
        """All cameras that there are now; a URL may hold a password and is never shown but by `redact`."""

    def lines(self) -> Sequence[CameraLine]:
        """All cameras, where each is from, and how far the latest change has come."""

    def attach(
        self, camera_id: CameraId, settings: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        """Begin with a camera; gives in words what becomes of it. Raises DataError where the name is taken too."""

    def edit(
        self, camera_id: CameraId, changes: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        """Change a camera: what is left out stays, and so does a URL given as it is shown. Gives what becomes of it."""

    def remove(self, camera_id: CameraId, *, actor: str) -> str:
        """End a camera; gives in words what becomes of it."""

    def probe(
        self,
        settings: Mapping[str, object],
        *,
        login: Login | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Probed:
        """Look at a camera that is not attached; `url` may be a host alone. `tell` hears what is done meanwhile.

        Raises SourceError where it cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What a camera shows at a moment, and who is in it: tracklets of the edge's process `boot_id`."""

    captured_at_ns: int
    jpeg: bytes
    boot_id: BootId
    people: Sequence[Marked] = ()


class LivePictures(Protocol):
    """What cameras show now; they send pictures only while somebody asks for them."""

    def latest(self, camera_id: CameraId, *, full: bool = False) -> LivePicture | None:
        """The latest picture of the last seconds; None until one has come. To ask is to watch, for ten seconds.

        `full`: in the camera's own size, for all who watch it, as soon as the camera's edge knows.
        """


LONGEST_FILM = 512 << 20
"""Bytes of a film that is brought."""


class IncomingFilm(Protocol):
    """A film that is coming, piece by piece."""

    def write(self, data: bytes) -> None:
        """More of it. Raises DataError where it is longer than `LONGEST_FILM`, StoreError where the disk is full."""

    def finish(self) -> Film:
        """It is all here. Raises DataError where it is no film that is taken."""

    def close(self) -> None:
        """Give it up, unless it is here: nothing of it is left."""


class Films(Protocol):
    """Films that somebody brings, and questions about them. Nobody sees what another has brought or asked.

    A film and an answer are kept for half an hour. Raises DataError for what is not there.
    """

    def begin(self, name: str, *, actor: str) -> IncomingFilm:
        """Take a film in. Raises DataError where there are too many, StoreError where there is no room."""

    def films(self, *, actor: str) -> Sequence[Film]:
        """Those that are here."""

    def film(self, film_id: str, *, actor: str) -> Film:
        """One of them."""

    def frame(self, film_id: str, number: int, *, actor: str, width: int) -> bytes:
        """A frame, from 1, as JPEG of at most this width. Raises DataError where it cannot be decoded."""

    def remove(self, film_id: str, *, actor: str) -> None:
        """Delete one. Raises DataError where it is being looked at."""

    def ask(self, film_id: str, asked: Asked, *, actor: str, address: str = "") -> Viewing:
        """Queue a question. Raises DataError where it asks for what there is not, or too many wait."""

    def viewings(self, *, actor: str) -> Sequence[Viewing]:
        """What was asked, in order."""

    def viewing(self, number: int, *, actor: str) -> Viewing:
        """One of them."""

    def cancel(self, number: int, *, actor: str) -> Viewing:
        """End one at once. Raises DataError where it has ended."""


@dataclass(slots=True, kw_only=True, eq=False)
class Services:
    """Everything that is served. What is None is not there: its routes answer 404 and a page leaves it out."""

    data_dir: Path
    facts: SiteFacts
    access: AccessStore
    eyes: Callable[[], Eyes]
    """The networks, loaded at the first call. Raises ModelError, EngineError."""
    adaptations: Adaptations | None = None
    cameras: Cameras | None = None
    live: LivePictures | None = None
    try_telling: Callable[[], Sequence[Trial]] | None = None
    """Sends a test to everybody whom the site file names; None where it names nobody. Raises ConfigError."""
    films: Films | None = None
    login: bool = True
    """Whether somebody must say who they are; else everybody is `hub.access.records.LOCAL`, an administrator."""
    _reader: SiteReader | None = field(default=None, init=False)
    _listing: Listing | None = field(default=None, init=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)
    _crops: threading.Lock = field(default_factory=threading.Lock, init=False)

    def reader(self) -> SiteReader:
        """The site's data as of now. It is shared and stays open: do not close it. Raises StoreError.

        There are none until a hub has run once.
        """
        with self._opening:
            if self._reader is None:
                self._reader = SiteReader(self.data_dir)
            return self._reader

    def listing(self) -> Listing:
        """The same data by pages, and as somebody may see it. It stays open. Raises StoreError."""
        with self._opening:
            if self._listing is None:
                self._listing = Listing(self.data_dir)
            return self._listing

    def crop(self, number: TrackletNumber, crop_id: int) -> bytes | None:
        """A kept crop as JPEG; None where it is not kept. Raises StoreError."""
        with self.crops() as store:
            return store.get(number, crop_id)

    def best_crop(self, number: TrackletNumber) -> bytes | None:
        """The best crop of a tracklet that is kept, as JPEG; None where none is. Raises StoreError."""
        ranked = self.reader().exemplars(number)
        with self.crops() as store:
            kept = (store.get(number, one.crop_id) for one in ranked)
            return next((jpeg for jpeg in kept if jpeg is not None), None)

    @contextlib.contextmanager
    def crops(self) -> Iterator[CropStore]:
        """The crops, for as short as possible: one thread at a time. Raises StoreError where there are none."""
        with self._crops, CropStore.open_for_reading(self.data_dir) as store:
            yield store

    def correct(self, act: Act, *, actor: str, address: str = "") -> Outcome:
        """Let the hub carry out an operator's act, and put down who asked for it.

        Takes as long as the hub does, 30 s at most. Raises DataError, with the reason, where it cannot be done, and
        StoreError where nobody answers.
        """
        if is_owned(self.data_dir):
            outcome = request_correction(self.data_dir, act, behalf=actor)
        else:
            with self._crops:  # it is carried out here, and a process may open the crops once
                outcome = request_correction(self.data_dir, act, behalf=actor)
        self.access.audit.put_correction(act, outcome, actor=actor, address=address)
        return outcome

    def close(self) -> None:
        """Let go of the data."""
        with self._opening:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if self._listing is not None:
                self._listing.close()
                self._listing = None
        self.access.close()

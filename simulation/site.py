"""A whole simulated site: make it from a kind and a seed, then render any frame of any camera, in any order."""

from collections import OrderedDict

from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.bodies.sprites import SpriteBook
from simulation.building import make_plan
from simulation.cameras import CameraSpec, place_cameras, rooms_watched
from simulation.composing import CameraView
from simulation.kinds import SiteKind, site_kind
from simulation.looks import Person
from simulation.plan import Plan
from simulation.truth import RenderedFrame
from simulation.wardrobe import random_people
from simulation.world import PersonState, World

KEPT_VIEWS = 64
"""Cameras whose empty scenes are kept: 8 MiB each at 640x360. More in turn would be drawn again and again."""


class SimulatedSite:
    """People, rooms and cameras that depend on the kind and the seed alone.

    The same frame has the same bytes whenever it is rendered, on one machine and with one set of libraries. Frame k of
    a camera is the world at k / fps seconds; what that means on a wall clock is the caller's. Not thread-safe: one
    site for each thread or process that renders.
    """

    def __init__(
        self, kind: SiteKind, seed: int, *, plan: Plan, cameras: list[CameraSpec], people: list[Person]
    ) -> None:
        self.kind, self.seed, self.plan = kind, seed, plan
        self.people = tuple(people)
        self._specs = {spec.camera_id: spec for spec in cameras}
        watched = frozenset(spec.room for spec in cameras)
        self.world = World(seed, plan, kind=kind, people=people, watched=watched)
        self._book = SpriteBook()
        self._views: OrderedDict[CameraId, CameraView] = OrderedDict()

    @classmethod
    def make(
        cls, kind: str | SiteKind = "default", *, seed: int, cameras: int = 4, people: int | None = None
    ) -> "SimulatedSite":
        """A site of a kind, for any integer seed; `people` None: as many as the kind has.

        `kind` is a name of `simulation.kinds`, or settings of one's own, for which no figure of a named kind stands.

        Raises ConfigError for an unknown kind, fewer than one camera or fewer than no people.
        """
        settings = site_kind(kind) if isinstance(kind, str) else kind
        if cameras < 1:
            raise ConfigError(f"a site of {cameras} cameras cannot be made, expected 1 or more")
        count = max(2, round(settings.people_per_camera * cameras)) if people is None else people
        if count < 0:
            raise ConfigError(f"a site of {count} people cannot be made, expected 0 or more")
        watched, _ = rooms_watched(cameras, settings)
        plan = make_plan(seed, watched)
        return cls(
            settings,
            seed,
            plan=plan,
            cameras=place_cameras(seed, plan, kind=settings, count=cameras),
            people=random_people(seed, count, dresses=settings.dresses),
        )

    @property
    def camera_ids(self) -> tuple[CameraId, ...]:
        """All cameras, in order."""
        return tuple(self._specs)

    @property
    def person_ids(self) -> tuple[int, ...]:
        """Everybody who ever comes."""
        return tuple(person.person_id for person in self.people)

    def spec(self, camera_id: CameraId) -> CameraSpec:
        """Pose, lens, size, rate and colours of a camera. Raises ConfigError for an unknown one."""
        spec = self._specs.get(camera_id)
        if spec is None:
            raise ConfigError(f"this site has no camera {camera_id!r}; it has {', '.join(self._specs)}")
        return spec

    def people_at(self, time_s: float) -> list[PersonState]:
        """Who is in the world at a time, and where."""
        return self.world.at(time_s)

    def render(self, camera_id: CameraId, frame_index: int) -> RenderedFrame:
        """A frame of a camera with its truth. The first one of a camera takes a second more: its empty rooms."""
        spec = self.spec(camera_id)
        return self._view(spec).render(frame_index, self.world.at(frame_index / spec.fps))

    def _view(self, spec: CameraSpec) -> CameraView:
        view = self._views.get(spec.camera_id)
        if view is None:
            view = self._views[spec.camera_id] = CameraView(self.seed, self.plan, spec, book=self._book)
            while len(self._views) > KEPT_VIEWS:
                self._views.popitem(last=False)
        return view

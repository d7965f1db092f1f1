"""One camera's people, by regime: who was seen by day, who under infrared light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from passerby.arrays import Float32Array, Int64Array
from passerby.features.change_points import DRIFT_FEWEST, DRIFT_WINDOW, crowd_of, drift, jump, returned
from passerby.features.people import People, Person
from passerby.features.timeline import Timeline

MAX_REGIMES = 3
"""Regimes of a camera whose people are remembered; the one that was on least recently goes first."""

DRIFT_ALARM, DRIFT_OVER = 1.9, 1.4
"""The alarm begins above the first number, and ends below the second. Standard errors: where nothing drifts the largest
of 6,500 values was 1.8, in the sources of `change_points.JUMP_ENERGY`."""

FEWEST_PEOPLE = 4
"""People of a regime whose mean can be compared with others."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What an observation has changed: the regimes whose people are others now, and whether the camera switched."""

    regimes: frozenset[int]
    switched: bool


class CameraPeople:
    """The people of one camera in each of its regimes, when it was in which, and how fast it changes.

    With each person that is new the people seen last are compared with those before: whether a regime that is known has
    come back, whether the camera jumped to another that is not, how far it drifts. A switch is dated back to the first
    of the people who show it, and they go over to their regime.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self.people: dict[int, People] = {0: People(dimension)}
        """By regime."""
        self.timeline = Timeline()
        self.next_regime = 1
        self.drift: float | None = None
        """How far the people seen last are from those before, in standard errors: about 1 by chance. None while they
        are too few."""
        self.alarm = False
        self.changed: set[tuple[int, int]] = set()
        """Regimes and slots of people who came, changed or went since it was last cleared."""

    @classmethod
    def restored(
        cls,
        dimension: int,
        *,
        people: Mapping[int, Sequence[tuple[int, Person]]],
        timeline: Timeline,
        next_regime: int,
        drift: float | None,
        alarm: bool,
    ) -> "CameraPeople":
        """As it was; `people` by regime, with their slots."""
        camera = cls(dimension)
        camera.people = {regime: People(dimension, known=known) for regime, known in sorted(people.items())}
        camera.timeline, camera.next_regime = timeline, next_regime
        camera.drift, camera.alarm = drift, alarm
        return camera

    def observe(self, embedding: Float32Array, *, quality: float, at_ns: int, same_person_distance: float) -> Learned:
        """Learn from a tracklet (d,) that began at `at_ns` (capture time)."""
        regime = self.timeline.regime_at(at_ns)
        people = self.people.get(regime)
        if people is None:  # A light of long ago, whose people are remembered no more.
            return Learned(frozenset(), switched=False)
        somebody_new = people.observe(
            embedding, quality=quality, at_ns=at_ns, same_person_distance=same_person_distance
        )
        learned = self._compare(regime) if somebody_new else None
        self._note_changes()
        return learned or Learned(frozenset({regime}), switched=False)

    def reset(self) -> Learned:
        """Begin anew after the latest tracklet so far, with a regime of which nothing is known."""
        latest_ns = max(people.latest_ns for people in self.people.values())
        gone = list(self.people)
        for regime in gone:
            self._forget(regime)
        self.people[self.next_regime] = People(self._dimension)
        self.timeline = self.timeline.switched(since_ns=latest_ns + 1, regime=self.next_regime)
        self.next_regime += 1
        self.drift, self.alarm = None, False
        return Learned(frozenset({*gone, *self.people}), switched=True)

    def forget(self, embedding: Float32Array, *, same_person_distance: float) -> int:
        """Let nothing be left of those whom an embedding (d,) shows, by whatever light; gives how many they are."""
        gone = 0
        for people in self.people.values():
            gone += len(people.release(people.like(embedding, same_person_distance=same_person_distance)))
        self._note_changes()
        return gone

    def _compare(self, regime: int) -> Learned | None:
        """People seen last against those before; what changed if the camera has switched."""
        slots = self.people[regime].latest_first()
        rows = self.people[regime].rows(slots)
        for other, people in self.people.items():
            if other != regime and len(people) >= FEWEST_PEOPLE:
                window = returned(rows, other=people.rows(people.latest_first()))
                if window:
                    return self._switch(regime, other, slots[:window])
        window = jump(rows)
        if window:
            return self._switch(regime, None, slots[:window])
        window = min(DRIFT_WINDOW, len(rows) // 2)
        if window >= DRIFT_FEWEST:
            self.drift = drift(rows[:window], crowd_of(rows[window:]))
            self.alarm = self.drift > (DRIFT_OVER if self.alarm else DRIFT_ALARM)
        return None

    def _switch(self, present: int, other: int | None, slots: Int64Array) -> Learned:
        """To another regime, or a new one, with the people who show it."""
        touched = {present}
        if other is None:
            other = self.next_regime
            self.next_regime += 1
            touched |= self._make_room(besides=present)
            self.people[other] = People(self._dimension)
        moved = self.people[present].release(slots.tolist())
        self.people[other].adopt(moved)
        since_ns = min(person.seen_at_ns for person in moved)
        self.timeline = self.timeline.switched(since_ns=since_ns, regime=other)
        self.drift, self.alarm = None, False
        return Learned(frozenset({*touched, other}), switched=True)

    def _make_room(self, *, besides: int) -> set[int]:
        """Let the regime go that was on least recently, where there are as many as may be."""
        if len(self.people) < MAX_REGIMES:
            return set()
        last_on = {regime: index for index, regime in enumerate(self.timeline.regimes)}
        gone = min((r for r in self.people if r != besides), key=lambda r: (last_on.get(r, -1), r))
        self._forget(gone)
        return {gone}

    def _forget(self, regime: int) -> None:
        self.changed |= {(regime, slot) for slot in self.people.pop(regime).slots()}

    def _note_changes(self) -> None:
        for regime, people in self.people.items():
            self.changed |= {(regime, slot) for slot in people.changed}
            people.changed.clear()

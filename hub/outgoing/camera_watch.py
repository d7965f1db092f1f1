"""How cameras are now, and which of them went or came back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hub.health import grade_of
from hub.outgoing.news import CameraNews
from hub.reader import StoredStatus
from passerby.ids import CameraId
from passerby.redaction import redact

SILENT_NS = 30 * 10**9
"""An edge reports every few seconds; older words are no longer true."""

HOLD_NS = 30 * 10**9
"""A camera is told of as gone once it is so for that long: most are back sooner, as after every start of the site."""


def cameras_now(
    reported: Sequence[StoredStatus], names: Collection[CameraId], *, now_ns: int
) -> Mapping[CameraId, CameraNews]:
    """Each of these cameras as it is; others that ever reported are left out."""
    told = {stored.status.camera_id: stored for stored in reported}
    return {name: _now(name, told.get(name), now_ns=now_ns) for name in sorted(names)}


@dataclass(frozen=True, slots=True)
class CameraWatch:
    """What was told of cameras, and since when it is otherwise.

    >>> gone, back = ({"a": CameraNews(camera="a", online=on, state="", detail="", fps=0, expected_fps=0, health=None)}
    ...     for on in (False, True))
    >>> watch, told = CameraWatch().after(gone, now_ns=0)
    >>> watch, later = watch.after(gone, now_ns=HOLD_NS)
    >>> len(told), len(later), [news.online for news in watch.after(back, now_ns=HOLD_NS + 1)[1]]
    (0, 1, [True])
    """

    offline: frozenset[CameraId] = frozenset()
    """Told of as gone; of all others it is taken for granted that they are there."""
    since: Mapping[CameraId, int] = field(default_factory=dict)
    """Those that are gone and not told of yet."""

    def after(
        self, cameras: Mapping[CameraId, CameraNews], *, now_ns: int
    ) -> tuple["CameraWatch", Sequence[CameraNews]]:
        """The watch after a look, and what is to be told: a return at once, an absence once it has lasted."""
        gone = {name for name, news in cameras.items() if not news.online}
        since = {name: min(self.since.get(name, now_ns), now_ns) for name in gone - self.offline}
        lasted = {name for name, began in since.items() if now_ns - began >= HOLD_NS}
        back = self.offline - gone & cameras.keys()
        offline = (self.offline & cameras.keys() | lasted) - back
        watch = replace(self, offline=frozenset(offline), since={n: s for n, s in since.items() if n not in lasted})
        return watch, [cameras[name] for name in sorted(lasted | back)]


def _now(name: CameraId, stored: StoredStatus | None, *, now_ns: int) -> CameraNews:
    if stored is None:
        return CameraNews(camera=name, online=False, state="unknown", detail="", fps=0.0, expected_fps=0.0, health=None)
    status = stored.status
    silent = now_ns - stored.received_at_ns > SILENT_NS
    online = status.state == "live" and not silent
    return CameraNews(
        camera=name,
        online=online,
        state="silent" if silent and status.state not in ("ended", "paused") else status.state,
        detail=redact(status.detail),
        fps=round(status.achieved_fps, 1) if online else 0.0,
        expected_fps=status.expected_fps,
        health=grade_of(status) if online else None,
    )

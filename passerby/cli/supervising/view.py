"""What one sees while a site runs: a row per camera, the latest associations, and how hub and edge are."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hub.narration import clock, sentence
from hub.reader import SiteReader, StoredStatus
from passerby.cli.supervising.children import Child
from passerby.config import Site
from passerby.config.attached import CameraFolder, site_cameras
from passerby.errors import ConfigError, StoreError
from passerby.ids import CameraId
from passerby.messages import CameraStatus

_LATEST = 8
_SECOND_NS = 1_000_000_000
_SILENT_NS = 30 * _SECOND_NS
"""An edge reports every few seconds; older words are no longer true."""

_STYLES = {"live": "green", "connecting": "yellow", "waiting": "yellow", "stalled": "red", "failed": "bold red"}


class SiteView:
    """Reads the site's database, which the hub writes, and draws it. `close` lets go of the database."""

    def __init__(self, site: Site, children: Sequence[Child], *, started_at_ns: int) -> None:
        self._site = site
        self._children = children
        self._started_at_ns = started_at_ns
        self._reader: SiteReader | None = None
        self._seen_event: int | None = None
        self._latest: deque[str] = deque(maxlen=_LATEST)
        self._identities = 0
        self._folder = CameraFolder(site.data)
        self._stamp = 0
        self._cameras_now = tuple(site.cameras)

    def new_events(self) -> list[str]:
        """The associations since the last call, a line each; empty while there is no database yet."""
        lines: list[str] = []
        with self._reading() as reader:
            while reader and (page := reader.events(after=self._seen_event or 0)):
                lines += [f"{clock(event.at_ns)} {sentence(event, reader)}" for event in page]
                self._seen_event = page[-1].event_id
            if reader and lines:
                self._identities = reader.active_identities()
        self._latest.extend(lines)
        return lines

    def camera_lines(self) -> list[str]:
        """A plain line per camera, for a terminal that is none."""
        return [
            f"{name}: {status.state} {status.achieved_fps:.1f}/{status.expected_fps:.1f} fps, "
            f"{status.tracklets} tracklets, {status.reconnects} reconnects {status.detail}".rstrip()
            for name, status in self._statuses()
        ]

    def render(self) -> RenderableType:
        """The whole picture."""
        return Group(self._header(), self._cameras(), *(Text(line) for line in self._latest))

    def close(self) -> None:
        """Let go of the database."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _header(self) -> Text:
        header = Text.assemble(("Passerby ", "bold"), (self._site.site, "bold cyan"))
        for child in self._children:
            header.append(f"   {child.name}: ")
            header.append(child.state, style="green" if child.state == "running" else "red")
        header.append(f"   {self._identities} identities")
        return header

    def _cameras(self) -> Table:
        table = Table(expand=False, pad_edge=False, box=None, header_style="dim")
        for title in ("camera", "state"):
            table.add_column(title)
        for title in ("fps", "of", "skipped", "tracklets", "reconnects", "stalls", "last frame"):
            table.add_column(title, justify="right")
        table.add_column("")
        for name, status in self._statuses():
            table.add_row(
                name,
                Text(status.state, style=_STYLES.get(status.state, "")),
                f"{status.achieved_fps:.1f}",
                f"{status.expected_fps:.1f}",
                str(status.skipped_frames),
                str(status.tracklets),
                str(status.reconnects),
                str(status.stalls),
                _ago(status.last_frame_at_ns),
                status.detail,
            )
        return table

    def _statuses(self) -> list[tuple[str, CameraStatus]]:
        """Every camera of the site with what was last said of it in this run."""
        stored: dict[CameraId, StoredStatus] = {}
        with self._reading() as reader:
            stored = {item.status.camera_id: item for item in reader.cameras()} if reader else {}
        return [(name, self._current(stored.get(name), name)) for name in self._names()]

    def _names(self) -> tuple[CameraId, ...]:
        """The cameras of the site as they are now; as they were, while they cannot be read."""
        stamp = self._folder.stamp()
        if stamp != self._stamp or time.time_ns() - stamp < _SECOND_NS:
            with contextlib.suppress(ConfigError):
                self._cameras_now, self._stamp = tuple(site_cameras(self._site)), stamp
        return self._cameras_now

    def _current(self, stored: StoredStatus | None, name: str) -> CameraStatus:
        if stored is None or stored.received_at_ns < self._started_at_ns:
            return CameraStatus(camera_id=CameraId(name), state="connecting", detail="starting")
        if time.time_ns() - stored.received_at_ns > _SILENT_NS and stored.status.state != "ended":
            return msgspec.structs.replace(stored.status, state="stalled", detail="the edge is silent")
        return stored.status

    @contextlib.contextmanager
    def _reading(self) -> Iterator[SiteReader | None]:
        """The database, None while it cannot be opened; where it cannot be read, the `with` block ends early.

        A view that cannot look for a moment must not end the site.
        """
        with contextlib.suppress(StoreError):
            self._open()
        try:
            yield self._reader
        except StoreError:
            self.close()

    def _open(self) -> None:
        if self._reader is None:
            self._reader = SiteReader(self._site.data)
            self._identities = self._reader.active_identities()
            if self._seen_event is None:
                self._seen_event = self._reader.last_event_id()


def _ago(at_ns: int) -> str:
    if not at_ns:
        return "-"
    return f"{max(0.0, (time.time_ns() - at_ns) / _SECOND_NS):.1f} s ago"

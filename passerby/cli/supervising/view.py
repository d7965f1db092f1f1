"""What one sees while a site runs: a row per camera, the latest associations, and how hub and edge are."""

import time
from collections import deque
from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hub.narration import clock, sentence
from hub.reader import SiteReader, StoredStatus
from passerby.cli.supervising.children import Child
from passerby.config import Site
from passerby.errors import StoreError
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
        self._seen_event = 0
        self._latest: deque[str] = deque(maxlen=_LATEST)
        self._identities = 0

    def new_events(self) -> list[str]:
        """The associations since the last call, a line each; empty while there is no database yet."""
        reader = self._open()
        if reader is None:
            return []
        lines = []
        while page := reader.events(after=self._seen_event):
            lines += [f"{clock(event.at_ns)} {sentence(event, reader)}" for event in page]
            self._seen_event = page[-1].event_id
        if lines:
            self._identities = len(reader.summaries())
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
        reader = self._open()
        stored = {} if reader is None else {item.status.camera_id: item for item in reader.cameras()}
        return [(name, self._current(stored.get(name), name)) for name in self._site.cameras]

    def _current(self, stored: StoredStatus | None, name: str) -> CameraStatus:
        if stored is None or stored.received_at_ns < self._started_at_ns:
            return CameraStatus(camera_id=CameraId(name), state="connecting", detail="starting")
        if time.time_ns() - stored.received_at_ns > _SILENT_NS and stored.status.state != "ended":
            return msgspec.structs.replace(stored.status, state="stalled", detail="the edge is silent")
        return stored.status

    def _open(self) -> SiteReader | None:
        if self._reader is None:
            try:
                self._reader = SiteReader(self._site.data)
                self._seen_event = self._reader.last_event_id()
                self._identities = len(self._reader.summaries())
            except StoreError:
                self._reader = None  # The hub has not made its database yet.
        return self._reader


def _ago(at_ns: int) -> str:
    if not at_ns:
        return "-"
    return f"{max(0.0, (time.time_ns() - at_ns) / _SECOND_NS):.1f} s ago"

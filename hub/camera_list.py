"""The cameras of a site, and how they are."""

import contextlib
from dataclasses import dataclass

from hub.camera_news import read_news
from hub.ownership import is_owned
from hub.reader import SiteReader
from passerby.config import Site
from passerby.config.attached import CameraFolder, site_cameras
from passerby.errors import StoreError
from passerby.ids import CameraId
from passerby.messages import CameraStatus
from passerby.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLine:
    """One camera; `url` without its secrets."""

    camera: CameraId
    origin: str
    """`site file`, `changed` (in the site file, and edited since), or `attached`."""
    url: str
    enabled: bool
    state: str
    """As it was last told; `unknown` where it never was."""
    detail: str
    edge: str
    word: str
    """How far the latest change has come: `taken`, or why not; empty without one, or while no hub runs."""


def camera_lines(site: Site) -> list[CameraLine]:
    """Every camera, by name. Raises ConfigError or StoreError."""
    saved = CameraFolder(site.data).read()
    news = read_news(site.data) if is_owned(site.data) else {}
    told: dict[CameraId, tuple[CameraStatus, str]] = {}
    with contextlib.suppress(StoreError), SiteReader(site.data) as reader:
        told = {stored.status.camera_id: (stored.status, stored.edge_id) for stored in reader.cameras()}
    lines = []
    for camera_id, settings in sorted(site_cameras(site).items()):
        mine, latest = saved.get(camera_id), news.get(camera_id)
        status, edge = told.get(camera_id, (None, ""))
        current = mine is not None and latest is not None and latest.changed_at_ns == mine.changed_at_ns
        lines.append(
            CameraLine(
                camera=camera_id,
                origin="site file" if mine is None else "attached" if mine.attached else "changed",
                url=redact(settings.url),
                enabled=settings.enabled,
                state=status.state if status else "unknown",
                detail=status.detail if status else "",
                edge=edge,
                word=(latest.reason or latest.progress) if current and latest else "",
            )
        )
    return lines

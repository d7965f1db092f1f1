"""What has become of a word about a camera: said to who gave it."""

import typer

from hub.camera_news import wait_for_news
from hub.ownership import is_owned
from passerby.config import Site
from passerby.config.attached import SavedCamera
from passerby.errors import ConfigError
from passerby.ids import CameraId

WAIT_S = 10.0


def tell(site: Site, camera_id: CameraId, saved: SavedCamera) -> None:
    """Wait until the running hub knows what becomes of it, and say so. Raises ConfigError where an edge refuses it."""
    typer.echo(f"{camera_id}: {become(site, camera_id, saved)}")


def become(site: Site, camera_id: CameraId, saved: SavedCamera, *, wait_s: float = WAIT_S) -> str:
    """What has become of a word, in words, after at most `wait_s`. Raises ConfigError where an edge refuses it."""
    if not is_owned(site.data):
        return "saved; no hub runs now, the next start takes it"
    news = wait_for_news(
        site.data,
        camera_id,
        changed_at_ns=saved.changed_at_ns,
        timeout_s=wait_s,
        keep_waiting=lambda: is_owned(site.data),
    )
    if news is None:
        return "saved; the hub has not looked at it yet"
    edges = ", ".join(news.edges)
    match news.progress:
        case "taken":
            return f"saved, and taken{f' by edge {edges}' if edges else ''}"
        case "asked":
            return f"saved; edge {edges} has been asked, and has not answered yet"
        case "waiting":
            return f"saved; it waits: {news.reason}"
        case "refused":
            raise ConfigError(f"camera {camera_id}: saved, but it cannot be used: {news.reason}")

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
    if not is_owned(site.data):
        typer.echo(f"{camera_id}: saved; no hub runs now, the next start takes it")
        return
    news = wait_for_news(
        site.data,
        camera_id,
        changed_at_ns=saved.changed_at_ns,
        timeout_s=WAIT_S,
        keep_waiting=lambda: is_owned(site.data),
    )
    if news is None:
        typer.echo(f"{camera_id}: saved; the hub has not looked at it yet")
        return
    edges = ", ".join(news.edges)
    match news.progress:
        case "taken":
            typer.echo(f"{camera_id}: saved, and taken{f' by edge {edges}' if edges else ''}")
        case "asked":
            typer.echo(f"{camera_id}: saved; edge {edges} has been asked, and has not answered yet")
        case "waiting":
            typer.echo(f"{camera_id}: saved; it waits: {news.reason}")
        case "refused":
            raise ConfigError(f"camera {camera_id}: saved, but it cannot be used: {news.reason}")

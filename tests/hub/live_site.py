"""A running hub and running edges on real sockets, in threads: cameras are films, the networks arithmetic."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge.cameras import Cameras
from edge.embedders import Embedders
from edge.worker import EdgeWorker, hello
from hub.camera_changes import CameraChanges
from hub.live_pictures import WATCHED_S, LivePictures
from hub.server import HubServer
from hub.site_hub import Hub
from passerby.config import Site
from passerby.config.attached import site_cameras
from passerby.ids import BootId
from passerby.transport import EdgeLink, HubPort, Spool, load_hub_keys, local_keys
from tests.edge.engines import BrightnessDetector, MeanColourEmbedder

PATIENCE_S = 20.0


@contextmanager
def running_hub(site: Site, *, watched_s: float = WATCHED_S) -> Iterator[None]:
    """The hub of a site, at its address."""
    stop = threading.Event()
    data = site.data
    with (
        Hub.open(data) as hub,
        HubPort(site.hub.listen, load_hub_keys(data / "keys"), window=64, committed=hub.committed()) as port,
        LivePictures(data, port, watched_s=watched_s) as pictures,
    ):
        server = HubServer(hub, port, stop=stop, cameras=CameraChanges(site), pictures=pictures)
        server.startup()
        thread = threading.Thread(target=server.main_loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_S)
    assert not thread.is_alive()


@contextmanager
def running_edge(site: Site, *, name: str = "edge", may: Sequence[str] = ("*",)) -> Iterator[Cameras]:
    """An edge as it starts beside the hub: with what the site's folder says."""
    keys = local_keys(site.data / "keys", name, may).edge
    embedders = Embedders(MeanColourEmbedder())
    detector = BrightnessDetector()
    chosen = site_cameras(site, edge=name)
    if "*" not in may:
        chosen = {camera_id: settings for camera_id, settings in chosen.items() if camera_id in may}
    cameras = Cameras(chosen, detector=detector, embedders=embedders)
    stop = threading.Event()
    with (
        Spool(Path(site.data) / f"{name}.spool", max_bytes=1 << 24) as spool,
        EdgeLink(
            site.hub.listen, keys, boot_id=BootId(os.urandom(16)), spool=spool, hello=hello(cameras.ids, embedders)
        ) as link,
    ):
        worker = EdgeWorker(cameras, detector=detector, link=link, stop=stop)

        def run() -> None:
            worker.startup()
            worker.main_loop()
            worker.shutdown()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield cameras
        finally:
            stop.set()
            thread.join(PATIENCE_S)
            link.flush(5.0)
    assert not thread.is_alive()

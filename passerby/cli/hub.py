"""`passerby hub`: receive from the edges, decide who is who, keep it."""

import contextlib
import logging
from pathlib import Path
from typing import Annotated

import typer

from hub.camera_changes import CameraChanges
from hub.corrections.desk import Desk
from hub.identity_store import faiss_available
from hub.live_pictures import LivePictures
from hub.model_offers import ModelOffers
from hub.queue_watch import QueueWatch
from hub.retention import Retention
from hub.server import HubServer
from hub.site_hub import Hub
from hub.twins.inbox import TwinInbox
from passerby.cli.adapting.foreman import Foreman
from passerby.cli.adapting.references import SiteReferences
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import load_site
from passerby.tape import TapeWriter
from passerby.transport import HubPort, load_hub_keys

_log = logging.getLogger("passerby.hub")


def command(
    *,
    config: Annotated[Path, typer.Option("--config", help="The site file.")],
    tape: Annotated[Path | None, typer.Option("--tape", help="Record the wire messages to this file.")] = None,
) -> None:
    """Receive from the edges, keep one identity per person, write everything to the site's data folder.

    The first Ctrl-C or SIGTERM stops it in order, the second at once. It may be killed at any moment: what was
    acknowledged is on disk, the edges send the rest again.
    """
    site = load_site(config)
    log_to_stderr()
    stop = stop_on_signals()
    if not faiss_available():
        _log.warning(
            "FAISS is not installed: NumPy searches instead (same answers, slower on a large site); "
            "pip install 'passerby[faiss-cpu]'"
        )
    with contextlib.ExitStack() as opened:
        hub = opened.enter_context(Hub.open(site.data, association=site.association, references=SiteReferences(site)))
        recorder = None if tape is None else opened.enter_context(TapeWriter(tape))
        keys = load_hub_keys(site.data / "keys")
        port = opened.enter_context(HubPort(site.hub.listen, keys, window=site.hub.window, committed=hub.committed()))
        desk = opened.enter_context(contextlib.closing(Desk(hub, site.data)))
        retention = opened.enter_context(contextlib.closing(Retention(hub, site.data, site.retention)))
        offers = ModelOffers()
        server = HubServer(
            hub,
            port,
            stop=stop,
            tape=recorder,
            desk=desk,
            offers=offers,
            twins=TwinInbox(hub, site.data),
            cameras=CameraChanges(site),
            retention=retention,
            queues=opened.enter_context(QueueWatch(site.data, port)),
            pictures=opened.enter_context(LivePictures(site.data, port)),
        )
        opened.enter_context(Foreman(site, config, offers=offers))
        try:
            server.startup()
            server.main_loop()
        finally:
            server.shutdown()

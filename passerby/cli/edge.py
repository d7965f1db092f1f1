"""`passerby edge`: watch cameras and tell the hub about the people in them."""

import functools
import logging
import os
from pathlib import Path

import msgspec
import typer

from edge.cameras import Cameras
from edge.models import ArrivingModels, ModelShelf, first_embedders
from edge.worker import EdgeWorker, hello
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import CameraSettings, Site, load_site
from passerby.config.attached import site_cameras
from passerby.config.settings import ZmqAddress
from passerby.errors import ConfigError
from passerby.ids import BootId, CameraId
from passerby.inference import load_detector, load_embedder
from passerby.models import find_model
from passerby.transport.edge_link import EdgeLink
from passerby.transport.keys import EdgeKeys, load_edge_keys, local_keys
from passerby.transport.spool import Spool

_log = logging.getLogger("passerby.edge")

_FLUSH_S = 10.0
_FLUSH_AWAY_S = 2.0
"""While the hub is away: it may be starting anew at this moment."""
_CONFIG = typer.Option(..., "--config", help="The site file.")
_CAMERA = typer.Option([], "--camera", help="Only this camera of the site; may be given several times.")
_KEYS = typer.Option(
    None, "--keys", help="Folder with this edge's secret key and hub.public; needed away from the hub."
)
_NAME = typer.Option(None, "--name", help="The edge's name, which is its key's.  [default: edge, or edge-CAMERA]")
_HUB = typer.Option(None, "--hub", help="Where the hub is, tcp://HOST:PORT.  [default: the site file's]")
_UNTIL_ENDED = typer.Option(False, "--until-ended", help="Stop when every recording is over.")


def command(
    *,
    config: Path = _CONFIG,
    camera: list[str] = _CAMERA,
    keys: Path | None = _KEYS,
    name: str | None = _NAME,
    hub: str | None = _HUB,
    until_ended: bool = _UNTIL_ENDED,
) -> None:
    """Watch the site's cameras: detect, track and describe people, and tell the hub.

    The first Ctrl-C or SIGTERM stops it in order (open tracklets are closed and sent, for up to 10 s), the second at
    once. What the hub has not acknowledged stays on disk and is sent by the next start.
    """
    site = load_site(config)
    edge_name = name or "-".join(["edge", *camera])[:64]
    cameras = _chosen(site_cameras(site, edge=edge_name), camera, config)
    edge_keys = _keys(site, edge_name, directory=keys, cameras=[CameraId(one) for one in camera])
    address = _checked(hub) if hub else hub_address(site)
    log_to_stderr()
    stop = stop_on_signals()

    detector = load_detector(
        find_model(site.models.detector, task="detect"), engine=site.engine, threads=site.edge.threads
    )
    reid = find_model(site.models.reid, task="embed")
    load = functools.partial(load_embedder, engine=site.engine, threads=site.edge.threads)
    shelf = ModelShelf(site.data / "edge" / f"{edge_name}.models")
    embedders = first_embedders(shelf, site=reid, load=load, cameras=list(cameras))
    _log.info("detector %s on %s", detector.manifest.model_id, detector.device)
    for engine in embedders.engines():
        _log.info("re-ID %s on %s", engine.manifest.model_id, engine.device)

    spool_file = site.data / "edge" / f"{edge_name}.spool"
    spool_file.parent.mkdir(parents=True, exist_ok=True)
    introduction = hello(list(cameras), embedders)
    with (
        ArrivingModels(shelf, site=reid, load=load) as models,
        Spool(spool_file, max_bytes=site.edge.spool_mib << 20) as spool,
        EdgeLink(address, edge_keys, boot_id=BootId(os.urandom(16)), spool=spool, hello=introduction) as link,
    ):
        _log.info("%s speaks to the hub at %s", edge_name, address)
        live = Cameras(
            cameras, detector=detector, embedders=embedders, batch_latency_s=site.edge.batch_latency_ms / 1000
        )
        worker = EdgeWorker(
            live,
            detector=detector,
            link=link,
            stop=stop,
            models=models,
            max_batch=site.edge.max_batch,
            until_ended=until_ended,
        )
        try:
            worker.startup()
            worker.main_loop()
        finally:
            worker.shutdown()
        if not link.flush(_FLUSH_S if link.stats().connected else _FLUSH_AWAY_S):
            _log.warning(
                "%d messages wait on disk for the hub; the next start sends them", link.stats().spooled_messages
            )
    detector.close()
    for engine in live.embedders.engines():
        engine.close()
    _log.info("stopped")


def hub_address(site: Site) -> str:
    """Where an edge of this site finds the hub."""
    return site.hub.address or site.hub.listen.replace("//0.0.0.0:", "//127.0.0.1:").replace("//*:", "//127.0.0.1:")


def _checked(address: str) -> str:
    try:
        return msgspec.convert(address, ZmqAddress)
    except msgspec.ValidationError as error:
        raise ConfigError(f"--hub {address}: expected tcp://HOST:PORT, as tcp://10.0.0.2:7600") from error


def _chosen(cameras: dict[CameraId, CameraSettings], names: list[str], config: Path) -> dict[CameraId, CameraSettings]:
    if not names:
        return cameras
    for name in names:
        if name not in cameras:
            raise ConfigError(f"--camera {name}: {config} has no such camera; it has {', '.join(cameras)}")
    return {CameraId(name): cameras[CameraId(name)] for name in names}


def _keys(site: Site, name: str, *, directory: Path | None, cameras: list[CameraId]) -> EdgeKeys:
    """The edge's keys: from the folder given, or made by themselves beside a hub on this machine."""
    if directory is not None:
        return load_edge_keys(directory, name)
    return local_keys(site.data / "keys", name, list(cameras) or ["*"]).edge

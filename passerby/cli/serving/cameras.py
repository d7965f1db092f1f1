"""Cameras at run time for who asks by way of the web: the same that `passerby camera` does."""

import logging
from collections.abc import Callable, Mapping

import msgspec

from passerby.cli.cameras.probing import look, plain
from passerby.config import CameraSettings, Site
from passerby.config import attaching as saving
from passerby.config.attached import SavedCamera, site_cameras
from passerby.errors import ConfigError, DataError
from passerby.ids import CameraId

_log = logging.getLogger("passerby.web")

_PROBE_S = 10.0


class SiteCameras:
    """Implements `hub.services.Cameras`. What is said is saved; a running hub takes it from there."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def settings(self) -> Mapping[CameraId, CameraSettings]:
        return site_cameras(self._site)

    def attach(self, camera_id: CameraId, settings: CameraSettings, *, actor: str) -> None:
        self._save("attached", camera_id, actor, lambda: saving.attach(self._site, camera_id, _said(settings)))

    def edit(self, camera_id: CameraId, settings: CameraSettings, *, actor: str) -> None:
        self._save("changed", camera_id, actor, lambda: saving.edit(self._site, camera_id, _said(settings)))

    def remove(self, camera_id: CameraId, *, actor: str) -> None:
        self._save("removed", camera_id, actor, lambda: saving.remove(self._site, camera_id))

    def probe(self, settings: CameraSettings) -> Mapping[str, object]:
        return plain(look(settings, detector=self._site.models.detector, seconds=_PROBE_S))

    def _save(self, word: str, camera_id: CameraId, actor: str, save: Callable[[], SavedCamera]) -> None:
        try:
            save()
        except ConfigError as error:
            raise DataError(str(error)) from error
        _log.info("camera %s is %s by %s", camera_id, word, actor)


def _said(settings: CameraSettings) -> dict[str, object]:
    """As they would stand in a site file."""
    said: dict[str, object] = msgspec.to_builtins(settings)
    return said

"""Cameras at run time for who asks by way of the web: the same that `passerby camera` does, but for local files.

A file of this machine is attached by who can log in to it: through the web it would be shown to who cannot.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from edge.finding import RTSP_PORT, KnownPath, find_stream
from edge.sources.opening import is_live
from edge.tracklets import jpeg
from hub.camera_list import CameraLine, camera_lines
from hub.services import Login, Probed
from passerby.cli.cameras.probing import look, plain
from passerby.cli.cameras.telling import become
from passerby.cli.cameras.wishes import named_host
from passerby.config import CameraSettings, Site
from passerby.config import attaching as saving
from passerby.config.attached import SavedCamera, site_cameras
from passerby.config.changing import changed_settings
from passerby.config.credentials import with_login
from passerby.errors import ConfigError, DataError, SourceUnauthorizedError
from passerby.ids import CameraId
from passerby.redaction import redact

_log = logging.getLogger("passerby.web")

_PROBE_S, _PROBE_FPS = 8.0, 2.0
_WAIT_S = 4.0
"""For the hub and an edge to take a change, which they do within a second where they are there."""

_AT_ONCE = 2
_NOBODY = CameraId("probe")
_JPEG_QUALITY = 85


class SiteCameras:
    """Implements `hub.services.Cameras`. What is said is saved; a running hub takes it from there."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._looking = threading.BoundedSemaphore(_AT_ONCE)

    def settings(self) -> Mapping[CameraId, CameraSettings]:
        return site_cameras(self._site)

    def lines(self) -> Sequence[CameraLine]:
        return camera_lines(self._site)

    def attach(
        self, camera_id: CameraId, settings: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        wanted = _with(settings, _url_of(settings), login)
        return self._save("attached", camera_id, actor, lambda: saving.attach(self._site, camera_id, wanted))

    def edit(
        self, camera_id: CameraId, changes: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        changes = dict(changes)
        current = self.settings().get(camera_id)
        if current is not None and changes.get("url") == redact(current.url):
            del changes["url"]
        if "url" in changes:
            _url_of(changes)
        return self._save("changed", camera_id, actor, lambda: saving.edit(self._site, camera_id, changes, login=login))

    def remove(self, camera_id: CameraId, *, actor: str) -> str:
        return self._save("removed", camera_id, actor, lambda: saving.remove(self._site, camera_id))

    def probe(
        self,
        settings: Mapping[str, object],
        *,
        login: Login | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Probed:
        if not self._looking.acquire(blocking=False):
            raise DataError(f"{_AT_ONCE} cameras are being looked at already; try again in some seconds")
        try:
            return self._look(settings, login, tell)
        except ConfigError as error:
            raise DataError(str(error)) from error
        finally:
            self._looking.release()

    def _look(self, settings: Mapping[str, object], login: Login | None, tell: Callable[[str], None]) -> Probed:
        where, tried = str(settings.get("url", "")).strip(), list[str]()
        host = named_host(where)
        if host is None:
            wanted = _with(settings, _url_of(settings), login)
        else:
            port = host[1] or RTSP_PORT
            tell(f"asks {host[0]}:{port} for a stream")

            def trying(known: KnownPath) -> None:
                tried.append(known.path)
                tell(f"tries {known.path} ({known.makers})")

            try:
                found = find_stream(host[0], port=port, login=login, tell=trying)
            except SourceUnauthorizedError as error:
                if login is not None:
                    raise
                raise SourceUnauthorizedError(f"{where}: the camera wants a user and a password") from error
            wanted = {**settings, "url": found.url}
        camera = changed_settings(_NOBODY, None, {**wanted, "fps": _PROBE_FPS})
        tell(f"looks at {redact(camera.url)} for some seconds")
        report = look(camera, detector=self._site.models.detector, seconds=_PROBE_S)
        return Probed(
            url=_without_login(camera.url),
            facts=plain(report),
            tried=tried,
            picture=None if report.picture is None else jpeg(report.picture, quality=_JPEG_QUALITY),
            seen=report.seen,
        )

    def _save(self, word: str, camera_id: CameraId, actor: str, save: Callable[[], SavedCamera]) -> str:
        try:
            saved = save()
        except ConfigError as error:
            raise DataError(str(error)) from error
        _log.info("camera %s is %s by %s", camera_id, word, actor)
        try:
            return become(self._site, camera_id, saved, wait_s=_WAIT_S)
        except ConfigError as error:
            return str(error)


def _url_of(settings: Mapping[str, object]) -> str:
    """The URL that is given. Raises DataError for one that is no camera's, or shown and not known."""
    url = str(settings.get("url", "")).strip()
    if "***" in url:
        raise DataError("the URL holds *** in place of a secret: write it whole, or leave it as it was shown")
    if named_host(url) is not None:
        raise DataError(f"{url!r} is a host alone: probe it first, which finds the URL of its stream")
    if not is_live(url):
        raise DataError(
            f"{redact(url)!r} is no camera's URL: expected rtsp://, rtsps://, http:// or https://; a recording on this "
            "machine is attached there, by `passerby camera add`"
        )
    return url


def _with(settings: Mapping[str, object], url: str, login: Login | None) -> dict[str, object]:
    try:
        return {**settings, "url": url if login is None else with_login(url, *login)}
    except ConfigError as error:
        raise DataError(str(error)) from error


def _without_login(url: str) -> str:
    """What may be shown and, together with the same login, be given again.

    >>> _without_login("rtsp://ann:word@10.0.0.5/sub")
    'rtsp://10.0.0.5/sub'
    """
    return redact(url).replace("://***@", "://", 1)

"""What is done to cameras at run time: attach, edit, remove. It is saved; a running hub takes it from there."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from passerby.config.attached import CAMERA_NAME, CameraFolder, SavedCamera, site_cameras
from passerby.config.changing import changed_settings
from passerby.config.credentials import taken_apart, with_login
from passerby.config.settings import Site
from passerby.errors import ConfigError
from passerby.ids import CameraId, EdgeId


def attach(
    site: Site,
    camera_id: CameraId,
    settings: Mapping[str, Any],
    *,
    edge: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> SavedCamera:
    """A new camera, or a removed one anew; `settings` as in the site file, `url` with its secrets or with `{NAME}`.

    Those names are looked up in `environment` now, and kept. Whoever may name them may have them sent to any host: by
    default it is empty, as for who asks by way of the web. `edge`: the edge that is to have it. Raises ConfigError for
    settings that are wrong, and where the site has the camera already.
    """
    if not CAMERA_NAME.fullmatch(camera_id):
        raise ConfigError(
            f"camera name {camera_id!r} is not usable; expected letters, digits, `-`, `_`, `.`, at most 64"
        )
    folder = CameraFolder(site.data)
    with folder.held():
        if camera_id in site_cameras(site):
            raise ConfigError(f"camera {camera_id} is there already; `passerby camera edit {camera_id}` changes it")
        if edge is not None and camera_id in site.cameras:
            raise _belongs_elsewhere(camera_id)
        plain, secrets = _apart(settings, environment or {})
        changed_settings(camera_id, None, plain)
        saved = SavedCamera(
            changed_at_ns=_now_ns(folder.read_one(camera_id)),
            attached=camera_id not in site.cameras,
            edge=None if edge is None else EdgeId(edge),
            settings=plain,
        )
        folder.write(camera_id, saved, secrets=secrets)
    return saved


def edit(
    site: Site,
    camera_id: CameraId,
    changes: Mapping[str, Any],
    *,
    edge: str | None = None,
    login: tuple[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> SavedCamera:
    """Change some settings of a camera; `{"enabled": False}` pauses it, `{"enabled": True}` resumes it.

    `login` is a new user and password for its URL; `environment` as in `attach`. `edge` gives an attached one to
    another edge. Raises ConfigError for settings that are wrong, and an unknown camera.
    """
    folder = CameraFolder(site.data)
    with folder.held():
        current = _known(site, camera_id)
        if login is not None:
            changes = {**changes, "url": with_login(changes.get("url", current.url), *login)}
        plain, secrets = _apart(changes, environment or {})
        changed_settings(camera_id, current, plain)
        former = folder.read_one(camera_id)
        if former is None or former.removed:
            former = SavedCamera(changed_at_ns=0, attached=False)
        if edge is not None and not former.attached:
            raise _belongs_elsewhere(camera_id)
        saved = msgspec.structs.replace(
            former,
            changed_at_ns=_now_ns(former),
            edge=former.edge if edge is None else EdgeId(edge),
            settings={**former.settings, **plain},
        )
        folder.write(camera_id, saved, secrets=secrets if "url" in plain else None)
    return saved


def remove(site: Site, camera_id: CameraId) -> SavedCamera:
    """Let a camera go, for all edges and starts to come. Its people stay. Raises ConfigError for an unknown camera."""
    folder = CameraFolder(site.data)
    with folder.held():
        _known(site, camera_id)
        former = folder.read_one(camera_id)
        saved = SavedCamera(
            changed_at_ns=_now_ns(former), attached=former is not None and former.attached, removed=True
        )
        folder.write(camera_id, saved, secrets={})
    return saved


def settle(site: Site, camera_id: CameraId, edge: EdgeId, *, word: SavedCamera) -> SavedCamera:
    """Note whose camera an attached one is, unless something else was said of it since `word`.

    It waits for nobody. Raises ConfigError, also where somebody changes cameras at this moment: try again.
    """
    folder = CameraFolder(site.data)
    with folder.held(patient=False):
        if folder.read_one(camera_id) != word:
            return word
        settled = msgspec.structs.replace(word, edge=edge)
        folder.write(camera_id, settled)
    return settled


def _belongs_elsewhere(camera_id: CameraId) -> ConfigError:
    return ConfigError(f"camera {camera_id} is in the site file: it belongs to the edges that are started with it")


def _known(site: Site, camera_id: CameraId) -> Any:
    cameras = site_cameras(site)
    if camera_id not in cameras:
        raise ConfigError(f"camera {camera_id}: the site has none of that name; it has {', '.join(sorted(cameras))}")
    return cameras[camera_id]


def _apart(settings: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings with a `{NAME}` for each secret of the URL and an absolute path for a file, and the secrets."""
    if "url" not in settings:
        return dict(settings), {}
    url = str(settings["url"])
    if not url:
        raise ConfigError("the URL is empty; expected rtsp://, http(s)://, a video file or a folder")
    if "://" not in url:
        url = str(Path(url).expanduser().resolve())
    url, secrets = taken_apart(url, environment)
    return {**settings, "url": url}, secrets


def _now_ns(former: SavedCamera | None) -> int:
    """Later than what was said before, also where the clock was set back."""
    return max(time.time_ns(), 0 if former is None else former.changed_at_ns + 1)

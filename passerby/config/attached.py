"""Cameras attached at run time, and changed ones of the site file: `cameras/NAME.yaml` under the site's data.

The hand-written site file is never rewritten. Secrets are apart, in `cameras/secrets.json` (mode 0600); the other files
hold `{NAME}` in their place. Every file appears whole.
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from passerby.config.changing import changed_settings
from passerby.config.secrets import fill_secrets
from passerby.config.settings import CameraSettings, Site
from passerby.errors import ConfigError
from passerby.ids import CameraId, EdgeId
from passerby.whole_files import write_whole

FOLDER_NAME = "cameras"
CAMERA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

_SECRETS = "secrets.json"
_HEADER = "# Written by `passerby camera`, which also changes it; secrets are in secrets.json beside it.\n"


class SavedCamera(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was said of a camera at run time."""

    changed_at_ns: int
    """When it was said; another word has another time."""
    attached: bool
    """It was not in the site file; else `settings` are those that differ from there."""
    removed: bool = False
    """Kept so that an edge that was away hears of it."""
    edge: EdgeId | None = None
    """The edge whose camera it is; None: not settled yet."""
    settings: dict[str, Any] = {}
    """Keys of a camera in the site file; `url` with a `{NAME}` for each secret."""


class CameraFolder:
    """The folder of a site's data. It is made by the first write."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER_NAME
        self._files: dict[Path, tuple[tuple[int, int], SavedCamera]] = {}

    def stamp(self) -> int:
        """Another number after each change; 0 while there is nothing. Costs one look at the folder."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def read(self) -> dict[CameraId, SavedCamera]:
        """Every camera with a file, by name. Raises ConfigError with the file."""
        files = sorted(self._folder.glob("*.yaml"))
        found = {CameraId(file.stem): self.read_one(CameraId(file.stem)) for file in files}
        return {camera_id: saved for camera_id, saved in found.items() if saved is not None}

    def read_one(self, camera_id: CameraId) -> SavedCamera | None:
        """One camera; None without a file. Raises ConfigError with the file."""
        file = self._folder / f"{camera_id}.yaml"
        try:
            status = file.stat()
            stamp = (status.st_ino, status.st_mtime_ns)
            known = self._files.get(file)
            if known is None or known[0] != stamp:
                known = self._files[file] = (stamp, _saved(file))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{file}: cannot read the camera: {error.strerror}") from error
        return known[1]

    def filled(self, camera_id: CameraId, saved: SavedCamera, environment: Mapping[str, str]) -> dict[str, Any]:
        """Its settings with the secrets in place. Raises ConfigError where one is missing."""
        url = saved.settings.get("url")
        if not isinstance(url, str):
            return saved.settings
        file = self._folder / f"{camera_id}.yaml"

        def missing(name: str) -> str:
            raise ConfigError(f"{file}: its URL needs {name}, which {_SECRETS} has not; `passerby camera edit` sets it")

        known = {**environment, **self._secrets().get(camera_id, {})}
        return {**saved.settings, "url": fill_secrets(url, known, missing=missing)}

    def secrets_of(self, camera_id: CameraId) -> Mapping[str, str]:
        """Its secrets by name. Raises ConfigError."""
        return self._secrets().get(camera_id, {})

    @contextlib.contextmanager
    def held(self, *, patient: bool = True) -> Iterator[None]:
        """Nobody else changes anything within. Raises ConfigError where the folder cannot be used.

        Who is not `patient` has ConfigError also while somebody else holds it.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"{self._folder}: cannot keep cameras here: {error.strerror}") from error
        try:
            try:
                # Held for a few file operations, never across a wait.
                fcntl.flock(lock, fcntl.LOCK_EX if patient else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(f"{self._folder}: somebody else is changing cameras at this moment") from None
            yield
        finally:
            os.close(lock)

    def write(self, camera_id: CameraId, saved: SavedCamera, *, secrets: Mapping[str, str] | None = None) -> None:
        """Put it in place of what was there; `secrets`, if given, in place of its former ones. Within `held`."""
        text = _HEADER + yaml.safe_dump(msgspec.to_builtins(saved), sort_keys=False, allow_unicode=True)
        if secrets:
            self._keep_secrets(camera_id, secrets)
        self._replace(f"{camera_id}.yaml", text)
        if secrets is not None and not secrets:  # who reads the former file in this moment still finds them
            self._keep_secrets(camera_id, secrets)

    def _secrets(self) -> dict[str, dict[str, str]]:
        file = self._folder / _SECRETS
        try:
            with file.open(encoding="utf-8") as opened:
                if os.fstat(opened.fileno()).st_mode & 0o077:
                    raise ConfigError(f"{file}: other users may read the cameras' secrets; run `chmod 600 {file}`")
                return msgspec.json.decode(opened.read(), type=dict[str, dict[str, str]])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"{file}: cannot read the cameras' secrets: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ConfigError(f"{file}: damaged; `passerby camera edit` sets passwords anew once it is gone") from None

    def _keep_secrets(self, camera_id: CameraId, secrets: Mapping[str, str]) -> None:
        before = self._secrets()
        after = {**before, str(camera_id): dict(secrets)}
        if not secrets:
            after.pop(str(camera_id))
        if after != before:
            self._replace(_SECRETS, json.dumps(after, indent=1, sort_keys=True))

    def _replace(self, name: str, text: str) -> None:
        try:
            write_whole(self._folder / name, text.encode(), private=True)
        except OSError as error:
            raise ConfigError(f"{self._folder / name}: cannot be written: {error.strerror}") from error


def site_cameras(
    site: Site, *, edge: str | None = None, environment: Mapping[str, str] | None = None
) -> dict[CameraId, CameraSettings]:
    """All cameras of a site: those of its file as they were changed since, and those attached at run time.

    With `edge`, without the attached ones that another edge has. Removed ones are not among them. Raises ConfigError.
    """
    known = os.environ if environment is None else environment
    folder = CameraFolder(site.data)
    cameras = dict(site.cameras)
    for camera_id, saved in folder.read().items():
        written = site.cameras.get(camera_id)
        if saved.removed:
            if not (saved.attached and written is not None):  # one that the site file has again
                cameras.pop(camera_id, None)
        elif (written is not None or saved.attached) and (edge is None or saved.edge in (None, edge)):
            cameras[camera_id] = changed_settings(camera_id, written, folder.filled(camera_id, saved, known))
    return cameras


def camera_names(site: Site) -> list[CameraId]:
    """Their names, for whoever connects to none. Raises ConfigError."""
    names = set(site.cameras)
    for camera_id, saved in CameraFolder(site.data).read().items():
        if saved.removed and not (saved.attached and camera_id in site.cameras):
            names.discard(camera_id)
        elif saved.attached and not saved.removed:
            names.add(camera_id)
    return sorted(names)


def _saved(file: Path) -> SavedCamera:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        return msgspec.convert(document, SavedCamera)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{file}: cannot read the camera: {reason}") from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{file}: not a camera as `passerby camera` writes it: {reason}") from error

"""CURVE keys in files: NAME.public for everybody, NAME.secret (mode 0600) for its owner alone."""

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from passerby.errors import ConfigError
from passerby.ids import CameraId, EdgeId
from passerby.transport.allow_list import ALLOW_LIST_NAME, AllowList

HUB_NAME = "hub"
_KEY = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, 32 bytes each. The secret is not in its repr."""

    public: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EdgeKeys:
    """What an edge needs to speak to its hub: its own pair and the hub's public key (32 bytes)."""

    name: EdgeId
    pair: KeyPair
    hub_public: bytes


@dataclass(frozen=True, slots=True)
class HubKeys:
    """What a hub needs: its own pair, and the file that lists the edges it listens to."""

    pair: KeyPair
    allow_list: Path


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """Both ends, where hub and edge run on one machine."""

    hub: HubKeys
    edge: EdgeKeys


def create_pair(name: str, *, directory: Path) -> KeyPair:
    """Make NAME.secret and NAME.public under `directory`. Raises ConfigError if either stands there already."""
    require_name(name)
    _require_not_hub(name)
    with key_directory(directory):
        for path in (_secret_path(directory, name), _public_path(directory, name)):
            if path.exists():
                raise ConfigError(f"{path}: this key exists already; choose another name, or delete both its files")
        return _write_pair(name, directory)


def load_pair(name: str, *, directory: Path) -> KeyPair:
    """Read NAME.secret. Raises ConfigError with the file and the fix."""
    require_name(name)
    path = _secret_path(directory, name)
    secret = _read_key(path, fix=f"make it with `passerby keys create {name} --dir {directory}`")
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"{path}: other users may read this secret key; run `chmod 600 {path}`")
    return KeyPair(public=z85.decode(zmq.curve_public(z85.encode(secret))), secret=secret)


def load_edge_keys(directory: Path, name: str) -> EdgeKeys:
    """The keys of an edge on its own machine: NAME.secret made there, hub.public copied from the hub.

    Raises ConfigError with the file and the fix.
    """
    pair = load_pair(name, directory=directory)
    hub_public = _read_key(
        _public_path(directory, HUB_NAME), fix=f"copy {HUB_NAME}.public from the `keys` folder of the hub's data"
    )
    return EdgeKeys(EdgeId(name), pair, hub_public)


def load_hub_keys(directory: Path) -> HubKeys:
    """The hub's own keys under `directory` (site data / "keys"), made at first use. Raises ConfigError."""
    with key_directory(directory):
        if not _secret_path(directory, HUB_NAME).exists():
            _write_pair(HUB_NAME, directory)
        pair = load_pair(HUB_NAME, directory=directory)
        if not _public_path(directory, HUB_NAME).exists():
            _write(_public_path(directory, HUB_NAME), pair.public, mode=0o644)
    return HubKeys(pair, directory / ALLOW_LIST_NAME)


def local_keys(directory: Path, edge_name: str, cameras: Sequence[CameraId | str]) -> LocalKeys:
    """Keys for a hub and an edge on this machine, made at first use; the edge may speak for `cameras` ("*": for any).

    Hub and edges may call it at the same time. Raises ConfigError when a file is there but not usable.
    """
    require_name(edge_name)
    _require_not_hub(edge_name)
    hub = load_hub_keys(directory)
    with key_directory(directory):
        if not _secret_path(directory, edge_name).exists():
            _write_pair(edge_name, directory)
        pair = load_pair(edge_name, directory=directory)
        AllowList.read(hub.allow_list).allow(edge_name, pair.public, cameras).write(hub.allow_list)
    return LocalKeys(hub, EdgeKeys(EdgeId(edge_name), pair, hub.pair.public))


def parse_public_key(text: str) -> bytes:
    """A public key as 64 hexadecimal digits, or the path of a .public file. Raises ConfigError."""
    if _KEY.fullmatch(text.strip().lower()):
        return bytes.fromhex(text.strip())
    return _read_key(Path(text), fix="give 64 hexadecimal digits, or the path of a NAME.public file")


def require_name(name: str) -> None:
    """Raise ConfigError unless `name` can be a file's name and an edge's id."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"key name {name!r} is not usable; expected letters, digits, `-`, `_`, `.`, at most 64")


def _require_not_hub(name: str) -> None:
    if name == HUB_NAME:
        raise ConfigError(f"an edge cannot be named {HUB_NAME!r}: that key is the hub's own; choose another name")


@contextlib.contextmanager
def key_directory(directory: Path) -> Iterator[None]:
    """Hold the folder's lock, so that processes starting together make one key and not two."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot keep keys here: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # held for a few file operations, never across a wait
        yield
    finally:
        os.close(lock)


def _write_pair(name: str, directory: Path) -> KeyPair:
    public, secret = (z85.decode(key) for key in zmq.curve_keypair())
    _write(_secret_path(directory, name), secret, mode=0o600)
    _write(_public_path(directory, name), public, mode=0o644)
    return KeyPair(public, secret)


def _write(path: Path, key: bytes, *, mode: int) -> None:
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), mode)
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the key: {error.strerror}") from error


def _read_key(path: Path, *, fix: str) -> bytes:
    try:
        text = path.read_text(encoding="ascii").strip().lower()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a key"
        raise ConfigError(f"{path}: cannot read the key: {reason}; {fix}") from error
    if not _KEY.fullmatch(text):
        raise ConfigError(f"{path}: not a key of 64 hexadecimal digits; {fix}")
    return bytes.fromhex(text)


def _secret_path(directory: Path, name: str) -> Path:
    return directory / f"{name}.secret"


def _public_path(directory: Path, name: str) -> Path:
    return directory / f"{name}.public"

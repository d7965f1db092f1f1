"""The hub's allow-list: which keys it listens to, and for which cameras each may speak.

    gate-pi:
      public_key: 0f3c...        # 64 hexadecimal digits
      cameras: [lobby, hall]     # or ["*"]: any camera

The file may be edited by hand; the hub reads it again when it changes.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from passerby.errors import ConfigError
from passerby.ids import CameraId, EdgeId

ALLOW_LIST_NAME = "edges.yaml"
ANY_CAMERA = "*"
_HEADER = "# Edges that this hub listens to, and the cameras each may speak for. Read again when it changes.\n"


class _Entry(Struct, frozen=True, forbid_unknown_fields=True):
    public_key: str
    cameras: list[str]


class AllowedEdge(Struct, frozen=True):
    """One line of the list: the edge's name, its public key (32 bytes) and its cameras."""

    name: EdgeId
    public_key: bytes
    cameras: frozenset[str]

    def may_speak_for(self, camera_id: CameraId) -> bool:
        """Whether the camera is one of its own."""
        return ANY_CAMERA in self.cameras or camera_id in self.cameras


class AllowList:
    """The list as read; immutable. `allow` and `revoke` give a new one."""

    def __init__(self, edges: Mapping[EdgeId, AllowedEdge]) -> None:
        self._edges = dict(edges)
        self._by_key = {edge.public_key: edge for edge in self._edges.values()}

    @classmethod
    def read(cls, path: Path) -> "AllowList":
        """Read the file; one that is not there is an empty list. Raises ConfigError with the file and the fault."""
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls({})
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError(f"{path}: cannot read the allow-list: {reason}") from error
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise ConfigError(f"{path}{line}: the allow-list is not valid YAML") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: the allow-list is not valid YAML") from error
        return cls(_parse(path, document))

    def by_key(self, public_key: bytes) -> AllowedEdge | None:
        """The edge of this public key (32 bytes)."""
        return self._by_key.get(public_key)

    def edges(self) -> list[AllowedEdge]:
        """Every edge, by name."""
        return [self._edges[name] for name in sorted(self._edges)]

    def allow(self, name: str, public_key: bytes, cameras: Sequence[CameraId | str]) -> "AllowList":
        """With `name` added or replaced. Raises ConfigError when another edge has the key already."""
        owner = self._by_key.get(public_key)
        if owner is not None and owner.name != name:
            raise ConfigError(f"this public key belongs to the edge {owner.name!r} already; revoke that one first")
        edge = AllowedEdge(EdgeId(name), public_key, frozenset(map(str, cameras)))
        return AllowList({**self._edges, edge.name: edge})

    def revoke(self, name: str) -> "AllowList":
        """Without `name`. Raises ConfigError when it is not in the list."""
        if name not in self._edges:
            known = ", ".join(sorted(self._edges)) or "none"
            raise ConfigError(f"no edge {name!r} in the allow-list; it has: {known}")
        return AllowList({key: edge for key, edge in self._edges.items() if key != name})

    def write(self, path: Path) -> None:
        """Replace the file in one step, unless it says the same already. Raises ConfigError."""
        lines = {
            edge.name: {"public_key": edge.public_key.hex(), "cameras": sorted(edge.cameras)} for edge in self.edges()
        }
        text = _HEADER + yaml.safe_dump(lines, sort_keys=True)
        try:
            if path.exists() and path.read_text(encoding="utf-8") == text:
                return
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError as error:
            raise ConfigError(f"{path}: cannot write the allow-list: {error.strerror}") from error


def _parse(path: Path, document: Any) -> dict[EdgeId, AllowedEdge]:
    try:
        entries = msgspec.convert(document or {}, dict[str, _Entry])
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}; each edge needs `public_key` and `cameras`") from error
    edges: dict[EdgeId, AllowedEdge] = {}
    owners: dict[bytes, str] = {}
    for name, entry in entries.items():
        try:
            key = bytes.fromhex(entry.public_key)
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ConfigError(f"{path}: the public key of {name!r} is not 64 hexadecimal digits")
        if key in owners:
            raise ConfigError(f"{path}: {name!r} and {owners[key]!r} have the same public key")
        owners[key] = name
        edges[EdgeId(name)] = AllowedEdge(EdgeId(name), key, frozenset(entry.cameras))
    return edges

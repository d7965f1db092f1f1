"""Users and what they may: plain records, without passwords, hashes or tokens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from passerby.ids import CameraId

By: TypeAlias = Literal["session", "token", "local"]
"""How somebody has shown who they are; `local`: nobody was asked, on this machine alone."""


class Role(StrEnum):
    """What somebody may do; each may do what those before may."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Correct, enroll, export, start an adaptation and say when one begins by itself."""
    ADMIN = "admin"
    """Erase, attach cameras, promote models, manage users, read the audit log."""

    def covers(self, other: "Role") -> bool:
        """Whether it may do what `other` may.

        >>> Role.ADMIN.covers(Role.VIEWER), Role.VIEWER.covers(Role.OPERATOR)
        (True, False)
        """
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with a password."""

    name: str
    role: Role
    cameras: frozenset[CameraId] | None
    """The only cameras they may see; None: all, those attached later too."""
    created_at_ns: int
    disabled: bool
    """Not let in, by password, session or token, until they are enabled again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A program's way in: what it may is its own, at most what its user may."""

    token_id: int
    user: str
    name: str
    role: Role
    created_at_ns: int
    expires_at_ns: int
    used_at_ns: int | None
    """When it was last used, to a minute; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, as of this request."""

    name: str
    role: Role
    cameras: frozenset[CameraId] | None
    by: By
    csrf: str = ""
    """Of a session: what a page must send along with whatever changes something."""
    expires_at_ns: int | None = None
    """From then on it is nobody any more."""

    def may(self, role: Role) -> bool:
        """Whether they have at least this role."""
        return self.role.covers(role)

    def sees(self, camera_id: CameraId | None) -> bool:
        """Whether they may see a camera."""
        return self.cameras is None or camera_id in self.cameras


LOCAL = Principal(name="local", role=Role.ADMIN, cameras=None, by="local")
"""Who asks where nobody is asked: a demonstration on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that was done. It holds ids and settings, never the name of who was watched."""

    entry_id: int
    at_ns: int
    actor: str
    action: str
    """As `identities.view`, `search`, `correction.merge`, `login`, `login.refused`."""
    objects: tuple[str, ...]
    """What it was about, as `identity:12`, `tracklet:40`, `camera:hall`, `act:7`."""
    detail: str
    address: str
    """Where the request came from."""

"""Who may use a route: each has a door that states the least role, and gives what the route works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from hub.access.records import Principal, Role
from hub.api.gate import principal_of
from hub.api.problems import ProblemError
from hub.corrections.acts import Act, Outcome
from hub.listing import Scope
from hub.services import Services
from passerby.errors import DataError
from passerby.ids import CameraId


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has not said who they are, or need not."""

    services: Services
    address: str


@dataclass(frozen=True, slots=True)
class Caller(Visitor):
    """Who asks, and what they are served from."""

    principal: Principal

    @property
    def name(self) -> str:
        """Of the user."""
        return self.principal.name

    @property
    def scope(self) -> Scope:
        """The only cameras they see; None: all."""
        return self.principal.cameras

    def sees(self, camera_id: CameraId | None) -> bool:
        """Whether they may see a camera."""
        return self.principal.sees(camera_id)

    def viewed(self, action: str, seen: str) -> None:
        """Put down that they looked at something."""
        self.services.access.audit.put_view(action, seen, actor=self.name, address=self.address)

    def did(self, action: str, objects: Sequence[str] = (), *, detail: str = "") -> None:
        """Put down that they did something."""
        self.services.access.audit.put(action, actor=self.name, objects=objects, detail=detail, address=self.address)

    def correct(self, act: Act) -> Outcome:
        """Let the hub do it. Raises ProblemError (409), with the hub's reason, where it cannot be done."""
        try:
            return self.services.correct(act, actor=self.name, address=self.address)
        except DataError as error:
            raise ProblemError(409, str(error)) from error


class Door(SecurityBase):
    """A dependency: lets through whoever has at least `role`, which is its name in the interface's description."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.model = HTTPBearer()
        self.scheme_name = role.value

    async def __call__(self, request: Request) -> Caller:
        """Who asks. Raises ProblemError (401, 403)."""
        who = principal_of(request)
        if who is None:
            raise ProblemError(401, "say who you are", headers={"WWW-Authenticate": "Bearer"})
        if not who.may(self.role):
            raise ProblemError(403, f"this is for {self.role.value}s; you are {who.role.value}")
        return Caller(_services(request), _address(request), who)


async def _anybody(request: Request) -> Visitor:
    return Visitor(_services(request), _address(request))


Anybody = Annotated[Visitor, Depends(_anybody)]
Viewer = Annotated[Caller, Depends(Door(Role.VIEWER))]
Operator = Annotated[Caller, Depends(Door(Role.OPERATOR))]
Admin = Annotated[Caller, Depends(Door(Role.ADMIN))]


def unscoped(who: Caller) -> None:
    """Refuse (403) who sees only some cameras: it is about the whole site."""
    if who.scope is not None:
        raise ProblemError(403, "this is about the whole site, of which you see some cameras alone")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

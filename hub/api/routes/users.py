"""Users, tokens, and the record of what they did."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from hub.access.records import ApiToken, AuditEntry, Role, User
from hub.api.doors import Admin, Viewer
from hub.api.plain import CameraName, Cursor, Limit, Page, PathNumber, moment, moment_or_none, page_of, place_of
from hub.api.problems import ProblemError, not_found
from hub.api.routes.sessions import Password, UserName
from passerby.ids import CameraId

router = APIRouter(tags=["access"])

PathUser = Annotated[str, Path(min_length=1, max_length=64)]
TokenName = Annotated[str, Field(min_length=1, max_length=64)]


class UserOut(BaseModel):
    """Somebody with a password."""

    name: str
    role: Role
    cameras: list[str] | None = Field(description="The only ones they see; null: all.")
    created_at: datetime
    disabled: bool


class Allowed(BaseModel):
    """What a user may."""

    role: Role
    cameras: list[CameraName] | None = Field(None, max_length=1000, description="The only ones they see; null: all.")


class ChangedUser(Allowed):
    """What a user may from now on."""

    disabled: bool = Field(False, description="Let in no more, by password, session or token, until this is false.")


class NewUser(Allowed):
    """Somebody to be let in."""

    name: UserName
    password: Password


class OnlyPassword(BaseModel):
    """A new password."""

    password: Password


class TokenOut(BaseModel):
    """A program's way in, without the word itself."""

    id: int
    user: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class NewToken(BaseModel):
    """A token to be made."""

    name: TokenName
    role: Role = Role.VIEWER
    days: Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False)] = 90.0


class MadeToken(TokenOut):
    """A token with its word, which is told this once."""

    token: str


class AuditOut(BaseModel):
    """Something that was done."""

    id: int
    at: datetime
    actor: str
    action: str
    objects: list[str] = Field(description="What it was about, as `identity:12`, `camera:hall`, `act:7`.")
    detail: str
    address: str


@router.get("/users", summary="Who may look at the site")
def users(who: Admin) -> list[UserOut]:
    """Everybody, by name."""
    return [_user(one) for one in who.services.access.users()]


@router.post("/users", summary="Let somebody in", status_code=201)
def add_user(who: Admin, new: NewUser) -> UserOut:
    """A user with a password, which they can change."""
    added = who.services.access.add_user(new.name, new.password, role=new.role, cameras=_cameras(new))
    who.did("users.add", [f"user:{new.name}"], detail=new.role.value)
    return _user(added)


@router.put("/users/{name}", summary="Give somebody another role and scope, or let them in no more")
def change_user(who: Admin, name: PathUser, allowed: ChangedUser) -> UserOut:
    """It holds at once, in their sessions and tokens too."""
    _must_be_user(who, name)
    changed = who.services.access.change_user(
        name, role=allowed.role, cameras=_cameras(allowed), disabled=allowed.disabled
    )
    who.did("users.change", [f"user:{name}"], detail="disabled" if allowed.disabled else allowed.role.value)
    return _user(changed)


@router.put("/users/{name}/password", summary="Give somebody a new password", status_code=204)
def set_password(who: Admin, name: PathUser, new: OnlyPassword) -> None:
    """It ends their sessions."""
    _must_be_user(who, name)
    who.services.access.set_password(name, new.password)
    who.did("users.password", [f"user:{name}"])


@router.delete("/users/{name}", summary="Let somebody in no more", status_code=204)
def remove_user(who: Admin, name: PathUser) -> None:
    """Their sessions and tokens end."""
    _must_be_user(who, name)
    who.services.access.remove_user(name)
    who.did("users.remove", [f"user:{name}"])


@router.get("/tokens", summary="Tokens")
def tokens(who: Viewer) -> list[TokenOut]:
    """One's own; of administrators: all."""
    mine = None if who.principal.may(Role.ADMIN) else who.name
    return [_token(one) for one in who.services.access.tokens(mine)]


@router.post("/tokens", summary="Make a token", status_code=201)
def add_token(who: Viewer, new: NewToken) -> MadeToken:
    """A token of one's own, to be sent as `Authorization: Bearer TOKEN`; it is told this once."""
    if who.principal.by != "session":
        raise ProblemError(403, "a token is made by who has logged in, or by `passerby users token`")
    token, word = who.services.access.add_token(who.name, new.name, role=new.role, days=new.days)
    who.did("tokens.add", [f"token:{token.token_id}"], detail=new.role.value)
    return MadeToken(**_token(token).model_dump(), token=word)


@router.delete("/tokens/{number}", summary="Let a token be worth nothing", status_code=204)
def remove_token(who: Viewer, number: PathNumber) -> None:
    """One's own; of administrators: any."""
    mine = None if who.principal.may(Role.ADMIN) else who.name
    if all(one.token_id != number for one in who.services.access.tokens(mine)):
        raise not_found(f"token {number}")
    who.services.access.remove_token(number, user=mine)
    who.did("tokens.remove", [f"token:{number}"])


@router.get("/audit", summary="What was done, by whom")
def audit(
    who: Admin,
    cursor: Cursor = None,
    limit: Limit = 50,
    actor: Annotated[str | None, Query(max_length=64)] = None,
    action: Annotated[str | None, Query(max_length=64, description="That begin so: `correction.`, `login`.")] = None,
) -> Page[AuditOut]:
    """The latest first."""
    found = who.services.access.audit.entries(before=place_of(cursor), limit=limit + 1, actor=actor, action=action)
    return page_of([_entry(one) for one in found], limit=limit, key=lambda one: one.id)


def _must_be_user(who: Admin, name: str) -> None:
    if who.services.access.user(name) is None:
        raise not_found(f"user {name!r}")


def _cameras(allowed: Allowed) -> list[CameraId] | None:
    return None if allowed.cameras is None else [CameraId(name) for name in allowed.cameras]


def _user(user: User) -> UserOut:
    return UserOut(
        name=user.name,
        role=user.role,
        cameras=None if user.cameras is None else sorted(user.cameras),
        created_at=moment(user.created_at_ns),
        disabled=user.disabled,
    )


def _token(token: ApiToken) -> TokenOut:
    return TokenOut(
        id=token.token_id,
        user=token.user,
        name=token.name,
        role=token.role,
        created_at=moment(token.created_at_ns),
        expires_at=moment(token.expires_at_ns),
        used_at=moment_or_none(token.used_at_ns),
    )


def _entry(entry: AuditEntry) -> AuditOut:
    return AuditOut(
        id=entry.entry_id,
        at=moment(entry.at_ns),
        actor=entry.actor,
        action=entry.action,
        objects=list(entry.objects),
        detail=entry.detail,
        address=entry.address,
    )

"""Logging in and out, and the first administrator."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from hub.access.records import Principal, Role
from hub.api.doors import Anybody, Caller, Viewer, Visitor
from hub.api.gate import COOKIE, now_s
from hub.api.plain import moment_or_none
from hub.api.problems import ProblemError

router = APIRouter(tags=["session"])

UserName = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[str, Field(min_length=1, max_length=200)]


class Login(BaseModel):
    """Who somebody says they are."""

    name: UserName
    password: Password


class SetUp(BaseModel):
    """The first administrator."""

    word: Annotated[str, Field(max_length=100, description="From the link that is printed at the first start.")]
    name: UserName
    password: Password


class NewPassword(BaseModel):
    """One's own password."""

    old: Password
    new: Password


class Me(BaseModel):
    """Who asks, and what they may."""

    name: str
    role: Role
    cameras: list[str] | None = Field(description="The only ones they see; null: all.")
    by: str = Field(description="session, token, or local: nobody was asked.")
    csrf: str = Field(description="To be sent as `X-CSRF-Token` with whatever changes something, by session.")
    expires_at: datetime | None


@router.post("/session", summary="Log in")
def log_in(who: Anybody, login: Login, request: Request, response: Response) -> Me:
    """Give a session, as a cookie. Whoever fails ten times waits up to five minutes (429)."""
    access, at_s = who.services.access, now_s()
    keys = (f"user {login.name.lower()}", f"address {who.address}")
    wait_s = access.attempts.wait_s(*keys, now=at_s)
    if wait_s > 0:
        seconds = int(wait_s) + 1
        raise ProblemError(429, f"too many attempts; try again in {seconds} s", headers={"Retry-After": str(seconds)})
    access.attempts.fail(*keys, now=at_s)
    if not access.is_password_of(login.name, login.password):
        known = access.user(login.name) is not None
        # What was typed in the wrong field may be a password.
        access.audit.put("login.refused", actor=login.name if known else "?", address=who.address)
        raise ProblemError(401, "no such user, or another password")
    access.attempts.succeed(keys[1])
    access.attempts.forget(keys[0])
    return _begin(who, login.name, request, response)


@router.post("/setup", summary="Make the first administrator", status_code=201)
def set_up(who: Anybody, first: SetUp, request: Request, response: Response) -> Me:
    """By the link that `passerby web` prints at its first start; it works once, and logs in."""
    access, at_s = who.services.access, now_s()
    if access.attempts.wait_s("setup", now=at_s) > 0:
        raise ProblemError(429, "too many attempts; try again in some minutes", headers={"Retry-After": "300"})
    access.attempts.fail("setup", now=at_s)
    access.set_up(first.word, first.name, first.password)
    access.attempts.succeed("setup")
    access.audit.put("setup", actor=first.name, objects=(f"user:{first.name}",), address=who.address)
    return _begin(who, first.name, request, response)


@router.get("/session", summary="Who am I?")
def me(who: Viewer) -> Me:
    """Who asks, and what they may."""
    return _me(who.principal)


@router.delete("/session", summary="Log out", status_code=204)
def log_out(who: Viewer, request: Request, response: Response) -> None:
    """End the session; its cookie stands for nothing any more."""
    cookie = request.cookies.get(COOKIE)
    if who.principal.by == "session" and cookie:
        who.services.access.end_session(cookie)
        who.did("logout")
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.put("/session/password", summary="Change one's own password", status_code=204)
def change_password(who: Viewer, passwords: NewPassword, request: Request) -> None:
    """It ends all other sessions of the user."""
    access, at_s = who.services.access, now_s()
    if who.principal.by != "session":
        raise ProblemError(403, "a password is changed by who has logged in with it")
    key = f"user {who.name.lower()}"
    if access.attempts.wait_s(key, now=at_s) > 0:
        raise ProblemError(429, "too many attempts; try again in some minutes", headers={"Retry-After": "300"})
    access.attempts.fail(key, now=at_s)
    if not access.is_password_of(who.name, passwords.old):
        raise ProblemError(403, "the old password is another")
    access.attempts.succeed(key)
    access.set_password(who.name, passwords.new, keep=request.cookies.get(COOKIE, ""))
    who.did("users.password", [f"user:{who.name}"])


def _begin(who: Visitor, name: str, request: Request, response: Response) -> Me:
    access = who.services.access
    cookie = access.begin_session(name)
    principal = access.who_has_cookie(cookie)
    if principal is None:
        raise ProblemError(401, "the user has just been removed")
    response.set_cookie(
        COOKIE, cookie, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    Caller(who.services, who.address, principal).did("login")
    return _me(principal)


def _me(principal: Principal) -> Me:
    return Me(
        name=principal.name,
        role=principal.role,
        cameras=None if principal.cameras is None else sorted(principal.cameras),
        by=principal.by,
        csrf=principal.csrf,
        expires_at=moment_or_none(principal.expires_at_ns),
    )

"""Users, sessions and tokens of a data folder."""

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from hub.access import schema
from hub.access.attempts import Attempts
from hub.access.audit import AuditLog
from hub.access.opening import open_access
from hub.access.records import ApiToken, Principal, Role, User
from hub.access.secrets import csrf_of, hash_password, hash_word, is_password, new_word, same_word
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId

SESSION_IDLE_NS = 12 * 3600 * 10**9
SESSION_LONGEST_NS = 7 * 86_400 * 10**9
LONGEST_TOKEN_DAYS = 3650
TOKEN_PREFIX = "pby_"  # noqa: S105 - what all tokens begin with, so that one in a file or a log is recognized
_NOTED_EVERY_NS = 60 * 10**9
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_SETUP = "setup"


class AccessStore:
    """Who may look at a site. Safe to use from several threads; other processes may use the same file.

    Raises StoreError where the file cannot be used. Of the audit log entries older than `audit_days` go; 0: none.
    """

    def __init__(self, data_dir: Path, *, audit_days: float = 0.0) -> None:
        self._name = str(data_dir)
        self._engine = open_access(data_dir)
        self.audit = AuditLog(self._engine, name=self._name, kept_days=audit_days)
        self.attempts = Attempts()
        with self._writing() as connection:
            _forget_sessions(connection, time.time_ns())

    def users(self) -> Sequence[User]:
        """Everybody, by name."""
        with self._reading() as connection:
            return [_user(row) for row in connection.execute(select(schema.users).order_by(schema.users.c.name))]

    def user(self, name: str) -> User | None:
        """Somebody by name."""
        with self._reading() as connection:
            row = connection.execute(select(schema.users).where(schema.users.c.name == name)).one_or_none()
            return None if row is None else _user(row)

    def add_user(self, name: str, password: str, *, role: Role, cameras: Sequence[CameraId] | None = None) -> User:
        """Let somebody in. Raises DataError for a name or password that is not usable, or a name that is taken."""
        hashed = hash_password(password)
        with self._writing() as connection:
            return _add_user(connection, name, hashed, role=role, cameras=cameras)

    def change_user(self, name: str, *, role: Role, cameras: Sequence[CameraId] | None, disabled: bool = False) -> User:
        """Give somebody another role and scope, at once; who is `disabled` is let in no more, and their sessions end.

        Raises DataError where that leaves no administrator.
        """
        with self._writing() as connection:
            _must_exist(connection, name)
            return _change_user(connection, name, role=role, cameras=_scope(role, cameras), disabled=disabled)

    def disable_user(self, name: str, *, disabled: bool = True) -> User:
        """Let somebody in no more, or again where not `disabled`; role and scope stay. Raises DataError as above."""
        with self._writing() as connection:
            user = _must_exist(connection, name)
            cameras = None if user.cameras is None else sorted(user.cameras)
            return _change_user(connection, name, role=user.role, cameras=_scope(user.role, cameras), disabled=disabled)

    def set_password(self, name: str, password: str, *, keep: str = "") -> None:
        """Give somebody a new password and end their sessions, but for that of the cookie `keep`. Raises DataError."""
        hashed = hash_password(password)
        with self._writing() as connection:
            _must_exist(connection, name)
            connection.execute(update(schema.users).where(schema.users.c.name == name).values(password_hash=hashed))
            others = (schema.sessions.c.user == name) & (schema.sessions.c.cookie_hash != hash_word(keep))
            connection.execute(delete(schema.sessions).where(others))

    def remove_user(self, name: str) -> None:
        """Let somebody in no more, by no session or token. Raises DataError where it is the last administrator."""
        with self._writing() as connection:
            _must_exist(connection, name)
            _must_not_be_last_admin(connection, name)
            connection.execute(delete(schema.users).where(schema.users.c.name == name))

    def is_password_of(self, name: str, password: str) -> bool:
        """Whether it is; takes as long where there is no such user, or a disabled one."""
        with self._reading() as connection:
            let_in = (schema.users.c.name == name) & ~schema.users.c.disabled
            kept = connection.scalar(select(schema.users.c.password_hash).where(let_in))
        return is_password(password, kept)

    def begin_session(self, name: str) -> str:
        """A session of a user, as the cookie that stands for it."""
        cookie, now_ns = new_word(), time.time_ns()
        row = {"cookie_hash": hash_word(cookie), "user": name, "created_at_ns": now_ns, "seen_at_ns": now_ns}
        with self._writing() as connection:
            _forget_sessions(connection, now_ns)
            connection.execute(insert(schema.sessions), [row])
        return cookie

    def end_session(self, cookie: str) -> None:
        """The cookie stands for nothing any more."""
        with self._writing() as connection:
            connection.execute(delete(schema.sessions).where(schema.sessions.c.cookie_hash == hash_word(cookie)))

    def who_has_cookie(self, cookie: str, *, now_ns: int | None = None) -> Principal | None:
        """Whose session it is, as of now; None where it has ended."""
        at_ns, table, users = time.time_ns() if now_ns is None else now_ns, schema.sessions, schema.users
        key = hash_word(cookie)
        asked = select(users, table.c.created_at_ns.label("since"), table.c.seen_at_ns).join_from(table, users)
        with self._reading() as connection:
            row = connection.execute(asked.where(table.c.cookie_hash == key)).one_or_none()
        if row is None or row.disabled:
            return None
        expires = min(row.seen_at_ns + SESSION_IDLE_NS, row.since + SESSION_LONGEST_NS)
        if not row.seen_at_ns - SESSION_IDLE_NS < at_ns < expires:
            return None
        if at_ns - row.seen_at_ns > _NOTED_EVERY_NS:
            with self._writing() as connection:
                connection.execute(update(table).where(table.c.cookie_hash == key).values(seen_at_ns=at_ns))
        user = _user(row)
        return Principal(
            name=user.name,
            role=user.role,
            cameras=user.cameras,
            by="session",
            csrf=csrf_of(cookie),
            expires_at_ns=expires,
        )

    def tokens(self, user: str | None = None) -> Sequence[ApiToken]:
        """All tokens, or a user's; those that have expired too."""
        table = schema.tokens
        asked = select(table).order_by(table.c.token_id)
        if user is not None:
            asked = asked.where(table.c.user == user)
        with self._reading() as connection:
            return [_token(row) for row in connection.execute(asked)]

    def add_token(self, user: str, name: str, *, role: Role, days: float) -> tuple[ApiToken, str]:
        """A token, and the word itself, which is told this once.

        Raises DataError where the user has not that role, has a token of that name, or `days` is not 0 to 3650.
        """
        if not 0 < days <= LONGEST_TOKEN_DAYS:
            raise DataError(f"a token for {days:g} days: expected more than 0 and at most {LONGEST_TOKEN_DAYS}")
        word, now_ns, table = new_word(TOKEN_PREFIX), time.time_ns(), schema.tokens
        values = {
            "user": user,
            "name": _usable(name, "token"),
            "role": role.value,
            "token_hash": hash_word(word),
            "created_at_ns": now_ns,
            "expires_at_ns": now_ns + round(days * 86_400e9),
        }
        with self._writing() as connection:
            mine = _must_exist(connection, user)
            if not mine.role.covers(role):
                raise DataError(f"{user} is {mine.role.value}: a token of theirs cannot be {role.value}")
            try:
                token_id = connection.execute(insert(table).values(values)).inserted_primary_key
            except IntegrityError as error:
                raise DataError(f"{user} has a token {name!r} already; remove it, or choose another name") from error
            assert token_id is not None  # noqa: S101 - a single row has been inserted
            return _token(connection.execute(select(table).where(table.c.token_id == token_id[0])).one()), word

    def remove_token(self, token_id: int, *, user: str | None = None) -> None:
        """Let a token be worth nothing; of `user` alone, if given. Raises DataError where there is none."""
        table = schema.tokens
        which = table.c.token_id == token_id
        if user is not None:
            which &= table.c.user == user
        with self._writing() as connection:
            if not connection.execute(delete(table).where(which)).rowcount:
                raise DataError(f"there is no token {token_id}")

    def who_has_token(self, word: str, *, now_ns: int | None = None) -> Principal | None:
        """Whose token it is, as of now; None where it has expired, or there is none."""
        at_ns, table, users = time.time_ns() if now_ns is None else now_ns, schema.tokens, schema.users
        key = hash_word(word)
        asked = select(users, table.c.role.label("own_role"), table.c.expires_at_ns, table.c.used_at_ns)
        with self._reading() as connection:
            row = connection.execute(asked.join_from(table, users).where(table.c.token_hash == key)).one_or_none()
        if row is None or row.disabled or at_ns >= row.expires_at_ns:
            return None
        if row.used_at_ns is None or at_ns - row.used_at_ns > _NOTED_EVERY_NS:
            with self._writing() as connection:
                connection.execute(update(table).where(table.c.token_hash == key).values(used_at_ns=at_ns))
        user, role = _user(row), Role(row.own_role)
        return Principal(
            name=user.name,
            role=role if user.role.covers(role) else user.role,
            cameras=user.cameras,
            by="token",
            expires_at_ns=row.expires_at_ns,
        )

    def setup_word(self) -> str | None:
        """A new word by which the first administrator comes in; None where there is somebody already."""
        word = new_word()
        with self._writing() as connection:
            if connection.scalar(select(func.count()).select_from(schema.users)):
                return None
            connection.execute(delete(schema.settings).where(schema.settings.c.key == _SETUP))
            connection.execute(insert(schema.settings), [{"key": _SETUP, "value": hash_word(word)}])
        return word

    def set_up(self, word: str, name: str, password: str) -> User:
        """Make the first administrator, once. Raises DataError where the word is not, or no more, the one."""
        hashed = hash_password(password)
        with self._writing() as connection:
            kept = connection.scalar(select(schema.settings.c.value).where(schema.settings.c.key == _SETUP))
            anybody = connection.scalar(select(func.count()).select_from(schema.users))
            if kept is None or anybody or not same_word(kept, hash_word(word)):
                raise DataError("the link is not valid any more; `passerby users add NAME --role admin` lets you in")
            connection.execute(delete(schema.settings).where(schema.settings.c.key == _SETUP))
            return _add_user(connection, name, hashed, role=Role.ADMIN, cameras=None)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot write who may look at the site: {error.orig}") from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(reads=True) as connection:
                yield connection
        except DatabaseError as error:
            raise StoreError(f"{self._name}: cannot read who may look at the site: {error.orig}") from error


def _add_user(
    connection: Connection, name: str, hashed: str, *, role: Role, cameras: Sequence[CameraId] | None
) -> User:
    row = {
        "name": _usable(name, "user"),
        "role": role.value,
        "cameras": _scope(role, cameras),
        "password_hash": hashed,
        "created_at_ns": time.time_ns(),
    }
    try:
        connection.execute(insert(schema.users), [row])
    except IntegrityError as error:
        raise DataError(f"there is a user {name!r} already") from error
    return _user(connection.execute(select(schema.users).where(schema.users.c.name == name)).one())


def _change_user(connection: Connection, name: str, *, role: Role, cameras: str | None, disabled: bool) -> User:
    if disabled or role is not Role.ADMIN:
        _must_not_be_last_admin(connection, name)
    values = {"role": role, "cameras": cameras, "disabled": disabled}
    connection.execute(update(schema.users).where(schema.users.c.name == name).values(values))
    if disabled:
        connection.execute(delete(schema.sessions).where(schema.sessions.c.user == name))
    return _user(connection.execute(select(schema.users).where(schema.users.c.name == name)).one())


def _usable(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise DataError(f"{name[:70]!r} is no {what}'s name; expected letters, digits, `-`, `_`, `.`, `@`, at most 64")
    return name


def _scope(role: Role, cameras: Sequence[CameraId] | None) -> str | None:
    if cameras is None:
        return None
    if role is Role.ADMIN:
        raise DataError("an administrator sees all cameras; leave the list of cameras out, or choose another role")
    return msgspec.json.encode(sorted(set(cameras))).decode()


def _must_exist(connection: Connection, name: str) -> User:
    row = connection.execute(select(schema.users).where(schema.users.c.name == name)).one_or_none()
    if row is None:
        raise DataError(f"there is no user {name!r}")
    return _user(row)


def _must_not_be_last_admin(connection: Connection, name: str) -> None:
    table = schema.users
    admins = connection.scalars(select(table.c.name).where(table.c.role == Role.ADMIN.value, ~table.c.disabled)).all()
    if list(admins) == [name]:
        raise DataError(f"{name} is the only administrator; make somebody else one first")


def _forget_sessions(connection: Connection, now_ns: int) -> None:
    table = schema.sessions
    over = (table.c.seen_at_ns < now_ns - SESSION_IDLE_NS) | (table.c.created_at_ns < now_ns - SESSION_LONGEST_NS)
    connection.execute(delete(table).where(over))


def _user(row: Row[Any]) -> User:
    cameras = None if row.cameras is None else frozenset(msgspec.json.decode(row.cameras, type=list[CameraId]))
    return User(
        name=row.name, role=Role(row.role), cameras=cameras, created_at_ns=row.created_at_ns, disabled=row.disabled
    )


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        token_id=row.token_id,
        user=row.user,
        name=row.name,
        role=Role(row.role),
        created_at_ns=row.created_at_ns,
        expires_at_ns=row.expires_at_ns,
        used_at_ns=row.used_at_ns,
    )

"""How the site's machines are, what is kept, and for administrators: users and what was done."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from hub.access.records import AuditEntry, Role, User
from hub.dashboard.correcting import require
from hub.dashboard.markup import EMPTY, button, dialog, joined, moment, table, tag
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.ownership import is_owned
from passerby import __version__
from passerby.errors import DataError
from passerby.ids import CameraId

_SHOWN = 50
_LOW_SHARE = 0.1
_QUIET_NS = 20 * 10**9


def build(visit: Visit) -> Page:
    """The page; what is for administrators is left out for others."""
    for_admins = joined((_users(visit), _audit(visit))) if visit.principal.may(Role.ADMIN) else EMPTY
    return Page(
        title="System",
        lede=f"Passerby {__version__}",
        actions=_password(visit),
        body=Markup('<div class="stack"><div class="halves">{}{}</div>{}{}</div>').format(
            _health(visit), _kept(visit), _cameras(visit), for_admins
        ),
    )


def add_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody in."""
    require(visit, Role.ADMIN, "to add a user")
    name, role = said.get("name", "").strip(), _role(said.get("role", ""))
    visit.services.access.add_user(name, said.get("password", ""), role=role, cameras=_scope(said.get("cameras", "")))
    _note(visit, "users.add", name, role.value)
    return Reaction(said=f"{name} may sign in now.", again=True)


def change_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody do more or less; with a password, give them that."""
    require(visit, Role.ADMIN, "to change a user")
    name, role = said.get("name", ""), _role(said.get("role", ""))
    visit.services.access.change_user(name, role=role, cameras=_scope(said.get("cameras", "")))
    _note(visit, "users.change", name, role.value)
    if said.get("password"):
        visit.services.access.set_password(name, said["password"])
        _note(visit, "users.password", name)
    return Reaction(said=f"{name} is {role.value} now.", again=True)


def remove_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody in no more; their sessions and tokens end."""
    require(visit, Role.ADMIN, "to remove a user")
    name = said.get("name", "")
    visit.services.access.remove_user(name)
    _note(visit, "users.remove", name)
    return Reaction(said=f"{name} may not sign in any more.", again=True)


def _health(visit: Visit) -> Markup:
    data_dir = visit.services.data_dir
    usage = shutil.disk_usage(data_dir)
    low = usage.free < _LOW_SHARE * usage.total
    hub = tag("running", "good") if is_owned(data_dir) else tag("not running", "bad")
    rows = (
        ("Hub", hub if is_owned(data_dir) else hub + Markup(" <span class='soft small'>start it: passerby up</span>")),
        (
            "Disk",
            Markup("{} free of {} {}").format(_size(usage.free), _size(usage.total), tag("low", "bad") if low else ""),
        ),
        ("Data", f"{_size(_bytes_in(data_dir))} in {data_dir.name}"),
        ("Detector", visit.services.facts.detector),
        ("Re-ID model", visit.services.facts.reid),
        ("Engine", visit.services.facts.engine),
    )
    return _facts("Health", rows)


def _kept(visit: Visit) -> Markup:
    counts = visit.gallery.counts()
    rows = [("people", f"{visit.reader.active_identities():,}"), *((name, f"{n:,}") for name, n in counts.items())]
    return _facts("What is kept", rows)


def _facts(title: str, rows: Sequence[tuple[str, object]]) -> Markup:
    return Markup('<section class="card pad stack"><h2>{}</h2><dl class="facts">{}</dl></section>').format(
        title, joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in rows)
    )


def _cameras(visit: Visit) -> Markup:
    now_ns = time.time_ns()
    rows = [
        (
            s.status.camera_id,
            tag("silent", "bad") if now_ns - s.received_at_ns > _QUIET_NS else tag(s.status.state),
            s.edge_id,
            f"{s.status.achieved_fps:.1f} of {s.status.expected_fps:.1f}",
            f"{s.status.width} x {s.status.height}",
            s.status.skipped_frames,
            s.status.reconnects,
            s.status.stalls,
            "" if s.status.clock is None else f"{s.status.clock.source}, {s.status.clock.error_ns / 1e6:.0f} ms",
            moment(s.received_at_ns, "ago"),
        )
        for s in visit.reader.cameras()
        if visit.principal.sees(s.status.camera_id)
    ]
    titles = ("camera", "", "edge", "fps", "size", "skipped", "reconnects", "stalls", "clock within", "heard")
    return Markup('<section class="card pad stack"><h2>Cameras</h2>{}</section>').format(
        table(titles, rows, numbers=(3, 5, 6, 7))
    )


def _users(visit: Visit) -> Markup:
    users = visit.services.access.users()
    rows = [
        (user.name, tag(user.role.value), _seen_by(user), moment(user.created_at_ns, "day"), _edit(user))
        for user in users
    ]
    add = button("Add a user…", opens="add-user") + dialog(
        "add-user", "Add a user", _user_fields(None), button("Add", "add-user", kind="primary")
    )
    said = (
        EMPTY
        if visit.services.login
        else Markup(
            '<p class="tag warn">Nobody is asked to sign in: this is served without a login, to this machine alone.</p>'
        )
    )
    return Markup(
        '<section class="card pad stack"><div class="row"><h2 class="grow">Users</h2>{}</div>{}{}</section>'
    ).format(add, said, table(("name", "role", "cameras", "since", ""), rows))


def _edit(user: User) -> Markup:
    name = f"user-{user.name}"
    ask = Markup('<input type="hidden" name="name" value="{}">{}').format(user.name, _user_fields(user))
    return button("Change…", opens=name, kind="quiet") + dialog(
        name,
        user.name,
        ask,
        button("Remove", "remove-user", kind="danger"),
        button("Save", "change-user", kind="primary"),
    )


def _user_fields(user: User | None) -> Markup:
    name = (
        Markup(
            '<label class="labelled">Name<input class="field" name="name" required maxlength="64" '
            'autocomplete="off"></label>'
        )
        if user is None
        else EMPTY
    )
    roles = joined(
        Markup("<option{}>{}</option>").format(
            Markup(" selected") if user is not None and role is user.role else EMPTY, role.value
        )
        for role in Role
    )
    return Markup(
        '{}<label class="labelled">Role<select class="field" name="role">{}</select></label>'
        '<label class="labelled">Cameras<input class="field" name="cameras" value="{}" placeholder="all; or '
        'hall, lobby">'
        '</label><label class="labelled">{}<input class="field" type="password" name="password" '
        'autocomplete="new-password"{}></label>'
    ).format(
        name,
        roles,
        "" if user is None or user.cameras is None else ", ".join(sorted(user.cameras)),
        "Password" if user is None else "New password (empty: as it is)",
        Markup(" required") if user is None else EMPTY,
    )


def _password(visit: Visit) -> Markup:
    if visit.principal.by != "session":
        return EMPTY
    return Markup('<span class="soft">{}, {}</span>').format(visit.principal.name, visit.principal.role.value)


def _audit(visit: Visit) -> Markup:
    entries = visit.services.access.audit.entries(limit=_SHOWN)
    rows = [(moment(e.at_ns, "moment"), e.actor, e.action, _about(e), e.address) for e in entries]
    return Markup(
        '<section class="card pad stack"><div><h2>Audit</h2><p class="small soft">The latest {}; kept for two '
        "years. It holds "
        "no name of who was watched.</p></div>{}</section>"
    ).format(_SHOWN, table(("when", "who", "what", "about", "from"), rows))


def _about(entry: AuditEntry) -> str:
    return ", ".join((*entry.objects, *((entry.detail,) if entry.detail else ())))


def _seen_by(user: User) -> str:
    return "all" if user.cameras is None else ", ".join(sorted(user.cameras))


def _note(visit: Visit, action: str, user: str, detail: str = "") -> None:
    visit.services.access.audit.put(
        action, actor=visit.principal.name, objects=(f"user:{user}",), detail=detail, address=visit.address
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise DataError(f"{text!r} is no role; say viewer, operator or admin") from None


def _scope(text: str) -> list[CameraId] | None:
    cameras = [CameraId(part.strip()) for part in text.split(",") if part.strip()]
    return cameras or None


def _bytes_in(folder: Path) -> int:
    """What the files take on disk: a sparse file less than its length."""
    total = 0
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except OSError:
            continue  # it has just gone
        total += found.st_blocks * 512
    return total


def _size(count: int) -> str:
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


PLACE = Place(
    path="/system",
    title="System",
    icon="system",
    build=build,
    does={"add-user": add_user, "change-user": change_user, "remove-user": remove_user},
)

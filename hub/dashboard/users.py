"""Who may look at the site, for administrators: added, changed, disabled, removed."""

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from hub.access.records import Role, User
from hub.dashboard.cameras import there_are
from hub.dashboard.correcting import require
from hub.dashboard.markup import EMPTY, button, dialog, joined, moment, table, tag
from hub.dashboard.visit import Reaction, Visit
from passerby.errors import DataError
from passerby.ids import CameraId


def users(visit: Visit) -> Markup:
    """Everybody, with what may be done."""
    known = _cameras(visit)
    rows = [
        (
            user.name,
            Markup(" ").join((tag(user.role.value), tag("disabled", "bad"))) if user.disabled else tag(user.role.value),
            "all" if user.cameras is None else ", ".join(sorted(user.cameras)),
            moment(user.created_at_ns, "day"),
            _edit(user, known),
        )
        for user in visit.services.access.users()
    ]
    add = button("Add a user…", opens="add-user") + dialog(
        "add-user", "Add a user", _fields(None, known), button("Add", "add-user", kind="primary")
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
    ).format(
        add,
        said,
        table(("name", "role", "cameras", "since", ""), rows) if rows else Markup('<p class="soft">Nobody yet.</p>'),
    )


def add_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody in."""
    require(visit, Role.ADMIN, "to add a user")
    name, role = said.get("name", "").strip(), role_of(said)
    visit.services.access.add_user(name, said.get("password", ""), role=role, cameras=_scope(said))
    _note(visit, "users.add", name, role.value)
    return Reaction(said=f"{name} may sign in now.", again=True)


def change_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody do more or less, or nothing; with a password, give them that."""
    require(visit, Role.ADMIN, "to change a user")
    name, role, disabled = said.get("name", ""), role_of(said), said.get("disabled") == "true"
    visit.services.access.change_user(name, role=role, cameras=_scope(said), disabled=disabled)
    _note(visit, "users.change", name, "disabled" if disabled else role.value)
    if said.get("password"):
        visit.services.access.set_password(name, said["password"])
        _note(visit, "users.password", name)
    return Reaction(said=f"{name} is let in no more." if disabled else f"{name} is {role.value} now.", again=True)


def remove_user(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let somebody in no more, for good; their sessions and tokens end."""
    require(visit, Role.ADMIN, "to remove a user")
    name = said.get("name", "")
    visit.services.access.remove_user(name)
    _note(visit, "users.remove", name)
    return Reaction(said=f"{name} may not sign in any more.", again=True)


def role_of(said: Mapping[str, str]) -> Role:
    """The role of a form. Raises DataError."""
    try:
        return Role(said.get("role", ""))
    except ValueError:
        raise DataError(f"{said.get('role', '')!r} is no role; say viewer, operator or admin") from None


def role_field(chosen: Role | None, *, most: Role = Role.ADMIN) -> Markup:
    """A choice among the roles up to `most`."""
    options = joined(
        Markup("<option{}>{}</option>").format(Markup(" selected") if role is chosen else EMPTY, role.value)
        for role in Role
        if most.covers(role)
    )
    return Markup('<label class="labelled">Role<select class="field" name="role">{}</select></label>').format(options)


def _cameras(visit: Visit) -> list[CameraId]:
    return sorted({*visit.services.facts.cameras, *there_are(visit)})


def _edit(user: User, known: Iterable[CameraId]) -> Markup:
    name = f"user-{user.name}"
    ask = Markup(
        '{}<label class="row"><input type="checkbox" name="disabled" value="true"{}> Disabled: let in no more, and '
        'kept in this list</label><input type="hidden" name="name" value="{}">'
    ).format(_fields(user, known), Markup(" checked") if user.disabled else EMPTY, user.name)
    return button("Change…", opens=name, kind="quiet") + dialog(
        name,
        user.name,
        ask,
        button("Remove", "remove-user", kind="danger"),
        button("Save", "change-user", kind="primary"),
    )


def _fields(user: User | None, known: Iterable[CameraId]) -> Markup:
    name = (
        Markup(
            '<label class="labelled">Name<input class="field" name="name" required maxlength="64" '
            'autocomplete="off"></label>'
        )
        if user is None
        else EMPTY
    )
    mine = frozenset[CameraId]() if user is None or user.cameras is None else user.cameras
    boxes = joined(
        Markup('<label class="row"><input type="checkbox" name="cameras" value="{0}"{1}> {0}</label>').format(
            camera, Markup(" checked") if camera in mine else EMPTY
        )
        for camera in sorted({*known, *mine})
    )
    return Markup(
        '{}{}<fieldset class="plain choices"><legend>Sees only these cameras (none: all)</legend>{}</fieldset>'
        '<label class="labelled">{}<input class="field" type="password" name="password" autocomplete="new-password"{}>'
        "</label>"
    ).format(
        name,
        role_field(None if user is None else user.role),
        boxes,
        "Password" if user is None else "New password (empty: as it is)",
        Markup(' required minlength="10"') if user is None else EMPTY,
    )


def _scope(said: Mapping[str, str]) -> list[CameraId] | None:
    return [CameraId(part) for part in said.get("cameras", "").split(",") if part] or None


def _note(visit: Visit, action: str, user: str, detail: str = "") -> None:
    visit.services.access.audit.put(
        action, actor=visit.principal.name, objects=(f"user:{user}",), detail=detail, address=visit.address
    )

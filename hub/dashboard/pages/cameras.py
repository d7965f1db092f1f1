"""All cameras: how each is, where it is from, and what may be done with it."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hub.access.records import Role
from hub.camera_list import CameraLine
from hub.dashboard.cameras import STATES
from hub.dashboard.correcting import require
from hub.dashboard.markup import EMPTY, button, dialog, empty, following, joined, moment, tag
from hub.dashboard.pulse import News
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.reader import StoredStatus
from hub.services import Cameras, Services
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId


def build(visit: Visit) -> Page:
    """A row a camera."""
    lines = cameras_of(visit.services).lines()
    return Page(
        title="Cameras",
        lede=Markup('<span id="rows-now">{}</span>').format(_counted(lines)),
        actions=attach_button(kind="primary" if lines else ""),
        body=Markup('<div class="stack" id="rows">{}</div>').format(_rows(visit, lines)),
    )


def hears(visit: Visit, news: News) -> Reaction | None:
    """Which cameras there are, and how they are, about once a second."""
    if news.cameras is None:
        return None
    lines = cameras_of(visit.services).lines()
    reported = {stored.status.camera_id: stored for stored in news.cameras}
    states = {f"state-{line.camera}": _state(line, reported.get(line.camera)) for line in lines}
    return Reaction(puts={"rows-now": _counted(lines), **states})


def follow(visit: Visit, _: Mapping[str, str]) -> Reaction:
    """The rows of the cameras that there are now; those that are shown stay as they are."""
    return Reaction(puts={"=rows": _rows(visit, cameras_of(visit.services).lines())})


def pause(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let go of a camera until it is resumed."""
    return _enable(visit, said, wanted=False)


def resume(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Connect to a paused camera again."""
    return _enable(visit, said, wanted=True)


def remove(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """End a camera; what it has seen is kept."""
    require(visit, Role.ADMIN, "to remove a camera")
    camera = CameraId(said.get("camera", ""))
    become = cameras_of(visit.services).remove(camera, actor=visit.principal.name)
    note(visit, "cameras.remove", camera)
    return Reaction(said=f"{camera}: {become}", goes="/cameras")


def attach_button(*, kind: str = "primary") -> Markup:
    """The way to the page that attaches one."""
    return Markup('<a class="btn {}" href="/cameras/attach">Attach a camera…</a>').format(kind)


def cameras_of(services: Services) -> Cameras:
    """What changes cameras. Raises DataError where nothing does."""
    if services.cameras is None:
        raise DataError("cameras are not changed at run time here; they stand in the site file")
    return services.cameras


def note(visit: Visit, action: str, camera: CameraId, detail: str = "") -> None:
    """Put down in the audit log what was done with a camera."""
    visit.services.access.audit.put(
        action,
        actor=visit.principal.name,
        objects=(f"camera:{camera}",),
        detail=detail,
        address=visit.address,
    )


def switches(camera: CameraId, *, enabled: bool) -> Markup:
    """Pause or resume, and remove, which asks first."""
    ask = Markup(
        '<input type="hidden" name="camera" value="{}"><p>{} is looked at no more, and its password is forgotten. '
        "Whom it has seen stays known.</p>"
    ).format(camera, camera)
    name = f"remove-{camera}"
    return joined(
        (
            button("Pause", "pause", camera=camera) if enabled else button("Resume", "resume", camera=camera),
            button("Remove…", opens=name, kind="danger"),
            dialog(name, f"Remove {camera}?", ask, button("Remove", "remove", kind="danger sure")),
        )
    )


def _enable(visit: Visit, said: Mapping[str, str], *, wanted: bool) -> Reaction:
    require(visit, Role.ADMIN, "to pause or resume a camera")
    camera = CameraId(said.get("camera", ""))
    become = cameras_of(visit.services).edit(camera, {"enabled": wanted}, actor=visit.principal.name)
    note(visit, "cameras.edit", camera, "resumed" if wanted else "paused")
    return Reaction(said=f"{camera}: {become}", again=True)


def _counted(lines: Sequence[CameraLine]) -> Markup:
    said = f"{len(lines)}, {sum(line.enabled for line in lines)} in use" if lines else ""
    return Markup("{}{}").format(said, following("rows", map(_key, lines)))


def _key(line: CameraLine) -> str:
    """One that is paused or resumed has another row."""
    return f"{line.camera} {'in use' if line.enabled else 'paused'}"


def _rows(visit: Visit, lines: Sequence[CameraLine]) -> Markup:
    if not lines:
        return empty(
            "No cameras yet",
            Markup("Attach one: its host and a password are enough.<br><br>{}").format(attach_button()),
        )
    reported = _reported(visit)
    return joined(_row(line, reported.get(line.camera), live=visit.services.live is not None) for line in lines)


def _reported(visit: Visit) -> Mapping[CameraId, StoredStatus]:
    try:
        return {stored.status.camera_id: stored for stored in visit.reader.cameras()}
    except StoreError:
        return {}  # no hub has run yet: cameras may be attached before


def _row(line: CameraLine, stored: StoredStatus | None, *, live: bool) -> Markup:
    view = Markup(
        '<div class="view"{}><img class="live" alt="Live picture of {}" hidden><canvas hidden></canvas></div>'
    )
    watch = Markup(' data-watch="/live-pictures/{}"').format(line.camera) if live and line.enabled else EMPTY
    return Markup(
        '<article class="card camera-row" data-key="{}">{}<div class="grow"><h2><a href="/camera/{}">{}</a></h2>'
        '<div class="row small soft" id="state-{}">{}</div><p class="small"><code class="code">{}</code></p></div>'
        '<div class="row">{}{}</div></article>'
    ).format(
        _key(line),
        view.format(watch, line.camera),
        line.camera,
        line.camera,
        line.camera,
        _state(line, stored),
        line.url,
        Markup('<a class="btn" href="/camera/{}">Edit…</a>').format(line.camera),
        switches(line.camera, enabled=line.enabled),
    )


def _state(line: CameraLine, stored: StoredStatus | None) -> Markup:
    parts: list[Markup | str] = [tag("paused") if not line.enabled else tag(line.state, STATES.get(line.state, ""))]
    if line.enabled and stored is not None:
        status = stored.status
        if status.width:
            parts.append(
                f"{status.width} x {status.height}, {status.achieved_fps:.1f} of {status.expected_fps:.1f} fps"
            )
        if status.detail:
            parts.append(status.detail)
        parts.append(Markup("edge {}, heard {}").format(stored.edge_id, moment(stored.received_at_ns, "ago")))
    parts.append(
        {"site file": "of the site file", "changed": "of the site file, changed since"}.get(line.origin, line.origin)
    )
    if line.word not in ("", "taken"):
        parts.append(tag(line.word, "warn"))
    return _listed(parts)


def _listed(parts: Sequence[Markup | str]) -> Markup:
    return joined(Markup("<span>{}</span>").format(part) for part in parts)


def is_there(services: Services) -> bool:
    """Whether cameras are changed at run time here."""
    return services.cameras is not None


PLACE = Place(
    path="/cameras",
    title="Cameras",
    icon="cameras",
    role=Role.ADMIN,
    build=build,
    hears=hears,
    does={"pause": pause, "resume": resume, "remove": remove, "follow": follow},
    there=is_there,
)

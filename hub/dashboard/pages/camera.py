"""One camera: its settings, and which parts of its picture count."""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.camera_figures import camera_facts
from hub.dashboard.cameras import login_fields, login_of, number_of, regions, regions_of
from hub.dashboard.correcting import require
from hub.dashboard.markup import EMPTY, button, duration, empty, joined
from hub.dashboard.pages.cameras import cameras_of, is_there, note, pause, remove, resume, switches
from hub.dashboard.pulse import News
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.reader import StoredStatus
from hub.standing_still import Still, stands_in
from passerby.config import CameraSettings
from passerby.errors import StoreError
from passerby.ids import CameraId
from passerby.redaction import redact


def build(visit: Visit) -> Page:
    """The page of the camera whose name is asked for."""
    camera = CameraId(visit.asked.get("camera", ""))
    settings = cameras_of(visit.services).settings().get(camera)
    if settings is None:
        said = Markup('See <a href="/cameras">all cameras</a>.')
        return Page(title=camera, body=empty("There is no camera of this name", said))
    proposed = _proposed(visit, camera)
    view = regions(settings, proposed, camera=camera, live=visit.services.live is not None and settings.enabled)
    return Page(
        title=camera,
        lede="" if settings.enabled else "paused",
        actions=Markup('<a class="btn" href="/cameras">All cameras</a>{}').format(
            switches(camera, enabled=settings.enabled)
        ),
        body=Markup(
            '<div class="cols"><section class="card pad stack">{}{}</section><div class="stack">'
            '<section class="card pad stack"><h2>How it is</h2><div id="camera-now">{}</div></section>{}</div></div>'
        ).format(_regions(camera, view), _proposals(proposed), _figures(visit, camera), _settings(camera, settings)),
    )


def hears(visit: Visit, news: News) -> Reaction | None:
    """How it is, about once a second."""
    if news.cameras is None:
        return None
    camera = CameraId(visit.asked.get("camera", ""))
    return Reaction(puts={"camera-now": camera_facts(visit, _of(news.cameras, camera))})


def save(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Change the settings; user and password that are left empty stay."""
    require(visit, Role.ADMIN, "to change a camera")
    changes: dict[str, object] = {
        "url": said.get("url", "").strip(),
        "fps": number_of(said, "fps"),
        "min_person_height": round(number_of(said, "height")),
        "rtsp_transport": said.get("transport", "tcp"),
        "save_crops": said.get("crops") == "true",
    }
    return _change(visit, said, changes)


def save_regions(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let other parts of the picture count."""
    require(visit, Role.ADMIN, "to change a camera")
    return _change(visit, said, {"zones": regions_of(said, "zones"), "masks": regions_of(said, "masks")})


def _change(visit: Visit, said: Mapping[str, str], changes: Mapping[str, object]) -> Reaction:
    camera = CameraId(said.get("camera", ""))
    become = cameras_of(visit.services).edit(camera, changes, actor=visit.principal.name, login=login_of(said))
    note(visit, "cameras.edit", camera, ", ".join(sorted(changes)))
    return Reaction(said=f"{camera}: {become}", again=True)


def _proposed(visit: Visit, camera: CameraId) -> Sequence[Still]:
    try:
        return stands_in(visit.reader, visit.services.listing(), camera)
    except StoreError:
        return ()  # no hub has run yet


def _figures(visit: Visit, camera: CameraId) -> Markup:
    try:
        return camera_facts(visit, _of(visit.reader.cameras(), camera))
    except StoreError:
        return camera_facts(visit, None)  # no hub has run yet


def _of(cameras: Iterable[StoredStatus], camera: CameraId) -> StoredStatus | None:
    return next((one for one in cameras if one.status.camera_id == camera), None)


def _regions(camera: CameraId, view: Markup) -> Markup:
    return Markup(
        '<form class="stack" data-regions><div class="row"><h2 class="grow nowrap">What counts</h2><div class="row">'
        '<button type="button" class="btn" data-draw="masks" aria-pressed="false">Ignore a region</button>'
        '<button type="button" class="btn" data-draw="zones" aria-pressed="false">Watch only a region</button>{}</div>'
        '</div>{}<p class="small soft" data-hint>People count by where their feet are. Choose a kind of region, then '
        "click its corners; drag a corner to move it.</p>"
        '<ul class="region-list" data-list></ul><input type="hidden" name="camera" value="{}">'
        '<input type="hidden" name="zones"><input type="hidden" name="masks"></form>'
    ).format(button("Save regions", "save-regions", kind="primary"), view, camera)


def _proposals(proposed: Sequence[Still]) -> Markup:
    if not proposed:
        return Markup(
            '<p class="small soft">Nothing is proposed: of its latest sightings none stood in one place for a '
            "minute.</p>"
        )
    rows = joined(
        Markup(
            '<li class="row"><span class="grow">Stood in one place for {}, {}.</span>'
            '<button type="button" class="btn" data-propose="{}">Ignore it</button></li>'
        ).format(duration(one.seconds), "seen once" if one.times == 1 else f"seen {one.times} times", number)
        for number, one in enumerate(proposed)
    )
    return Markup(
        '<div><h3>Never moved (dashed)</h3><p class="small soft">Posters and mannequins are taken for people. '
        'Somebody at a desk rests too: look before you ignore.</p><ul class="region-list">{}</ul></div>'
    ).format(rows)


def _settings(camera: CameraId, settings: CameraSettings) -> Markup:
    transports = joined(
        Markup("<option{}>{}</option>").format(Markup(" selected") if settings.rtsp_transport == word else EMPTY, word)
        for word in ("tcp", "udp")
    )
    return Markup(
        '<form class="card pad stack settings"><h2>Settings</h2>'
        '<label class="labelled">URL<input class="field" name="url" value="{}" required maxlength="2000" '
        'spellcheck="false"></label>{}<label class="labelled">Frames a second, at most<input class="field" name="fps" '
        'type="number" min="0.1" max="120" step="any" value="{}" required></label>'
        '<label class="labelled">Smallest person, pixels<input class="field" name="height" type="number" min="8" '
        'value="{}" required></label><label class="labelled">RTSP over<select class="field" name="transport">{}'
        '</select></label><label class="row"><input type="checkbox" name="crops" value="true"{}> Keep pictures of '
        'people</label><div class="row">{}</div><p class="small soft">Another URL begins without the former password: '
        'give it again.</p><input type="hidden" name="camera" value="{}"></form>'
    ).format(
        redact(settings.url),
        login_fields(kept="***@" in redact(settings.url)),
        f"{settings.fps:g}",
        settings.min_person_height,
        transports,
        Markup(" checked") if settings.save_crops else EMPTY,
        button("Save", "save", kind="primary"),
        camera,
    )


PLACE = Place(
    path="/camera/{camera}",
    title="Camera",
    under="/cameras",
    role=Role.ADMIN,
    build=build,
    hears=hears,
    does={
        "save": save,
        "save-regions": save_regions,
        "pause": pause,
        "resume": resume,
        "remove": remove,
    },
    there=is_there,
)

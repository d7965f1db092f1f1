"""How the site's machines are, what is kept, and for administrators: users and what was done."""

import shutil
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from hub.access.records import AuditEntry, Role
from hub.dashboard.camera_figures import camera_rows
from hub.dashboard.markup import EMPTY, joined, moment, size, table, tag
from hub.dashboard.own import add_token, own, remove_token
from hub.dashboard.pulse import News
from hub.dashboard.queues import waiting, waiting_now
from hub.dashboard.told import send_test, told
from hub.dashboard.users import add_user, change_user, remove_user, users
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.ownership import is_owned
from hub.reader import StoredStatus
from hub.stored import bytes_in, stored
from passerby import __version__

_SHOWN = 50
_LOW_SHARE = 0.1


def build(visit: Visit) -> Page:
    """The page; what is for administrators is left out for others."""
    for_admins = joined((users(visit), _audit(visit))) if visit.principal.may(Role.ADMIN) else EMPTY
    return Page(
        title="System",
        lede=f"Passerby {__version__}",
        body=Markup('<div class="stack"><div class="halves">{}{}</div>{}{}{}{}{}</div>').format(
            _health(visit), _kept(visit), waiting(visit), _cameras(visit), told(visit), own(visit), for_admins
        ),
    )


def hears(visit: Visit, news: News) -> Reaction | None:
    """How the cameras are and what waits, about once a second."""
    if news.cameras is None:
        return None
    puts = {"cameras-now": camera_rows(_seen(visit, news.cameras))}
    return Reaction(puts=puts if visit.principal.cameras is not None else {**puts, "queues-now": waiting_now(visit)})


def _health(visit: Visit) -> Markup:
    data_dir = visit.services.data_dir
    usage = shutil.disk_usage(data_dir)
    low = usage.free < _LOW_SHARE * usage.total
    hub = tag("running", "good") if is_owned(data_dir) else tag("not running", "bad")
    rows = (
        ("Hub", hub if is_owned(data_dir) else hub + Markup(" <span class='soft small'>start it: passerby up</span>")),
        (
            "Disk",
            Markup("{} free of {} {}").format(size(usage.free), size(usage.total), tag("low", "bad") if low else ""),
        ),
        ("Data", f"{size(bytes_in(data_dir))} in {data_dir.name}"),
        ("Detector", visit.services.facts.detector),
        ("Re-ID model", visit.services.facts.reid),
        ("Engine", visit.services.facts.engine),
    )
    return _facts("Health", rows)


def _kept(visit: Visit) -> Markup:
    counts, found, meant = visit.gallery.counts(), stored(visit.services), visit.services.facts.retention
    rows = [("people", f"{visit.reader.active_identities():,}"), *((name, f"{n:,}") for name, n in counts.items())]
    times = (
        ("Pictures", size(found.crops_bytes), found.oldest_pictures_ns, meant.crops_days or meant.tracklets_days),
        ("Tracklets, embeddings", size(found.database_bytes), found.oldest_tracklet_ns, meant.tracklets_days),
        ("Audit log", "", found.oldest_audit_ns, meant.audit_days),
    )
    held = table(
        ("", "disk", "oldest", "kept for"),
        (
            (
                what,
                size,
                "none" if oldest is None else moment(oldest, "day"),
                f"{days:g}\N{NO-BREAK SPACE}days" if days else "as long as there is room",
            )
            for what, size, oldest, days in times
        ),
        numbers=(1,),
    )
    return Markup(
        '<section class="card pad stack"><h2>What is kept</h2>{}<dl class="facts columns">{}</dl><p class="small soft">'
        'Set in the site file under <code class="code">retention</code>. Enrolments have an end of their own, and '
        "decisions stay, as numbers.</p></section>"
    ).format(held, joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in rows))


def _facts(title: str, rows: Sequence[tuple[str, object]]) -> Markup:
    return Markup('<section class="card pad stack"><h2>{}</h2><dl class="facts">{}</dl></section>').format(
        title, joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in rows)
    )


def _cameras(visit: Visit) -> Markup:
    return Markup('<section class="card pad stack"><h2>Cameras</h2><div id="cameras-now">{}</div></section>').format(
        camera_rows(_seen(visit, visit.reader.cameras()))
    )


def _seen(visit: Visit, cameras: Iterable[StoredStatus]) -> list[StoredStatus]:
    return [one for one in cameras if visit.principal.sees(one.status.camera_id)]


def _audit(visit: Visit) -> Markup:
    entries = visit.services.access.audit.entries(limit=_SHOWN)
    rows = [(moment(e.at_ns, "moment"), e.actor, e.action, _about(e), e.address) for e in entries]
    return Markup(
        '<section class="card pad stack"><div><h2>Audit</h2><p class="small soft">The latest {}. It holds no name '
        "of who was watched.</p></div>{}</section>"
    ).format(
        _SHOWN,
        table(("when", "who", "what", "about", "from"), rows)
        if rows
        else Markup('<p class="soft">Nothing yet: who signs in, searches or corrects is put down here.</p>'),
    )


def _about(entry: AuditEntry) -> str:
    return ", ".join((*entry.objects, *((entry.detail,) if entry.detail else ())))


PLACE = Place(
    path="/system",
    title="System",
    icon="system",
    build=build,
    hears=hears,
    does={
        "add-user": add_user,
        "change-user": change_user,
        "remove-user": remove_user,
        "add-token": add_token,
        "remove-token": remove_token,
        "test-notifications": send_test,
    },
)

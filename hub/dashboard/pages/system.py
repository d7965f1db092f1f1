"""How the site's machines are, what is kept, and for administrators: users and what was done."""

import shutil
import time
from collections.abc import Sequence

from markupsafe import Markup

from hub.access.records import AuditEntry, Role
from hub.dashboard.cameras import STATES
from hub.dashboard.markup import EMPTY, joined, moment, table, tag
from hub.dashboard.own import add_token, own, remove_token
from hub.dashboard.told import send_test, told
from hub.dashboard.users import add_user, change_user, remove_user, users
from hub.dashboard.visit import Page, Place, Visit
from hub.ownership import is_owned
from hub.stored import bytes_in, stored
from passerby import __version__

_SHOWN = 50
_LOW_SHARE = 0.1
_QUIET_NS = 20 * 10**9


def build(visit: Visit) -> Page:
    """The page; what is for administrators is left out for others."""
    for_admins = joined((users(visit), _audit(visit))) if visit.principal.may(Role.ADMIN) else EMPTY
    return Page(
        title="System",
        lede=f"Passerby {__version__}",
        body=Markup('<div class="stack"><div class="halves">{}{}</div>{}{}{}{}</div>').format(
            _health(visit), _kept(visit), _cameras(visit), told(visit), own(visit), for_admins
        ),
    )


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
        ("Data", f"{_size(bytes_in(data_dir))} in {data_dir.name}"),
        ("Detector", visit.services.facts.detector),
        ("Re-ID model", visit.services.facts.reid),
        ("Engine", visit.services.facts.engine),
    )
    return _facts("Health", rows)


def _kept(visit: Visit) -> Markup:
    counts, found, meant = visit.gallery.counts(), stored(visit.services), visit.services.facts.retention
    rows = [("people", f"{visit.reader.active_identities():,}"), *((name, f"{n:,}") for name, n in counts.items())]
    times = (
        ("Pictures", _size(found.crops_bytes), found.oldest_pictures_ns, meant.crops_days or meant.tracklets_days),
        ("Tracklets, embeddings", _size(found.database_bytes), found.oldest_tracklet_ns, meant.tracklets_days),
        ("Audit log", "", found.oldest_audit_ns, meant.audit_days),
    )
    held = table(
        ("", "disk", "oldest", "kept for"),
        (
            (
                what,
                size,
                "none" if oldest is None else moment(oldest, "day"),
                f"{days:g} days" if days else "as long as there is room",
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
    now_ns = time.time_ns()
    rows = [
        (
            s.status.camera_id,
            tag("silent", "bad")
            if now_ns - s.received_at_ns > _QUIET_NS
            else tag(s.status.state, STATES.get(s.status.state, "")),
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


def _audit(visit: Visit) -> Markup:
    entries = visit.services.access.audit.entries(limit=_SHOWN)
    rows = [(moment(e.at_ns, "moment"), e.actor, e.action, _about(e), e.address) for e in entries]
    return Markup(
        '<section class="card pad stack"><div><h2>Audit</h2><p class="small soft">The latest {}. It holds no name '
        "of who was watched.</p></div>{}</section>"
    ).format(_SHOWN, table(("when", "who", "what", "about", "from"), rows))


def _about(entry: AuditEntry) -> str:
    return ", ".join((*entry.objects, *((entry.detail,) if entry.detail else ())))


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
    does={
        "add-user": add_user,
        "change-user": change_user,
        "remove-user": remove_user,
        "add-token": add_token,
        "remove-token": remove_token,
        "test-notifications": send_test,
    },
)

"""One adaptation: how far it is, what the gate says of it, and the way to the cameras."""

import time
from collections.abc import Mapping

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.cameras import there_are
from hub.dashboard.correcting import require
from hub.dashboard.jobs import progress
from hub.dashboard.markup import EMPTY, button, dialog, joined
from hub.dashboard.pages.adaptation import adaptations, cancel, note
from hub.dashboard.pulse import News
from hub.dashboard.routes import CLUSTERS
from hub.dashboard.verdicts import pictures, verdict
from hub.dashboard.visit import Page, Place, Reaction, Visit
from passerby.adaptation.job import MODEL, REPORT, UNDER_WAY, VERDICT, Job
from passerby.adaptation.verdict import read_verdict
from passerby.ids import CameraId

_LATELY_NS = 3 * 10**9


def build(visit: Visit) -> Page:
    """The adaptation of the number that is asked for."""
    job = _job(visit)
    said = read_verdict(job.folder / VERDICT) if (job.folder / VERDICT).exists() else None
    sheet = EMPTY
    if (job.folder / MODEL / CLUSTERS).exists():
        sheet = Markup(
            '<section class="card pad stack"><div><h2>Whom it took for one person</h2><p class="small soft">A '
            "row each: "
            'what it learned from.</p></div><div class="sheet"><img src="/adaptations/{}/clusters.jpg" loading="lazy" '
            'alt="Crops in rows, a row for each person as the adaptation grouped them"></div></section>'
        ).format(job.number)
    return Page(
        title=f"Adaptation {job.number}",
        lede=Markup("{} from {} · <a href='/adaptation'>All adaptations</a>").format(
            job.model_name, job.request.parent
        ),
        actions=_actions(visit, job, passed=said is not None and said.passed),
        body=Markup('<div class="stack"><section class="card pad" id="job-{}">{}</section>{}{}</div>').format(
            job.number, progress(visit, job), EMPTY if said is None else verdict(said) + pictures(said), sheet
        ),
    )


def promote(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Bring the model to the cameras."""
    require(visit, Role.ADMIN, "to promote a model")
    number = int(said["job"])
    cameras = [CameraId(said["camera"])] if "camera" in said else []
    told = adaptations(visit).promote(number, actor=visit.principal.name, cameras=cameras)
    note(visit, "adaptations.promote", f"adaptation:{number}", *(f"camera:{camera}" for camera in cameras))
    return Reaction(said=f"{told[:1].upper()}{told[1:]}.", again=True)


def hears(visit: Visit, news: News) -> Reaction | None:
    """How far it is, about once a second; all anew once it has ended."""
    if news.cameras is None:
        return None
    job = _job(visit)
    now = job.progress()
    if now.state in UNDER_WAY:
        return Reaction(puts={f"job-{job.number}": progress(visit, job)})
    # The page was built before it ended: once more is enough, and twice does no harm.
    return Reaction(again=True) if 0 <= time.time_ns() - now.at_ns < _LATELY_NS else None


def _job(visit: Visit) -> Job:
    return adaptations(visit).job(visit.number("number") or 0)


def _actions(visit: Visit, job: Job, *, passed: bool) -> Markup:
    parts = []
    if (job.folder / REPORT).exists():
        parts.append(
            Markup('<a class="btn" href="/adaptations/{}/report.html" target="_blank">Full report</a>').format(
                job.number
            )
        )
    if passed and visit.principal.may(Role.ADMIN):
        ask = Markup(
            "<p>Everybody known is embedded anew beside the old model first; then the cameras switch. One step "
            "takes it "
            "back.</p>"
        )
        tries = joined(
            button(f"Try it at {camera}", "promote", job=job.number, camera=camera) for camera in there_are(visit)
        )
        use = button("Promote to all", "promote", kind="primary", job=job.number)
        parts.append(button("Promote…", opens="promote", kind="primary"))
        parts.append(dialog("promote", f"Use {job.model_name}?", ask, joined((tries, use))))
    return joined(parts)


PLACE = Place(
    path="/adaptation/{number:int}",
    title="Adaptation",
    under="/adaptation",
    build=build,
    whole_site=True,
    does={"cancel": cancel, "promote": promote},
    hears=hears,
    there=lambda services: services.adaptations is not None,
)

"""Adapting the model to the site: the model in use, what goes on, and all adaptations so far."""

import time
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.correcting import require
from hub.dashboard.jobs import progress, state
from hub.dashboard.markup import EMPTY, button, dialog, empty, joined, moment, table, tag
from hub.dashboard.pulse import News
from hub.dashboard.scheduling import asked_schedule, schedule_card
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.rollout import Rollout
from hub.services import Adaptations
from passerby.adaptation.job import UNDER_WAY, VERDICT, Job
from passerby.adaptation.schedule import Plan, in_words
from passerby.adaptation.verdict import read_verdict
from passerby.errors import DataError
from passerby.ids import ModelId


def build(visit: Visit) -> Page:
    """The page."""
    jobs = adaptations(visit).jobs()
    rollout = visit.reader.rollout()
    parts = _parts(visit, jobs)
    return Page(
        title="Adaptation",
        lede="The model learns this site's own cameras and people.",
        actions=Markup('<div class="row" id="job-actions">{}</div>').format(parts["job-actions"]),
        body=Markup(
            '<div class="stack">{}<div id="job-schedule">{}</div><div id="job-now">{}</div>'
            '<div id="job-history">{}</div></div>'
        ).format(_models(visit, rollout), parts["job-schedule"], parts["job-now"], parts["job-history"]),
    )


def start(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Begin one."""
    require(visit, Role.OPERATOR, "to start an adaptation")
    text = said.get("minutes", "").strip()
    try:
        minutes = float(text) if text else None
    except ValueError:
        raise DataError(f"{text!r} minutes, expected a number") from None
    job = adaptations(visit).start(actor=visit.principal.name, minutes=minutes)
    note(visit, "adaptations.start", f"adaptation:{job.number}")
    return Reaction(said=f"Adaptation {job.number} has begun.", again=True)


def cancel(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Ask for the end of one."""
    require(visit, Role.OPERATOR, "to cancel an adaptation")
    number = int(said["job"])
    adaptations(visit).cancel(number, actor=visit.principal.name)
    note(visit, "adaptations.cancel", f"adaptation:{number}")
    return Reaction(said=f"Adaptation {number} is being cancelled.", again=True)


def rollback(visit: Visit, _: Mapping[str, str]) -> Reaction:
    """Go back to the former model."""
    require(visit, Role.ADMIN, "to roll back")
    told = adaptations(visit).rollback(actor=visit.principal.name)
    note(visit, "models.rollback")
    return Reaction(said=told[:1].upper() + told[1:], again=True)


def set_schedule(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Say when one begins by itself."""
    require(visit, Role.OPERATOR, "to set the schedule")
    asked = asked_schedule(said)
    adaptations(visit).tell_schedule(
        actor=visit.principal.name, schedule=asked.schedule, min_new_tracklets=asked.min_new_tracklets
    )
    return _scheduled(visit)


def forget_schedule(visit: Visit, _: Mapping[str, str]) -> Reaction:
    """Let the site file say it again."""
    require(visit, Role.OPERATOR, "to set the schedule")
    adaptations(visit).forget_schedule()
    return _scheduled(visit)


def hears(visit: Visit, news: News) -> Reaction | None:
    """How far it is, about once a second, and what has become of it."""
    return None if news.cameras is None else Reaction(puts=_parts(visit, adaptations(visit).jobs()))


def adaptations(visit: Visit) -> Adaptations:
    """Raises DataError where none can be made here."""
    if visit.services.adaptations is None:
        raise DataError("this web process makes no adaptations; `passerby adapt` does")
    return visit.services.adaptations


def note(visit: Visit, action: str, *objects: str, detail: str = "") -> None:
    """Put down in the audit log who has done it."""
    visit.services.access.audit.put(
        action, actor=visit.principal.name, objects=objects, detail=detail, address=visit.address
    )


def _plan(visit: Visit) -> Plan:
    return adaptations(visit).plan(newest_tracklet=visit.reader.last_tracklet_number())


def _scheduled(visit: Visit) -> Reaction:
    words = in_words(_plan(visit).settings)
    note(visit, "adaptations.schedule", detail=words)
    return Reaction(said=f"Adapts {words}.", again=True)


def _under_way(jobs: Sequence[Job]) -> Job | None:
    return next((job for job in reversed(jobs) if job.progress().state in UNDER_WAY), None)


def _parts(visit: Visit, jobs: Sequence[Job]) -> Mapping[str, Markup]:
    """What changes while the page is open, by the ids of where it stands."""
    now = _under_way(jobs)
    going = EMPTY if now is None else Markup('<section class="card pad">{}</section>').format(progress(visit, now))
    return {
        "job-actions": _actions(visit, now, visit.reader.rollout()),
        "job-schedule": schedule_card(visit, _plan(visit), now_ns=time.time_ns()),
        "job-now": going,
        "job-history": _history(jobs),
    }


def _history(jobs: Sequence[Job]) -> Markup:
    if not jobs:
        return empty(
            "Nothing was adapted yet",
            "An adaptation learns from what this site has seen, without labels, and is judged by people that it did "
            "not learn from. Nothing changes until somebody promotes it.",
        )
    return Markup('<section class="card pad stack"><h2>History</h2>{}</section>').format(
        table(("", "asked", "from", "recipe", "", "", "model"), map(_row, reversed(jobs)))
    )


def _actions(visit: Visit, now: Job | None, rollout: Rollout) -> Markup:
    parts = []
    if now is None and visit.may_correct:
        ask = Markup(
            '<p class="soft">It learns in a process of its own, at low priority; the site goes on meanwhile.</p>'
            '<label class="labelled">Minutes of learning<input class="field" type="number" name="minutes" min="0.1" '
            'max="1440" step="any" placeholder="as in the site file"></label>'
        )
        parts.append(button("Start…", opens="start", kind="primary"))
        parts.append(dialog("start", "Adapt the model to this site?", ask, button("Start", "start", kind="primary")))
    if (rollout.promoted or rollout.trial) and visit.principal.may(Role.ADMIN):
        back = rollout.deployed if rollout.trial else rollout.former
        ask = Markup("<p>All cameras use {} from then on. What is known of people stays.</p>").format(
            _short(back) if back else "the model of the site file"
        )
        parts.append(button("Roll back…", opens="rollback", kind="danger"))
        parts.append(
            dialog("rollback", "Go back to the former model?", ask, button("Roll back", "rollback", kind="danger sure"))
        )
    return joined(parts)


def _models(visit: Visit, rollout: Rollout) -> Markup:
    facts = [
        (
            "In use",
            _short(rollout.deployed) if rollout.deployed else f"{visit.services.facts.reid}, as in the site file",
        )
    ]
    if rollout.trial is not None and rollout.candidate is not None:
        where = (
            "in the shadow: nothing depends on it" if rollout.trial == "shadow" else f"on {', '.join(rollout.cameras)}"
        )
        facts.append(("On trial", f"{_short(rollout.candidate)}, {where}"))
    if rollout.former is not None:
        facts.append(("Before", _short(rollout.former)))
    rows = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in facts)
    history = visit.reader.rollout_history()
    steps = joined(
        Markup("<li>{} {} {}</li>").format(moment(step.at_ns), tag(step.stage), _short(step.model_id))
        for step in reversed(history[-10:])
    )
    more = (
        Markup(
            '<details class="small"><summary class="soft">How it came to that</summary><ol '
            'class="steps">{}</ol></details>'
        ).format(steps)
        if history
        else EMPTY
    )
    return Markup('<section class="card pad stack"><h2>Model</h2><dl class="facts">{}</dl>{}</section>').format(
        rows, more
    )


def _row(job: Job) -> Sequence[object]:
    now = job.progress()
    headline = now.reason
    if (job.folder / VERDICT).exists():
        headline = read_verdict(job.folder / VERDICT).headline
    return (
        Markup('<a href="/adaptation/{0}">{0}</a>').format(job.number),
        moment(job.request.asked_at_ns, "moment"),
        job.request.actor if job.request.trigger == "hand" else job.request.trigger,
        job.request.recipe,
        state(now),
        headline,
        job.model_name,
    )


def _short(model_id: ModelId | None) -> str:
    return "" if model_id is None else model_id.split("@", maxsplit=1)[0]


PLACE = Place(
    path="/adaptation",
    title="Adaptation",
    icon="adaptation",
    build=build,
    whole_site=True,
    does={
        "start": start,
        "cancel": cancel,
        "rollback": rollback,
        "set-schedule": set_schedule,
        "forget-schedule": forget_schedule,
    },
    hears=hears,
    there=lambda services: services.adaptations is not None,
)

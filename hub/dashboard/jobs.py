"""How far an adaptation is."""

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, button, dialog, duration, joined, moment, tag
from hub.dashboard.visit import Visit
from passerby.adaptation.job import PHASES, UNDER_WAY, VERDICT, Job, JobProgress, Phase, State

_KINDS: dict[State, str] = {
    "passed": "good",
    "refused": "warn",
    "failed": "bad",
    "running": "accent",
    "queued": "accent",
}
_WORDS: dict[Phase, str] = {
    "freezing": "Freezing the recent past",
    "reading": "Reading",
    "learning": "Learning",
    "exporting": "Exporting",
    "judging": "Judging",
}


def state(progress: JobProgress) -> Markup:
    """In a word."""
    return tag(progress.state, _KINDS.get(progress.state, ""))


def progress(visit: Visit, job: Job) -> Markup:
    """The phases, what goes on, until when, and the way to end it; why it ended, where it has."""
    now = job.progress()
    under_way = now.state in UNDER_WAY
    phases = joined(_phase(phase, now) for phase in PHASES)
    # A verdict, which is shown beside it, gives the reasons itself.
    words = now.word if under_way else "" if (job.folder / VERDICT).exists() else now.reason
    eta = EMPTY
    if under_way and now.eta_s is not None:
        eta = Markup('<span class="soft">about {} left</span>').format(duration(now.eta_s))
    cancel = EMPTY
    if under_way and visit.may_correct:
        ask = Markup("<p>What it has learned so far is thrown away.</p>")
        cancel = button("Cancel…", opens="cancel", kind="danger") + dialog(
            "cancel",
            f"Cancel adaptation {job.number}?",
            ask,
            button("Cancel it", "cancel", kind="danger sure", job=job.number),
        )
    asked = (
        Markup('<p class="small soft">Cancelling: it ends within seconds.</p>')
        if job.is_cancelled and under_way
        else EMPTY
    )
    return Markup(
        '<div class="stack"><div class="row"><h2><a href="/adaptation/{0}">Adaptation {0}</a></h2>{1}{2}'
        '<span class="grow"></span>{3}</div><ol class="phases">{4}</ol><p class="soft">{5}</p>{6}'
        '<p class="small soft">Asked for by {7}, {8}.</p></div>'
    ).format(
        job.number,
        state(now),
        eta,
        cancel,
        phases,
        words,
        asked,
        job.request.actor if job.request.trigger == "hand" else f"the {job.request.trigger}",
        moment(job.request.asked_at_ns, "moment"),
    )


def _phase(phase: Phase, now: JobProgress) -> Markup:
    here = now.phase is not None and PHASES.index(phase) - PHASES.index(now.phase)
    ended = now.state in ("passed", "refused")
    share = 1.0 if ended or (now.phase is not None and here < 0) else now.share if now.phase == phase else 0.0
    current = Markup(' aria-current="step"') if now.phase == phase and not ended else EMPTY
    return Markup('<li{}><div class="meter"><i style="width:{}%"></i></div>{}</li>').format(
        current, round(100.0 * share), _WORDS[phase]
    )

"""When the site adapts by itself: what is due next and what it lacks, and the form that sets it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, button, dialog, joined, moment
from hub.dashboard.visit import Visit
from passerby.adaptation.schedule import Plan, in_words
from passerby.errors import DataError

_KINDS = {"manual": "By no schedule", "daily": "Daily", "every": "Every so many hours"}
_DAILY, _EVERY = re.compile(r"daily (\S+)"), re.compile(r"every (\d+) h")


@dataclass(frozen=True, slots=True)
class AskedSchedule:
    """What the form was filled with, as the settings have it."""

    schedule: str
    min_new_tracklets: int


def asked_schedule(said: Mapping[str, str]) -> AskedSchedule:
    """What somebody has put into the form. Raises DataError for what is no number.

    >>> asked_schedule({"kind": "every", "at": "03:30", "hours": "12", "least": "500"})
    AskedSchedule(schedule='every 12 h', min_new_tracklets=500)
    """
    schedules = {"daily": f"daily {said.get('at', '')}", "every": f"every {said.get('hours', '')} h"}
    least = said.get("least", "").strip()
    try:
        return AskedSchedule(schedules.get(said.get("kind", ""), "manual"), int(least))
    except ValueError:
        raise DataError(f"{least!r} new sightings, expected a whole number") from None


def schedule_card(visit: Visit, plan: Plan, *, now_ns: int) -> Markup:
    """The plan, and for operators the way to change it."""
    facts = [("When", _when(plan))]
    if plan.by_itself:
        facts += [("Next", _next(plan, now_ns=now_ns)), ("New sightings", _new(plan))]
    if plan.told is not None:
        said = Markup("{}, {}; the site file says: {}").format(
            plan.told.actor, moment(plan.told.at_ns, "moment"), in_words(plan.written)
        )
        facts.append(("Set by", said))
    rows = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in facts)
    return Markup(
        '<section class="card pad stack"><div class="row"><h2>By itself</h2><span class="grow"></span>{}</div>'
        '<dl class="facts">{}</dl></section>'
    ).format(_change(plan) if visit.may_correct else EMPTY, rows)


def _when(plan: Plan) -> str:
    words = in_words(plan.settings)
    zone = "; times are the hub's local ones" if plan.settings.schedule.startswith("daily") else ""
    return f"{words[:1].upper()}{words[1:]}{zone}"


def _next(plan: Plan, *, now_ns: int) -> Markup | str:
    if plan.due is None:
        return "When a camera drifts"
    due_ns = round(plan.due.timestamp() * 1e9)
    due = moment(due_ns, "moment")
    if not plan.lacks:
        return due
    waits = Markup("as soon as {} more sightings are new").format(f"{plan.lacks:,}")
    if due_ns <= now_ns:
        return Markup("{}: it was due {}").format(waits, due)
    return Markup("{}, or later: {}").format(due, waits)


def _new(plan: Plan) -> Markup:
    least = plan.settings.min_new_tracklets
    share = min(1.0, plan.new_tracklets / least)
    return Markup('<div class="row">{} of {}<div class="meter"><i style="width:{}%"></i></div></div>').format(
        f"{plan.new_tracklets:,}", f"{least:,}", round(100.0 * share)
    )


def _change(plan: Plan) -> Markup:
    schedule = plan.settings.schedule
    daily, every = _DAILY.fullmatch(schedule), _EVERY.fullmatch(schedule)
    kind = "daily" if daily else "every" if every else "manual"
    kinds = joined(
        Markup('<option value="{}"{}>{}</option>').format(value, Markup(" selected") if value == kind else EMPTY, name)
        for value, name in _KINDS.items()
    )
    fields = Markup(
        '<p class="soft">Nothing is promoted by itself. The running hub takes it up at once; the site file stays as it '
        'is.</p><label class="labelled">Begins<select class="field" name="kind">{}</select></label>'
        '<label class="labelled if-daily">At, the hub\'s local time<input class="field" type="time" name="at" '
        'value="{}" required></label><label class="labelled if-every">Hours between two<input class="field" '
        'type="number" name="hours" min="1" max="9999" value="{}" required></label>'
        '<label class="labelled">Once so many sightings are new<input class="field" type="number" name="least" '
        'min="1" value="{}" required></label>'
    ).format(kinds, daily[1] if daily else "03:30", every[1] if every else "24", plan.settings.min_new_tracklets)
    back = EMPTY if plan.told is None else button("As in the site file", "forget-schedule")
    save = button("Save", "set-schedule", kind="primary")
    return button("Change…", opens="schedule") + dialog("schedule", "When does it adapt?", fields, back + save)

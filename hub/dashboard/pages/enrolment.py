"""People known by name: enrolled by pictures or films, compared with who is claimed, or with everybody."""

import base64
import time
from collections.abc import Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.correcting import require
from hub.dashboard.forms import LARGEST, WHOLE, drop_form
from hub.dashboard.markup import EMPTY, button, dialog, empty, joined, moment
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.enrolment.records import Enrolment
from hub.enrolment.store import EnrolmentStore, read_enrolments

_TABS = {"enroll": "Enrolment", "verify": "Verification", "identify": "Identification"}
_LEDES = {
    "enroll": "Give a person a name by pictures or a film, to be recognized from then on.",
    "verify": "Is this the person whom somebody claims it is?",
    "identify": "Who of the enrolled is each person in a picture or film, or is it nobody who is known?",
}


def build(visit: Visit) -> Page:
    """The tab that is asked for."""
    tab = visit.asked.get("tab", "enroll")
    tab = tab if tab in _TABS else "enroll"
    enrolments = read_enrolments(visit.services.data_dir, now_ns=time.time_ns())
    tabs = joined(
        Markup('<a href="/enrolment?tab={}"{}>{}</a>').format(
            name, Markup(' aria-current="page"') if name == tab else EMPTY, title
        )
        for name, title in _TABS.items()
    )
    return Page(
        title=_TABS[tab],
        lede=_LEDES[tab],
        body=Markup(
            '<nav class="tabs" aria-label="What to do">{}</nav><div class="asking">{}<section id="answer" '
            'aria-live="polite">{}</section></div>'
        ).format(tabs, _form(visit, tab, enrolments), _beside(tab, enrolments)),
    )


def remove(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Delete a name with its pictures, for good."""
    require(visit, Role.OPERATOR, "to remove an enrolment")
    name = said.get("name", "")
    with EnrolmentStore(visit.services.data_dir, now_ns=time.time_ns()) as store:
        gone = store.remove(name)
    visit.services.access.audit.put("enrolments.remove", actor=visit.principal.name, address=visit.address)
    return Reaction(said=f"{name} is gone for good, {gone} enrolment{'' if gone == 1 else 's'}.", again=True)


def cancel(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """End what is asked about a film."""
    require(visit, Role.OPERATOR, "to cancel it")
    if visit.services.films is not None and said.get("number", "").isdecimal():
        visit.services.films.cancel(int(said["number"]), actor=visit.principal.name)
    return Reaction()


def _form(visit: Visit, tab: str, enrolments: Sequence[Enrolment]) -> Markup:
    films = visit.services.films is not None
    if tab == "enroll":
        fields = Markup(
            '<label class="labelled">Name<input class="field" name="name" required maxlength="200" '
            'autocomplete="off"></label><label class="labelled">Reason<input class="field" name="reason" '
            'maxlength="500" placeholder="Why they are to be recognized; kept with the pictures"></label>'
            '<label class="labelled">Days until it is deleted (0: until removed)<input class="field" type="number" '
            'name="days" value="90" min="0" max="36500"></label>{}{}'
        ).format(LARGEST, WHOLE)
        return drop_form(visit, to="/looking/enroll", fields=fields, submit="Enroll", many=True, film=films)
    if tab == "verify":
        names = joined(Markup("<option>{}</option>").format(name) for name in dict.fromkeys(e.name for e in enrolments))
        fields = Markup(
            '<label class="labelled">Who it is said to be<select class="field" name="name" required>{}</select></label>'
            "{}{}"
        ).format(names, LARGEST, WHOLE)
        return drop_form(visit, to="/looking/verify", fields=fields, submit="Compare", many=True, film=films)
    return drop_form(visit, to="/looking/identify", fields=WHOLE, submit="Identify", many=True, film=films)


def _beside(tab: str, enrolments: Sequence[Enrolment]) -> Markup:
    if not enrolments:
        return empty(
            "Nobody is enrolled",
            "A few sharp pictures of the whole person from several sides, or a short film, are best to begin with.",
        )
    if tab != "enroll":
        return empty("Nothing was asked yet", "The answer is a probability as this site is calibrated, not a score.")
    return joined(
        _enrolled(name, list(mine)) for name, mine in groupby(enrolments, key=lambda enrolment: enrolment.name)
    )


def _enrolled(name: str, mine: Sequence[Enrolment]) -> Markup:
    pictures = [picture for enrolment in mine for picture in enrolment.pictures]
    shots = joined(
        Markup('<img class="crop" alt="enrolled as {}" src="data:image/jpeg;base64,{}">').format(
            name, base64.b64encode(picture.jpeg).decode("ascii")
        )
        for picture in pictures[:6]
    )
    lines = joined(
        Markup('<p class="small soft">{} pictures, {}; kept {}{}</p>').format(
            len(one.pictures),
            moment(one.enrolled_at_ns, "day"),
            "until removed"
            if one.expires_at_ns is None
            else Markup("until {}").format(moment(one.expires_at_ns, "day")),
            f"; {one.reason}" if one.reason else "",
        )
        for one in mine
    )
    number = mine[0].enrolment_id
    ask = Markup(
        "<p>Every enrolment of {} with its pictures and embeddings goes for good.</p>"
        '<input type="hidden" name="name" value="{}">'
    ).format(name, name)
    return Markup(
        '<article class="card pad stack" style="margin-bottom:12px"><div class="row"><h2 class="grow">{}</h2>{}{}</div>'
        '<div class="row">{}</div><div>{}</div></article>'
    ).format(
        name,
        button("Remove…", opens=f"remove-{number}", kind="quiet"),
        dialog(f"remove-{number}", f"Remove {name}?", ask, button("Remove for good", "remove", kind="danger sure")),
        shots,
        lines,
    )


PLACE = Place(
    path="/enrolment",
    title="Enrolment",
    icon="enrolment",
    build=build,
    role=Role.OPERATOR,
    whole_site=True,
    does={"remove": remove, "cancel-viewing": cancel},
)

"""What is answered about pictures that somebody brings: searched among all, enrolled, compared with one name or all."""

import base64
import time
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from hub.association.appearance import Known
from hub.dashboard.brought import Brought
from hub.dashboard.evidence import percent
from hub.dashboard.markup import EMPTY, joined, moment, tag
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import crop
from hub.enrolment.joint import identified_together
from hub.enrolment.likeness import Likeness, by_name
from hub.enrolment.posterior import SURE, verdict, verified
from hub.enrolment.records import Look, checked_name, checked_reason
from hub.enrolment.search import Found, Search, Where, search
from hub.enrolment.store import EnrolmentStore, delete_expired, read_enrolments
from hub.services import SeenPerson
from passerby.errors import DataError
from passerby.ids import CameraId

_RANKED = 8
_DAY_NS = 86_400 * 10**9
_MOST_DAYS = 36_500.0


def searched(brought: Brought) -> Markup:
    """Who of all that were seen, where the visitor may look, each person in the first picture is."""
    visit = brought.visit
    wanted, camera = visit.principal.cameras, brought.field("camera")
    if camera:
        if not visit.principal.sees(CameraId(camera)):
            raise DataError(f"there is no camera {camera}")
        wanted = frozenset({CameraId(camera)})
    where = Where(cameras=() if wanted is None else tuple(sorted(wanted)))
    visit.services.reader()  # says what is wrong where there are no data, before networks are loaded
    likeness = brought.eyes.likeness()
    brought.note("search")
    seen = brought.seen(most=1)[0]
    data_dir = visit.services.data_dir
    return joined(
        _searched(one, search(data_dir, _known(likeness, one), likeness=likeness, where=where, most=_RANKED))
        for one in seen
    )


def enrolled(brought: Brought) -> Markup:
    """Keep the pictures under a name."""
    name, reason = checked_name(brought.field("name")), checked_reason(brought.field("reason"))
    days = _days(brought.field("days"))
    people = brought.people()
    now_ns = time.time_ns()
    with EnrolmentStore(brought.visit.services.data_dir, now_ns=now_ns) as store:
        kept = store.add(
            name,
            [one.look for one in people],
            model_id=brought.eyes.model_id,
            reason=reason,
            expires_at_ns=now_ns + round(days * _DAY_NS) if days else None,
        )
    brought.note("enrolments.add", f"enrolment:{kept.enrolment_id}")
    shots = joined(_picture(picture.jpeg, alt=f"enrolled as {name}") for picture in kept.pictures)
    until = (
        Markup("until removed")
        if kept.expires_at_ns is None
        else Markup("until {}").format(moment(kept.expires_at_ns, "day"))
    )
    count = "1 picture" if len(kept.pictures) == 1 else f"{len(kept.pictures)} pictures"
    return Markup(
        '<div class="card pad stack"><h2>{} is enrolled</h2><p class="soft">{}, kept {}.</p>'
        '<div class="row">{}</div><p><a class="btn" href="/enrolment">See who is enrolled</a></p></div>'
    ).format(name, count, until, shots)


def compared(brought: Brought) -> Markup:
    """Whether the pictures show who is claimed."""
    name, likeness = brought.field("name"), brought.eyes.likeness()
    claimed = _everybody(brought, likeness).get(name)
    if claimed is None:
        raise DataError(f"nobody is enrolled as {name!r} with the model in use; enroll them first")
    brought.note("verify")
    people = brought.people()
    probability = verified(likeness.evidence(claimed, [known for one in people for known in _known(likeness, one)]))
    return _verdict(name, probability, people)


def identified(brought: Brought) -> Markup:
    """Who of the enrolled everybody in each picture is."""
    likeness = brought.eyes.likeness()
    known = _everybody(brought, likeness)
    brought.note("identify")
    return joined(_identified(seen, known, likeness) for seen in brought.seen())


def _days(text: str) -> float:
    try:
        days = float(text or 0.0)
    except ValueError:
        days = -1.0
    if not 0.0 <= days <= _MOST_DAYS:
        raise DataError(f"{text!r} days, expected a number from 0 (until removed) to {_MOST_DAYS:,.0f}")
    return days


def _known(likeness: Likeness, one: SeenPerson) -> list[Known]:
    return [likeness.known(one.look, origin="seen")]


def _everybody(brought: Brought, likeness: Likeness) -> Mapping[str, list[Known]]:
    data_dir, now_ns = brought.visit.services.data_dir, time.time_ns()
    delete_expired(data_dir, now_ns=now_ns)
    people = by_name(read_enrolments(data_dir, now_ns=now_ns), likeness)
    if not people:
        raise DataError("nobody is enrolled with the model in use; enroll somebody first")
    return people


def _searched(seen: SeenPerson, answer: Search) -> Markup:
    rows = joined(_found(one) for one in answer.found)
    return _ranking(
        seen.look,
        f"Among {answer.searched} people who were seen there",
        rows + _nobody("Nobody of them", answer.nobody),
    )


def _found(one: Found) -> Markup:
    best = max(one.sightings, key=lambda t: (t.quality, -t.number), default=None)
    if best is None:
        return EMPTY
    cameras = ", ".join(dict.fromkeys(t.camera_id for t in one.sightings))
    words = Markup('{}<div class="small soft">{}, last {}</div>').format(
        who(one.identity.identity_id, one.identity.name), cameras, moment(max(t.ended_at_ns for t in one.sightings))
    )
    picture = crop(best.number, alt=f"person {one.identity.identity_id} in {best.camera_id}")
    return _rank(picture, words, one.probability, colour=hue(one.identity.identity_id))


def _identified(seen: Sequence[SeenPerson], known: Mapping[str, list[Known]], likeness: Likeness) -> Markup:
    names = list(known)
    evidence = np.array([[likeness.evidence(known[n], _known(likeness, one)) for n in names] for one in seen])
    outcomes = identified_together(evidence, ~np.eye(len(seen), dtype=bool))
    shown = []
    for one, outcome in zip(seen, outcomes, strict=True):
        order = sorted(range(len(names)), key=lambda column: (-outcome.known[column], names[column]))[:_RANKED]
        rows = [
            (p, _rank(EMPTY, Markup("<strong>{}</strong>").format(names[column]), p))
            for column, p in ((column, float(outcome.known[column])) for column in order)
        ]
        rows.append((outcome.nobody, _nobody("Nobody known", outcome.nobody)))
        best = float(outcome.known[order[0]])
        said = names[order[0]] if best >= SURE else "Nobody known" if outcome.nobody >= SURE else "Unsure"
        shown.append(_ranking(one.look, said, _in_order(rows)))
    return joined(shown)


def _verdict(name: str, probability: float, people: Sequence[SeenPerson]) -> Markup:
    said = verdict(probability, sure=SURE)
    words = {"same": f"This is {name}", "unsure": f"Perhaps {name}", "another": f"This is not {name}"}[said]
    kind = {"same": "good", "unsure": "warn", "another": "bad"}[said]
    shots = joined(_picture(one.look.pictures[0].jpeg, alt="brought") for one in people)
    return Markup(
        '<div class="card pad stack"><div class="row"><h2 class="grow">{}</h2>{}</div><div class="row">{}</div>{}'
        '<p class="small soft">If it was as likely as not before. {} and more is said to be so.</p></div>'
    ).format(words, tag(percent(probability), kind), shots, _meter(probability), percent(SURE))


def _in_order(rows: Sequence[tuple[float, Markup]]) -> Markup:
    return joined(row for _, row in sorted(rows, key=lambda row: -row[0]))


def _ranking(look: Look, title: str, rows: Markup) -> Markup:
    return Markup(
        '<section class="card pad" style="margin-bottom:16px"><div class="row" style="align-items:flex-start;gap:20px;'
        'flex-wrap:nowrap"><figure>{}<figcaption class="small soft">brought</figcaption></figure><div class="grow">'
        "<h2>{}</h2>{}</div></div></section>"
    ).format(_picture(look.pictures[0].jpeg, alt="brought"), title, rows)


def _rank(picture: Markup, words: Markup, probability: float, *, colour: float = 0.0) -> Markup:
    return Markup('<div class="rank" style="--hue:{}">{}<div>{}{}</div><span class="p num">{}</span></div>').format(
        colour, picture or Markup("<span></span>"), words, _meter(probability), percent(probability)
    )


def _nobody(words: str, probability: float) -> Markup:
    return _rank(EMPTY, Markup('<strong class="soft">{}</strong>').format(words), probability)


def _meter(probability: float) -> Markup:
    return Markup('<div class="meter"><i style="width:{}%"></i></div>').format(round(100.0 * probability, 1))


def _picture(jpeg: bytes, *, alt: str) -> Markup:
    return Markup('<img class="crop" alt="{}" src="data:image/jpeg;base64,{}">').format(
        alt, base64.b64encode(jpeg).decode("ascii")
    )

"""What is answered about pictures that somebody brings: searched among all, enrolled, compared with one name or all."""

import time
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hub.association.appearance import Known
from hub.dashboard import rankings
from hub.dashboard.brought import Brought, days_of
from hub.dashboard.markup import EMPTY, joined, moment
from hub.dashboard.people import hue, who
from hub.dashboard.pictures import crop
from hub.enrolment.identifying import all_at_once, identify
from hub.enrolment.likeness import Likeness, by_name
from hub.enrolment.posterior import SURE, verdict, verified
from hub.enrolment.records import checked_name, checked_reason
from hub.enrolment.search import Found, Search, Where, search
from hub.enrolment.store import EnrolmentStore, delete_expired, read_enrolments
from hub.services import SeenPerson
from passerby.errors import DataError
from passerby.ids import CameraId

_RANKED = 8
_DAY_NS = 86_400 * 10**9


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
    days = days_of(brought.field("days"))
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
    shots = [picture.jpeg for picture in kept.pictures]
    return rankings.enrolled(name, pictures=len(shots), expires_at_ns=kept.expires_at_ns, shots=shots)


def compared(brought: Brought) -> Markup:
    """Whether the pictures show who is claimed."""
    name, likeness = brought.field("name"), brought.eyes.likeness()
    claimed = _everybody(brought, likeness).get(name)
    if claimed is None:
        raise DataError(f"nobody is enrolled as {name!r} with the model in use; enroll them first")
    brought.note("verify")
    people = brought.people()
    probability = verified(likeness.evidence(claimed, [known for one in people for known in _known(likeness, one)]))
    shots = [one.look.pictures[0].jpeg for one in people]
    return rankings.compared(name, said=verdict(probability, sure=SURE), probability=probability, shots=shots)


def identified(brought: Brought) -> Markup:
    """Who of the enrolled everybody in each picture is."""
    likeness = brought.eyes.likeness()
    known = _everybody(brought, likeness)
    brought.note("identify")
    return joined(_identified(seen, known, likeness) for seen in brought.seen())


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
    heading = Markup("<h2>Among {} people who were seen there</h2>").format(answer.searched)
    nobody = rankings.nobody_row("Nobody of them", answer.nobody)
    return rankings.card(rankings.brought(seen.look.pictures[0].jpeg), heading, rows + nobody)


def _found(one: Found) -> Markup:
    best = max(one.sightings, key=lambda t: (t.quality, -t.number), default=None)
    if best is None:
        return EMPTY
    cameras = ", ".join(dict.fromkeys(t.camera_id for t in one.sightings))
    words = Markup('{}<div class="small soft">{}, last {}</div>').format(
        who(one.identity.identity_id, one.identity.name), cameras, moment(max(t.ended_at_ns for t in one.sightings))
    )
    picture = crop(best.number, alt=f"person {one.identity.identity_id} in {best.camera_id}")
    return rankings.rank(picture, words, one.probability, colour=hue(one.identity.identity_id))


def _identified(seen: Sequence[SeenPerson], known: Mapping[str, list[Known]], likeness: Likeness) -> Markup:
    found = identify(known, [_known(likeness, one) for one in seen], all_at_once(len(seen)), likeness=likeness)
    return joined(
        rankings.named(rankings.brought(one.look.pictures[0].jpeg), who.said(SURE), who.ranking, who.nobody)
        for one, who in zip(seen, found, strict=True)
    )

"""One person: where and when they were seen, why that is believed, and what is to be corrected."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hub.access.records import Role
from hub.corrections.acts import Erase, Merge, Reject, Rename, Split
from hub.corrections.archive import survivor_of
from hub.dashboard.correcting import carry_out, correct, require
from hub.dashboard.markup import EMPTY, button, dialog, empty, joined, moment, tag
from hub.dashboard.people import called, hue, who
from hub.dashboard.pictures import crop
from hub.dashboard.story import story
from hub.dashboard.strip import strip
from hub.dashboard.visit import Page, Place, Reaction, Visit, numbers
from hub.records import Identity, IdentityState, Tracklet, TrackletNumber
from passerby.errors import DataError
from passerby.ids import CameraId, IdentityId

_MOST_SHOWN = 400
"""Sightings on the page, the latest; more are in the timeline."""


def build(visit: Visit) -> Page:
    """The page of the person whose number is asked for."""
    number = visit.number("identity_id")
    identity = visit.reader.identity(IdentityId(number or 0))
    if identity is None:
        return Page(title=f"Person {number}", body=empty("Nobody has this number", _back()))
    if identity.state is IdentityState.ERASED:
        return Page(title=f"Person {number}", body=empty("Erased", "Nothing of this person is kept but the number."))
    if identity.merged_into is not None:
        survivor = survivor_of(visit.reader, identity)
        said = Markup("{} was found to be {}.").format(called(identity), who(survivor.identity_id, survivor.name))
        return Page(title=called(identity), body=empty("Part of somebody else", said), actions=EMPTY)
    seen = [t for t in visit.reader.tracklets_of(identity.identity_id) if visit.principal.sees(t.camera_id)]
    if not seen and visit.principal.cameras is not None:
        return Page(title=f"Person {number}", body=empty("Nobody has this number", _back()))
    visit.services.access.audit.put_view(
        "identities.view", f"identity:{identity.identity_id}", actor=visit.principal.name, address=visit.address
    )
    by_camera: dict[CameraId, list[Tracklet]] = {}
    for tracklet in seen[-_MOST_SHOWN:]:
        by_camera.setdefault(tracklet.camera_id, []).append(tracklet)
    return Page(
        title=called(identity),
        lede=_lede(identity, seen),
        actions=_actions(visit, identity, seen),
        body=Markup('<div class="cols"><div class="stack">{}{}</div>{}</div>').format(
            strip(seen, hue=hue(identity.identity_id)),
            _sightings(visit, identity, by_camera),
            Markup('<section class="card pad"><h2>What was decided</h2>{}</section>').format(
                story(visit, identity.identity_id)
            ),
        ),
    )


def rename(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Give a name, or take it away where it is empty."""
    name = said.get("name", "").strip()
    return correct(visit, Rename(identity=_who(visit), name=name or None))


def merge(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Say that somebody else is this person; who is told by number or name."""
    return correct(visit, Merge(survivor=_who(visit), absorbed=_other(visit, said.get("other", ""))))


def split(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Say that the chosen sightings are another person."""
    chosen = numbers(said.get("tracklets", ""))
    if not chosen:
        raise DataError("choose the pictures that show somebody else first")
    return correct(visit, Split(identity=_who(visit), tracklets=tuple(map(TrackletNumber, chosen))))


def reject(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Say of each chosen sighting that it is not this person: each goes its own way."""
    chosen = numbers(said.get("tracklets", ""))
    if len(chosen) != 1:
        raise DataError("choose the one picture that is not this person; of several say that they are somebody else")
    return correct(visit, Reject(tracklet=TrackletNumber(chosen[0]), identity=_who(visit)))


def erase(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let nothing be left of this person but the number."""
    require(visit, Role.ADMIN, "to erase")
    if said.get("sure", "").strip() != str(_who(visit)):
        raise DataError(f"type {_who(visit)} to confirm; nothing was erased")
    gone = carry_out(visit, Erase(identity=_who(visit)), role=Role.ADMIN).erased
    told = "" if gone is None else f": {gone.tracklets} sightings with their pictures, {gone.names} names"
    return Reaction(said=f"Person {_who(visit)} is erased{told}.", goes="/identities")


def _who(visit: Visit) -> IdentityId:
    return IdentityId(visit.number("identity_id") or 0)


def _other(visit: Visit, text: str) -> IdentityId:
    number = text.lower().removeprefix("person").strip()
    if number.isdecimal():
        return IdentityId(int(number))
    named = [one for one in visit.reader.summaries() if (one.identity.name or "").lower() == text.strip().lower()]
    if len(named) != 1:
        found = "nobody is" if not named else f"{len(named)} people are"
        raise DataError(f"{found} called {text.strip()!r}; say the number")
    return named[0].identity.identity_id


def _lede(identity: Identity, seen: Sequence[Tracklet]) -> Markup:
    state = tag("expired", "warn") if identity.state is IdentityState.EXPIRED else EMPTY
    number = Markup("Person {}: ").format(identity.identity_id) if identity.name else EMPTY
    if not seen:
        return Markup("{}{}no sighting is kept").format(state, number)
    cameras = len({tracklet.camera_id for tracklet in seen})
    return Markup("{} {}{} in {}, {} to {}").format(
        state,
        number,
        "1 sighting" if len(seen) == 1 else f"{len(seen)} sightings",
        "1 camera" if cameras == 1 else f"{cameras} cameras",
        moment(min(t.started_at_ns for t in seen)),
        moment(max(t.ended_at_ns for t in seen)),
    )


def _actions(visit: Visit, identity: Identity, seen: Sequence[Tracklet]) -> Markup:
    if not visit.may_correct:
        return EMPTY
    name = Markup('<label class="labelled">Name<input class="field" name="name" maxlength="200" value="{}"></label>')
    other = Markup(
        '<label class="labelled">Number or name<input class="field" name="other" required autocomplete="off"></label>'
        '<p class="soft small">Everything of that person then belongs to this one, for ever, unless you undo it.</p>'
    )
    parts = [
        button("Rename", opens="rename", key="n"),
        button("Same as…", opens="merge", key="m"),
        dialog("rename", "Name", name.format(identity.name or ""), button("Save", "rename", kind="primary")),
        dialog("merge", f"Who else is {called(identity)}?", other, button("Merge", "merge", kind="primary")),
    ]
    if visit.principal.may(Role.ADMIN):
        ask = Markup(
            "<p>{} sightings with their pictures and embeddings, and every name, go for good. It cannot be undone.</p>"
            '<label class="labelled">Type {} to confirm<input class="field" name="sure" required autocomplete="off" '
            'pattern="\\s*{}\\s*"></label>'
        ).format(len(seen), identity.identity_id, identity.identity_id)
        parts += [
            button("Erase…", opens="erase", kind="danger"),
            dialog("erase", f"Erase {called(identity)}?", ask, button("Erase for good", "erase", kind="danger sure")),
        ]
    return joined(parts)


def _sightings(visit: Visit, identity: Identity, by_camera: Mapping[CameraId, Sequence[Tracklet]]) -> Markup:
    if not by_camera:
        return empty("No picture is kept", "Its sightings have gone with the time for which pictures are kept.")
    cameras = joined(
        Markup(
            '<section><h2 class="row">{} <span class="soft small">{}</span></h2><div class="shots">{}</div></section>'
        ).format(camera, len(mine), joined(_shot(visit, identity, tracklet) for tracklet in reversed(mine)))
        for camera, mine in by_camera.items()
    )
    tools = (
        Markup(
            '<div class="row"><span class="soft small grow">Choose pictures that are wrong, then say so.</span>'
            "{}{}</div>"
        ).format(
            button(f"Not {called(identity)}", "reject", key="x"), button("Together somebody else", "split", key="t")
        )
        if visit.may_correct
        else EMPTY
    )
    return Markup('<form class="card pad stack">{}{}</form>').format(tools, cameras)


def _shot(visit: Visit, identity: Identity, tracklet: Tracklet) -> Markup:
    alt = f"{called(identity)} in {tracklet.camera_id}"
    choice = (
        Markup('<input type="checkbox" name="tracklets" value="{}" aria-label="choose sighting {}">').format(
            tracklet.number, tracklet.number
        )
        if visit.may_correct
        else EMPTY
    )
    return Markup("<figure><label>{}{}</label><figcaption>{}</figcaption></figure>").format(
        choice, crop(tracklet.number, alt=alt), moment(tracklet.started_at_ns)
    )


def _back() -> Markup:
    return Markup('See <a href="/identities">everybody</a>.')


PLACE = Place(
    path="/person/{identity_id:int}",
    title="Person",
    under="/identities",
    build=build,
    does={"rename": rename, "merge": merge, "split": split, "reject": reject, "erase": erase},
)

"""Events in words: one line a decision, for a person who watches."""

from datetime import datetime
from typing import Any

from hub.corrections.asserting import moved
from hub.reader import SiteReader
from hub.records import Event, EventKind, Evidence, Tracklet
from passerby.ids import IdentityId

_SECOND_NS = 1_000_000_000


def sentence(event: Event, reader: SiteReader) -> str:
    """`hall tracklet 17 -> person 3 (similarity .81, was seen in lobby 12 s before)`, without the time."""
    said = _said(event, reader)
    undone = "" if event.undoes is None else f"undoes event {event.undoes}"
    return said + _in_brackets("by an operator" if event.act_id is not None else "", undone)


def _said(event: Event, reader: SiteReader) -> str:
    person = f"person {event.identity_id}"
    tracklet = f"{event.camera_id} {_tracklets(event)}"
    other = f"person {event.other_identity_id}"
    match event.kind:
        case EventKind.CREATED:
            said = f"{tracklet} -> new {person}{_in_brackets(_nearest(event.evidence))}"
        case EventKind.LINKED:
            former = "" if event.other_identity_id is None else f"not {other}"
            said = f"{tracklet} -> {person}{_in_brackets(*_reasons(event, reader), former, _before(event, reader))}"
        case EventKind.CANDIDATE:
            said = f"{tracklet}: {person} may be {other}{_in_brackets(_similar(event.evidence))}"
        case EventKind.MERGED:
            said = f"{other} is {person}{_in_brackets(*_reasons(event, reader))}"
        case EventKind.SPLIT:
            said = f"{tracklet} -> new {person}{_in_brackets(f'not {other}', _nearest(event.evidence))}"
        case EventKind.REJECTED:
            said = f"{person if event.tracklet is None else tracklet} is not {other}"
        case EventKind.RESTORED if event.other_identity_id is None:
            said = f"{person} is known again"
        case EventKind.RESTORED:
            said = f"{person} is not {other}: {_tracklets(event)} back"
        case EventKind.WITHDRAWN:
            said = f"what was said about {person} counts no more"
        case EventKind.EXPIRED:
            said = f"{person} is forgotten: not seen for too long"
        case EventKind.RENAMED:
            said = f"{person} has {'no name any more' if event.name_id is None else _name(event, reader)}"
        case EventKind.ERASED:
            said = f"{person} is erased" + (": kept for as long as was meant" if event.act_id is None else "")
    return said


def placement(event: Event, reader: SiteReader) -> str:
    """Why an event brought its tracklets to its identity, in a few words: `similarity .81, was person 7`."""
    other = "" if event.other_identity_id is None else f"person {event.other_identity_id}"
    match event.kind:
        case EventKind.CREATED:
            parts = ["new", _nearest(event.evidence)]
        case EventKind.MERGED:
            parts = [*_reasons(event, reader), f"was {other}"]
        case EventKind.RESTORED:
            parts = [f"back from {other}"]
        case _:
            parts = [*_reasons(event, reader), _before(event, reader), f"not {other}" if other else ""]
    if not any(parts):
        parts = ["began together with others"]
    return ", ".join(part for part in (*parts, "by an operator" if event.act_id is not None else "") if part)


def details(event: Event, reader: SiteReader) -> dict[str, Any]:
    """What a program that watches wants beside the event: where the person was before, and how long ago."""
    earlier = _earlier(event, reader)
    if earlier is None:
        return {}
    before, gap_s = earlier
    return {"seen_before": {"camera": before.camera_id, "tracklet": before.number, "seconds": gap_s}}


def clock(at_ns: int, *, date: bool = False) -> str:
    """A time in this machine's zone: `12:03:04`, or with the date before it."""
    moment = datetime.fromtimestamp(at_ns // _SECOND_NS).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def similarity(value: float) -> str:
    """`.81`."""
    return f"{value:.2f}".replace("0.", ".", 1)


def _tracklets(event: Event) -> str:
    numbers = [str(number) for number in moved(event)]
    if len(numbers) == 1:
        return f"tracklet {numbers[0]}"
    return f"tracklets {', '.join(numbers[:-1])} and {numbers[-1]}" if numbers else "no tracklet"


def _name(event: Event, reader: SiteReader) -> str:
    name = None if event.name_id is None else reader.name(event.name_id)
    return "a name that is erased" if name is None else f"the name {name}"


def _similar(evidence: Evidence) -> str:
    likely = "" if evidence.probability is None else f"probability {similarity(evidence.probability)}"
    alike = "" if evidence.similarity is None else f"similarity {similarity(evidence.similarity)}"
    return ", ".join(part for part in (likely, alike) if part)


def _reasons(event: Event, reader: SiteReader) -> tuple[str, str]:
    return _similar(event.evidence), _beside(event.evidence, reader)


def _beside(evidence: Evidence, reader: SiteReader) -> str:
    if evidence.beside is None:
        return ""
    other = reader.tracklet(evidence.beside)
    return f"stands where tracklet {evidence.beside} stands" + ("" if other is None else f" in {other.camera_id}")


def _nearest(evidence: Evidence) -> str:
    return "" if evidence.runner_up is None else f"nearest other {similarity(evidence.runner_up)}"


def _before(event: Event, reader: SiteReader) -> str:
    earlier = _earlier(event, reader)
    if earlier is None:
        return ""
    before, gap_s = earlier
    if gap_s <= 0:
        return f"is in {before.camera_id} at the same time"
    return f"was seen in {before.camera_id} {gap_s:.0f} s before"


def _earlier(event: Event, reader: SiteReader) -> tuple[Tracklet, float] | None:
    """The person's sighting before this tracklet, and the seconds between; none or negative where they overlap."""
    if event.tracklet is None or event.kind is not EventKind.LINKED:
        return None
    tracklet = reader.tracklet(event.tracklet)
    if tracklet is None:
        return None
    # The log names who it was taken for then; merges have since moved that person's tracklets.
    before = reader.latest_before(tracklet, tracklet.identity_id or IdentityId(event.identity_id))
    if before is None:
        return None
    return before, round((tracklet.started_at_ns - before.ended_at_ns) / _SECOND_NS, 1)


def _in_brackets(*parts: str) -> str:
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""

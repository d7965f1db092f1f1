"""What waits between the cameras and the decisions: in each edge, in the hub, and for a decision."""

import time

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, duration, moment, over, size, table, tag
from hub.dashboard.visit import Visit
from hub.queues import EdgeQueue, Queues, read_queues

LATE_S = 10.0
"""What waits no longer is on its way; an edge tells of its cameras every five seconds."""

_VERY_LATE_S = 120.0
_NOT_KNOWN = "not known"


def waiting(visit: Visit) -> Markup:
    """The section, which `waiting_now` renews while it is looked at; nothing for who sees some cameras alone."""
    if visit.principal.cameras is not None:
        return EMPTY
    return Markup(
        '<section class="card pad stack"><div><h2>What waits</h2><p class="small soft">What an edge has to tell stays '
        "on its disk until the hub has confirmed it. While the hub or the network is away it waits there, and comes "
        'in order afterwards.</p></div><div id="queues-now">{}</div></section>'
    ).format(waiting_now(visit))


def waiting_now(visit: Visit) -> Markup:
    """A row an edge, and two of the hub."""
    found = read_queues(visit.services.data_dir, now_ns=time.time_ns())
    if found is None:
        return Markup('<p class="soft">Not known: no hub says what waits.</p>')
    listed = table(
        ("where", "", "waiting", "size", "the oldest for", "refused", "heard"),
        [*(_edge(one) for one in found.edges), *_hub(found)],
        numbers=(2, 3, 4, 5),
    )
    return listed + _missing(found.hub.missing)


def in_edge(one: EdgeQueue) -> Markup:
    """How much waits in an edge, in a sentence.

    >>> from passerby.ids import EdgeId
    >>> in_edge(EdgeQueue(edge_id=EdgeId("gate"), cameras=(), here=True, heard_ns=0, backlog=None, unsettled=0))
    Markup('<span class="tag ">connected</span> what waits there is not known')
    """
    backlog = one.backlog
    if backlog is None:
        return Markup("{} what waits there is {}").format(_state(one), _NOT_KNOWN)
    if not backlog.messages:
        return Markup("{} nothing waits there").format(_state(one))
    waits = Markup("{} {:,} {} there").format(
        _state(one), backlog.messages, "message waits" if backlog.messages == 1 else "messages wait"
    )
    return waits if backlog.waited_ns is None else waits + f", the oldest for {duration(backlog.waited_ns / 1e9)}"


def _edge(one: EdgeQueue) -> tuple[object, ...]:
    backlog = one.backlog
    where = over(one.edge_id, f"edge of {', '.join(one.cameras) or 'no camera'}")
    if backlog is None:
        return where, _state(one), _NOT_KNOWN, "", "", "", moment(one.heard_ns, "ago")
    return (
        where,
        _state(one),
        f"{backlog.messages:,}",
        size(backlog.size),
        _oldest(backlog.waited_ns, messages=backlog.messages),
        f"{backlog.refused:,}",
        moment(one.heard_ns, "ago"),
    )


def _hub(found: Queues) -> tuple[tuple[object, ...], ...]:
    hub = found.hub
    rows = (
        ("the hub", "received, not yet written", hub.messages, size(hub.size), hub.waited_ns),
        ("decisions", "seen, not yet decided who it is", hub.undecided, "", hub.undecided_ns),
    )
    return tuple(
        (
            over(where, what),
            _late(waited_ns),
            f"{messages:,}",
            taken,
            _oldest(waited_ns, messages=messages),
            "",
            moment(found.at_ns, "ago"),
        )
        for where, what, messages, taken, waited_ns in rows
    )


def _state(one: EdgeQueue) -> Markup:
    if not one.here:
        return tag("away", "bad")
    return tag("connected") if one.backlog is None else _late(one.backlog.waited_ns)


def _late(waited_ns: int | None) -> Markup:
    waited_s = (waited_ns or 0) / 1e9
    if waited_s < LATE_S:
        return tag("up to date", "good")
    return tag(f"{duration(waited_s)} behind", "bad" if waited_s >= _VERY_LATE_S else "warn")


def _oldest(waited_ns: int | None, *, messages: int) -> str:
    if waited_ns is not None:
        return duration(waited_ns / 1e9) if waited_ns >= 10**9 else "under 1 s"
    return _NOT_KNOWN if messages else ""


def _missing(count: int) -> Markup:
    if not count:
        return EMPTY
    return Markup("<p class='small'>{} {:,} never came since the hub's start: the edge had them no more.</p>").format(
        tag("missing", "bad"), count
    )

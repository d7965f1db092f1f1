"""How a camera is, by the latest word of its edge: a row among others, or all of it in sentences."""

import time
from collections.abc import Iterable

from markupsafe import Markup

from hub.dashboard.cameras import STATES
from hub.dashboard.markup import EMPTY, joined, moment, over, table, tag
from hub.dashboard.queues import in_edge
from hub.dashboard.visit import Visit
from hub.queues import read_queues
from hub.reader import StoredStatus
from passerby.messages import Clock

_QUIET_NS = 20 * 10**9
_TITLES = ("camera", "", "picture", "skipped", "reconnects", "gaps", "exchanged", "clock within", "heard")
_CLOCKS = {"rtcp": "the camera's own", "host": "this machine's", "file": "the recording's"}


def camera_rows(cameras: Iterable[StoredStatus]) -> Markup:
    """A row a camera."""
    told = [
        (
            over(one.status.camera_id, f"edge {one.edge_id}"),
            _state(one),
            over(
                f"{one.status.width} x {one.status.height}" if one.status.width else "none yet",
                f"{one.status.achieved_fps:.1f} of {one.status.expected_fps:.1f} fps",
            ),
            f"{one.status.skipped_frames:,}",
            f"{one.status.reconnects:,}",
            f"{one.status.stalls:,}",
            f"{one.status.id_switches:,}",
            _clock(one),
            moment(one.received_at_ns, "ago"),
        )
        for one in cameras
    ]
    return table(_TITLES, told, numbers=(3, 4, 5, 6), whole=True)


def camera_facts(visit: Visit, one: StoredStatus | None) -> Markup:
    """All that is known of one camera."""
    if one is None:
        return Markup('<p class="soft">Its edge has not said anything yet.</p>')
    status = one.status
    facts = (
        ("State", joined((_state(one), Markup(" {}").format(status.detail) if status.detail else EMPTY))),
        (
            "Picture",
            f"{status.width} x {status.height}, {status.achieved_fps:.1f} of {status.expected_fps:.1f} a second"
            if status.width
            else "none yet",
        ),
        ("Frames", f"{status.frames:,}, and {status.skipped_frames:,} skipped because the machine was behind"),
        ("Gaps", f"{_times(status.stalls, 'gap')}, {_times(status.reconnects, 'new connection')}"),
        ("People", f"{_times(status.tracklets, 'tracklet')} told to the hub"),
        ("Exchanged", f"{_times(status.id_switches, 'pair')} mixed up where they crossed, and told apart again"),
        ("Clock", "not known" if status.clock is None else f"{_CLOCKS[status.clock.source]}, {_within(status.clock)}"),
        ("Edge", Markup("{}, heard {}").format(one.edge_id, moment(one.received_at_ns, "ago"))),
        *_waiting(visit, one),
    )
    told = joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in facts)
    return Markup('<dl class="facts">{}</dl>').format(told)


def _waiting(visit: Visit, one: StoredStatus) -> Iterable[tuple[str, Markup]]:
    queues = read_queues(visit.services.data_dir, now_ns=time.time_ns())
    edges = () if queues is None else queues.edges
    return [("Waiting", in_edge(edge)) for edge in edges if edge.edge_id == one.edge_id]


def _state(one: StoredStatus) -> Markup:
    if time.time_ns() - one.received_at_ns > _QUIET_NS:
        return tag("silent", "bad")
    return tag(one.status.state, STATES.get(one.status.state, ""))


def _clock(one: StoredStatus) -> str:
    clock = one.status.clock
    return "" if clock is None else f"{clock.source}, {clock.error_ns / 1e6:.0f} ms"


def _within(clock: Clock) -> str:
    return f"right within {clock.error_ns / 1e6:.0f} ms"


def _times(count: int, what: str) -> str:
    """
    >>> _times(1, "gap"), _times(1200, "gap")
    ('1 gap', '1,200 gaps')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"

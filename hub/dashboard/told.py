"""Who is told of what happens, and who is away."""

import time
from collections.abc import Sequence

from markupsafe import Markup

from hub.dashboard.markup import EMPTY, moment, table, tag
from hub.dashboard.visit import Visit
from hub.outgoing.report import ReceiverReport, read_report

_KINDS = {"ok": "good", "away": "bad"}


def told(visit: Visit) -> Markup:
    """The broker and the webhooks; nothing where nobody is told, or for who sees some cameras alone."""
    if visit.principal.cameras is not None:
        return EMPTY
    return listed(read_report(visit.services.data_dir, now_ns=time.time_ns()))


def listed(receivers: Sequence[ReceiverReport]) -> Markup:
    """A row for each.

    >>> listed([])
    Markup('')
    """
    if not receivers:
        return EMPTY
    rows = [
        (
            one.name,
            tag(one.state, _KINDS.get(one.state, "")),
            one.host,
            moment(one.since_ns, "ago"),
            one.delivered,
            one.waiting,
            one.dropped,
            one.reason,
        )
        for one in receivers
    ]
    titles = ("told", "", "host", "since", "taken", "waiting", "dropped", "why")
    return Markup('<section class="card pad stack"><h2>Told by itself</h2>{}</section>').format(
        table(titles, rows, numbers=(4, 5, 6))
    )

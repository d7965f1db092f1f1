"""Who is told of what happens, and who is away."""

import time
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.correcting import require
from hub.dashboard.markup import EMPTY, button, joined, moment, table, tag
from hub.dashboard.visit import Reaction, Visit
from hub.outgoing.report import ReceiverReport, read_report
from hub.outgoing.trying import Trial
from passerby.errors import DataError

_KINDS = {"ok": "good", "away": "bad"}


def told(visit: Visit) -> Markup:
    """The broker and the webhooks, and for administrators a test; nothing for who sees some cameras alone.

    Nothing either where the site file names nobody and nobody was told.
    """
    if visit.principal.cameras is not None:
        return EMPTY
    receivers = read_report(visit.services.data_dir, now_ns=time.time_ns())
    test = EMPTY
    if visit.services.try_telling is not None and visit.principal.may(Role.ADMIN):
        test = button("Send a test", "test-notifications", busy="Sending…")
    if not receivers and not test:
        return EMPTY
    nobody = Markup('<p class="soft">Nobody was told anything so far.</p>')
    return Markup(
        '<section class="card pad stack"><div class="row"><h2 class="grow">Told by itself</h2>{}</div>'
        '<div id="told-test" aria-live="polite"></div>{}</section>'
    ).format(test, listed(receivers) if receivers else nobody)


def send_test(visit: Visit, _: Mapping[str, str]) -> Reaction:
    """Send everybody a test, and say of each how that went: up to ten seconds for each that does not answer."""
    require(visit, Role.ADMIN, "to send a test")
    if visit.principal.cameras is not None or visit.services.try_telling is None:
        raise DataError("nobody is to be told; name an MQTT broker or webhooks in the site file")
    trials = visit.services.try_telling()
    visit.services.access.audit.put("notifications.test", actor=visit.principal.name, address=visit.address)
    return Reaction(puts={"told-test": tried(trials)})


def tried(trials: Sequence[Trial]) -> Markup:
    """Whether each of them took the test.

    >>> tried([Trial(name="alarm", taken=True, words="204 in 31 ms")])
    Markup('<ul class="trials"><li><span class="tag good">taken</span> <strong>alarm</strong> 204 in 31 ms</li></ul>')
    """
    lines = joined(
        Markup("<li>{} <strong>{}</strong> {}</li>").format(
            tag("taken", "good") if one.taken else tag("not taken", "bad"), one.name, one.words
        )
        for one in trials
    )
    return Markup('<ul class="trials">{}</ul>').format(lines)


def listed(receivers: Sequence[ReceiverReport]) -> Markup:
    """A row for each."""
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
    return table(("told", "", "host", "since", "taken", "waiting", "dropped", "why"), rows, numbers=(4, 5, 6))

"""How soon is a decision of the hub on an open page, and what does a page with sixteen live cameras cost the hub?

    python -m benchmarks.dashboard [--cameras 16] [--seconds 30] [--rounds 2] [--kind default] [--seed 5001] [--json]

A real hub, a real web process and a real Chromium without a window on this machine. The edges are one process that
speaks for all of them by the real wire (a key, a spool and a connection for every four cameras): the messages of a
simulated site's tape at their own pace, JPEG crops with them, and as many live pictures as an edge sends, of the
cameras that the hub asks for. There is no video, no detector and no network. The site has a past of some minutes in its
data.

A round is `--seconds` with the live page closed and as long with it open; every second one the other way round. What
a message costs grows with the site's past, by a tenth from phase to phase: of an even number of rounds both have the
same share of that.

    arrival    from the decision (the time that the event bears: when the hub took the batch, or when it was due) until
               its card is drawn on the page, for associations (a link, merge or question) and for all of the feed
    hub        CPU of the hub's deciding thread and of the whole hub per message, and the time from publishing a
               message to its acknowledgement, with the page open against closed
    pictures   new pictures a second at each camera's place on the page; edges send at most 2.5

The browser takes the cores that are left (nice 19), as it would not run on the hub's machine; where other work takes
those, give it --browser-nice 0. The share of the cores that were busy is said: times on a machine that was busy with
other work say little, CPU more. The limits: arrival of associations p95 500 ms; deciding, per message, at most 1.10.
Writes benchmarks/results/dashboard.json.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.watching.edges import Spoken, speak
from benchmarks.watching.page import Decision, LivePage, Notes, live_page
from benchmarks.watching.processes import Cpu, Running, free_port, machine, running
from benchmarks.watching.site import WatchedSite, make_site
from hub.reader import SiteReader
from hub.records import EventKind

RESULT = Path(__file__).parent / "results" / "dashboard.json"
LIMIT_MS = 500.0
LIMIT_RATIO = 1.10
_ASSOCIATIONS = {EventKind.LINKED, EventKind.MERGED, EventKind.CANDIDATE}
_SETTLE_OPEN_S, _SETTLE_CLOSED_S = 4.0, 12.0
"""Until live pictures come; until nobody is taken to watch any more, and edges have stopped to send them."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured from `begin_s` to `end_s` of the monotonic clock, with the page open (`notes`) or closed."""

    begin_s: float
    end_s: float
    hub: Cpu
    web: Cpu
    busy: float
    pictures: dict[str, int] | None

    @property
    def seconds(self) -> float:
        return self.end_s - self.begin_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="passerby-dashboard-") as folder:
        result = measure(Path(folder), options)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result) if options.json else "\n".join(_lines(result)))
    return 0


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures."""
    length_s = options.rounds * (2 * options.seconds + _SETTLE_OPEN_S + _SETTLE_CLOSED_S) + 60
    site = make_site(
        folder,
        kind=options.kind,
        seed=options.seed,
        cameras=options.cameras,
        past_s=60 * options.past_minutes,
        future_s=length_s,
        port=free_port(),
    )
    context = get_context("spawn")
    stop = context.Event()
    with (
        running("hub", site.config) as hub,
        running("web", site.config, "--no-login", "--listen", "127.0.0.1:0") as web,
    ):
        hub.wait_for(r"(listens) at")
        address = web.wait_for(r"serves \S+ at (http://[\d.:]+)")
        edges = context.Process(target=speak, args=(site.folder, site.port, site.past_s, stop))
        edges.start()
        before = _last_event(site)
        os.setpriority(os.PRIO_PROCESS, 0, options.browser_nice)  # of this process, and so of the browser
        with live_page(address, height=options.height) as page:
            phases, decisions = _alternate(page, hub, web, options)
        stop.set()
        edges.join(60)
        spoken = msgspec.json.decode((folder / "spoken.json").read_bytes(), type=Spoken)
        log = hub.log.read_text() + web.log.read_text()
    return {
        "cameras": options.cameras, "kind": options.kind, "seed": options.seed, "cores": os.cpu_count(),
        "arrival_ms": _arrivals(site, decisions, after=before),
        **_compared(phases, spoken),
        "pictures_per_s": _pictures(phases),
        "previews_sent_per_s": _rate(phases, spoken),
        "latest_message_s": round(spoken.late_s, 3),
        "complaints": [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line][:10],
    }  # fmt: skip


def _alternate(
    page: LivePage, hub: Running, web: Running, options: argparse.Namespace
) -> tuple[list[Phase], list[Decision]]:
    phases: list[Phase] = []
    decisions: list[Decision] = []
    for turn in range(2 * options.rounds):
        is_open = turn % 4 in (1, 2)
        if is_open:
            page.open()
        else:
            page.close()
        page.wait(_SETTLE_OPEN_S if is_open else _SETTLE_CLOSED_S)
        phases.append(_phase(page, hub, web, seconds=options.seconds, is_open=is_open))
        if is_open:
            decisions += page.notes().decisions
    return phases, decisions


def _phase(page: LivePage, hub: Running, web: Running, *, seconds: float, is_open: bool) -> Phase:
    notes = page.notes() if is_open else Notes([], {}, [])
    begin, hub_before, web_before, machine_before = time.monotonic(), hub.cpu(), web.cpu(), machine()
    page.wait(seconds)
    end, hub_cpu, web_cpu = time.monotonic(), hub.cpu().since(hub_before), web.cpu().since(web_before)
    busy, whole = (now - then for now, then in zip(machine(), machine_before, strict=True))
    shown = None
    if is_open:
        shown = {name: count - notes.pictures.get(name, 0) for name, count in page.notes().pictures.items()}
    return Phase(begin, end, hub_cpu, web_cpu, busy / whole, shown)


def _last_event(site: WatchedSite) -> int:
    with SiteReader(site.settings().data) as reader:
        return int(reader.last_event_id())


def _arrivals(site: WatchedSite, decisions: Sequence[Decision], *, after: int) -> dict[str, Any]:
    with SiteReader(site.settings().data) as reader:
        events = {int(event.event_id): event for event in reader.all_events() if event.event_id > after}
    seen = [(events[one.event], one) for one in decisions if one.event in events and one.seen_ms]

    def figures(took_ms: Sequence[float]) -> dict[str, float]:
        if not took_ms:
            return {"count": 0}
        p50, p95 = np.percentile(took_ms, [50, 95])
        return {
            "count": len(took_ms),
            "p50": round(float(p50), 1),
            "p95": round(float(p95), 1),
            "most": round(max(took_ms), 1),
        }

    return {
        "associations": figures(
            [one.seen_ms - event.at_ns / 1e6 for event, one in seen if event.kind in _ASSOCIATIONS]
        ),
        "all": figures([one.seen_ms - event.at_ns / 1e6 for event, one in seen]),
    }


def _compared(phases: Sequence[Phase], spoken: Spoken) -> dict[str, Any]:
    by_phase = [[one for one in spoken.settled if phase.begin_s <= one.at_s < phase.end_s] for phase in phases]
    rows = [
        {
            "open": phase.pictures is not None,
            "messages": len(settled),
            "deciding_ms_per_message": 1e3 * phase.hub.main_s / len(settled),
            "hub_ms_per_message": 1e3 * phase.hub.all_s / len(settled),
            "acknowledged_ms_p50": 1e3 * statistics.median(one.after_s for one in settled),
            "acknowledged_ms_p95": 1e3 * float(np.percentile([one.after_s for one in settled], 95)),
            "hub_cores": phase.hub.all_s / phase.seconds,
            "web_cores": phase.web.all_s / phase.seconds,
            "busy": phase.busy,
        }
        for phase, settled in zip(phases, by_phase, strict=True)
    ]
    names = [name for name in rows[0] if name != "open"]
    closed, shown = (
        {name: statistics.median(float(row[name]) for row in rows if row["open"] is is_open) for name in names}
        for is_open in (False, True)
    )
    return {
        "closed": {name: round(value, 3) for name, value in closed.items()},
        "open": {name: round(value, 3) for name, value in shown.items()},
        "ratio": {name: round(shown[name] / closed[name], 3) for name in names},
        "phases": [{name: round(value, 3) for name, value in row.items()} for row in rows],
    }


def _pictures(phases: Sequence[Phase]) -> dict[str, float]:
    rates = [count / phase.seconds for phase in phases if phase.pictures for count in phase.pictures.values()]
    if not rates:
        return {"cameras": 0}
    shown = max(len(phase.pictures) for phase in phases if phase.pictures)
    return {
        "cameras": shown,
        "median": round(statistics.median(rates), 2),
        "least": round(min(rates), 2),
    }


def _rate(phases: Sequence[Phase], spoken: Spoken) -> dict[str, float]:
    def rate(is_open: bool) -> float:
        chosen = [phase for phase in phases if (phase.pictures is not None) is is_open]
        sent = sum(any(phase.begin_s <= at < phase.end_s for phase in chosen) for at in spoken.previews)
        return round(sent / sum(phase.seconds for phase in chosen), 1)

    return {"closed": rate(False), "open": rate(True)}


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['cameras']} cameras of a {result['kind']} site (seed {result['seed']}), {result['cores']} cores"]
    for name, told in result["arrival_ms"].items():
        lines.append(
            f"arrival of {name:13} {told['count']:5d}   p50 {told.get('p50', 0):6.0f} ms   "
            f"p95 {told.get('p95', 0):6.0f} ms   most {told.get('most', 0):6.0f} ms"
        )
    lines.append(f"{'page':26} {'closed':>9} {'open':>9} {'ratio':>7}   (medians of phases)")
    lines += [
        f"{name:26} {result['closed'][name]:9.3f} {result['open'][name]:9.3f} {ratio:7.3f}"
        for name, ratio in result["ratio"].items()
    ]
    lines.append(f"pictures on the page a second and camera: {result['pictures_per_s']}")
    lines.append(f"live pictures sent a second by all edges: {result['previews_sent_per_s']}")
    lines.append(f"the latest message was published {result['latest_message_s']:.3f} s late")
    arrival, ratio = result["arrival_ms"]["associations"].get("p95", 0), result["ratio"]["deciding_ms_per_message"]
    lines.append(f"arrival within {LIMIT_MS:.0f} ms: {'yes' if 0 < arrival <= LIMIT_MS else 'NO'}")
    lines.append(f"hub's deciding not slowed by more than 10%: {'yes' if ratio <= LIMIT_RATIO else 'NO'}")
    return lines + result["complaints"]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", default="default")
    parser.add_argument("--seed", type=int, default=5001)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--past-minutes", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=2, help="each a phase closed and one open; even is fair")
    parser.add_argument("--height", type=int, default=2400, help="of the window, so that all cameras are in sight")
    parser.add_argument("--browser-nice", type=int, default=19)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

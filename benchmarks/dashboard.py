"""How soon is a decision of the hub on an open page, and what does a page with sixteen live cameras cost the hub?

    python -m benchmarks.dashboard [--cameras 16] [--seconds 30] [--rounds 2] [--kind default] [--seed 5001] [--json]

A real hub, a real web process and a real Chromium without a window on this machine. The edges are one process that
speaks for all of them by the real wire (a key, a spool and a connection for every four cameras): the messages of a
simulated site's tape at their own pace, JPEG crops with them, and as many live pictures as an edge sends, of the
cameras that the hub asks for. There is no video, no detector and no network. The site has a past of some minutes in its
data.

A round is `--seconds` with the live page closed, as long with the browser elsewhere, and as long with the page open;
every second round goes backwards. Elsewhere is a page of no server that draws as many recorded pictures of the same
size as often: a viewer's browser is another machine's work, and what it takes from the hub's where both are one is
told apart from what the page takes. What a message costs grows with the site's past, by a tenth from phase to phase: of
an even number of rounds all have the same share of that.

    arrival    from the decision (the time that the event bears: when the hub took the batch, or when it was due) until
               its card is drawn on the page, for associations (a link, merge or question) and for all of the feed
    hub        CPU of the hub's deciding thread and of the whole hub per message, and the time from publishing a
               message to its acknowledgement, with the page open against elsewhere, and against closed
    pictures   new pictures a second at each camera's place on the page; edges send at most 2.5

The browser takes the cores that are left (nice 19), as it would not run on the hub's machine; where other work takes
those, give it --browser-nice 0. The share of the cores that were busy is said: times on a machine that was busy with
other work say little, CPU more. The limits: arrival of associations p95 500 ms; deciding, per message, at most 1.10 of
what it is with the browser elsewhere.
Writes benchmarks/results/dashboard.json.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from benchmarks.watching.edges import Spoken, speak
from benchmarks.watching.page import Decision, LivePage, Notes, live_page, recorded
from benchmarks.watching.processes import Cpu, Running, free_port, machine, running
from benchmarks.watching.site import WatchedSite, make_site
from hub.reader import SiteReader
from hub.records import EventKind

RESULT = Path(__file__).parent / "results" / "dashboard.json"
LIMIT_MS = 500.0
LIMIT_RATIO = 1.10
_ASSOCIATIONS = {EventKind.LINKED, EventKind.MERGED, EventKind.CANDIDATE}
Shown = Literal["closed", "elsewhere", "open"]
SHOWN: tuple[Shown, ...] = ("closed", "elsewhere", "open")
_SETTLE_S = {"closed": 12.0, "elsewhere": 12.0, "open": 4.0}
"""Until nobody is taken to watch any more, and edges have stopped to send live pictures; until these come."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured from `begin_s` to `end_s` of the monotonic clock; `pictures` by live view where it is open."""

    shown: Shown
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
    length_s = options.rounds * (len(SHOWN) * options.seconds + sum(_SETTLE_S.values())) + 60
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
        pictures = [site.previews(camera) for camera in site.settings().cameras]
        with live_page(address, height=options.height, elsewhere=recorded(folder, pictures)) as page:
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
    show = {"closed": page.close, "elsewhere": page.look_elsewhere, "open": page.open}
    for turn in range(options.rounds):
        for shown in SHOWN if turn % 2 == 0 else SHOWN[::-1]:
            show[shown]()
            page.wait(_SETTLE_S[shown])
            phases.append(_phase(page, hub, web, seconds=options.seconds, shown=shown))
            if shown == "open":
                decisions += page.notes().decisions
    return phases, decisions


def _phase(page: LivePage, hub: Running, web: Running, *, seconds: float, shown: Shown) -> Phase:
    notes = page.notes() if shown == "open" else Notes([], {}, [])
    begin, hub_before, web_before, machine_before = time.monotonic(), hub.cpu(), web.cpu(), machine()
    page.wait(seconds)
    end, hub_cpu, web_cpu = time.monotonic(), hub.cpu().since(hub_before), web.cpu().since(web_before)
    busy, whole = (now - then for now, then in zip(machine(), machine_before, strict=True))
    pictures = None
    if shown == "open":
        pictures = {name: count - notes.pictures.get(name, 0) for name, count in page.notes().pictures.items()}
    return Phase(shown, begin, end, hub_cpu, web_cpu, busy / whole, pictures)


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
            "shown": phase.shown,
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
    names = [name for name in rows[0] if name != "shown"]
    medians = {
        shown: {name: statistics.median(float(row[name]) for row in rows if row["shown"] == shown) for name in names}
        for shown in SHOWN
    }
    return {
        **{shown: _rounded(row) for shown, row in medians.items()},
        "ratio": {
            other: _rounded({name: medians["open"][name] / medians[other][name] for name in names})
            for other in ("elsewhere", "closed")
        },
        "phases": [_rounded(row) for row in rows],
    }


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


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
    def rate(shown: Shown) -> float:
        chosen = [phase for phase in phases if phase.shown == shown]
        sent = sum(any(phase.begin_s <= at < phase.end_s for phase in chosen) for at in spoken.previews)
        return round(sent / sum(phase.seconds for phase in chosen), 1)

    return {shown: rate(shown) for shown in SHOWN}


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['cameras']} cameras of a {result['kind']} site (seed {result['seed']}), {result['cores']} cores"]
    for name, told in result["arrival_ms"].items():
        lines.append(
            f"arrival of {name:13} {told['count']:5d}   p50 {told.get('p50', 0):6.0f} ms   "
            f"p95 {told.get('p95', 0):6.0f} ms   most {told.get('most', 0):6.0f} ms"
        )
    heads = " ".join(f"{shown:>9}" for shown in SHOWN)
    lines.append(f"{'page':26} {heads} {'open/elsewhere':>15} {'open/closed':>12}   (medians of phases)")
    for name, ratio in result["ratio"]["elsewhere"].items():
        values = " ".join(f"{result[shown][name]:9.3f}" for shown in SHOWN)
        lines.append(f"{name:26} {values} {ratio:15.3f} {result['ratio']['closed'][name]:12.3f}")
    lines.append(f"pictures on the page a second and camera: {result['pictures_per_s']}")
    lines.append(f"live pictures sent a second by all edges: {result['previews_sent_per_s']}")
    lines.append(f"the latest message was published {result['latest_message_s']:.3f} s late")
    arrival = result["arrival_ms"]["associations"].get("p95", 0)
    ratio = result["ratio"]["elsewhere"]["deciding_ms_per_message"]
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
    parser.add_argument("--rounds", type=int, default=2, help="each a phase closed, elsewhere and open; even is fair")
    parser.add_argument("--height", type=int, default=2400, help="of the window, so that all cameras are in sight")
    parser.add_argument("--browser-nice", type=int, default=19)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

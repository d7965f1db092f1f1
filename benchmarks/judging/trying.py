"""One trial of one site: the tape played to a hub in memory, and everything that is asked of the outcome."""

import functools
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.judging.boxes import Footage
from benchmarks.judging.digests import digest_of
from benchmarks.judging.links import Link, Settled, TrueLinks
from benchmarks.judging.shown import shown_truth
from benchmarks.judging.sites import SiteChoice, tape_of
from benchmarks.judging.variants import Trial
from hub.playback import Batch, batches
from hub.records import EventKind
from passerby.tape import read_tape
from simulation.kinds import KIND_VERSION
from simulation.tapes.recording import truth_folder
from simulation.tapes.truth import NOT_A_PERSON, TAPE_VERSION, TapeTruth, read_tape_truth


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Over all cameras, fractions; HOTA and AssA are None where only IDF1 was asked for."""

    idf1: float
    hota: float | None = None
    assa: float | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial has come to: a line of the file of results."""

    site: SiteChoice
    trial: Trial
    versions: str
    """Of kinds, tapes and the hub's code: only figures of the same may be compared."""
    decided: Quality
    """As known two seconds after each frame."""
    final: Quality
    people: int
    """Of whom there is a tracklet."""
    identities: int
    """That have a tracklet in the end, those of things too."""
    tracklets: int
    candidates: int
    hours: float
    cpu_s: float
    """Of the hub, with messages decoded before."""
    links: list[Link]
    settled: list[Settled]


def versions() -> str:
    """Kinds, tapes, and a digest of the hub's code as it now is."""
    return f"kind {KIND_VERSION}, tape {TAPE_VERSION}, hub {digest_of('hub', 'passerby/features')}"


def try_site(site: SiteChoice, trial: Trial, *, cache: Path, formal: bool) -> Outcome:
    """Play the site's tape to a hub that decides so; `formal`: with trackeval's figures too."""
    played, footage, truth = _site(site, cache)
    rehearsal = trial.rehearsal()
    began = time.process_time()
    rehearsal.play(played)
    cpu_s = time.process_time() - began
    named = footage.identities(rehearsal.tracklets, rehearsal.history())
    qualities = []
    for as_decided in (True, False):
        if formal:
            found = footage.quality(named, as_decided=as_decided)
            qualities.append(Quality(idf1=found.idf1 or 0.0, hota=found.hota, assa=found.assa))
        else:
            qualities.append(Quality(idf1=footage.idf1(named, as_decided=as_decided)))
    followed = TrueLinks(rehearsal.tracklets, truth)
    followed.follow(rehearsal.events)
    kinds = Counter(event.kind for event in rehearsal.events)
    return Outcome(
        site=site,
        trial=trial,
        versions=versions(),
        decided=qualities[0],
        final=qualities[1],
        people=len({one.person for one in truth.tracklets} - {NOT_A_PERSON}),
        identities=len(set(rehearsal.identities().values())),
        tracklets=len(rehearsal.tracklets),
        candidates=kinds[EventKind.CANDIDATE],
        hours=site.minutes / 60,
        cpu_s=round(cpu_s, 1),
        links=followed.links,
        settled=followed.settled,
    )


@functools.lru_cache(maxsize=1)
def _site(site: SiteChoice, cache: Path) -> tuple[Sequence[Batch], Footage, TapeTruth]:
    """What all trials of a site share: they come one after the other."""
    tape = tape_of(site, cache)
    played = list(batches(read_tape(tape)))
    truth = truth_folder(tape)
    footage = Footage(played, truth / "gt")
    return played, footage, shown_truth(site, footage) if site.rendered else read_tape_truth(truth)

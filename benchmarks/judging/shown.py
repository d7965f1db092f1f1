"""Who the tracklets of a rendered site are, by the true boxes that they lie on."""

import numpy as np

from benchmarks.judging.boxes import Footage
from benchmarks.judging.sites import SiteChoice
from passerby.cli.replaying.footage import START_NS
from simulation.kinds import KIND_VERSION
from simulation.tapes.truth import TAPE_VERSION, TapeTruth, TrackletTruth, stretches


def shown_truth(site: SiteChoice, footage: Footage) -> TapeTruth:
    """As it lies beside a tape, of what an edge has made of films."""
    tracklets = []
    for (boot, tracklet), camera, at_ns, people in footage.shown():
        seen = stretches((at_ns - START_NS) / 1e9, people)
        names, counts = np.unique(people, return_counts=True)
        tracklets.append(
            TrackletTruth(
                boot=boot.hex(),
                tracklet=tracklet,
                camera=camera,
                person=int(names[counts.argmax()]),
                begin_s=seen[0].begin_s,
                end_s=seen[-1].end_s,
                stretches=seen,
            )
        )
    return TapeTruth(
        tape_version=TAPE_VERSION,
        kind=site.kind,
        kind_version=KIND_VERSION,
        seed=site.seed,
        network=site.reid,
        seconds=60 * site.minutes,
        fps={},
        start_ns=START_NS,
        families={},
        tracklets=tracklets,
    )

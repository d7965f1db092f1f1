"""Four RTSP cameras, real edge, real hub, real weights: one identity per walking man, over all four cameras."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.export import tracks
from tests.system.cameras import RtspCameras, wait_until
from tests.system.processes import LiveSite
from tests.system.records import read_records
from tests.system.truth import Sighting, fourcam_truth, sightings

pytestmark = pytest.mark.system

CAMERAS = ("cam0", "cam1", "cam2", "cam3")
LAST_INSTANT = 262
USER, PASSWORD = "viewer", "hunter2/@%:"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is left of one showing of the film."""

    found: list[Sighting]
    skipped: float
    """The share of frames that the edge could not look at, because the machine was too slow."""
    texts: str
    """Everything that was printed, and the process list."""

    def usual(self, man: str, camera: str = "") -> int:
        """The identity that a man was given most often, in one camera or in all; -1 if he was never tracked."""
        mine = [one for one in self.found if one.standing.man == man and camera in ("", one.standing.camera)]
        return Counter(one.identity for one in mine).most_common(1)[0][0] if mine else -1

    def mistakes(self) -> list[str]:
        """What is not as somebody saw it."""
        wrong = [one for one in self.found if one.identity != self.usual(one.standing.man)]
        seen = {one.standing for one in self.found}
        mistakes = [
            f"{man} is person {self.usual(man, camera)} in {camera}, else {self.usual(man)}"
            for man in "AB"
            for camera in CAMERAS
            if self.usual(man, camera) != self.usual(man)
        ]
        if self.usual("A") == self.usual("B"):
            mistakes.append(f"A and B are both person {self.usual('A')}")
        if len(wrong) > 0.05 * len(self.found):  # where one stands behind the other, one box may hold both
            mistakes.append(f"{len(wrong)} of {len(self.found)} sightings have another identity: {wrong}")
        if len(seen) < 0.9 * len(fourcam_truth()):
            mistakes.append(f"only {len(seen)} of {len(fourcam_truth())} standings are tracked")
        return mistakes


def watch(cameras: RtspCameras, site: LiveSite) -> Watched:
    """Show the film to a hub and an edge, once."""
    hub = site.start("hub")
    edge = site.start("edge")

    def film_is_over() -> bool:
        edge.must_run()
        hub.must_run()
        records = read_records(site.data)
        return all((cameras.frame_number(name, records.last_seen_ns(name)) or 0) > LAST_INSTANT for name in CAMERAS)

    wait_until("people of the films' last instants in the hub's database", film_is_over, timeout_s=120)
    processes = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True, timeout=20)
    assert (edge.stop(), hub.stop()) == (0, 0), edge.log() + hub.log()
    config = ("--config", str(site.config))
    answers = [site.run("identities", "list", *config, "--json"), site.run("config", "check", str(site.config))]
    for one in json.loads(answers[0]):
        answers.append(site.run("identities", "show", str(one["identity"]), *config, "--json"))
    statuses = read_records(site.data).statuses.values()
    return Watched(
        sightings(fourcam_truth(), tracks(site.data), cameras.frame_number),
        sum(one.skipped_frames for one in statuses) / sum(one.frames for one in statuses),
        "\n".join([processes.stdout, edge.log(), hub.log(), *answers]),
    )


def test_two_men_keep_one_identity_each_over_four_live_cameras_and_no_password_leaks(
    serve_films: Callable[..., RtspCameras],
    make_site: Callable[..., LiveSite],
    shared_data: Callable[[str], Path],
) -> None:
    films = {name: shared_data(f"footage/fourcam/{name}.mp4") for name in CAMERAS}

    def showing(speed: float) -> Watched:
        cameras = serve_films(films, login=(USER, PASSWORD), speed=speed)
        urls = {name: cameras.url(name).replace("rtsp://", "rtsp://{CAM_USER}:{CAM_PASS}@") for name in CAMERAS}
        watched = watch(cameras, make_site(urls, secrets={"CAM_USER": USER, "CAM_PASS": PASSWORD}))
        cameras.stop()
        return watched

    watched = showing(1.0)
    if watched.mistakes():
        # Half a minute of a site that knows nobody leaves one showing in ten in doubt, by which frames were looked at;
        # and a machine too busy to look at them in time says nothing about identities.
        watched = showing(0.5 if watched.skipped > 0.1 else 1.0)
    assert watched.mistakes() == [], f"{watched.skipped:.0%} of the frames were skipped"
    assert PASSWORD not in watched.texts
    assert "hunter2" not in watched.texts

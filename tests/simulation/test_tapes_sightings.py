"""Geometry against pictures: the same people, in the same places, as visible."""

import numpy as np

from simulation.tapes.sightings import look
from simulation.tapes.trajectories import follow
from tests.simulation.small_sites import small_site


def test_what_geometry_sees_is_what_rendering_shows() -> None:
    site = small_site(seed=5, cameras=2, people=10)
    seconds, fps = 60.0, 5.0
    trajectories = follow(site, seconds=seconds, progress=lambda _: None)
    overlaps, differences, missed, invented, shown = [], [], 0, 0, 0
    for camera_id in site.camera_ids:
        spec = site.spec(camera_id)
        sightings = look(site.plan, spec, trajectories, seconds=seconds, fps=fps)
        for frame in range(7, int(seconds * fps), 23):
            truth = site.render(camera_id, round(frame * spec.fps / fps)).truth
            rows = np.flatnonzero(sightings.frames == frame)
            mine = {int(trajectories.person_ids[sightings.people[row]]): row for row in rows.tolist()}
            theirs = {int(person): row for row, person in enumerate(truth.person_ids)}
            for person, row in theirs.items():
                if truth.visibility[row] < 0.2:
                    continue
                shown += 1
                if person not in mine:
                    missed += 1
                    continue
                one, other = truth.full_boxes_xyxy[row], sightings.full_boxes_xyxy[mine[person]]
                sides = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
                areas = (one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()
                overlaps.append(float(sides.prod() / (areas - sides.prod())))
                differences.append(abs(float(truth.visibility[row] - sightings.visibility[mine[person]])))
            invented += sum(sightings.visibility[row] > 0.2 and person not in theirs for person, row in mine.items())
    assert shown >= 30
    assert missed <= 0.03 * shown
    assert invented <= 0.03 * shown
    assert np.median(overlaps) > 0.7
    assert np.mean(differences) < 0.1


def test_a_nearer_person_covers_a_farther_one_and_nobody_covers_themselves() -> None:
    site = small_site(seed=2, cameras=1, people=40)
    trajectories = follow(site, seconds=40, progress=lambda _: None)
    sightings = look(site.plan, site.spec(site.camera_ids[0]), trajectories, seconds=40, fps=5)
    covered = np.flatnonzero(sightings.covered_by >= 0)
    assert len(covered)
    assert (sightings.covered_by != sightings.people).all()
    depth = {(int(f), int(p)): d for f, p, d in zip(sightings.frames, sightings.people, sightings.depth_m, strict=True)}
    for row in covered.tolist():
        front = depth.get((int(sightings.frames[row]), int(sightings.covered_by[row])))
        assert front is None or front <= sightings.depth_m[row]


def test_an_empty_stretch_has_no_sightings() -> None:
    site = small_site(people=0)
    trajectories = follow(site, seconds=2, progress=lambda _: None)
    assert len(look(site.plan, site.spec(site.camera_ids[0]), trajectories, seconds=2, fps=5)) == 0

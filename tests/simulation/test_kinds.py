"""The kinds are frozen: a site of each kind has the fingerprint that it had when it was measured."""

import dataclasses
import hashlib

import pytest

from passerby.errors import ConfigError
from simulation.kinds import KIND_VERSION, KINDS, KindName, site_kind
from simulation.site import SimulatedSite

FINGERPRINTS: dict[KindName, str] = {
    "default": "305d84dd6a2b52a4",
    "overlapping": "31185a3019ca480b",
    "uniforms": "dd31f4eb8edc9571",
    "crowded": "e6c2ff1cf5047e8d",
    "sparse": "2d5fb13371d9770b",
}
"""Of KIND_VERSION 1. What changes one makes another kind of site: raise KIND_VERSION, and put the new ones here."""


def fingerprint(site: SimulatedSite) -> str:
    """Of plan, people, cameras and paths, to the millimetre."""

    def plain(value: object) -> object:
        if dataclasses.is_dataclass(value):
            return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    paths = [
        [(state.person.person_id, f"{state.x:.2f}", f"{state.y:.2f}", state.stance) for state in site.people_at(time)]
        for time in (0.0, 60.0, 1000.0)
    ]
    specs = [site.spec(camera) for camera in site.camera_ids]
    whole = repr([plain(part) for part in (site.plan, site.people, specs)]) + repr(paths)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


@pytest.mark.parametrize("kind", KINDS)
def test_the_kinds_are_what_they_were(kind: KindName) -> None:
    assert KIND_VERSION == 1
    assert fingerprint(SimulatedSite.make(kind, seed=1, cameras=4)) == FINGERPRINTS[kind]


def test_kinds_differ() -> None:
    assert len(set(FINGERPRINTS.values())) == len(KINDS)


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        site_kind("default").fps = (25.0,)  # type: ignore[misc]


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="default, overlapping, uniforms, crowded, sparse"):
        site_kind("Default")


def test_one_s_own_settings_make_a_site() -> None:
    own = dataclasses.replace(KINDS["default"], colour_spread=0.0, fps=(4.0,), size=(160, 90))
    site = SimulatedSite.make(own, seed=2, cameras=3, people=2)
    assert {site.spec(camera).fps for camera in site.camera_ids} == {4.0}
    assert site.spec(site.camera_ids[0]).response.gains == (1.0, 1.0, 1.0)

"""A picture finds its person among all identities of a site, where and when they were seen."""

from pathlib import Path

import pytest

from hub.enrolment.likeness import load_likeness
from hub.enrolment.search import Search, Where, search
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId
from tests.hub.enrolment.upload import likeness, manifest, uploaded
from tests.hub.people import Sender, at, seen

CAMERAS = ("hall", "lobby", "yard")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Person p in hall at 20 p seconds, in lobby 8 s later; person 0 in yard at 200 s."""
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        visits = [(p, camera, 20 * p + 8 * n) for p in range(5) for n, camera in enumerate(CAMERAS[:2])]
        for number, (person, camera, begin) in enumerate([*visits, (0, "yard", 200)], 1):
            update = seen(person, camera, tracklet=number, begin_s=begin, end_s=begin + 2, final=True)
            hub.ingest(sender.send(update), now_ns=at(begin + 2))
        hub.tick(at(300))
    return tmp_path


def find(data: Path, person: int, where: Where = Where(), *, most: int = 10) -> Search:  # noqa: B008 - it is frozen
    compare = likeness(data)
    return search(
        data, [compare.known(uploaded(person, seed=7), origin="seen")], likeness=compare, where=where, most=most
    )


def test_the_pictures_person_is_by_far_the_most_probable(site: Path) -> None:
    answer = find(site, 3)
    assert answer.searched == len(answer.found)
    assert answer.found[0].probability > 0.8
    assert {t.camera_id for t in answer.found[0].sightings} == {"hall", "lobby"}
    assert [t.started_at_ns for t in answer.found[0].sightings] == [at(60), at(68)]
    assert answer.nobody + sum(one.probability for one in answer.found) == pytest.approx(1.0)


def test_a_stranger_is_most_probably_nobody(site: Path) -> None:
    answer = find(site, 77)
    assert answer.nobody > max(0.5, answer.found[0].probability)


def test_only_who_was_there_then_is_searched_and_shown_there(site: Path) -> None:
    yard = find(site, 0, Where(cameras=(CameraId("yard"),)))
    assert yard.searched == 1
    assert {t.camera_id for t in yard.found[0].sightings} == {"yard"}
    late = find(site, 3, Where(from_ns=at(66), to_ns=at(82)))
    assert {t.started_at_ns for one in late.found for t in one.sightings} == {at(68), at(80)}
    nowhere = find(site, 3, Where(cameras=(CameraId("attic"),)))
    assert (nowhere.found, nowhere.nobody, nowhere.searched) == ((), 1.0, 0)


def test_no_more_are_shown_than_wanted_and_the_rest_keep_their_share(site: Path) -> None:
    assert len(find(site, 3, most=1).found) == 1
    assert find(site, 3, most=1).found[0].probability == find(site, 3).found[0].probability


def test_who_has_been_forgotten_is_found_all_the_same(tmp_path: Path) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(forget_after_s=60.0)) as hub:
        hub.ingest(Sender().send(seen(1, final=True)), now_ns=at(2))
        hub.tick(at(1000))
        assert not hub.state.identities
    (found,) = find(tmp_path, 1).found
    assert found.probability > 0.8


def test_an_empty_store_has_nobody(tmp_path: Path) -> None:
    Hub.open(tmp_path).close()
    assert find(tmp_path, 1).nobody == 1.0
    with pytest.raises(StoreError, match="passerby hub"):
        find(tmp_path / "none", 1)


def test_a_picture_described_by_another_network_is_refused(site: Path) -> None:
    compare = load_likeness(site, manifest("other"))
    with pytest.raises(DataError, match=r"made-up@1, the picture by other@1"):
        search(site, [compare.known(uploaded(1), origin="seen")], likeness=compare, where=Where())

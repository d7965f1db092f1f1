"""Who stands on one spot of the floor in two views, from messages to identities."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.association.place import SAME_VIEW
from hub.association.view_map import ViewMap
from hub.exclusion import seen_together
from hub.site_hub import Hub
from passerby.ids import ModelId
from tests.hub.people import MODEL, Sender, at, seen


def share_a_floor(hub: Hub) -> None:
    """Views a and b are one picture; everybody is always drawn in the same place of it."""
    hub.state.knowledge.floor.maps["a|b"] = ViewMap(there=SAME_VIEW, back=SAME_VIEW, spread=0.1)


def identities(hub: Hub) -> dict[int, int | None]:
    return {number: tracklet.identity_id for number, tracklet in sorted(hub.state.tracklets.items())}


def watch(hub: Hub, sender: Sender, *people: tuple[int, str], seconds: int = 6) -> None:
    """Each person in a camera, seen by it all the time, with news every two seconds."""
    for step, end_s in enumerate(range(2, seconds + 1, 2)):
        updates = [
            seen(person, camera, tracklet=number, revision=step + 1, end_s=end_s)
            for number, (person, camera) in enumerate(people, 1)
        ]
        hub.ingest(sender.send(*updates), now_ns=at(end_s))


def test_the_spot_brings_together_who_looks_different_in_two_views(tmp_path: Path) -> None:
    for name, shared in (("apart", False), ("shared", True)):
        with Hub.open(tmp_path / name) as hub:
            if shared:
                share_a_floor(hub)
            watch(hub, Sender(), (1, "a"), (2, "b"))
            assert len(set(identities(hub).values())) == (1 if shared else 2)


def test_of_two_on_one_spot_looks_say_who_is_who(tmp_path: Path) -> None:
    with Hub.open(tmp_path) as hub:
        share_a_floor(hub)
        watch(hub, Sender(), (1, "a"), (2, "a"), (1, "b"), (2, "b"))
        found = identities(hub)
        assert found[1] == found[3] != found[2] == found[4]


def test_who_has_no_news_keeps_its_identity_while_others_come_to_its_spot(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        share_a_floor(hub)
        hub.ingest(sender.send(seen(1, "a", tracklet=1, end_s=4)), now_ns=at(4))
        mine = identities(hub)[1]
        for revision, end_s in enumerate((5, 7, 9), 1):
            came = seen(1, "b", tracklet=2, revision=revision, begin_s=2, end_s=end_s)
            hub.ingest(sender.send(came), now_ns=at(end_s))
            assert identities(hub) == {1: mine, 2: mine}


def test_edges_with_two_models_on_one_spot_are_never_compared_by_looks(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        share_a_floor(hub)
        for revision, end_s in enumerate((2, 4, 6), 1):
            for number, (camera, model) in enumerate((("a", "old@1"), ("b", "new@1")), 1):
                update = seen(
                    1,
                    camera,
                    tracklet=number,
                    revision=revision,
                    end_s=end_s,
                    final=end_s == 6,
                    model_id=ModelId(model),
                    exemplars=1,
                )
                longer = np.tile(update.embedding, number)
                pictures = replace(update.exemplars, embeddings=np.tile(update.exemplars.embeddings, (1, number)))
                update = replace(update, embedding=longer, exemplars=pictures)
                assert not hub.ingest(sender.send(update), now_ns=at(end_s)).refusals
            assert None not in identities(hub).values()


UPDATES = st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "c"]), st.integers(1, 4), st.booleans())
HISTORY = st.lists(st.tuples(st.lists(UPDATES, max_size=4), st.sampled_from([0.5, 1.0, 3.0])), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@example(  # two exchange their identities in one round, each of them all that was left of one
    history=[
        ([(0, "a", 1, False), (0, "a", 2, False), (0, "c", 2, False)], 0.5),
        ([(0, "c", 1, False)], 0.5),
        ([(2, "a", 1, False), (2, "c", 2, False)], 0.5),
    ]
)
@given(history=HISTORY)
def test_whom_one_camera_saw_at_once_are_two_whatever_is_said_of_their_spot(
    history: list[tuple[list[tuple[int, str, int, bool]], float]],
) -> None:
    sender, begun, now_s = Sender(), dict[tuple[str, int], float](), 10.0
    with tempfile.TemporaryDirectory() as folder, Hub.open(Path(folder)) as hub:
        share_a_floor(hub)
        for revision, (batch, step_s) in enumerate(history):
            now_s += step_s
            updates = []
            for number, (person, camera, tracklet, final) in enumerate(batch):
                name = tracklet * 10 + ord(camera) % 10
                begin_s = begun.setdefault((camera, tracklet), now_s - 1.0)
                updates.append(
                    seen(
                        person,
                        camera,
                        tracklet=name,
                        revision=revision * 10 + number + 1,
                        begin_s=begin_s,
                        end_s=now_s,
                        final=final,
                    )
                )
            hub.ingest(sender.send(*updates), now_ns=at(now_s))
            decided = [t for t in hub.state.tracklets.values() if t.identity_id is not None]
            for first in decided:
                for second in decided:
                    if first.number < second.number and first.identity_id == second.identity_id:
                        assert not seen_together(first, second)


def test_who_stands_where_another_stood_a_moment_ago_and_looks_otherwise_is_somebody_else(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for number, (person, begin_s) in enumerate(((1, 0), (2, 5), (2, 10)), 1):
            update = seen(
                person, tracklet=number, begin_s=begin_s, end_s=begin_s + 3, final=True, exemplars=5
            )  # all of them on one spot
            hub.ingest(sender.send(update), now_ns=at(begin_s + 3))
        found = identities(hub)
        assert found[1] != found[2] == found[3]


def test_the_hub_learns_how_many_pictures_an_edge_keeps_of_whoever_stays(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for number, pictures in enumerate((1, 3, 2), 1):
            ended = seen(
                number, tracklet=number, begin_s=10 * number, end_s=10 * number + 2, final=True, exemplars=pictures
            )
            hub.ingest(sender.send(ended), now_ns=at(10 * number + 2))
        assert hub.state.knowledge.calibration(MODEL).most_pictures == 3
    with Hub.open(tmp_path) as hub:
        assert hub.state.knowledge.calibration(MODEL).most_pictures == 3

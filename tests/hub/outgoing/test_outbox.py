"""The outbox: everybody is told everything of their kinds once it is put, in order, whatever stops in between."""

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.outgoing.news import AdaptationNews, Draft
from hub.outgoing.outbox import FILE_NAME, Outbox
from passerby.config.outgoing import NewsKind
from passerby.errors import StoreError


def draft(kind: NewsKind = "association", *, reason: str = "") -> Draft:
    news = AdaptationNews(what="passed", adaptation=1, model=None, cameras=(), reason=reason)
    return Draft(kind=kind, at_ns=5, news=news)


def waiting(outbox: Outbox, name: str) -> list[int]:
    return [message.number for message in outbox.waiting(name, limit=100)]


def test_a_receiver_is_told_of_its_kinds_from_then_on(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.put([draft()], facts={})
        outbox.serve({"a": ["association"], "b": ["camera"]})
        outbox.put([draft(), draft("camera"), draft()], facts={})
        assert (waiting(outbox, "a"), waiting(outbox, "b")) == ([2, 4], [3])
        outbox.serve({"a": ["association"], "c": ["association"]})
        assert (waiting(outbox, "a"), waiting(outbox, "c")) == ([2, 4], [])


def test_what_was_taken_is_not_told_again_and_the_rest_is_also_after_a_restart(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.serve({"a": ["association"]})
        outbox.put([draft(reason="é")], facts={"event": "7"})
        outbox.put([draft()], facts={})
        first, second = outbox.waiting("a", limit=2)
        outbox.done("a", first.number, taken=True)
    with Outbox(tmp_path) as outbox:
        outbox.serve({"a": ["association"]})
        assert outbox.waiting("a", limit=2) == [second]
        assert first.message_id != second.message_id
        assert msgspec.json.decode(first.body("plaza")) == {
            "id": first.message_id,
            "kind": "association",
            "at": "1970-01-01T00:00:00.000Z",
            "site": "plaza",
            "news": {"what": "passed", "adaptation": 1, "model": None, "cameras": [], "reason": "é"},
        }
        assert outbox.fact("event") == "7"
        outbox.done("a", second.number, taken=False)
        outbox.done("a", first.number, taken=True)  # a word that comes late changes nothing
        standing = outbox.standing("a")
        assert (standing.delivered, standing.dropped, standing.waiting) == (1, 1, 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["put", "camera", "take"]), max_size=30), st.integers(1, 6))
def test_beyond_the_bound_the_oldest_go_and_are_counted_for_who_missed_them(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str], most: int
) -> None:
    naive: list[tuple[int, str]] = []
    place = taken = dropped = number = 0
    with Outbox(tmp_path_factory.mktemp("box"), most=most) as outbox:
        outbox.serve({"a": ["association"]})
        for act in acts:
            if act == "take":
                left = [n for n, kind in naive if kind == "association" and n > place]
                if left:
                    place, taken = left[0], taken + 1
                    outbox.done("a", left[0], taken=True)
                continue
            number += 1
            kind: NewsKind = "camera" if act == "camera" else "association"
            naive.append((number, kind))
            outbox.put([draft(kind)], facts={})
            gone = naive[:-most]
            dropped += sum(1 for n, k in gone if k == "association" and n > place)
            naive = naive[-most:]
        assert waiting(outbox, "a") == [n for n, kind in naive if kind == "association" and n > place]
        standing = outbox.standing("a")
        assert (standing.delivered, standing.dropped) == (taken, dropped)


def test_a_file_of_a_newer_version_or_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.put([], facts={})
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer version"):
        Outbox(tmp_path)
    for leftover in tmp_path.glob("outgoing*"):
        leftover.unlink()
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, but long enough to be looked at" * 50)
    with pytest.raises(StoreError, match="cannot open the database"):
        Outbox(tmp_path)


def test_nobody_else_of_the_machine_may_read_it(tmp_path: Path) -> None:
    with Outbox(tmp_path):
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0

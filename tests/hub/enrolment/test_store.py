"""Enrolments are kept with their reason and end, add up, and are really deleted."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from hub.database import schema
from hub.database.opening import FILE_NAME, open_for_reading
from hub.enrolment.records import Enrolment, Look
from hub.enrolment.store import EnrolmentStore, delete_expired, read_enrolments
from hub.site_hub import Hub
from passerby.errors import DataError, StoreError
from tests.hub.enrolment.upload import uploaded
from tests.hub.people import MODEL, Sender, at, seen


def add(
    data: Path, name: str, *looks: Look, now_s: float = 0, days: float | None = None, reason: str = ""
) -> Enrolment:
    with EnrolmentStore(data, now_ns=at(now_s)) as store:
        expires_at_ns = None if days is None else at(now_s + days * 86400)
        return store.add(name, looks, model_id=MODEL, reason=reason, expires_at_ns=expires_at_ns)


def names(data: Path, *, now_s: float = 0) -> list[str]:
    return [one.name for one in read_enrolments(data, now_ns=at(now_s))]


def bytes_of(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())


def test_nobody_is_enrolled_where_there_are_no_data_and_asking_makes_none(tmp_path: Path) -> None:
    assert read_enrolments(tmp_path / "none", now_ns=at(0)) == []
    assert not (tmp_path / "none").exists()


def test_an_enrolment_is_read_as_it_was_written(tmp_path: Path) -> None:
    looks = (uploaded(1, pictures=2), uploaded(1, seed=1, pictures=1))
    written = add(tmp_path, " Ann O'Hara ", *looks, days=2, reason="left her bag")
    (read,) = read_enrolments(tmp_path, now_ns=at(1))
    assert (read.name, read.reason, read.model_id) == ("Ann O'Hara", "left her bag", MODEL)
    assert (read.enrolled_at_ns, read.expires_at_ns) == (at(0), at(2 * 86400))
    assert read.enrolment_id == written.enrolment_id
    assert [len(look.pictures) for look in read.looks] == [2, 1]
    for one, other in zip(read.looks, looks, strict=True):
        np.testing.assert_array_equal(one.embedding, other.embedding)
        assert [(p.quality, p.jpeg) for p in one.pictures] == [(p.quality, p.jpeg) for p in other.pictures]


def test_several_enrolments_of_a_name_add_up_in_their_order(tmp_path: Path) -> None:
    for seed, name in enumerate(("ben", "ann", "ben")):
        add(tmp_path, name, uploaded(seed))
    assert names(tmp_path) == ["ann", "ben", "ben"]
    assert len({one.enrolment_id for one in read_enrolments(tmp_path, now_ns=at(0))}) == 3


def test_what_has_expired_is_not_used_and_the_next_opening_deletes_it(tmp_path: Path) -> None:
    add(tmp_path, "ann", uploaded(1), days=1)
    add(tmp_path, "ben", uploaded(2))
    assert names(tmp_path, now_s=86400 - 1) == ["ann", "ben"]
    assert names(tmp_path, now_s=86400) == ["ben"]
    EnrolmentStore(tmp_path, now_ns=at(86400)).close()
    assert names(tmp_path, now_s=0) == ["ben"]


def test_who_reads_can_see_to_it_that_what_has_expired_is_deleted(tmp_path: Path) -> None:
    delete_expired(tmp_path / "none", now_ns=at(0))
    assert not (tmp_path / "none").exists()
    add(tmp_path, "ann", uploaded(1), days=1)
    delete_expired(tmp_path, now_ns=at(86400 - 1))
    assert names(tmp_path) == ["ann"]
    delete_expired(tmp_path, now_ns=at(86400))
    assert names(tmp_path) == []


def test_who_is_removed_is_gone_down_to_the_bytes_on_the_disk(tmp_path: Path) -> None:
    mark = b"a picture that nobody must find again" * 300  # over several pages
    add(tmp_path, "Zebedee Qux", uploaded(1, jpeg=mark), uploaded(1, seed=1, jpeg=mark), reason="quite a reason")
    add(tmp_path, "ben", uploaded(2))
    vector = uploaded(1).pictures[0].embedding.tobytes()
    before = bytes_of(tmp_path)
    assert all(part in before for part in (b"Zebedee", b"quite a reason", mark[:100], vector))
    with EnrolmentStore(tmp_path, now_ns=at(1)) as store:
        assert store.remove("Zebedee Qux") == 1
        after = bytes_of(tmp_path)
    assert not any(part in after for part in (b"Zebedee", b"quite a reason", mark[:100], vector))
    assert names(tmp_path) == ["ben"]
    engine = open_for_reading(tmp_path)
    with engine.connect() as connection:
        assert set(connection.scalars(select(schema.enrolled_pictures.c.enrolment_id))) == {2}
    engine.dispose()


def test_removing_somebody_who_is_not_there_says_so(tmp_path: Path) -> None:
    add(tmp_path, "ann", uploaded(1))
    with EnrolmentStore(tmp_path, now_ns=at(1)) as store, pytest.raises(DataError, match="nobody is enrolled as 'Ann'"):
        store.remove("Ann")


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 201])
def test_a_name_that_nobody_could_type_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="is no name"):
        add(tmp_path, name, uploaded(1))
    assert names(tmp_path) == []


def test_nothing_to_enrol_or_an_end_in_the_past_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one look"):
        add(tmp_path, "ann")
    with pytest.raises(DataError, match="expired"):
        add(tmp_path, "ann", uploaded(1), days=-1)
    with pytest.raises(DataError, match="at least one"):
        Look(())


def test_a_running_hub_and_an_enrolment_do_not_disturb_each_other(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1)), now_ns=at(2))
        add(tmp_path, "ann", uploaded(1))
        hub.ingest(sender.send(seen(1, tracklet=1, revision=2, end_s=3)), now_ns=at(3))
        with EnrolmentStore(tmp_path, now_ns=at(3)) as store:
            assert store.remove("ann") == 1
        hub.ingest(sender.send(seen(1, tracklet=1, revision=3, end_s=4, final=True)), now_ns=at(4))
        assert len(hub.state.tracklets) == 1
    assert names(tmp_path) == []


def test_a_data_folder_that_cannot_be_made_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot make the data folder"):
        EnrolmentStore(tmp_path / "file" / "data", now_ns=at(0))
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        read_enrolments(tmp_path, now_ns=at(0))

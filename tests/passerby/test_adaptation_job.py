"""Jobs: one at a time, said once, whole files, nothing left of what was cancelled."""

import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.adaptation.job import CANCEL, PROGRESS, JobBook, JobProgress, JobRequest
from passerby.cli.adapting.commands import _do
from passerby.config import Site
from passerby.config.timetable import next_time
from passerby.errors import DataError, StoreError
from passerby.ids import ModelId

REQUEST = JobRequest(
    number=0,
    asked_at_ns=5,
    actor="ana",
    trigger="hand",
    parent="net",
    parent_id=ModelId("net@1"),
    recipe="passerby",
    minutes=1.0,
    seed=1,
    newest_tracklet=77,
    threads=1,
    memory_mib=4096,
    most_crops=1000,
)


def test_jobs_are_numbered_and_come_back(tmp_path: Path) -> None:
    book = JobBook(tmp_path)
    assert book.jobs() == []
    first = book.ask(REQUEST)
    assert (first.number, first.model_name, first.progress().state) == (1, "net-site0001", "queued")
    first.tell(JobProgress(state="refused", at_ns=9, reason="no better"))
    second = book.ask(REQUEST)
    assert [job.request for job in book.jobs()] == [first.request, second.request]
    assert book.job(1).progress().reason == "no better"
    with pytest.raises(DataError, match="no adaptation 7 here; there are: 1, 2"):
        book.job(7)


def test_one_is_asked_for_at_a_time(tmp_path: Path) -> None:
    book = JobBook(tmp_path)
    job = book.ask(REQUEST)
    with pytest.raises(DataError, match="adaptation 1 is queued"):
        book.ask(REQUEST)
    job.tell(JobProgress(state="running", at_ns=6))
    with pytest.raises(DataError, match="adaptation 1 is running"):
        JobBook(tmp_path).ask(REQUEST)


def test_one_is_done_at_a_time(tmp_path: Path) -> None:
    book = JobBook(tmp_path)
    assert not book.is_done_now()
    with book.doing():
        assert JobBook(tmp_path).is_done_now()
        with pytest.raises(StoreError, match="another process"), JobBook(tmp_path).doing():
            pass
    assert not book.is_done_now()


def test_what_was_cancelled_leaves_its_record_alone(tmp_path: Path) -> None:
    job = JobBook(tmp_path).ask(REQUEST)
    (job.folder / "snapshot").mkdir()
    (job.folder / "snapshot" / "crops.bin").write_bytes(b"1234")
    assert not job.is_cancelled
    job.cancel()
    assert job.is_cancelled
    job.tell(JobProgress(state="cancelled", at_ns=8))
    job.clear()
    assert sorted(path.name for path in job.folder.iterdir()) == ["job.json", PROGRESS]
    assert not (job.folder / CANCEL).exists()


def test_what_waits_is_cancelled_at_once_and_what_is_done_by_who_does_it(tmp_path: Path) -> None:
    book = JobBook(tmp_path)
    book.ask(REQUEST)
    book.cancel(1)
    assert book.job(1).progress().state == "cancelled"
    with pytest.raises(DataError, match="adaptation 1 has ended: it was cancelled"):
        book.cancel(1)
    job = book.ask(REQUEST)
    with book.doing():
        job.tell(JobProgress(state="running", at_ns=6))
        JobBook(tmp_path).cancel(2)
        assert (job.progress().state, job.is_cancelled) == ("running", True)


def test_what_was_cancelled_while_its_process_started_is_not_done(tmp_path: Path) -> None:
    book = JobBook(tmp_path / "data")
    job = book.ask(REQUEST)
    book.cancel(1)
    _do(Site(site="test", data=tmp_path / "data", cameras={}), job, threading.Event())
    assert job.progress().state == "cancelled"
    assert not book.is_done_now()


def test_damage_is_said(tmp_path: Path) -> None:
    job = JobBook(tmp_path).ask(REQUEST)
    (job.folder / PROGRESS).write_text("{")
    with pytest.raises(DataError, match=r"progress.json: cannot be read"):
        job.progress()


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(0, 23), st.integers(0, 59))
def test_a_daily_time_is_the_next_of_its_kind(last: datetime, hour: int, minute: int) -> None:
    found = next_time(f"daily {hour:02d}:{minute:02d}", last=last)
    assert found is not None
    assert (found.hour, found.minute) == (hour, minute)
    assert 0 < (found - last).total_seconds() <= 86_400

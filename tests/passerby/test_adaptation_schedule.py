"""When a site adapts by itself: what was said outweighs the site file, and times count from when the hub took it up."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from msgspec import structs
from typer.testing import CliRunner

from hub.model_offers import ModelOffers
from passerby.adaptation.job import Job, JobBook, JobProgress
from passerby.adaptation.schedule import IN_FORCE, TOLD, Plan, ScheduleBook, local_time
from passerby.cli.adapt import app
from passerby.cli.adapting.foreman import Foreman
from passerby.config import AdaptationSettings, load_site
from passerby.errors import ConfigError, DataError, StoreError
from tests.hub.api.serving import fill
from tests.passerby.test_adaptation_job import REQUEST

WRITTEN = AdaptationSettings(schedule="daily 03:30", min_new_tracklets=100)
TEN = datetime(2026, 5, 4, 10, 0).astimezone()
HOUR = timedelta(hours=1)


def ns(at: datetime) -> int:
    return round(at.timestamp() * 1e9)


def asked_at(book: JobBook, at: datetime) -> Job:
    """An adaptation that has ended; the latest tracklet was number 77."""
    job = book.ask(structs.replace(REQUEST, asked_at_ns=ns(at)))
    job.tell(JobProgress(state="refused", at_ns=ns(at)))
    return job


def planned(data: Path, *, now: datetime = TEN, newest: int = 200) -> Plan:
    return ScheduleBook(data, WRITTEN).plan(JobBook(data).jobs(), newest_tracklet=newest, now=now)


def test_the_site_file_holds_until_something_else_is_said_and_again_once_that_is_forgotten(tmp_path: Path) -> None:
    book = ScheduleBook(tmp_path, WRITTEN)
    assert (book.told(), book.settings()) == (None, WRITTEN)
    book.tell(actor="ana", at_ns=5, schedule="every 12 h")
    assert (book.settings().schedule, book.settings().min_new_tracklets) == ("every 12 h", 100)
    book.tell(actor="bo", at_ns=6, min_new_tracklets=7)
    other = ScheduleBook(tmp_path, WRITTEN).settings()
    assert (other.schedule, other.min_new_tracklets, other.minutes) == ("every 12 h", 7, WRITTEN.minutes)
    said = planned(tmp_path).told
    assert said is not None
    assert (said.actor, said.at_ns) == ("bo", 6)
    book.tell(actor="ana", at_ns=7, schedule="manual")
    assert not planned(tmp_path).by_itself
    book.forget()
    book.forget()
    assert (book.told(), book.settings()) == (None, WRITTEN)


@pytest.mark.parametrize(
    "schedule", ["", "daily", "daily 3:30", "daily 24:00", "every 0 h", "every 12", "daily 03:30\n"]
)
def test_what_is_no_schedule_is_one_clear_line_and_changes_nothing(tmp_path: Path, schedule: str) -> None:
    book = ScheduleBook(tmp_path, WRITTEN)
    with pytest.raises(ConfigError, match=r"expected `daily HH:MM`, `every N h` \(1 to 9999\)"):
        book.tell(actor="ana", at_ns=5, schedule=schedule)
    for least in (0, 10**30):
        with pytest.raises(ConfigError, match=f"min_new_tracklets {least}: expected 1 to 1,000,000,000"):
            book.tell(actor="ana", at_ns=5, min_new_tracklets=least)
    assert list(tmp_path.iterdir()) == []


def test_a_time_counts_from_the_last_adaptation_or_from_when_the_hub_took_the_schedule_up(tmp_path: Path) -> None:
    book, jobs = ScheduleBook(tmp_path, WRITTEN), JobBook(tmp_path)
    half_past_three = TEN.replace(hour=3, minute=30)
    assert planned(tmp_path).due == half_past_three + 24 * HOUR  # not at once, though 03:30 has been today
    assert book.go_by(now_ns=ns(TEN)) == "daily 03:30"
    assert book.go_by(now_ns=ns(TEN + HOUR)) is None
    assert planned(tmp_path, now=TEN + 30 * HOUR).due == half_past_three + 24 * HOUR  # missed, and done soon
    asked_at(jobs, TEN + 30 * HOUR)
    assert planned(tmp_path, now=TEN + 31 * HOUR).due == half_past_three + 48 * HOUR
    book.tell(actor="ana", at_ns=0, schedule="every 2 h")
    assert planned(tmp_path, now=TEN + 40 * HOUR).due == TEN + 42 * HOUR
    assert book.go_by(now_ns=ns(TEN + 40 * HOUR)) == "every 2 h"
    assert planned(tmp_path, now=TEN + 50 * HOUR).due == TEN + 42 * HOUR
    book.tell(actor="ana", at_ns=0, schedule="manual")
    assert book.go_by(now_ns=ns(TEN)) == "manual"
    assert planned(tmp_path).due is None


def test_sightings_are_new_since_the_last_adaptation(tmp_path: Path) -> None:
    assert (planned(tmp_path, newest=60).new_tracklets, planned(tmp_path, newest=60).lacks) == (60, 40)
    asked_at(JobBook(tmp_path), TEN)
    assert [(one.new_tracklets, one.lacks) for one in (planned(tmp_path, newest=n) for n in (70, 97, 400))] == [
        (0, 100),
        (20, 80),
        (323, 0),
    ]


def test_damage_is_said(tmp_path: Path) -> None:
    ScheduleBook(tmp_path, WRITTEN).tell(actor="ana", at_ns=5, schedule="manual")
    (tmp_path / "adaptation" / TOLD).write_text('{"at_ns": 5, "actor": "ana", "schedule": "at noon"}')
    with pytest.raises(DataError, match=r"schedule.json: cannot be read: .*; without it"):
        planned(tmp_path)
    ScheduleBook(tmp_path, WRITTEN).forget()
    (tmp_path / "adaptation" / TOLD).mkdir()
    with pytest.raises(StoreError, match=r"schedule.json: cannot be removed"):
        ScheduleBook(tmp_path, WRITTEN).forget()


def test_the_hub_goes_by_what_is_said_while_it_runs(tmp_path: Path) -> None:
    config, data = tmp_path / "site.yaml", tmp_path / "data"
    models = {"detector": "passerby-sim-detector", "reid": "passerby-sim-reid"}
    config.write_text(
        yaml.safe_dump({"site": "t", "data": str(data), "models": models, "cameras": {"hall": {"url": "h"}}})
    )
    fill(data)
    site = load_site(config)
    foreman, jobs = Foreman(site, config, offers=ModelOffers()), JobBook(data)
    schedule = ScheduleBook(data, site.adaptation)
    foreman._tend_schedule()
    assert not (data / "adaptation" / IN_FORCE).exists()
    schedule.tell(actor="ana", at_ns=0, schedule="every 1 h", min_new_tracklets=4)
    schedule.go_by(now_ns=ns(local_time(0) + HOUR))  # long ago
    foreman._tend_schedule()
    foreman._tend_timetable()
    assert jobs.jobs() == []  # three sightings are new
    schedule.tell(actor="ana", at_ns=0, min_new_tracklets=3)
    foreman._tend_timetable()
    assert [job.request.trigger for job in jobs.jobs()] == ["schedule"]
    foreman._tend_timetable()
    jobs.cancel(1)
    foreman._tend_timetable()
    assert len(jobs.jobs()) == 1


def test_the_command_sets_it_and_tells_what_is_lacking(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump({"site": "t", "data": "data", "cameras": {"hall": {"url": "h"}}}))

    def said(*options: str) -> list[str]:
        done = CliRunner().invoke(app, ["schedule", "--config", str(config), *options], catch_exceptions=False)
        return done.stdout.splitlines()

    assert said() == ["adapts by hand alone"]
    set_to, told, due, lacks, no_hub = said("--set", "daily 03:30", "--min-new-tracklets", "1200")
    assert set_to == "adapts daily 03:30, once 1,200 sightings are new"
    assert told.endswith("the site file says: by hand alone")
    assert due.startswith("next: ")
    assert due.endswith(" 03:30")
    assert lacks == "new sightings: 0 of 1,200: 1,200 more are needed"
    assert no_hub.startswith("no hub runs on these data")
    assert json.loads(said("--off", "--json")[0])["schedule"] == "manual"
    assert said("--reset") == ["adapts by hand alone"]
    with pytest.raises(ConfigError, match="exclude each other"):
        said("--off", "--set", "every 2 h")

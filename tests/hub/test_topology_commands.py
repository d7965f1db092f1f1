"""`passerby topology`, over data that a hub has written, and what it changes in the hub's decisions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.corrections.acts import SetTransit
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.cli.app import app
from passerby.config import AssociationSettings, TransitSettings
from passerby.errors import DataError, StoreError
from passerby.ids import BootId, CameraId
from tests.hub.people import Sender, at, seen

NEVER = TransitSettings(before=CameraId("hall"), after=CameraId("yard"), never=True)


def walk(hub: Hub, sender: Sender, *, first: int = 1, begin_s: float = 0.0) -> None:
    """Two people through the hall, and six seconds later into the yard."""
    for step, (camera, after_s) in enumerate([("hall", 0.0), ("yard", 10.0)]):
        begin = begin_s + after_s
        numbers = (first + 2 * step, first + 2 * step + 1)
        updates = [
            seen(who, camera, tracklet=number, begin_s=begin, end_s=begin + 4, final=True)
            for who, number in zip((1, 2), numbers, strict=True)
        ]
        hub.ingest(sender.send(*updates), now_ns=at(begin + 5))


def people(data: Path) -> list[int | None]:
    """The identity of each tracklet, in order."""
    with SiteReader(data) as reader:
        return [tracklet.identity_id for tracklet in reader.tracklets()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Hub.open(tmp_path / "data") as hub:
        walk(hub, Sender())
    assert people(tmp_path / "data") == [1, 2, 1, 2]
    return tmp_path / "data"


def run(data: Path, *arguments: object) -> str:
    command = ["topology", *map(str, arguments), "--data", str(data)]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def shown(data: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run(data, "show", "--json"))
    return told


def test_show_tells_how_people_went(data: Path) -> None:
    told = shown(data)
    (way,) = (one for one in told["ways"] if (one["from"], one["to"]) == ("hall", "yard"))
    assert way["share"] == 1.0
    assert 1.5 < way["appearances"] <= 2.0
    assert len(way["steps"]) == len(told["steps_from_s"]) + 1
    assert 4.0 <= way["transit_s"]["p10"] < way["transit_s"]["p90"] <= 8.0
    assert [(one["first"], one["second"], one["overlap"]) for one in told["views"]] == [("hall", "yard", False)]
    assert told["strangers_per_hour"].keys() == {"hall", "yard"}
    assert "hall  yard" in run(data, "show")


def test_show_of_a_site_where_nothing_has_happened(tmp_path: Path) -> None:
    Hub.open(tmp_path).close()
    assert shown(tmp_path)["ways"] == shown(tmp_path)["views"] == []
    assert "from" in run(tmp_path, "show")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--never"], "never"),
        (["--overlap", "yes"], "overlap"),
        (["--overlap", "no", "--transit", "2.5..90"], "do not overlap, 2.5 to 90 s"),
        (["--never", "--overlap", "yes"], "never, overlap"),
    ],
)
def test_what_was_set_is_shown_until_it_is_taken_back(data: Path, options: Sequence[str], said: str) -> None:
    assert run(data, "set", "hall", "yard", *options) == f"hall to yard: {said}\n"
    assert said in run(data, "show")
    assert run(data, "set", "hall", "yard", "--learned") == "hall to yard: as learned\n"
    assert shown(data)["ways"][0]["said"] == {"from": "hall", "to": "yard"}
    assert shown(data)["views"][0]["said"] is None


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (("hall", "yard"), "say --never, --overlap yes|no"),
        (("hall", "yard", "--never", "--learned"), "or else --learned"),
        (("hall", "yard", "--never", "--transit", "1..2"), "contradict"),
        (("hall", "yard", "--transit", "20"), "'20'; expected two times in seconds"),
        (("hall", "yard", "--transit", "1..x"), "'1..x'; expected two times in seconds"),
        (("hall", "yard", "--transit", "9..1"), "ends before it begins"),
        (("hall", "yard", "--transit", "nan..1"), ">= 0"),
        (("hall", "hall", "--never"), "name two cameras"),
        (("hall", "yrad", "--never"), "never heard of camera 'yrad'; it knows: hall, yard"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_changed(data: Path, arguments: Sequence[str], mistake: str) -> None:
    with pytest.raises(DataError, match=mistake.replace("|", r"\|")):
        run(data, "set", *arguments)
    assert all(way["said"] is None for way in shown(data)["ways"])


def test_there_must_be_data(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        run(tmp_path / "nothing", "show")


def test_the_hub_decides_by_what_was_set_also_after_a_restart(data: Path) -> None:
    run(data, "set", "hall", "yard", "--never")
    later = Sender(boot_id=BootId(bytes([1] * 16)))
    with Hub.open(data) as hub:
        walk(hub, later, begin_s=30.0, first=5)
    assert people(data)[4:6] == [1, 2], "in the hall they are known"
    assert not {1, 2} & set(people(data)[6:]), "and cannot have gone into the yard"


def test_it_is_on_record_who_set_what(data: Path) -> None:
    run(data, "set", "hall", "yard", "--never")
    with SiteReader(data) as reader:
        (done,) = reader.acts()
    assert done.act == SetTransit(word=NEVER)
    assert done.actor


def test_the_hub_decides_by_what_the_site_file_says(tmp_path: Path) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(topology=[NEVER])) as hub:
        walk(hub, Sender())
    assert people(tmp_path) == [1, 2, 3, 4]
    (way,) = (one for one in shown(tmp_path)["ways"] if one["from"] == "hall" and one["to"] == "yard")
    assert way["said"] == {"from": "hall", "to": "yard", "never": True}
    run(tmp_path, "set", "hall", "yard", "--learned")
    with Hub.open(tmp_path, association=AssociationSettings(topology=[NEVER])) as hub:
        assert not hub.state.knowledge.topology.overrides.forbids(NEVER.before, NEVER.after, earliest_s=5, latest_s=5)


def test_what_is_set_where_no_hub_runs_leaves_what_the_site_file_says(tmp_path: Path) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(topology=[NEVER])) as hub:
        walk(hub, Sender())
    run(tmp_path, "set", "yard", "hall", "--transit", "5..9")
    assert [way["said"] is not None for way in shown(tmp_path)["ways"]] == [True, True]
    with Hub.open(tmp_path, association=AssociationSettings()) as hub:
        walk(hub, Sender(boot_id=BootId(bytes([1] * 16))), begin_s=30.0, first=5)
    assert {way["from"]: way["said"] is not None for way in shown(tmp_path)["ways"] if way["from"] != way["to"]} == {
        "hall": False,
        "yard": True,
    }


def test_show_believes_the_site_file_of_now(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    cameras = "cameras: {hall: {url: a.mp4}, yard: {url: b.mp4}}"
    says = "association: {topology: [{from: yard, to: hall, transit: [5, 9]}]}"
    file.write_text(f"site: a\ndata: {data}\n{cameras}\n{says}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["topology", "show", "--config", str(file)], catch_exceptions=False)
    assert "5 to 9 s" in result.stdout

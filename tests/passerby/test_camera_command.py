"""`passerby camera add`, `edit`, `pause`, `resume`, `remove` and `list` where no hub runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge.finding import KNOWN_PATHS, find_stream
from passerby.cli.app import app
from passerby.config import load_site
from passerby.config.attached import site_cameras
from passerby.errors import ConfigError, PasserbyError, SourceRefusedError
from passerby.ids import CameraId
from tests.edge.footage import write_film
from tests.system.processes import free_port

SECRET = "s3c-ret"  # noqa: S105 - of a camera that is not there

Command = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: test\ndata: data\nmodels: {detector: passerby-sim-detector, reid: passerby-sim-reid}\n"
        "cameras: {hall: {url: 'rtsp://{NOT_SET_HERE}@10.0.0.4/sub'}}\n"
    )
    return file


@pytest.fixture
def camera(config: Path) -> Command:
    """`camera("pause", "hall")`: what the command gives."""

    def run(*words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, ["camera", *words, "--config", str(config)], input=stdin)

    return run


def cameras_of(config: Path):
    return site_cameras(load_site(config, secrets="left"))


def test_a_film_is_attached_paused_and_removed(camera: Command, config: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "f.mp4", frames=20)
    added = camera("add", "door", str(film), "--fps", "3", "--zone", "0,0.5 1,0.5 1,1", "--set", "tracker=bytetrack")
    assert added.exit_code == 0, added.output
    assert "nobody was in the picture" in added.output
    door = cameras_of(config)[CameraId("door")]
    assert (door.fps, door.zones, door.tracker) == (3.0, [[(0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]], "bytetrack")
    assert camera("pause", "door").output == "door: saved; no hub runs now, the next start takes it\n"
    assert camera("edit", "door", "--zone", "none").exit_code == 0
    listed = {one["camera"]: one for one in json.loads(camera("list", "--json").output)}
    assert (listed["door"]["origin"], listed["door"]["enabled"], listed["hall"]["origin"]) == (
        "attached",
        False,
        "site file",
    )
    assert "attached" in camera("list").output
    assert camera("resume", "door").exit_code == 0
    assert cameras_of(config)[CameraId("door")].zones == []
    assert camera("remove", "door").exit_code == 0
    assert list(cameras_of(config)) == ["hall"]


def test_what_does_not_work_is_attached_only_by_force(camera: Command, config: Path) -> None:
    where = ("add", "door", f"rtsp://127.0.0.1:{free_port()}/x", "--user", "ann", "--password-stdin")
    refused = camera(*where, stdin=f"{SECRET}\n")
    assert isinstance(refused.exception, SourceRefusedError)
    assert "door" not in cameras_of(config)
    forced = camera(*where, "--force", stdin=f"{SECRET}\n")
    assert forced.exit_code == 0, forced.output
    assert "it does not work now" in forced.output
    assert SECRET in cameras_of(config)[CameraId("door")].url
    for text in (refused.output, str(refused.exception), forced.output, camera("list").output):
        assert SECRET not in text


def test_a_password_is_set_anew_for_a_camera_of_the_site_file(camera: Command, config: Path) -> None:
    assert camera("edit", "hall", "--user", "ann", "--password-stdin", stdin=f"{SECRET}\n").exit_code == 0
    assert cameras_of(config)[CameraId("hall")].url == f"rtsp://ann:{SECRET}@10.0.0.4/sub"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "hall", "a.mp4"], "hall is there already"),
        (["add", "door", "rtsp://{NOT_SET_HERE}@h/x"], "needs the environment variable NOT_SET_HERE"),
        (["add", "door", "a.mp4", "--user", "ann"], "give both --user NAME and --password-stdin"),
        (["add", "door", "a.mp4", "--user", "ann", "--password-stdin"], "no line with a password"),
        (["add", "door", "/nowhere/a.mp4"], "no such file"),
        (["edit", "hall"], "nothing to change"),
        (["edit", "hall", "--zone", "0,1 1,1"], "no polygon"),
        (["edit", "hall", "--zone", "0,1 1,1 5,5"], "zones"),
        (["edit", "hall", "--set", "fps"], "expected KEY=VALUE"),
        (["edit", "hall", "--set", "colour=red"], "colour"),
        (["pause", "yard"], "the site has none of that name"),
        (["remove", "yard"], "the site has none of that name"),
    ],
)
def test_mistakes_are_one_line(camera: Command, config: Path, words: list[str], said: str) -> None:
    result = camera(*words)
    assert isinstance(result.exception, PasserbyError), result.output
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert list(cameras_of(config)) == ["hall"]


def test_a_host_where_nobody_listens_is_said_at_once() -> None:
    with pytest.raises(SourceRefusedError, match="nobody listens there"):
        find_stream("127.0.0.1", port=free_port(), login=("ann", SECRET))


def test_the_known_paths_are_usable_and_each_stands_once() -> None:
    paths = [known.path for known in KNOWN_PATHS]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith("/") and " " not in path for path in paths)


def test_an_edge_can_be_named_only_for_an_attached_camera(camera: Command) -> None:
    assert isinstance(camera("edit", "hall", "--edge", "gate").exception, ConfigError)

"""The site file: what is read from it, and the one line that each mistake gives."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from passerby.config import Site, load_site
from passerby.errors import ConfigError
from passerby.ids import CameraId

Load = Callable[..., Site]

MINIMAL = "site: plaza\ncameras:\n  lobby: {url: lobby.mp4}\n"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(text: str, environment: Mapping[str, str] | None = None) -> Site:
        file = tmp_path / "site.yaml"
        file.write_text(text, encoding="utf-8")
        return load_site(file, environment=environment or {})

    return write_and_load


def mistake(load: Load, text: str, environment: Mapping[str, str] | None = None) -> str:
    """The error of loading `text`, without the folder; it is always one line."""
    with pytest.raises(ConfigError) as caught:
        load(text, environment)
    assert "\n" not in str(caught.value)
    return str(caught.value)[str(caught.value).index("site.yaml") :]


def camera(load: Load, settings: str, environment: Mapping[str, str] | None = None) -> object:
    return load(f"site: plaza\ncameras:\n  lobby: {settings}\n", environment).cameras[CameraId("lobby")]


def test_two_keys_are_enough_and_everything_else_has_a_default(load: Load, tmp_path: Path) -> None:
    site = load(MINIMAL)
    assert (site.site, site.engine, site.data) == ("plaza", "auto", tmp_path / "data")
    assert site.models.detector == "person-detection-retail-0013"
    lobby = site.cameras[CameraId("lobby")]
    assert (lobby.url, lobby.fps, lobby.rtsp_transport) == (str(tmp_path / "lobby.mp4"), 5.0, "tcp")


def test_a_relative_path_starts_at_the_file_and_an_absolute_one_stays(load: Load, tmp_path: Path) -> None:
    site = load("site: a\ndata: ../x\ncameras:\n  one: {url: rec/one.mp4}\n  two: {url: /films/two.mp4}\n")
    assert site.data == tmp_path.parent / "x"
    assert [one.url for one in site.cameras.values()] == [str(tmp_path / "rec/one.mp4"), "/films/two.mp4"]


def test_defaults_hold_for_every_camera_and_the_cameras_own_setting_wins(load: Load) -> None:
    site = load(
        "site: a\ndefaults: {fps: 2, tracker: ocsort}\ncameras:\n  one: {url: a.mp4}\n  two: {url: b.mp4, fps: 10}\n"
    )
    assert [(one.fps, one.tracker) for one in site.cameras.values()] == [(2.0, "ocsort"), (10.0, "ocsort")]


def test_a_key_with_nothing_beneath_it_is_as_if_it_were_not_there(load: Load) -> None:
    assert load("defaults:\nhub:\nassociation:\n" + MINIMAL) == load(MINIMAL)


def test_a_files_byte_order_mark_and_line_ends_do_not_matter(load: Load) -> None:
    assert load("\ufeff" + MINIMAL.replace("\n", "\r\n")) == load(MINIMAL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "site.yaml:1: the file is empty"),
        ("# nothing\n", "site.yaml:1: the file is empty"),
        ("- a\n", "site.yaml:1: the site file is ['a'], expected keys with values"),
        ("site: a\n", "`cameras` is missing"),
        ("cameras: {a: {url: a.mp4}}\n", "`site` is missing"),
        ("site: a\ncameras:\n", "site.yaml:2: `cameras` is empty"),
        ("site: a\ncameras: {a: lobby.mp4}\n", "site.yaml:2: cameras.a is 'lobby.mp4', expected keys with values"),
        ("site: a\ncameras: {a: {fps: 3}}\n", "site.yaml:2: camera 'a' has no `url`"),
        ('site: a\ncameras: {a: {url: ""}}\n', "cameras.a.url is '': expected `str` of length >= 1"),
        ("site: a\ncameras: {../a: {url: a.mp4}}\n", "camera name '../a' is not usable"),
        ("site: a\n---\nsite: b\n", "site.yaml:2: not valid YAML"),
        ('site: a\ncameras: {a: {url: "x}}\n', "not valid YAML"),
        ("site: a\x01\n", "site.yaml:1: not valid YAML"),
        ("site: !!python/object:os.system ls\n" + MINIMAL[12:], "site.yaml:1: 'ls' is not a valid python/object"),
        ("? [a, b]\n: c\n" + MINIMAL, "site.yaml:1: a key in the site file is not a plain word"),
        ("data: ~nobody-at-all/x\n" + MINIMAL, "site.yaml:1: '~nobody-at-all/x' names a home folder"),
    ],
)
def test_a_file_that_describes_no_site_is_refused_with_its_line(load: Load, text: str, expected: str) -> None:
    assert expected in mistake(load, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("camera: {}\n" + MINIMAL, "site.yaml:1: unknown key 'camera'; did you mean 'cameras'?"),
        (MINIMAL + "hub: {lisen: x}\n", "site.yaml:4: unknown key 'lisen' in hub; did you mean 'listen'?"),
        (
            "site: a\ncameras:\n  lobby:\n    url: a.mp4\n    fsp: 3\n",
            "site.yaml:5: unknown key 'fsp' in cameras.lobby",
        ),
        (MINIMAL + "defaults: {url: a.mp4}\n", "site.yaml:4: unknown key 'url' in defaults; known keys: crops_per"),
        (MINIMAL + "zzz: 1\n", "unknown key 'zzz'; known keys: adaptation, association, cameras"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_one(load: Load, text: str, expected: str) -> None:
    assert expected in mistake(load, text)


@pytest.mark.parametrize("text", ["site: b\n" + MINIMAL, MINIMAL + "  lobby: {url: other.mp4}\n"])
def test_a_key_that_stands_twice_is_an_error(load: Load, text: str) -> None:
    assert "stands twice" in mistake(load, text)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("fps: fast", "cameras.lobby.fps is 'fast': expected `float`, got `str`"),
        ("fps: 0", "cameras.lobby.fps is 0: expected `float` > 0.0"),
        ("fps: -1", "expected `float` > 0.0"),
        ("fps: .nan", "cameras.lobby.fps is nan: expected `float` > 0.0"),
        ("fps: .inf", "expected `float` <= 120.0"),
        ("fps: true", "expected `float`, got `bool`"),
        ("fps: !!float ten", "'ten' is not a valid float"),
        ("fps: 2020-99-99", "'2020-99-99' is not a valid timestamp"),
        ("min_person_height: 1e30", "expected `int`, got `str`"),
        (f"min_person_height: {10**30}", "expected `int` <= 100000"),
        ("enabled: 3", "expected `bool`, got `int`"),
        ("tracker: bytetrak", "expected one of ocsort, bytetrack; did you mean 'bytetrack'?"),
        ("rtsp_transport: 7", "expected one of tcp, udp"),
        ("zones: [[[0, 0], [1, 1]]]", "expected `array` of length >= 3"),
        ("zones: [[[0, 0], [1, 1], [0, 2]]]", "expected `float` <= 1.0"),
        ("zones: [[[0, .nan], [1, 1], [0, 1]]]", "expected `float` >= 0.0"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(load: Load, settings: str, expected: str) -> None:
    text = f"site: a\ncameras:\n  lobby:\n    url: a.mp4\n    {settings}\n"
    line = mistake(load, text)
    assert line.startswith("site.yaml:5: ")
    assert expected in line


@pytest.mark.parametrize("zones", ["&z [*z]", "[" * 3000 + "]" * 3000])
def test_a_list_in_itself_or_without_end_is_an_error_and_no_crash(load: Load, zones: str) -> None:
    assert "nested too deeply" in mistake(load, f"site: a\ncameras: {{a: {{url: a.mp4, zones: {zones}}}}}\n")


def test_secrets_come_from_the_environment_as_they_are_and_are_encoded_into_the_url(load: Load) -> None:
    lobby = camera(
        load,
        '{url: "rtsp://{CAM_USER}:{CAM_PASS}@{HOST}/a@b/{PATH_PART}?key={KEY}"}',
        {
            "CAM_USER": "ad min",
            "CAM_PASS": "p@s:s/w%41?#",
            "HOST": "10.0.0.5:554",
            "PATH_PART": "sub/2",
            "KEY": "x y&z",
        },
    )
    assert lobby.url == "rtsp://ad%20min:p%40s%3As%2Fw%2541%3F%23@10.0.0.5:554/a@b/sub/2?key=x%20y%26z"  # type: ignore[attr-defined]


def test_a_missing_secret_is_named_and_the_others_are_not_shown(load: Load) -> None:
    text = 'site: a\ncameras:\n  a: {url: "rtsp://{CAM_USER}:hunter2@h/s"}\n'
    line = mistake(load, text)
    assert line == "site.yaml:3: rtsp://***@h/s needs the environment variable CAM_USER, which is not set"


def test_secrets_are_not_needed_by_who_connects_to_no_camera(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text('site: a\ncameras: {c: {url: "rtsp://{CAM_USER}:{CAM_PASS}@h/s"}}\n')
    site = load_site(file, environment={"CAM_USER": "ana"}, secrets="left")
    assert site.cameras[CameraId("c")].url == "rtsp://ana:{CAM_PASS}@h/s"


def test_braces_that_are_no_environment_name_stay(load: Load) -> None:
    assert camera(load, '{url: "http://h/{channel}"}').url == "http://h/{channel}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        'site: a\ncameras: {a: {url: "rtsp://u:hunter2@h/s", fps: "rtsp://u:hunter2@h"}}\n',
        'site: a\nengine: "rtsp://u:hunter2@h"\ncameras: {a: {url: x}}\n',
        'site: a\ncameras: {a: {url: x}}\n"rtsp://u:hunter2@h": 1\n',
        'site: a\ncameras: ["rtsp://u:hunter2@h"]\n',
        'site: a\ncameras: {"rtsp://u:hunter2@h": {url: x}}\n',
        'site: a\ncameras: {a: {url: "rtsp://u:hunter2@h", url: x}}\n',
        'site: a\ncameras: {a: {url: !cam "rtsp://u:hunter2@h"}}\n',
        'site: a\ncameras: {a: {url: "rtsp://u:hunter2 and more@h"}}\n',
    ],
)
def test_no_error_ever_shows_a_password(load: Load, text: str) -> None:
    assert "hunter2" not in mistake(load, text)


def test_settings_do_not_show_a_password_either(load: Load) -> None:
    site = load('site: a\ncameras: {a: {url: "rtsp://u:hunter2@h/s"}}\n')
    assert "hunter2" not in repr(site)
    assert "hunter2" not in str(site.cameras[CameraId("a")].__rich_repr__())


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the site file: No such file"):
        load_site(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_site(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"site: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_site(binary)


def topology(load: Load, *lines: str) -> Site:
    cameras = "cameras:\n  lobby: {url: lobby.mp4}\n  hall: {url: hall.mp4}\n"
    return load(f"site: plaza\n{cameras}association:\n  topology:\n" + "".join(f"    - {line}\n" for line in lines))


def test_what_is_known_of_the_ways_between_cameras(load: Load) -> None:
    site = topology(
        load, "{from: lobby, to: hall, transit: [20, 90], overlap: no}", "{from: hall, to: lobby, never: yes}"
    )
    there, back = site.association.topology
    assert (there.before, there.after, there.transit, there.overlap) == ("lobby", "hall", (20.0, 90.0), False)
    assert (back.never, back.overlap, back.transit) == (True, None, None)
    assert load(MINIMAL).association.topology == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{from: lobby, to: hal, never: yes}", "[0].to is 'hal': expected one of lobby, hall; did you mean 'hall'?"),
        ("{to: hall, never: yes}", "[0] has no `from`"),
        ("{from: hall, to: hall}", "[0]: `from` and `to` are both 'hall'; name two cameras"),
        ("{from: hall, to: lobby, nevr: yes}", "unknown key 'nevr' in association.topology[0]; did you mean 'never'?"),
        ("{from: hall, to: lobby, transit: [9, 1]}", "[0]: `transit` ends before it begins: [9.0, 1.0]"),
        ("{from: hall, to: lobby, transit: [-1, 1]}", "[0].transit is [-1, 1]: expected `float` >= 0.0"),
        ("{from: hall, to: lobby, never: yes, transit: [1, 2]}", "`never` and `transit` contradict each other"),
        ("never", "association.topology[0] is 'never', expected keys with values"),
    ],
)
def test_a_mistake_in_the_topology_has_its_own_line(load: Load, line: str, wrong: str) -> None:
    cameras = "cameras:\n  lobby: {url: lobby.mp4}\n  hall: {url: hall.mp4}\n"
    text = f"site: a\n{cameras}association:\n  topology:\n    - {line}\n"
    said = mistake(load, text)
    assert said.startswith("site.yaml:7: ")
    assert wrong in said


def test_the_topology_says_one_thing_of_a_pair(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"yaml:8: .*\[1\]: lobby to hall stands twice"):
        topology(load, "{from: lobby, to: hall, never: yes}", "{from: lobby, to: hall, overlap: no}")
    with pytest.raises(ConfigError, match=r"yaml:8: .*hall and lobby overlap or do not; the other way says else"):
        topology(load, "{from: lobby, to: hall, overlap: yes}", "{from: hall, to: lobby, overlap: no}")


def test_a_site_may_begin_without_cameras_if_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("site: a\ncameras: {}\n")
    assert load_site(file).cameras == {}

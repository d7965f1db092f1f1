"""Cameras attached, edited and removed at run time, as they are kept: beside the site file, secrets apart."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.config import Site, load_site
from passerby.config.attached import CameraFolder, site_cameras
from passerby.config.attaching import attach, edit, remove, settle
from passerby.config.credentials import taken_apart, with_login
from passerby.config.secrets import fill_secrets
from passerby.errors import ConfigError
from passerby.ids import CameraId, EdgeId

HALL, DOOR = CameraId("hall"), CameraId("door")
URL = "rtsp://admin:s3c%2Fret@10.0.0.5/sub"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    file = tmp_path / "site.yaml"
    file.write_text("site: test\ndata: data\ncameras: {hall: {url: 'rtsp://u:old@10.0.0.4/sub', fps: 4}}\n")
    return load_site(file)


def test_an_attached_camera_is_there_after_a_restart_and_the_site_file_stays_as_it_was(site: Site, tmp_path) -> None:
    before = (tmp_path / "site.yaml").read_bytes()
    attach(site, DOOR, {"url": URL, "fps": 2.0, "zones": [[[0, 0], [1, 0], [1, 1]]]})
    again = site_cameras(load_site(tmp_path / "site.yaml"))
    assert list(again) == [HALL, DOOR]
    assert (again[DOOR].url, again[DOOR].fps, again[DOOR].zones) == (URL, 2.0, [[(0, 0), (1, 0), (1, 1)]])
    assert (tmp_path / "site.yaml").read_bytes() == before


def test_secrets_are_in_one_file_that_only_its_owner_reads(site: Site, caplog) -> None:
    saved = attach(site, DOOR, {"url": URL})
    edit(site, HALL, {"fps": 2.0}, login=("admin", "s3c/ret"))
    for file in site.data.rglob("*"):
        if file.is_file() and file.name != "secrets.json":
            assert "s3c" not in file.read_text()
    secrets = site.data / "cameras" / "secrets.json"
    assert "s3c/ret" in secrets.read_text()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(secrets.parent.stat().st_mode) == 0o700
    assert "s3c" not in repr(saved) + repr(site_cameras(site)) + caplog.text
    secrets.chmod(0o640)
    with pytest.raises(ConfigError, match=r"secrets.json: other users may read .*chmod 600"):
        site_cameras(site)


def test_a_camera_of_the_site_file_is_edited_paused_resumed_and_removed_beside_it(site: Site) -> None:
    edit(site, HALL, {"enabled": False})
    assert (site_cameras(site)[HALL].enabled, site_cameras(site)[HALL].fps) == (False, 4.0)
    edit(site, HALL, {"enabled": True, "min_person_height": 80})
    assert site_cameras(site)[HALL].url == "rtsp://u:old@10.0.0.4/sub"
    edit(site, HALL, {}, login=("u", "new one"))
    assert site_cameras(site)[HALL].url == "rtsp://u:new%20one@10.0.0.4/sub"
    moved = {"url": "rtsp://{CAMERA_USER}:{CAMERA_PASSWORD}@10.0.0.9/main"}
    with pytest.raises(ConfigError, match="needs the environment variable CAMERA_USER"):
        edit(site, HALL, moved)
    edit(site, HALL, moved, environment=CameraFolder(site.data).secrets_of(HALL))
    assert site_cameras(site)[HALL].url == "rtsp://u:new%20one@10.0.0.9/main"
    remove(site, HALL)
    assert site_cameras(site) == {}
    assert "new one" not in (site.data / "cameras" / "secrets.json").read_text()
    attach(site, HALL, {"url": "rtsp://10.0.0.7/"})
    assert site_cameras(site)[HALL].url == "rtsp://10.0.0.7/"


def test_a_removed_one_may_stand_in_the_site_file_later(site: Site, tmp_path: Path) -> None:
    attach(site, DOOR, {"url": URL})
    remove(site, DOOR)
    assert DOOR not in site_cameras(site)
    file = tmp_path / "site.yaml"
    file.write_text(file.read_text().replace("cameras: {", "cameras: {door: {url: new.mp4}, "))
    assert site_cameras(load_site(file))[DOOR].url.endswith("new.mp4")


def test_an_edge_does_not_start_with_another_edges_camera(site: Site) -> None:
    saved = attach(site, DOOR, {"url": URL})
    assert DOOR in site_cameras(site, edge="edge")
    settled = settle(site, DOOR, EdgeId("gate"), word=saved)
    assert settled.changed_at_ns == saved.changed_at_ns
    assert DOOR not in site_cameras(site, edge="edge")
    assert DOOR in site_cameras(site, edge="gate")
    edit(site, DOOR, {}, edge="edge")
    assert DOOR in site_cameras(site, edge="edge")
    assert settle(site, DOOR, EdgeId("gate"), word=settled) == settled, "something else was said meanwhile"
    assert DOOR in site_cameras(site, edge="edge")


def test_each_word_is_later_than_the_one_before(site: Site) -> None:
    times = [attach(site, DOOR, {"url": URL}).changed_at_ns]
    times += [edit(site, DOOR, {"fps": fps}).changed_at_ns for fps in (1.0, 2.0)]
    times += [remove(site, DOOR).changed_at_ns, attach(site, DOOR, {"url": URL}).changed_at_ns]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("../x", {"url": "a.mp4"}, "camera name '../x' is not usable"),
        ("hall", {"url": "a.mp4"}, "hall is there already"),
        ("door", {"url": ""}, "the URL is empty"),
        ("door", {"url": "rtsp://10.0.0.5/a b"}, "holds a blank"),
        ("door", {"url": "rtsp://admin:p/s3c@10.0.0.5/x"}, r"rtsp://\*\*\*@10.0.0.5/x: an @ after the host"),
        ("door", {"url": "rtsp://{NO_SUCH_NAME}@10.0.0.5/x"}, "needs the environment variable NO_SUCH_NAME"),
        ("door", {"url": "a.mp4", "fps": -1}, "fps"),
        ("door", {"url": "a.mp4", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_attached_is_said_in_one_line_and_nothing_is_kept(site: Site, name, settings, said) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        attach(site, CameraId(name), settings)
    assert "\n" not in str(caught.value)
    assert "s3c" not in str(caught.value)
    assert list(site_cameras(site)) == [HALL]


def test_only_the_environment_that_is_given_is_looked_into(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAM_PASS", "s3c/ret")
    url = "rtsp://ann:{CAM_PASS}@10.0.0.5/x"
    with pytest.raises(ConfigError, match="needs the environment variable CAM_PASS"):
        attach(site, DOOR, {"url": url})
    saved = attach(site, DOOR, {"url": url}, environment={"CAM_PASS": "s3c/ret"})
    assert saved.settings["url"] == "rtsp://{CAMERA_USER}:{CAM_PASS}@10.0.0.5/x"
    monkeypatch.delenv("CAM_PASS")
    assert site_cameras(site)[DOOR].url == "rtsp://ann:s3c%2Fret@10.0.0.5/x"


def test_what_is_not_there_cannot_be_changed(site: Site) -> None:
    for act in (lambda: edit(site, DOOR, {"fps": 1.0}), lambda: remove(site, DOOR)):
        with pytest.raises(ConfigError, match="door: the site has none of that name; it has hall"):
            act()
    with pytest.raises(ConfigError, match="hall is in the site file"):
        edit(site, HALL, {}, edge="gate")


@pytest.mark.parametrize("text", ["[]", "changed_at_ns: x", "a: {", "changed_at_ns: 1\nattached: true\ncolour: red"])
def test_a_damaged_file_is_named(site: Site, text: str) -> None:
    attach(site, DOOR, {"url": URL})
    (site.data / "cameras" / "door.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"door.yaml: not a camera"):
        site_cameras(site)


def test_the_folder_has_another_stamp_after_each_change(site: Site) -> None:
    folder = CameraFolder(site.data)
    assert folder.stamp() == 0
    attach(site, DOOR, {"url": URL})
    assert folder.stamp() > 0


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(TEXT, TEXT)
def test_a_login_comes_back_as_it_was_and_does_not_show(user: str, password: str) -> None:
    url = with_login("rtsp://cam.lan:8554/a?x=1", user, password)
    plain, secrets = taken_apart(url, {})
    assert plain == "rtsp://{CAMERA_USER}:{CAMERA_PASSWORD}@cam.lan:8554/a?x=1"
    assert secrets == {"CAMERA_USER": user, "CAMERA_PASSWORD": password}
    assert fill_secrets(plain, secrets, missing=pytest.fail) == url


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("hall.mp4", "hall.mp4"),
        ("rtsp://h/x", "rtsp://h/x"),
        ("rtsp://ann@h/x", "rtsp://{CAMERA_USER}@h/x"),
        ("rtsp://:pw@h/x", "rtsp://:{CAMERA_PASSWORD}@h/x"),
        ("http://h/x?token=ab%2Fc&n=1", "http://h/x?token={CAMERA_SECRET_0}&n=1"),
        ("rtsp://h/user=ann_password=tlJ_channel=1", "rtsp://h/user=ann_password={CAMERA_SECRET_0}"),
        ("rtsp://{A}:{B}@h/x?key={C}", "rtsp://{A}:{B}@h/x?key={C}"),
    ],
)
def test_every_secret_of_a_url_is_taken_out_and_put_back(url: str, plain: str) -> None:
    environment = {"A": "a", "B": "b/c", "C": "d"}
    found, secrets = taken_apart(url, environment)
    assert found == plain
    whole = fill_secrets(url, environment, missing=pytest.fail)
    assert fill_secrets(found, secrets, missing=pytest.fail) == whole

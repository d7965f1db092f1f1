"""Keys in files, the allow-list, and the commands for both."""

import json
import stat
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passerby.cli.keys import app
from passerby.errors import ConfigError
from passerby.transport import AllowList, load_edge_keys, load_hub_keys, local_keys
from passerby.transport.keys import create_pair, load_pair, parse_public_key


def test_a_secret_key_is_its_owners_alone(tmp_path: Path) -> None:
    pair = create_pair("gate", directory=tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys" / "gate.secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert load_pair("gate", directory=tmp_path / "keys") == pair


def test_a_secret_key_is_in_no_repr(tmp_path: Path) -> None:
    keys = local_keys(tmp_path, "gate", ["hall"])
    assert repr(keys.edge.pair.secret)[2:-1] not in repr(keys)
    assert keys.edge.pair.secret.hex() not in repr(keys)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_pair("gate", directory=tmp_path)
    with pytest.raises(ConfigError, match=r"gate\.secret: this key exists already"):
        create_pair("gate", directory=tmp_path)


def test_a_secret_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    create_pair("gate", directory=tmp_path)
    (tmp_path / "gate.secret").chmod(0o644)
    with pytest.raises(ConfigError, match=r"gate\.secret: other users may read .*chmod 600"):
        load_pair("gate", directory=tmp_path)


def test_an_edge_without_its_key_learns_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gate\.secret: cannot read the key: No such file.*passerby keys create gate"
    ):
        load_edge_keys(tmp_path, "gate")


def test_an_edge_without_the_hubs_key_learns_where_it_is(tmp_path: Path) -> None:
    create_pair("gate", directory=tmp_path)
    with pytest.raises(ConfigError, match=r"hub\.public: cannot read the key: No such file.*copy hub\.public"):
        load_edge_keys(tmp_path, "gate")


@pytest.mark.parametrize("content", [b"", b"short", b"zz" * 32, b"00" * 33, b"\xff" * 64])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gate.secret"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"gate\.secret"):
        load_pair("gate", directory=tmp_path)


@pytest.mark.parametrize("name", ["", "../gate", "a b", "-x", "x" * 65, ".hidden"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="not usable"):
        create_pair(name, directory=tmp_path)


def test_an_edge_cannot_take_the_hubs_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the hub's own"):
        create_pair("hub", directory=tmp_path)
    with pytest.raises(ConfigError, match="the hub's own"):
        local_keys(tmp_path, "hub", ["*"])


def test_keys_make_themselves_on_one_machine_and_stay(tmp_path: Path) -> None:
    first = local_keys(tmp_path, "gate", ["hall"])
    again = local_keys(tmp_path, "gate", ["hall", "lobby"])
    assert again.edge.pair == first.edge.pair
    assert again.edge.hub_public == first.hub.pair.public
    allowed = AllowList.read(first.hub.allow_list).by_key(first.edge.pair.public)
    assert allowed is not None
    assert allowed.name == "gate"
    assert sorted(allowed.cameras) == ["hall", "lobby"]


def test_processes_that_start_together_make_one_key_each(tmp_path: Path) -> None:
    made = []
    threads = [
        threading.Thread(target=lambda name=name: made.append(local_keys(tmp_path, name, ["*"])))
        for name in ("a", "b", "c", "a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({keys.hub.pair.public for keys in made}) == 1
    assert len({keys.edge.pair.public for keys in made}) == 3
    assert [edge.name for edge in AllowList.read(made[0].hub.allow_list).edges()] == ["a", "b", "c"]


def test_a_missing_allow_list_allows_nobody(tmp_path: Path) -> None:
    assert AllowList.read(tmp_path / "edges.yaml").edges() == []


def test_an_edge_speaks_for_its_own_cameras_or_for_any() -> None:
    edges = AllowList({}).allow("gate", bytes(32), ["hall"]).allow("local", b"1" * 32, ["*"])
    gate, local = edges.edges()
    assert gate.may_speak_for("hall")  # type: ignore[arg-type]
    assert not gate.may_speak_for("cellar")  # type: ignore[arg-type]
    assert local.may_speak_for("cellar")  # type: ignore[arg-type]


def test_two_edges_cannot_have_one_key() -> None:
    with pytest.raises(ConfigError, match="belongs to the edge 'gate' already"):
        AllowList({}).allow("gate", bytes(32), ["hall"]).allow("other", bytes(32), ["hall"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gate: {public_key: 'ab', cameras: [hall]}", "public key of 'gate' is not 64 hexadecimal digits"),
        ("gate: {public_key: 12, cameras: [hall]}", "Expected `str`"),
        (f"gate: {{public_key: '{'ab' * 32}'}}", "missing required field `cameras`"),
        (f"gate: {{public_key: '{'ab' * 32}', camera: [a], cameras: []}}", "unknown field `camera`"),
        ("gate: [", r"edges\.yaml:1: the allow-list is not valid YAML"),
        ("- gate", "Expected `object`"),
        (
            f"a: {{public_key: '{'ab' * 32}', cameras: []}}\nb: {{public_key: '{'ab' * 32}', cameras: []}}",
            "same public key",
        ),
    ],
)
def test_a_wrong_allow_list_names_its_fault(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "edges.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        AllowList.read(path)


def test_a_public_key_is_given_as_digits_or_as_a_file(tmp_path: Path) -> None:
    pair = create_pair("gate", directory=tmp_path)
    assert parse_public_key(pair.public.hex().upper()) == pair.public
    assert parse_public_key(str(tmp_path / "gate.public")) == pair.public
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        parse_public_key("gate")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="cannot keep keys here"):
        load_hub_keys(tmp_path / "keys")


def test_the_commands_make_allow_list_and_revoke_an_edge(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: plaza\ncameras: {hall: {url: hall.mp4}, lobby: {url: lobby.mp4}}\n")
    config = ["--config", str(site)]
    run = CliRunner().invoke

    made = run(app, ["create", "gate", "--dir", str(tmp_path / "edge")], catch_exceptions=False)
    public = (tmp_path / "edge" / "gate.public").read_text().strip()
    assert public in made.output
    assert (tmp_path / "edge" / "gate.secret").read_text().strip() not in made.output

    run(app, ["allow", "gate", public, "--camera", "hall", "--camera", "lobby", *config], catch_exceptions=False)
    listed = json.loads(run(app, ["list", "--json", *config], catch_exceptions=False).output)
    assert listed == [{"name": "gate", "public_key": public, "cameras": ["hall", "lobby"]}]
    assert "gate" in run(app, ["list", *config], catch_exceptions=False).output

    run(app, ["revoke", "gate", *config], catch_exceptions=False)
    assert json.loads(run(app, ["list", "--json", *config], catch_exceptions=False).output) == []


def test_allowing_a_camera_that_the_site_does_not_have_is_an_error(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: plaza\ncameras: {hall: {url: hall.mp4}}\n")
    with pytest.raises(ConfigError, match=r"no camera cellar; it has: hall"):
        CliRunner().invoke(
            app, ["allow", "gate", "ab" * 32, "--camera", "cellar", "--config", str(site)], catch_exceptions=False
        )


def test_revoking_an_unknown_edge_is_an_error(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: plaza\ncameras: {hall: {url: hall.mp4}}\n")
    with pytest.raises(ConfigError, match="no edge 'gate' in the allow-list; it has: none"):
        CliRunner().invoke(app, ["revoke", "gate", "--config", str(site)], catch_exceptions=False)

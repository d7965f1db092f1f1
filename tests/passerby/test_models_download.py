"""Fetching models from a real server that breaks off, lies and refuses."""

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.errors import ChecksumError, ModelError
from passerby.models import CatalogueEntry, DetectionOutput, ModelManifest, Preprocessing, known_model
from passerby.models.catalogue import PublishedFile, Variant
from passerby.models.download import pull_model
from tests.passerby.range_server import Served, range_server

XML = b"<net>" + b"x" * 100_000
BIN = bytes(range(256)) * 2_000


@pytest.fixture
def server() -> Iterator[Served]:
    with range_server({"person.xml": XML, "person.bin": BIN}) as served:
        yield served


def entry(served: Served) -> CatalogueEntry:
    files = tuple(
        PublishedFile(
            name=name,
            size=len(content),
            sha384=hashlib.sha384(content).hexdigest(),
            url=f"{served.url}/{name}",
        )
        for name, content in (("person.xml", XML), ("person.bin", BIN))
    )
    return CatalogueEntry(
        name="person",
        task="detect",
        input=Preprocessing(height=4, width=4, colour="BGR"),
        detection=DetectionOutput(layout="ssd"),
        variants=(Variant(precision="FP32", files=files),),
    )


def pull(served: Served, folder: Path, **options: object) -> ModelManifest:
    settings = {"retry_wait_s": 0.001, "timeout_s": 10.0, **options}
    return pull_model(entry(served), folder, **settings)  # type: ignore[arg-type]


def test_a_model_arrives_whole_with_its_manifest(server: Served, tmp_path: Path) -> None:
    manifest = pull(server, tmp_path / "models")
    assert (tmp_path / "models" / "person.xml").read_bytes() == XML
    assert (tmp_path / "models" / "person.bin").read_bytes() == BIN
    assert manifest.version == hashlib.sha256(XML + BIN).hexdigest()[:12]
    assert not list((tmp_path / "models").glob("*.part"))


def test_a_broken_connection_goes_on_where_it_broke(server: Served, tmp_path: Path) -> None:
    server.break_after = [1000, 70_000]
    pull(server, tmp_path)
    assert server.ranges == [None, "bytes=1000-", "bytes=71000-", None]
    assert (tmp_path / "person.xml").read_bytes() == XML


def test_a_later_pull_goes_on_too(server: Served, tmp_path: Path) -> None:
    server.break_after = [5000]
    server.answer_with = [200, 503, 503]
    with pytest.raises(ModelError, match=r"run the command again to go on at byte 5000"):
        pull(server, tmp_path, attempts=2)
    assert not (tmp_path / "person.xml").exists()
    pull(server, tmp_path)
    assert server.ranges[-2:] == ["bytes=5000-", None]


def test_a_server_without_range_starts_again(server: Served, tmp_path: Path) -> None:
    server.knows_range = False
    server.break_after = [1000]
    pull(server, tmp_path)
    assert (tmp_path / "person.xml").read_bytes() == XML


def test_wrong_bytes_are_deleted_and_never_used(server: Served, tmp_path: Path) -> None:
    server.files["person.bin"] = BIN[:-1] + b"!"
    with pytest.raises(ChecksumError, match="deleted"):
        pull(server, tmp_path)
    assert not list(tmp_path.glob("person.bin*"))
    assert not (tmp_path / "person.xml").exists()


def test_a_file_longer_than_published_is_not_taken(server: Served, tmp_path: Path) -> None:
    server.files["person.xml"] = XML * 2
    with pytest.raises(ModelError, match=r"more than the published 100005 bytes"):
        pull(server, tmp_path)


def test_a_file_that_is_not_there_is_said_at_once(server: Served, tmp_path: Path) -> None:
    server.answer_with = [404]
    with pytest.raises(ModelError, match="the server says 404"):
        pull(server, tmp_path)
    assert len(server.ranges) == 1


def test_a_server_in_trouble_is_asked_again(server: Served, tmp_path: Path) -> None:
    server.answer_with = [503, 429, 200]
    pull(server, tmp_path)
    assert (tmp_path / "person.xml").read_bytes() == XML


def test_what_is_here_is_not_fetched_again(server: Served, tmp_path: Path) -> None:
    pull(server, tmp_path)
    server.ranges.clear()
    pull(server, tmp_path)
    assert server.ranges == []


def test_a_damaged_file_is_replaced(server: Served, tmp_path: Path) -> None:
    pull(server, tmp_path)
    (tmp_path / "person.bin").write_bytes(b"damaged")
    pull(server, tmp_path)
    assert (tmp_path / "person.bin").read_bytes() == BIN


def test_progress_ends_at_the_whole_file(server: Served, tmp_path: Path) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    pull(server, tmp_path, progress=lambda name, done, total: seen.setdefault(name, []).append((done, total)))
    assert seen["person.xml"][-1] == (len(XML), len(XML))
    assert [done for done, _ in seen["person.bin"]] == sorted(done for done, _ in seen["person.bin"])


def test_two_pulls_of_one_file_do_not_mix(server: Served, tmp_path: Path) -> None:
    with (tmp_path / "person.xml.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another process fetches this file"):
            pull(server, tmp_path)


def test_nobody_listening_is_one_line(tmp_path: Path) -> None:
    with range_server({}) as served:
        gone = Served({}, url=served.url)
    with pytest.raises(ModelError, match=r"cannot fetch http://127.0.0.1.*refused"):
        pull(gone, tmp_path, attempts=2)


def test_a_password_in_an_address_stays_secret(server: Served, tmp_path: Path) -> None:
    server.answer_with = [403]
    server.url = server.url.replace("http://", "http://user:hunter2@")
    with pytest.raises(ModelError) as caught:
        pull(server, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected https://"):
        pull(Served({}, url=f"file://{tmp_path}"), tmp_path)


def test_a_model_without_an_address_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="releases of the YOLOX project"):
        pull_model(known_model("yolox_nano"), tmp_path)

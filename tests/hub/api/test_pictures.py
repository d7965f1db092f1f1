"""What is sent as a picture: sizes are read from headers, and nothing that is no picture gets further."""

import contextlib
import gzip
import http.client
import io
import itertools
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.api import make_api
from hub.api.gate import LONGEST_UPLOAD
from hub.api.pictures import MOST_PIXELS, picture_of, size_of
from hub.api.problems import ProblemError
from hub.dashboard.brought import decoded
from hub.services import Services
from passerby.errors import DataError
from tests.hub.api.serving import KNOWN, fill, served, services_of, token_of

FORMATS = (".jpg", ".png", ".webp")


def encoded(kind: str, *, width: int = 60, height: int = 40, options: tuple[int, ...] = ()) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3)).astype(np.uint8)
    return cv2.imencode(kind, noise, options)[1].tobytes()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it is very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("size", [(60, 40), (17, 333), (640, 480)])
def test_the_size_is_that_of_the_picture(kind: str, size: tuple[int, int]) -> None:
    data = encoded(kind, width=size[0], height=size[1])
    assert size_of(data) == size
    assert picture_of(data, name="a").shape == (size[1], size[0], 3)


def test_progressive_and_lossless_pictures_are_read_too() -> None:
    assert size_of(encoded(".jpg", options=(cv2.IMWRITE_JPEG_PROGRESSIVE, 1))) == (60, 40)
    assert size_of(encoded(".webp", options=(cv2.IMWRITE_WEBP_QUALITY, 101))) == (60, 40)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 415),
        (b"GIF89a" + bytes(100), 415),
        (b"\xff\xd8", 415),
        (b"\xff\xd8\xff\xe0\x00\x00" * 50, 415),
        (encoded(".bmp"), 415),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X" + bytes(4) + b"\x02" + bytes(20), 415),
        (bomb(50_000, 50_000), 413),
        (bomb(2**31 - 1, 2**31 - 1), 413),
        (bomb(100, 100)[:60], 422),
        (encoded(".jpg", width=8, height=8), 422),
        (encoded(".jpg")[:150], 422),
    ],
)
def test_what_is_no_usable_picture_is_refused_before_it_is_decoded(data: bytes, status: int) -> None:
    if status == 422 and size_of(data) is None:
        status = 415
    with pytest.raises(ProblemError) as caught:
        picture_of(data, name="a")
    assert caught.value.status == status
    with pytest.raises(DataError, match="a"):  # by way of a page
        decoded(data, "a")


@settings(deadline=None)  # whatever else the machine does
@given(st.binary(max_size=200), st.sampled_from([encoded(kind) for kind in FORMATS]), st.integers(0, 300))
def test_damage_is_refused_or_read_and_never_a_fault(noise: bytes, picture: bytes, at: int) -> None:
    damaged = picture[:at] + noise + picture[at + len(noise) :]
    for data in (noise, damaged):
        size = size_of(data)
        if size is not None and size[0] * size[1] > MOST_PIXELS:
            continue
        with contextlib.suppress(ProblemError):
            assert picture_of(data, name="a").ndim == 3


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("site")
    fill(data)
    made = services_of(data, users=["otto"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    with served(make_api(services)) as found:
        yield found


def uploads(document: dict[str, Any]) -> dict[str, list[str]]:
    """The paths of the description to which files are sent, each with the names of its files."""
    found = {}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data")
            if form is not None:
                schema = document["components"]["schemas"][form["schema"]["$ref"].rpartition("/")[2]]
                found[path] = [name for name, kind in schema["properties"].items() if "contentMediaType" in str(kind)]
    return found


def zipped() -> bytes:
    """An archive that is a thousand times as large when it is unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture.png", bytes(20 << 20))
    return packed.getvalue()


def test_garbage_and_bombs_are_a_mistake_of_who_sends_them(services: Services, address: str) -> None:
    wrong = (b"", b"garbage" * 100, bomb(60_000, 60_000), encoded(".jpg")[:150], zipped(), gzip.compress(bomb(9, 9)))
    told = uploads(httpx.get(f"{address}/api/v1/openapi.json").json())
    assert {"/api/v1/search", "/api/v1/identify", "/api/v1/enrolments", "/api/v1/enrolments/{name}/verify"} <= set(told)
    with httpx.Client(base_url=address, headers=token_of(services, "otto"), timeout=30) as otto:
        for path, fields in ((path.format_map(KNOWN), fields) for path, fields in told.items()):
            assert fields, path
            for field, data in itertools.product(fields, wrong):
                answer = otto.post(path, files={field: ("a.jpg", io.BytesIO(data))}, data={"name": "x"})
                assert 400 <= answer.status_code < 500, (path, field, answer.text)
            for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "application/json"):
                answer = otto.post(path, content=b"--x", headers={"Content-Type": kind})
                assert 400 <= answer.status_code < 500, (path, kind, answer.text)
            many = [(field, (f"{n}.jpg", b"\xff\xd8")) for n in range(1200) for field in fields[:1]]
            assert 400 <= otto.post(path, files=many).status_code < 500, path


def test_a_deep_or_endless_body_is_a_mistake_of_who_sends_it(services: Services, address: str) -> None:
    headers = {**token_of(services, "otto"), "Content-Type": "application/json"}
    for body in (b"[" * 500_000, b'{"name":' * 100_000, b'{"name": ' + b"9" * 900_000 + b"}", b'{"name": "\\ud800"}'):
        answer = httpx.put(f"{address}/api/v1/identities/1/name", content=body, headers=headers, timeout=30)
        assert 400 <= answer.status_code < 500, answer.text


def test_too_much_is_refused_whether_its_length_is_said_or_not(services: Services, address: str) -> None:
    headers = token_of(services, "otto")
    for path in uploads(httpx.get(f"{address}/api/v1/openapi.json").json()):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=30)
        connection.putrequest("POST", path.format_map(KNOWN))
        for name, value in {**headers, "Content-Type": "multipart/form-data; boundary=x"}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(100 << 20))
        connection.endheaders()
        assert connection.getresponse().status == 413, path  # without a byte of it
        connection.close()

    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
        for _ in range((LONGEST_UPLOAD >> 20) + 2):
            yield bytes(1 << 20)

    unsaid = httpx.post(
        f"{address}/api/v1/search",
        headers={**headers, "Content-Type": "multipart/form-data; boundary=x"},
        content=pieces(),
        timeout=60,
    )
    assert unsaid.status_code == 413


def test_strangers_send_little(address: str) -> None:
    answer = httpx.post(f"{address}/api/v1/search", files={"picture": ("a.jpg", bytes(1 << 20))}, timeout=30)
    assert answer.status_code == 401
    long = httpx.post(f"{address}/api/v1/session", json={"name": "x", "password": "x" * 50_000}, timeout=30)
    assert long.status_code == 401

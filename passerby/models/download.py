"""Fetching published files: resumable, bounded, and never used before their checksum is right."""

import fcntl
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from passerby.errors import ChecksumError, ModelError
from passerby.models.catalogue import CatalogueEntry, PublishedFile
from passerby.models.checksum import file_digest
from passerby.models.find import read_model
from passerby.models.manifest import ModelManifest
from passerby.redaction import redact

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes here so far, and the bytes in all."""

_BLOCK = 1 << 16

_TRANSIENT = (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS)
"""The refusals after which asking again may help."""


def pull_model(
    entry: CatalogueEntry,
    folder: Path,
    *,
    progress: Progress | None = None,
    timeout_s: float = 30.0,
    attempts: int = 5,
    retry_wait_s: float = 1.0,
) -> ModelManifest:
    """Fetch the files of `entry` into `folder`, verify them, and return the model. What is here already is kept.

    Bytes go to NAME.part and stay there when the connection breaks: the next attempt, or the next call, asks for the
    rest. All files of a model are verified before the first gets its name. After `attempts` failures in a row without
    a byte between them the call gives up; each waits twice as long as the one before, from `retry_wait_s`.

    Raises ModelError (no verified address, server or disk failed, another process fetches it), ChecksumError (the
    bytes are not the published ones; they are deleted).
    """
    variant = entry.fetched_variant
    if variant is None:
        raise ModelError(f"no verified address is known for {entry.name}; {entry.obtain}")
    tell = progress or _tell_nobody
    try:
        folder.mkdir(parents=True, exist_ok=True)
        parts = []
        for file in variant.files:
            target = folder / file.name
            if target.is_file() and file_digest([target], algorithm="sha384") == file.sha384:
                tell(file.name, file.size, file.size)
                continue
            part = folder / f"{file.name}.part"
            _fetch(file, part, progress=tell, timeout_s=timeout_s, attempts=attempts, retry_wait_s=retry_wait_s)
            parts.append((part, target))
        # The .xml stands first and is what others look for: it comes last.
        for part, target in reversed(parts):
            os.replace(part, target)
    except OSError as error:
        raise ModelError(f"{folder}: cannot keep {entry.name} there: {error.strerror or error}") from error
    return read_model(folder / variant.files[0].name, description=entry.description)


def _fetch(
    file: PublishedFile, part: Path, *, progress: Progress, timeout_s: float, attempts: int, retry_wait_s: float
) -> None:
    """Bring `part` to the published bytes."""
    failures = 0
    with _alone(part) as sink:
        while (done := sink.seek(0, os.SEEK_END)) < file.size:
            try:
                _continue(file, sink, done, progress=progress, timeout_s=timeout_s)
                reason = "the connection broke"
            except urllib.error.HTTPError as error:
                reason = f"the server says {error.code} {error.reason}"
                if 400 <= error.code < 500 and error.code not in _TRANSIENT:
                    raise ModelError(f"cannot fetch {redact(str(file.url))}: {reason}") from error
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                reason = _reason(error)
            sink.flush()
            failures = 0 if sink.tell() > done else failures + 1
            if failures >= attempts:
                raise ModelError(
                    f"cannot fetch {redact(str(file.url))}: {reason} ({attempts} attempts); run the command again to "
                    f"go on at byte {sink.tell()}"
                )
            if failures:
                time.sleep(retry_wait_s * 2 ** (failures - 1))
        progress(file.name, file.size, file.size)
        sink.flush()
        os.fsync(sink.fileno())
        actual = file_digest([part], algorithm="sha384")
        if actual != file.sha384:
            part.unlink()
            raise ChecksumError(
                f"{redact(str(file.url))}: SHA-384 is {actual[:16]}..., expected {file.sha384[:16]}...; what was "
                "fetched has been deleted"
            )


def _continue(file: PublishedFile, sink: BinaryIO, done: int, *, progress: Progress, timeout_s: float) -> None:
    """Ask for the bytes from `done` on, and append what comes."""
    url = str(file.url)
    if not url.startswith(("https://", "http://")):
        raise ModelError(f"{redact(url)} is no address to fetch from; expected https://")
    request = urllib.request.Request(url, headers={"User-Agent": "passerby"})  # noqa: S310 scheme checked above
    if done:
        request.add_header("Range", f"bytes={done}-")
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 scheme checked above
        starts_there = str(answer.headers.get("Content-Range", "")).startswith(f"bytes {done}-")
        if done and not (answer.status == http.HTTPStatus.PARTIAL_CONTENT and starts_there):
            sink.seek(0)  # a server without Range sends everything again
            sink.truncate()
            done = 0
        while block := answer.read(_BLOCK):
            if done + len(block) > file.size:
                raise ModelError(f"{redact(url)}: sends more than the published {file.size} bytes; nothing was kept")
            sink.write(block)
            done += len(block)
            progress(file.name, done, file.size)


@contextmanager
def _alone(part: Path) -> Iterator[BinaryIO]:
    """`part` open for appending, and nobody else's; what is longer than expected is found by its checksum."""
    with part.open("a+b") as sink:
        try:
            fcntl.flock(sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(f"{part}: another process fetches this file; wait for it") from error
        yield sink


def _tell_nobody(name: str, done: int, total: int) -> None:
    pass


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError):
        return redact(str(error.reason))
    return str(error) or type(error).__name__

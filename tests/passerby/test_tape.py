"""Tapes: what was written is read, and what is broken is said."""

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.codec import MAX_PARTS, decode, encode
from passerby.errors import DataError
from passerby.ids import EdgeId
from passerby.tape import TapeRecord, TapeWriter, read_tape
from tests.passerby.wire_samples import SAMPLES, same

_GATE = EdgeId("gate")


def _tape(path: Path, records: list[TapeRecord]) -> Path:
    with TapeWriter(path) as tape:
        for record in records:
            tape.write(record.received_at_ns, record.edge_id, parts=record.parts)
    return path


def test_messages_are_read_as_they_were_written(tmp_path: Path) -> None:
    records = [TapeRecord(number, _GATE, encode(envelope)) for number, envelope in enumerate(SAMPLES.values())]
    tape = read_tape(_tape(tmp_path / "x.tape", records))
    assert list(tape) == records
    assert not tape.cut_off
    assert all(same(decode(record.parts), sample) for record, sample in zip(tape, SAMPLES.values(), strict=True)), (
        "a tape can be read again"
    )


def test_an_empty_tape_has_no_records(tmp_path: Path) -> None:
    tape = read_tape(_tape(tmp_path / "x.tape", []))
    assert list(tape) == []
    assert not tape.cut_off


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_tape_cut_off_anywhere_gives_the_whole_records_before(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = [TapeRecord(number, _GATE, [b"x" * number, b""]) for number in range(5)]
    path = _tape(tmp_path_factory.mktemp("tape") / "x.tape", records)
    whole = path.read_bytes()
    first = len(b"passerby-tape 1\n")
    path.write_bytes(whole[: data.draw(st.integers(first, len(whole)))])
    tape = read_tape(path)
    logging.disable(logging.WARNING)
    try:
        read = list(tape)
    finally:
        logging.disable(logging.NOTSET)
    assert read == records[: len(read)]
    ends_between_records = path.read_bytes() == whole or len(_rewritten(path, read)) == path.stat().st_size
    assert tape.cut_off != ends_between_records


def _rewritten(path: Path, records: list[TapeRecord]) -> bytes:
    return _tape(path.with_name("again.tape"), records).read_bytes()


def test_a_cut_off_tape_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _tape(tmp_path / "x.tape", [TapeRecord(1, _GATE, [b"abc"])])
    path.write_bytes(path.read_bytes()[:-1])
    tape = read_tape(path)
    assert list(tape) == []
    assert tape.cut_off
    assert "cut off in record 1" in caplog.text


def test_a_damaged_record_is_an_error(tmp_path: Path) -> None:
    path = _tape(tmp_path / "x.tape", [TapeRecord(1, _GATE, [b"abc"]), TapeRecord(2, _GATE, [b"def"])])
    path.write_bytes(path.read_bytes().replace(b"abc", b"abd"))
    with pytest.raises(DataError, match=r"record 1 is damaged"):
        list(read_tape(path))


def test_a_record_that_claims_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    path.write_bytes(b"passerby-tape 1\n" + b"\xff\xff\xff\xff" + bytes(4))
    with pytest.raises(DataError, match=r"claims 4294967295 bytes"):
        list(read_tape(path))


@pytest.mark.parametrize("content", [b"", b"passerby-tape 2\n", b"\0" * 100])
def test_what_is_no_tape_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tape"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a tape of this version"):
        list(read_tape(path))


def test_a_missing_tape_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.tape: cannot read the tape: No such file"):
        list(read_tape(tmp_path / "x.tape"))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write a tape"):
        TapeWriter(tmp_path / "no" / "x.tape")


def test_a_message_over_the_bounds_is_not_written(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "x.tape") as tape, pytest.raises(DataError, match="over the bounds"):
        tape.write(1, _GATE, parts=[b""] * (MAX_PARTS + 1))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, the disk that is always full")
def test_a_full_disk_is_an_error_of_ours() -> None:
    tape = TapeWriter(Path("/dev/full"))
    tape.write(1, _GATE, parts=[b"part"])
    with pytest.raises(DataError, match="/dev/full: cannot write the tape: No space left"):
        tape.flush()
    with pytest.raises(DataError, match="No space left"):
        tape.close()

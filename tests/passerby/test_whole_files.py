"""A file appears whole, or not at all."""

import stat
import threading
from pathlib import Path

import numpy as np
import pytest

from passerby.whole_files import whole_file, write_whole


def test_the_former_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, b"old")
    with whole_file(file) as opened:
        opened.write(b"new")
        opened.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def broken_off(file: Path) -> None:
    with whole_file(file) as opened:
        opened.write(b"half")
        raise KeyboardInterrupt


def test_what_ends_in_between_leaves_everything_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, b"old")
    with pytest.raises(KeyboardInterrupt):
        broken_off(file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_said_by_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a", b"")


def test_private_files_are_their_owners_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "private", b"x", private=True)
    write_whole(tmp_path / "open", b"x")
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600
    plain = tmp_path / "plain"
    plain.write_bytes(b"x")
    assert (tmp_path / "open").stat().st_mode == plain.stat().st_mode


def test_arrays_go_into_it_as_into_any_file(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.npz") as opened:
        np.savez(opened, numbers=np.arange(5))
    with np.load(tmp_path / "a.npz") as read:
        assert read["numbers"].tolist() == [0, 1, 2, 3, 4]


def test_two_who_write_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    contents = [bytes([65 + number]) * 100_000 for number in range(4)]
    threads = [threading.Thread(target=write_whole, args=(file, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert file.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [file]

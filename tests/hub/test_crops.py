"""Pictures in LMDB: stored, pruned, growing to a bound, read while they are written."""

import subprocess
import sys
from pathlib import Path

import pytest

from hub.crops import CropStore
from hub.records import TrackletNumber
from passerby.errors import StoreError

ONE, TWO = TrackletNumber(1), TrackletNumber(2)
MIB = 2**20


def test_crops_are_found_by_tracklet_in_order(tmp_path: Path) -> None:
    with CropStore.open_for_writing(tmp_path) as store:
        store.put({(TWO, 1): b"c", (ONE, 300): b"b", (ONE, 2): b"a"})
        assert store.crop_ids(ONE) == [2, 300]
        assert store.get(ONE, 300) == b"b"
        assert store.get(ONE, 7) is None
        assert store.crop_ids(TrackletNumber(3)) == []


def test_only_the_best_are_kept(tmp_path: Path) -> None:
    with CropStore.open_for_writing(tmp_path) as store:
        store.put({(ONE, 1): b"a", (ONE, 2): b"b", (TWO, 1): b"c"})
        store.keep_only({ONE: [2]})
        assert (store.crop_ids(ONE), store.crop_ids(TWO)) == ([2], [1])


def test_the_store_grows(tmp_path: Path) -> None:
    with CropStore.open_for_writing(tmp_path) as store:
        for number in range(3):
            store.put({(TrackletNumber(number), crop): bytes(MIB) for crop in range(30)})
        assert store.get(TrackletNumber(2), 29) == bytes(MIB)


def test_at_its_bound_new_crops_are_left_out_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with CropStore.open_for_writing(tmp_path, bound=4 * MIB) as store:
        store.put({(ONE, 1): b"small"})
        store.put({(TWO, crop): bytes(MIB) for crop in range(10)})
        assert store.crop_ids(TWO) == []
        assert store.get(ONE, 1) == b"small"
    assert "new crops are left out" in caplog.text


def test_another_process_reads_while_the_store_grows(tmp_path: Path) -> None:
    reader = (
        "import sys; from pathlib import Path; from hub.crops import CropStore\n"
        "store = CropStore.open_for_reading(Path(sys.argv[1]))\n"
        "print(len(store.crop_ids(1)), flush=True); sys.stdin.readline(); print(len(store.get(2, 99)), flush=True)"
    )
    with CropStore.open_for_writing(tmp_path) as store:
        store.put({(ONE, 1): b"x"})
        with subprocess.Popen(
            [sys.executable, "-c", reader, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "1\n"
            store.put({(TWO, crop): bytes(MIB) for crop in range(100)})
            assert process.communicate("go\n", timeout=30)[0] == f"{MIB}\n"


def test_no_store_no_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"crops\.lmdb"):
        CropStore.open_for_reading(tmp_path)

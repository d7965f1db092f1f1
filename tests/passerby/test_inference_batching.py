"""Several threads, one engine."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from passerby.arrays import Image
from passerby.errors import ConfigError, DataError, EngineError
from passerby.ids import CameraId
from passerby.inference import BatchingDetector, BatchingEmbedder, load_detector, load_embedder
from passerby.inference.shared_batches import SharedBatches
from tests.passerby.tiny_networks import tiny_detector, tiny_embedder

WAIT_S = 10.0
HALL = CameraId("hall")


class Gate:
    """A run that notes its batches and goes on only when it is let."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Semaphore(0)
        self.let = threading.Event()
        if is_open:
            self.let.set()

    def run(self, items: list[int]) -> list[int]:
        self.batches.append(list(items))
        self.entered.release()
        assert self.let.wait(WAIT_S)
        if any(item < 0 for item in items):
            raise DataError(f"{min(items)} is negative")
        return [item * 10 for item in items]


def shared(run: Callable[[list[int]], Sequence[int]], **options: float) -> SharedBatches[int, int]:
    settings = {"max_batch": 4, "latency_s": 0.05, "timeout_s": WAIT_S, **options}
    return SharedBatches(run, **settings)  # type: ignore[arg-type]


def wait_until(condition: Callable[[], bool]) -> None:
    event = threading.Event()
    for _ in range(int(WAIT_S / 0.002)):
        if condition():
            return
        event.wait(0.002)
    raise AssertionError("it did not happen in time")


def test_a_lone_thread_does_not_wait_for_others() -> None:
    gate = Gate(is_open=True)
    batches = shared(gate.run, latency_s=WAIT_S * 10, timeout_s=WAIT_S)
    assert [list(batches.call([number])) for number in range(3)] == [[0], [10], [20]]
    assert gate.batches == [[0], [1], [2]]


def test_calls_that_come_during_a_run_share_the_next() -> None:
    gate = Gate()
    batches = shared(gate.run)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(batches.call, [1])
        assert gate.entered.acquire(timeout=WAIT_S)
        others = [pool.submit(batches.call, [number]) for number in (2, 3, 4, 5)]
        wait_until(lambda: batches.waiting == 4)
        gate.let.set()
        assert list(first.result(WAIT_S)) == [10]
        assert sorted(other.result(WAIT_S)[0] for other in others) == [20, 30, 40, 50]
    assert [len(batch) for batch in gate.batches] == [1, 4]


def test_a_call_is_never_split_and_a_big_one_runs_alone() -> None:
    gate = Gate()
    batches = shared(gate.run, max_batch=4)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batches.call, [0])
        assert gate.entered.acquire(timeout=WAIT_S)
        calls = []
        for waiting, items in enumerate(([1, 1, 1], [2, 2], [3] * 9), start=1):
            calls.append(pool.submit(batches.call, items))
            wait_until(lambda expected=waiting: batches.waiting == expected)  # type: ignore[misc]
        gate.let.set()
        assert [len(call.result(WAIT_S)) for call in [first, *calls]] == [1, 3, 2, 9]
    assert gate.batches == [[0], [1, 1, 1], [2, 2], [3] * 9]


def test_an_error_reaches_only_the_thread_that_caused_it() -> None:
    gate = Gate()
    batches = shared(gate.run)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batches.call, [1])
        assert gate.entered.acquire(timeout=WAIT_S)
        good, bad = pool.submit(batches.call, [2]), pool.submit(batches.call, [-3])
        wait_until(lambda: batches.waiting == 2)
        gate.let.set()
        assert list(first.result(WAIT_S)) == [10]
        assert list(good.result(WAIT_S)) == [20]
        with pytest.raises(DataError, match="-3 is negative"):
            bad.result(WAIT_S)


def test_a_bug_in_the_run_leaves_nobody_waiting() -> None:
    gate = Gate()

    def run(items: list[int]) -> list[int]:
        gate.run(items)
        if len(items) > 1:
            raise ZeroDivisionError
        return items

    batches = shared(run)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batches.call, [1])
        assert gate.entered.acquire(timeout=WAIT_S)
        others = [pool.submit(batches.call, [number]) for number in (2, 3)]
        wait_until(lambda: batches.waiting == 2)
        gate.let.set()
        first.result(WAIT_S)
        failures = {type(other.exception(WAIT_S)) for other in others}
    assert failures == {ZeroDivisionError, EngineError}
    assert list(batches.call([7])) == [7]


def test_without_an_answer_in_time_the_caller_is_told() -> None:
    gate = Gate()
    batches = shared(gate.run, timeout_s=0.05)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(batches.call, [1])
        assert gate.entered.acquire(timeout=WAIT_S)
        with pytest.raises(EngineError, match=r"no answer within 0\.05 s"):
            batches.call([2])
        gate.let.set()
        assert list(running.result(WAIT_S)) == [10]
    assert gate.batches == [[1]]


def test_closing_fails_who_waits_and_lets_the_run_under_way_end() -> None:
    gate = Gate()
    batches = shared(gate.run)
    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(batches.call, [1])
        assert gate.entered.acquire(timeout=WAIT_S)
        waiting = pool.submit(batches.call, [2])
        wait_until(lambda: batches.waiting == 1)
        closing = pool.submit(batches.close)
        with pytest.raises(EngineError, match="closed while the call waited"):
            waiting.result(WAIT_S)
        gate.let.set()
        assert list(running.result(WAIT_S)) == [10]
        closing.result(WAIT_S)
    with pytest.raises(EngineError, match="has been closed"):
        batches.call([3])


def test_a_batch_of_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_batch is 0"):
        shared(lambda items: items, max_batch=0)


def crops_of(seed: int) -> list[Image]:
    random = np.random.default_rng(seed)
    return [random.integers(1, 256, (20, 10, 3), np.uint8) for _ in range(1 + seed % 3)]


def test_each_thread_gets_the_embeddings_of_its_own_crops(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    alone = load_embedder(manifest, threads=1)
    together = BatchingEmbedder(load_embedder(manifest, threads=1), max_batch=4, latency_ms=2)

    def work(seed: int) -> None:
        crops = crops_of(seed)
        for _ in range(20):
            actual = together.embed(crops, [HALL] * len(crops))
            np.testing.assert_allclose(actual, alone.embed(crops, [HALL] * len(crops)), rtol=1e-4)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, seed) for seed in range(6)]:
            done.result(60)
    together.close()
    with pytest.raises(EngineError, match="closed"):
        together.embed(crops_of(0), [HALL])


def test_frames_of_several_threads_come_back_to_them(tmp_path: Path) -> None:
    manifest = tiny_detector(tmp_path / "tiny.onnx")
    detector = BatchingDetector(load_detector(manifest, threads=1), max_batch=4)
    frames = [np.full((16, 16, 3), 40 * (number + 1), np.uint8) for number in range(5)]

    def work(number: int) -> None:
        for _ in range(20):
            (found,) = detector.detect([frames[number]])
            np.testing.assert_allclose(found.boxes_xyxy[0, 2], min(40 * (number + 1) / 16, 16), rtol=1e-4)

    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(work, number) for number in range(5)]:
            done.result(60)
    assert detector.detect([]) == []
    assert detector.manifest == manifest
    detector.close()


def test_an_engine_that_gains_nothing_from_batches_gets_each_call_as_it_comes(tmp_path: Path) -> None:
    embedder = BatchingEmbedder(load_embedder(tiny_embedder(tmp_path / "one.onnx", batch=1), engine="onnxruntime"))
    assert embedder.batch_limit == 1
    assert embedder.embed([], []).shape == (0, 4)
    embedder.close()


def test_a_bad_picture_is_refused_before_it_can_spoil_a_batch(tmp_path: Path) -> None:
    embedder = BatchingEmbedder(load_embedder(tiny_embedder(tmp_path / "tiny.onnx")))
    with pytest.raises(DataError, match="picture 0"):
        embedder.embed([np.zeros((2, 2), np.uint8)], [HALL])
    with pytest.raises(DataError, match="1 crops came with 0 camera ids"):
        embedder.embed(crops_of(0), [])
    embedder.close()

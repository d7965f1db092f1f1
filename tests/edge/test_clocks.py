"""Capture times and the frame-rate limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.sources.clocks import HOST_ERROR_NS, SET_BACK_NS, Backlog, FileClock, LiveClock, may_follow
from edge.sources.sampling import FrameLimit
from edge.sources.traffic import TrafficMeter

MS = 1_000_000
S = 1_000 * MS
NOON = 1_700_000_000 * S


def test_a_file_counts_from_its_start() -> None:
    assert FileClock(NOON).capture_time(40 * MS)[0] == NOON + 40 * MS


def test_the_hosts_clock_follows_the_fastest_packet() -> None:
    clock = LiveClock()
    for number, delay_ms in enumerate((80, 20, 300, 45)):
        at_ns = number * 100 * MS
        clock.receive(at_ns, received_at_ns=NOON + at_ns + delay_ms * MS, wallclock_ns=None)
    captured_at_ns, stated = clock.capture_time(300 * MS)
    assert captured_at_ns == NOON + 300 * MS + 20 * MS
    assert (stated.source, stated.error_ns) == ("host", HOST_ERROR_NS)


def test_a_sender_report_is_believed_while_it_is_plausible() -> None:
    for offset_s, source in ((0.05, "rtcp"), (-0.4, "rtcp"), (-3600.0, "host"), (10.0, "host")):
        clock = LiveClock()
        wallclock = NOON + int(offset_s * S)
        clock.receive(0, received_at_ns=NOON, wallclock_ns=wallclock)
        captured_at_ns, stated = clock.capture_time(0)
        assert stated.source == source
        if source == "rtcp":
            assert captured_at_ns == wallclock
            assert abs(captured_at_ns - NOON) <= stated.error_ns


def test_a_jump_of_the_streams_time_starts_afresh() -> None:
    clock = LiveClock()
    clock.receive(0, received_at_ns=NOON, wallclock_ns=None)
    clock.receive(-90_000 * S, received_at_ns=NOON + S, wallclock_ns=None)
    assert clock.capture_time(-90_000 * S)[0] == NOON + S


def test_a_backlog_ends_when_packets_come_in_time() -> None:
    backlog = Backlog(frame_ns=100 * MS)
    times = [(0, 0), (100, 1), (200, 2), (300, 4), (400, 104), (500, 204)]
    draining = [backlog.is_draining(at * MS, received_at_ns=NOON + received * MS) for at, received in times]
    assert draining == [True, True, True, True, False, False]
    assert backlog.is_draining(None, received_at_ns=NOON) is False


@given(st.integers(1, 30), st.integers(1, 60), st.integers(0, 10**18))
def test_at_most_fps_frames_a_second_are_taken(fps: int, source_fps: int, origin: int) -> None:
    limit = FrameLimit(fps, source_fps=source_fps, origin_ns=origin)
    taken = [limit.take(origin + i * S // source_fps) for i in range(3 * source_fps)]
    assert taken[0]
    assert sum(taken) <= 3 * min(fps, source_fps) + 1
    assert sum(taken) >= 3 * min(fps, source_fps) - 1


def test_a_jump_backwards_does_not_stop_the_frames() -> None:
    limit = FrameLimit(5, source_fps=10, origin_ns=0)
    assert limit.take(100 * S)
    assert not limit.take(100 * S + 50 * MS)
    assert limit.take(3 * S)


def test_traffic_is_measured() -> None:
    meter = TrafficMeter()
    assert meter.traffic().fps == 0
    assert meter.traffic().keyframe_interval_s is None
    for number in range(21):
        meter.add(1000, time_ns=number * 100 * MS, keyframe=number % 10 == 0)
    meter.add(1000, time_ns=None, keyframe=False)
    traffic = meter.traffic()
    assert traffic.keyframe_interval_s == pytest.approx(1.0)
    assert traffic.fps == pytest.approx(10.5)
    assert traffic.bits_per_second == 22 * 1000 * 8 / 2


def test_time_goes_on_but_a_clock_that_was_set_back_is_followed() -> None:
    assert may_follow(NOON + 1, NOON)
    assert not may_follow(NOON, NOON)
    assert not may_follow(NOON - SET_BACK_NS, NOON)
    assert may_follow(NOON - 3600 * S, NOON), "a camera must not be blind for an hour"
    assert may_follow(NOON, 0), "the first frame"

"""The edge's credit window, and the clock estimates."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.ids import BootId
from passerby.transport.clock_offset import OneWayOffset, Pulse, TwoWayOffset
from passerby.transport.flight import Flight
from passerby.transport.limits import WINDOW_BYTES
from passerby.transport.spool import SpooledMessage

_OLD, _NEW = BootId(b"old boot 0000000"), BootId(b"new boot 0000000")


def _message(place: int, *, boot: BootId = _NEW, seq: int | None = None, size: int = 10) -> SpooledMessage:
    return SpooledMessage(place, boot, place if seq is None else seq, size, [bytes(size)])


def test_without_credit_there_is_no_room() -> None:
    assert Flight().room() == 0


def test_the_window_bounds_what_is_under_way() -> None:
    flight = Flight()
    flight.window = 2
    flight.sent(_message(1))
    flight.sent(_message(2))
    assert flight.room() == 0
    flight.settled(_NEW, up_to_seq=1)
    assert flight.room() == 1


def test_bytes_bound_what_is_under_way_whatever_the_credit() -> None:
    flight = Flight()
    flight.window = 1000
    flight.sent(_message(1, size=WINDOW_BYTES))
    assert flight.room() == 0


def test_an_acknowledgement_counts_for_its_own_boot() -> None:
    flight = Flight()
    flight.window = 5
    flight.sent(_message(1, boot=_OLD, seq=1))
    flight.sent(_message(2, boot=_NEW, seq=1))
    flight.settled(_OLD, up_to_seq=9)
    assert len(flight) == 1
    flight.settled(_NEW, up_to_seq=1)
    assert len(flight) == 0


def test_a_rewind_begins_with_the_oldest_and_counts_what_is_sent_again() -> None:
    flight = Flight()
    flight.window = 5
    flight.sent(_message(1))
    flight.sent(_message(2))
    flight.rewind()
    assert (flight.next_after, flight.room(), flight.resent) == (0, 5, 0)
    flight.sent(_message(2))
    flight.sent(_message(3))
    assert flight.resent == 1


def test_a_smaller_window_stops_sending_until_enough_is_acknowledged() -> None:
    flight = Flight()
    flight.window = 3
    for place in (1, 2, 3):
        flight.sent(_message(place))
    flight.window = 1
    flight.settled(_NEW, up_to_seq=1)
    assert flight.room() == 0


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=80))
def test_the_one_way_estimate_is_too_low_by_the_shortest_delay(offset: int, delays: list[int]) -> None:
    clock = OneWayOffset()
    assert clock.offset_ns is None
    for delay in delays:
        clock.heard(10**18 + offset, received_at_ns=10**18 + delay)
    assert clock.offset_ns == offset - min(delays[-60:])


@given(st.integers(-(10**12), 10**12), st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1))
def test_the_two_way_estimate_is_within_half_a_round_trip(offset: int, delays: list[tuple[int, int]]) -> None:
    clock = TwoWayOffset()
    assert (clock.offset_ns, clock.round_trip_ns) == (None, None)
    for there, back in delays:
        clock.answered(asked_at_ns=0, their_time_ns=there + offset, answered_at_ns=there + back)
    assert clock.offset_ns is not None
    assert clock.round_trip_ns is not None
    assert abs(clock.offset_ns - offset) <= clock.round_trip_ns // 2 + 1


def test_a_clock_set_back_during_the_exchange_is_not_an_estimate() -> None:
    clock = TwoWayOffset()
    clock.answered(asked_at_ns=100, their_time_ns=100, answered_at_ns=50)
    assert clock.offset_ns is None


def test_a_heartbeat_behind_another_is_not_timed() -> None:
    clock = TwoWayOffset()
    pulse = Pulse(clock)
    pulse.beat(100)
    pulse.beat(200)
    pulse.answered(105, now_ns=210)
    pulse.answered(205, now_ns=211)
    assert clock.round_trip_ns == 110
    pulse.beat(300)
    pulse.answered(305, now_ns=310)
    assert (clock.round_trip_ns, clock.offset_ns) == (10, 0)


def test_an_answer_that_nobody_asked_for_is_ignored() -> None:
    clock = TwoWayOffset()
    Pulse(clock).answered(5, now_ns=5)
    assert clock.offset_ns is None

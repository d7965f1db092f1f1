"""The hub's book of a boot, and the two of them together against a lossy, restarting world."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.errors import TransportError
from passerby.transport.boot_stream import BootStream, Settled, Verdict


def _taken(stream: BootStream, *numbers: int) -> None:
    for seq in numbers:
        assert stream.judge(seq, first_of_connection=False) == (Verdict.ACCEPT, 0)
        stream.take(seq, size=10, now_ns=seq)


def test_numbers_in_order_are_accepted_and_acknowledged_up_to_the_committed_one() -> None:
    stream = BootStream(0)
    _taken(stream, 1, 2, 3)
    assert (stream.open_messages, stream.open_bytes) == (3, 30)
    assert stream.settle(1, refused=None) == Settled((), 1)
    assert stream.settle(3, refused=None) == Settled((), None)
    assert stream.settle(2, refused=None) == Settled((), 3)
    assert (stream.open_messages, stream.open_bytes) == (0, 0)


def test_how_long_the_first_of_the_open_messages_has_been_here_is_known() -> None:
    stream = BootStream(0)
    assert stream.oldest_open_ns is None
    _taken(stream, 1, 2, 3)
    assert stream.oldest_open_ns == 1
    stream.settle(2, refused=None)
    assert stream.oldest_open_ns == 1
    stream.settle(1, refused=None)
    assert stream.oldest_open_ns == 3


def test_a_refusal_is_told_when_everything_before_it_is_settled() -> None:
    stream = BootStream(0)
    _taken(stream, 1, 2, 3)
    assert stream.settle(2, refused="malformed") == Settled((), None)
    assert stream.settle(1, refused=None) == Settled(((2, "malformed"),), 2)


def test_what_came_before_is_a_duplicate_whether_committed_or_not() -> None:
    stream = BootStream(5)
    _taken(stream, 6)
    for seq in (1, 5, 6):
        assert stream.judge(seq, first_of_connection=True) == (Verdict.DUPLICATE, 0)


def test_a_gap_is_asked_for_and_filled() -> None:
    stream = BootStream(0)
    _taken(stream, 1)
    assert stream.judge(3, first_of_connection=False)[0] is Verdict.GAP
    assert stream.judge(4, first_of_connection=False)[0] is Verdict.GAP
    assert stream.judge(1, first_of_connection=False)[0] is Verdict.DUPLICATE
    _taken(stream, 2, 3, 4)


def test_a_gap_that_the_edge_cannot_fill_is_accepted_the_second_time() -> None:
    stream = BootStream(0)
    _taken(stream, 1)
    assert stream.judge(4, first_of_connection=False)[0] is Verdict.GAP
    assert stream.judge(5, first_of_connection=False)[0] is Verdict.GAP
    assert stream.judge(4, first_of_connection=False) == (Verdict.ACCEPT, 2)


def test_what_was_asked_for_in_an_earlier_connection_is_asked_for_again() -> None:
    stream = BootStream(0)
    _taken(stream, 1)
    assert stream.judge(3, first_of_connection=False)[0] is Verdict.GAP
    assert stream.judge(1, first_of_connection=True)[0] is Verdict.DUPLICATE
    assert stream.judge(3, first_of_connection=False)[0] is Verdict.GAP


def test_a_connection_may_begin_beyond_what_the_hub_remembers() -> None:
    stream = BootStream(0)
    assert stream.judge(501, first_of_connection=True) == (Verdict.ACCEPT, 500)
    stream.take(501, size=1, now_ns=0)
    assert stream.settle(501, refused=None) == Settled((), 501)


def test_a_message_left_over_the_window_is_accepted_when_it_comes_again() -> None:
    stream = BootStream(0)
    assert stream.judge(1, first_of_connection=True)[0] is Verdict.ACCEPT
    stream.leave(1)
    assert stream.judge(2, first_of_connection=False)[0] is Verdict.GAP
    _taken(stream, 1, 2)


@pytest.mark.parametrize("seq", [0, 1, 2, 9])
def test_settling_what_is_not_open_is_an_error(seq: int) -> None:
    stream = BootStream(1)
    _taken(stream, 2)
    stream.settle(2, refused=None)
    with pytest.raises(TransportError, match="not waiting"):
        stream.settle(seq, refused=None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["send", "send", "lose", "commit", "refuse", "reconnect", "hub-restart"]), max_size=80))
def test_nothing_is_lost_or_taken_twice_whatever_breaks(steps: list[str]) -> None:
    """An edge with 30 messages, a wire that loses, a hub that restarts from its last commit."""
    spool: deque[int] = deque(range(1, 31))
    next_place = 0
    stream, first, asked_again = BootStream(0), True, False
    in_hub: list[int] = []
    committed: list[int] = []
    mark = 0

    def reconnect() -> None:
        nonlocal next_place, first, asked_again
        while spool and spool[0] <= mark:
            spool.popleft()
        next_place, first, asked_again = 0, True, False

    def send(*, lost: bool) -> None:
        nonlocal next_place, first, asked_again
        if next_place >= len(spool):
            return
        seq = spool[next_place]
        next_place += 1
        if lost:
            return
        verdict, skipped = stream.judge(seq, first_of_connection=first)
        first = False
        if verdict is Verdict.GAP:
            next_place, asked_again = 0, True  # the hub's Welcome has it begin again
        elif verdict is Verdict.ACCEPT:
            assert skipped == 0
            asked_again = False
            stream.take(seq, size=1, now_ns=0)
            in_hub.append(seq)

    def settle(refused: str | None) -> None:
        nonlocal mark
        if in_hub:
            seq = in_hub.pop(0)
            committed.append(seq)
            settled = stream.settle(seq, refused=refused)
            mark = settled.ack or mark

    for step in steps:
        match step:
            case "send":
                send(lost=False)
            case "lose" if not first and not asked_again:  # TCP loses nothing at all; once is more than enough
                send(lost=True)
            case "commit":
                settle(None)
            case "refuse":
                settle("malformed")
            case "reconnect":
                reconnect()
            case "hub-restart":
                stream, in_hub = BootStream(mark), []
                reconnect()
    reconnect()
    for _ in range(200):
        send(lost=False)
        settle(None)
    assert committed == list(range(1, 31))

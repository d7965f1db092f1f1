"""Which regime a camera was in when."""

from passerby.features.timeline import MAX_SWITCHES, Timeline


def test_a_camera_that_never_switched_was_always_in_its_first_regime():
    assert [Timeline().regime_at(at_ns) for at_ns in (-(2**63), 0, 2**63 - 1)] == [0, 0, 0]


def test_a_switch_holds_from_its_very_moment_until_the_next():
    days = Timeline().switched(since_ns=100, regime=1).switched(since_ns=200, regime=0)
    assert [days.regime_at(at_ns) for at_ns in (99, 100, 199, 200, 10**18)] == [0, 1, 1, 0, 0]
    assert days.latest == 0


def test_a_switch_of_earlier_drops_what_a_clock_ahead_had_noted():
    ahead = Timeline().switched(since_ns=10**18, regime=1)
    right = ahead.switched(since_ns=500, regime=2)
    assert (right.since_ns[1:], right.regimes) == ((500,), (0, 2))


def test_two_switches_at_one_time_leave_the_later_one():
    both = Timeline().switched(since_ns=5, regime=1).switched(since_ns=5, regime=2)
    assert both.regimes == (0, 2)


def test_of_many_switches_the_latest_are_kept():
    timeline = Timeline()
    for number in range(1, MAX_SWITCHES + 100):
        timeline = timeline.switched(since_ns=10 * number, regime=number % 2)
    assert len(timeline.regimes) == len(timeline.since_ns) == MAX_SWITCHES
    assert timeline.latest == timeline.regime_at(10**9) == (MAX_SWITCHES + 99) % 2
    assert timeline.regime_at(-5) == timeline.regimes[0]
    assert list(timeline.since_ns) == sorted(timeline.since_ns)

"""What comes next by time: always the same as looking at everything."""

from hypothesis import given
from hypothesis import strategies as st

from hub.agenda import Agenda

ACTS = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(-3, 8)), st.booleans()), max_size=400)


def test_an_empty_one_has_nothing() -> None:
    agenda = Agenda[int]()
    agenda.discard(3)
    assert (len(agenda), agenda.earliest, agenda.until(2**70)) == (0, None, [])


@given(ACTS)
def test_it_finds_what_looking_at_everything_finds(acts: list[tuple[int, int | None, bool]]) -> None:
    agenda, times = Agenda[int](), dict[int, int]()
    for key, at, look in acts:
        if at is None:
            agenda.discard(key)
            times.pop(key, None)
        else:
            agenda.put(key, at=at)
            times[key] = at
        if look:
            assert agenda.until(4) == sorted((k for k, t in times.items() if t <= 4), key=lambda k: (times[k], k))
    assert len(agenda) == len(times)
    assert agenda.earliest == min(times.values(), default=None)
    assert agenda.until(8) == sorted(times, key=lambda k: (times[k], k))


def test_memory_follows_the_keys_and_not_the_changes() -> None:
    agenda = Agenda[int]()
    for step in range(10_000):
        agenda.put(step % 3, at=step)
    assert len(agenda._heap) < 100
    assert agenda.until(10_000) == [1, 2, 0]

"""When a lease that has run out means a lost worker, and when it means that Redis was away."""

from hypothesis import given
from hypothesis import strategies as st

from captchad.scheduling.contact import Contact

LEASE_SECONDS = 5.0


def test_workers_get_one_whole_lease_after_the_first_contact() -> None:
    contact = Contact(LEASE_SECONDS)
    contact.note_answer("run", 1000, now=10.0)
    assert not contact.is_trusted(14.9)
    assert contact.is_trusted(15.0)


def test_steady_contact_keeps_the_trust_and_the_end_of_the_last_gap() -> None:
    contact = Contact(LEASE_SECONDS)
    for tick in range(10):
        contact.note_answer("run", 1000 + tick, now=10.0 + tick)
    assert contact.is_trusted(19.0)
    assert contact.away_until_ms == 1000


def test_silence_begins_a_gap_that_ends_with_the_next_answer() -> None:
    contact = Contact(LEASE_SECONDS)
    contact.note_answer("run", 1000, now=10.0)
    contact.note_silence()
    contact.note_answer("run", 2000, now=11.0)
    assert contact.away_until_ms == 2000
    assert not contact.is_trusted(15.9)
    assert contact.is_trusted(16.0)


def test_another_run_id_is_a_gap_even_without_silence() -> None:
    contact = Contact(LEASE_SECONDS)
    contact.note_answer("run", 1000, now=10.0)
    contact.note_answer("another", 2000, now=11.0)
    assert contact.away_until_ms == 2000


def test_standing_still_oneself_is_a_gap() -> None:
    contact = Contact(LEASE_SECONDS)
    contact.note_answer("run", 1000, now=10.0)
    contact.note_answer("run", 9000, now=18.0)
    assert contact.away_until_ms == 9000
    assert not contact.is_trusted(18.0)


@given(st.lists(st.tuples(st.floats(0.1, 20.0), st.booleans(), st.sampled_from("ab")), max_size=30))
def test_trust_never_comes_sooner_than_a_lease_after_a_gap(
    history: list[tuple[float, bool, str]],
) -> None:
    contact, now, last_gap_end, before = Contact(LEASE_SECONDS), 0.0, float("-inf"), ""
    last_answer = float("-inf")
    for pause, is_silent, run_id in history:
        now += pause
        if is_silent:
            contact.note_silence()
            last_answer = float("-inf")
            continue
        contact.note_answer(run_id, int(now * 1000), now)
        if run_id != before or now - last_answer > LEASE_SECONDS / 2:
            last_gap_end = now
        before, last_answer = run_id, now
        assert contact.is_trusted(now) is (now >= last_gap_end + LEASE_SECONDS)

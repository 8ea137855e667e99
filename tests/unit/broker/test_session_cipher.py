import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.session_cipher import Direction, SessionCipher, SessionUnreadable, Unsealed
from captchad.domain.page import Cookie, SessionState

KEY, OTHER_KEY = "k" * 32, "o" * 32
TASK, OTHER_TASK = "task_00aaaaaaaaaaaaaaaaaaaaaaaaaa", "task_00bbbbbbbbbbbbbbbbbbbbbbbbbb"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SESSIONS = st.builds(
    SessionState,
    cookies=st.lists(
        st.builds(
            Cookie,
            name=TEXT,
            value=TEXT,
            domain=st.none() | TEXT,
            expires=st.none() | st.floats(0, 1e10),
            http_only=st.booleans(),
            same_site=st.sampled_from([None, "Lax", "Strict", "None"]),
        ),
        max_size=3,
    ).map(tuple),
    headers=st.dictionaries(TEXT, TEXT, max_size=3),
    local_storage=st.dictionaries(TEXT, TEXT, max_size=3),
)


@given(st.none() | SESSIONS, st.sampled_from(Direction), st.lists(TEXT, max_size=3))
def test_what_is_sealed_is_opened_by_the_same_key(
    session: SessionState | None, direction: Direction, typed: list[str]
) -> None:
    sealed = SessionCipher(KEY).seal(session, TASK, direction, typed)
    assert SessionCipher(KEY).open(sealed, TASK, direction) == Unsealed(session, tuple(typed))


def test_sealed_bytes_show_nothing_and_never_repeat() -> None:
    session = SessionState((Cookie("sid", "open-sesame"),), {"Authorization": "Bearer open-sesame"}, {})
    sealed = [SessionCipher(KEY).seal(session, TASK, Direction.GIVEN) for _ in range(2)]
    assert all(b"sesame" not in one and b"sid" not in one for one in sealed)
    assert sealed[0] != sealed[1]


@pytest.mark.parametrize(
    ("key", "task_id", "direction"),
    [
        (OTHER_KEY, TASK, Direction.GIVEN),
        (KEY, OTHER_TASK, Direction.GIVEN),
        (KEY, TASK, Direction.RETURNED),
    ],
)
def test_another_key_task_or_direction_opens_nothing(key: str, task_id: str, direction: Direction) -> None:
    sealed = SessionCipher(KEY).seal(SessionState(), TASK, Direction.GIVEN)
    with pytest.raises(SessionUnreadable, match=r"security\.session_key"):
        SessionCipher(key).open(sealed, task_id, direction)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damaged_bytes_are_refused(noise: bytes, flipped: int) -> None:
    cipher = SessionCipher(KEY)
    sealed = bytearray(cipher.seal(SessionState(headers={"X-A": "b"}), TASK, Direction.GIVEN))
    sealed[flipped % len(sealed)] ^= 1
    for damaged in (bytes(sealed), noise, b"\x01" + noise):
        with pytest.raises(SessionUnreadable):
            cipher.open(damaged, TASK, Direction.GIVEN)


def test_half_a_surrogate_pair_from_a_page_is_no_obstacle() -> None:
    session = SessionState(local_storage={"draft": "a\ud800b"})
    sealed = SessionCipher(KEY).seal(session, TASK, Direction.RETURNED)
    assert SessionCipher(KEY).open(sealed, TASK, Direction.RETURNED).session == SessionState(
        local_storage={"draft": "a?b"}
    )

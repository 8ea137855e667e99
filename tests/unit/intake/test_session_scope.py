import pytest

from captchad.domain.errors import InvalidRequest, Violation
from captchad.domain.page import Cookie, LeftOut, SessionState, StorageState
from captchad.domain.target import Target
from captchad.intake.draft import TaskDraft
from captchad.intake.session_scope import check_cookies, choose_state


def test_each_foreign_cookie_is_named_by_its_place_in_the_body() -> None:
    cookies = (Cookie("a", "1"), Cookie("b", "2", domain="evil.example.net"), Cookie("c", "3", domain="example.com"))
    draft = TaskDraft(url="http://captcha.example.com/", session=SessionState(cookies), pointer="/tasks/4")
    with pytest.raises(InvalidRequest) as caught:
        check_cookies(draft, Target("captcha.example.com"))
    assert [violation.pointer for violation in caught.value.violations] == [
        "/tasks/4/session/cookies/1/domain",
        "/tasks/4/session/cookies/2/domain",
    ]


PAGE = "https://captcha.example.com/login"


@pytest.mark.parametrize(
    ("domain", "target", "kept"),
    [
        ("captcha.example.com", "captcha.example.com", None),
        ("captcha.example.com", "*.example.com", None),
        (".captcha.example.com", "*.example.com", "captcha.example.com"),
        # The page would be sent it, and nobody else of those it was for may be.
        (".example.com", "captcha.example.com", None),
    ],
)
def test_a_saved_cookie_reaches_no_further_than_the_target(domain: str, target: str, kept: str | None) -> None:
    state = StorageState((Cookie("sid", "1", domain=domain, expires=-1, same_site="None"),))
    draft, left_out = choose_state(TaskDraft(url=PAGE, storage_state=state), Target(target))
    assert draft.session == SessionState((Cookie("sid", "1", domain=kept),))
    assert left_out == LeftOut()


def test_what_other_sites_saved_is_left_out_and_named() -> None:
    cookies = [Cookie(domain, "1", domain=domain) for domain in ("captcha.example.com", ".a.org", "b.org", "no host")]
    stored = {"https://captcha.example.com": {"a": "1"}, "http://captcha.example.com": {"a": "2"}, "about:": {}}
    state = StorageState(tuple(cookies), ("frame.org",), stored)
    draft, left_out = choose_state(TaskDraft(url=PAGE, storage_state=state), Target("captcha.example.com"))
    assert draft.session == SessionState((Cookie("captcha.example.com", "1"),), {}, {"a": "1"})
    assert left_out == LeftOut((".a.org", "b.org", "frame.org", "no host"), ("about:", "http://captcha.example.com"))


def test_the_sessions_own_values_outweigh_those_saved() -> None:
    saved = StorageState(
        (Cookie("sid", "1", domain="captcha.example.com"),), (), {"https://captcha.example.com": {"a": "1"}}
    )
    own = SessionState((Cookie("sid", "2"), Cookie("sid", "3", path="/x")), {"X-A": "b"}, {"a": "2"})
    draft, _ = choose_state(TaskDraft(url=PAGE, session=own, storage_state=saved), Target("captcha.example.com"))
    assert draft.session == own


def test_a_state_with_nothing_for_the_page_is_refused() -> None:
    state = StorageState((Cookie("sid", "1", domain="a.org"),), (), {"https://a.org": {"a": "1"}})
    draft = TaskDraft(url=PAGE, storage_state=state, pointer="/tasks/1")
    with pytest.raises(InvalidRequest) as caught:
        choose_state(draft, Target("captcha.example.com"))
    assert caught.value.violations == (
        Violation(
            "/tasks/1/session/storage_state",
            "has nothing for https://captcha.example.com: cookies of a.org, storage of https://a.org would not be "
            "sent there",
        ),
    )

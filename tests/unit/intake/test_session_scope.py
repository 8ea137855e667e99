import pytest

from captchad.domain.errors import InvalidRequest
from captchad.domain.page import Cookie, SessionState
from captchad.domain.target import Target
from captchad.intake.draft import TaskDraft
from captchad.intake.session_scope import check_cookies


def test_each_foreign_cookie_is_named_by_its_place_in_the_body() -> None:
    cookies = (Cookie("a", "1"), Cookie("b", "2", domain="evil.example.net"), Cookie("c", "3", domain="example.com"))
    draft = TaskDraft(url="http://captcha.example.com/", session=SessionState(cookies), pointer="/tasks/4")
    with pytest.raises(InvalidRequest) as caught:
        check_cookies(draft, Target("captcha.example.com"))
    assert [violation.pointer for violation in caught.value.violations] == [
        "/tasks/4/session/cookies/1/domain",
        "/tasks/4/session/cookies/2/domain",
    ]

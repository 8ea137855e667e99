import pytest

from captchad.domain.errors import InvalidRequest
from captchad.domain.page import Cookie, SessionState
from captchad.domain.target import Target
from captchad.intake.draft import TaskDraft
from captchad.intake.session_scope import check_cookies, explain_foreign_domain

EXACT, WILD, ADDRESS = Target("captcha.example.com"), Target("*.example.com"), Target("10.1.2.3")


@pytest.mark.parametrize(
    ("domain", "host", "target"),
    [
        ("captcha.example.com", "captcha.example.com", EXACT),
        (".Captcha.Example.com", "captcha.example.com", EXACT),
        ("b.example.com", "a.b.example.com", WILD),
        ("10.1.2.3", "10.1.2.3", ADDRESS),
    ],
)
def test_a_cookie_of_the_page_inside_the_target_is_taken(domain: str, host: str, target: Target) -> None:
    assert explain_foreign_domain(domain, host, target) is None


@pytest.mark.parametrize(
    ("domain", "host", "target", "reason"),
    [
        ("example.com", "captcha.example.com", EXACT, "beyond the declared target"),
        ("example.com", "a.b.example.com", WILD, "beyond the declared target"),
        ("com", "captcha.example.com", EXACT, "beyond the declared target"),
        ("elsewhere.example.net", "captcha.example.com", EXACT, "would not be sent it"),
        ("a.captcha.example.com", "captcha.example.com", EXACT, "would not be sent it"),
        ("xcaptcha.example.com", "captcha.example.com", WILD, "would not be sent it"),
        ("2.3", "10.1.2.3", ADDRESS, ""),
        ("exa mple", "captcha.example.com", EXACT, "not a valid host name"),
        (".", "captcha.example.com", EXACT, ""),
    ],
)
def test_a_cookie_for_others_is_refused(domain: str, host: str, target: Target, reason: str) -> None:
    assert reason in str(explain_foreign_domain(domain, host, target))
    assert explain_foreign_domain(domain, host, target)


def test_each_foreign_cookie_is_named_by_its_place_in_the_body() -> None:
    cookies = (Cookie("a", "1"), Cookie("b", "2", domain="evil.example.net"), Cookie("c", "3", domain="example.com"))
    draft = TaskDraft(url="http://captcha.example.com/", session=SessionState(cookies), pointer="/tasks/4")
    with pytest.raises(InvalidRequest) as caught:
        check_cookies(draft, EXACT)
    assert [violation.pointer for violation in caught.value.violations] == [
        "/tasks/4/session/cookies/1/domain",
        "/tasks/4/session/cookies/2/domain",
    ]

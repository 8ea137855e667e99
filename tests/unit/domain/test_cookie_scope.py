import pytest

from captchad.domain.cookie_scope import find_cookie_host
from captchad.domain.errors import TargetNotAllowed

EXACT, WILD, ADDRESS = "captcha.example.com", "*.example.com", "10.1.2.3"


@pytest.mark.parametrize(
    ("domain", "host", "target"),
    [
        ("captcha.example.com", "captcha.example.com", EXACT),
        (".Captcha.Example.com", "captcha.example.com", EXACT),
        ("b.example.com", "a.b.example.com", WILD),
        ("10.1.2.3", "10.1.2.3", ADDRESS),
    ],
)
def test_a_cookie_of_the_page_inside_the_target_is_taken(domain: str, host: str, target: str) -> None:
    assert find_cookie_host(domain, host, target) in {host, domain}


@pytest.mark.parametrize(
    ("domain", "host", "target", "reason"),
    [
        ("example.com", "captcha.example.com", EXACT, "beyond the declared target"),
        ("example.com", "a.b.example.com", WILD, "beyond the declared target"),
        ("com", "captcha.example.com", EXACT, "beyond the declared target"),
        ("elsewhere.example.net", "captcha.example.com", EXACT, "would not be sent it"),
        ("a.captcha.example.com", "captcha.example.com", EXACT, "would not be sent it"),
        ("xcaptcha.example.com", "captcha.example.com", WILD, "would not be sent it"),
        ("2.3", "10.1.2.3", ADDRESS, "unusual notation"),
        ("exa mple", "captcha.example.com", EXACT, "not a valid host name"),
        (".", "captcha.example.com", EXACT, "not a valid host name"),
    ],
)
def test_a_cookie_for_others_is_refused(domain: str, host: str, target: str, reason: str) -> None:
    with pytest.raises(TargetNotAllowed, match=reason):
        find_cookie_host(domain, host, target)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.css_selector import explain_bad_selector

CSS = [
    "img",
    "*",
    "#captcha",
    ".captcha-image.big",
    "form#login img[src*='captcha']",
    'img[src^="/code" i]',
    "img[alt=captcha i]",
    "div > p + img ~ span , #b",
    "  img  ",
    "img[alt='验证码']",
    ".验证码",
    r".a\:b #\31 23",
    "li:nth-child(2n+1) img:not(.logo):first-of-type",
    "tr:nth-last-child(-n + 3 of .row)",
    "form:has(> input[name=code]) img",
    ":is(h1, h2):lang(en, 'de') > a:any-link",
    "button[type=submit]:enabled",
    "[data-x]",
    "input[name='a]b>>c']",
]
OTHER_LANGUAGES = [
    "xpath=//img",
    "//img",
    "..",
    "/html/body",
    "text=Log in",
    "text=/log/i",
    '"Log in"',
    "'Log in'",
    "css=img",
    "id=captcha",
    "data-testid=x",
    "_react=Button",
    "internal:role=button",
    "internal:control=enter-frame",
    "internal:text",
    "form >> img",
    "form>>img",
    "*css=form >> img",
    "img >> nth=0",
    "img:visible",
    "img:has-text('x')",
    "button:text('Log in')",
    ":nth-match(img, 2)",
    ":light(img)",
    "img:right-of(p)",
    "p::before",
    "role=button[name='x']",
    "javascript:alert(1)",
]
BROKEN = [
    "",
    "  ",
    ",",
    "img,",
    "img >",
    "> img",
    "[",
    "[a",
    "[a=1]",
    "img:not(",
    "img:not()",
    "#",
    ".",
    "a b)",
    "{}",
    "a|b",
]


@pytest.mark.parametrize("selector", CSS)
def test_css_is_taken(selector: str) -> None:
    assert explain_bad_selector(selector) is None


@pytest.mark.parametrize("selector", [*OTHER_LANGUAGES, *BROKEN])
def test_what_is_no_css_is_refused_with_its_place(selector: str) -> None:
    assert "is not a CSS selector; character " in str(explain_bad_selector(selector))


@pytest.mark.parametrize(
    "selector", [":not(" * 400 + "a" + ")" * 400, "[a=" + r"\aaaaaa" * 250, "a " * 1000, "\\" * 2000]
)
def test_a_text_made_to_be_hard_costs_nothing(selector: str) -> None:
    explain_bad_selector(selector)


@given(st.text() | st.text(alphabet="a#.[]=:()>~+,*'\"\\ n2-|/", max_size=40))
def test_no_text_whatever_breaks_the_check(text: str) -> None:
    assert explain_bad_selector(text) is None or explain_bad_selector(text)

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.candidates import (
    CERTAIN_SCORE,
    POSSIBLE_SCORE,
    Candidate,
    NearbyInput,
    choose,
    choose_selected,
    judge,
    read_candidate,
)

PLAIN = Candidate(
    index=0,
    kind="img",
    source="http://a.example/p.png",
    own="/p.png",
    around="",
    width=160,
    height=60,
    is_visible=True,
    is_loaded=True,
    is_clickable=False,
    is_outside_form=False,
    is_foreign_link=False,
    inputs=(),
    data=None,
)


@pytest.mark.parametrize(
    "words",
    [
        "captcha",
        "imgCaptcha",
        "/kaptcha.jpg",
        "verifyCodeImg",
        "/getVerifyCode?t=1",
        "validateCode",
        "checkcode",
        "authCode",
        "securimage",
        "vcode",
        "yzm_img",
        "点击刷新验证码",
        "code-image",
        "random_code",
    ],
)
def test_captcha_names_in_use_are_known(words: str) -> None:
    assert judge(replace(PLAIN, own=words)).score >= CERTAIN_SCORE


@pytest.mark.parametrize("words", ["/p.png", "barcode", "zipcode", "encode", "recover", "decoder", "/a/b/photo1.jpg"])
def test_other_names_are_no_captcha(words: str) -> None:
    assert judge(replace(PLAIN, own=words)).score < POSSIBLE_SCORE


@pytest.mark.parametrize(
    "words", ["site logo", "user avatar", "qrcode verify", "ad banner", "QR code to verify", "icon"]
)
def test_decoys_are_passed_over(words: str) -> None:
    candidate = replace(PLAIN, own=words, width=120, height=120, inputs=(NearbyInput("user", 20.0),))
    assert choose([candidate]) is None


def test_an_input_for_the_code_beside_it_makes_a_picture_likely() -> None:
    near = replace(PLAIN, inputs=(NearbyInput("captcha", 12.0),))
    far = replace(PLAIN, inputs=(NearbyInput("captcha", 900.0),))
    assert judge(near).score >= CERTAIN_SCORE
    assert judge(far).score < POSSIBLE_SCORE


def test_the_likelier_one_is_chosen_and_the_first_of_equals() -> None:
    named = replace(PLAIN, index=1, own="captcha")
    chosen = choose([PLAIN, named, replace(named, index=2)])
    assert chosen is not None
    assert chosen[0] == named


@pytest.mark.parametrize("changes", [{"is_visible": False}, {"width": 1, "height": 1}, {"height": 8}])
def test_what_nobody_could_read_is_never_chosen(changes: dict[str, int]) -> None:
    assert choose([replace(PLAIN, own="captcha", **changes)]) is None


def test_a_canvas_without_a_drawing_is_not_ready() -> None:
    assert not replace(PLAIN, kind="canvas", data="").is_ready
    assert replace(PLAIN, kind="canvas", data=None).is_ready
    assert not replace(PLAIN, is_loaded=False).is_ready


def test_a_selector_prefers_what_is_visible() -> None:
    hidden, shown = replace(PLAIN, is_visible=False), replace(PLAIN, index=1)
    for candidates, expected in (([hidden, shown], shown), ([hidden], hidden)):
        chosen = choose_selected(candidates)
        assert chosen is not None
        assert chosen[0] == expected
    assert choose_selected([]) is None


@given(st.text(max_size=50), st.text(max_size=50), st.integers(0, 5000), st.integers(0, 5000))
def test_any_choice_is_explained_in_one_line(own: str, around: str, width: int, height: int) -> None:
    candidate = replace(PLAIN, own=own, around=around, width=width, height=height)
    line = judge(candidate).explain(candidate)
    assert len(line.splitlines()) == 1
    assert f"score {judge(candidate).score}" in line


def test_facts_of_a_page_are_read_with_their_types() -> None:
    facts = {
        "index": 3,
        "kind": "canvas",
        "source": "",
        "own": "captcha",
        "around": "",
        "width": 160,
        "height": 60.0,
        "is_visible": 1,
        "is_loaded": True,
        "is_clickable": False,
        "is_outside_form": False,
        "is_foreign_link": False,
        "inputs": [{"words": "code", "distance": 5}],
        "data": "data:image/png;base64,AA==",
    }
    candidate = read_candidate(facts, "#captcha")
    assert candidate.inputs == (NearbyInput("code", 5.0),)
    assert (candidate.height, candidate.is_visible, candidate.selector) == (60, True, "#captcha")

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.finding.candidates import (
    CERTAIN_SCORE,
    POSSIBLE_SCORE,
    Candidate,
    NearbyInput,
    choose,
    choose_selected,
    judge,
    read_candidate,
)
from captchad.browser.finding.wording import FieldPurpose
from captchad.browser.scripts.bounds import Facts

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
    inputs=(),
)


def test_near_the_field_for_the_answer_the_likelier_one_is_chosen_and_elsewhere_none() -> None:
    near = [replace(PLAIN, index=at, own=own, kinship=2) for at, own in enumerate(("logo", "captcha", "code"))]
    far = replace(PLAIN, index=3, own="captcha image", source="/captcha.php?t=1", kinship=5)
    chosen = choose([far, *near])
    assert chosen is not None
    assert chosen[0] == near[1]
    # What can be no captcha keeps none from being found farther away.
    chosen = choose([far, near[0]])
    assert chosen is not None
    assert chosen[0] == far


def test_pieces_in_a_row_are_taken_one_by_one_only_where_the_row_is_no_captcha() -> None:
    pieces = [replace(PLAIN, index=at, own="captcha piece", row=9) for at in range(2)]
    row = replace(PLAIN, index=9, kind="tiles", own="captcha row")
    chosen = choose([*pieces, row])
    assert chosen is not None
    assert chosen[0] == row
    # Without a word of a captcha it is a row of pictures.
    chosen = choose([*pieces, replace(row, own="row")])
    assert chosen is not None
    assert chosen[0] == pieces[0]


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


NEAR = {purpose: NearbyInput(purpose, 20.0) for purpose in FieldPurpose}


@pytest.mark.parametrize(
    "words", ["site logo", "user avatar", "qrcode verify", "ad banner", "QR code to verify", "icon", "w3c valid-xhtml"]
)
@pytest.mark.parametrize("purpose", FieldPurpose)
def test_decoys_are_passed_over_whatever_is_beside_them(words: str, purpose: FieldPurpose) -> None:
    for width in (88, 120, 400):
        assert choose([replace(PLAIN, own=words, width=width, height=120, inputs=(NEAR[purpose],))]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 32, "height": 32, "own": "captcha-refresh.png"},
        {"source": "http://a.example/loading.gif", "own": "captcha"},
        {"part_of": "GeeTest v4", "own": "captcha"},
        {"width": 600, "height": 300, "own": "what-is-a-captcha.png", "inputs": ()},
    ],
)
def test_what_is_named_a_captcha_but_shows_none_is_passed_over(changes: dict[str, object]) -> None:
    inputs = (NEAR[FieldPurpose.OTHER],)
    assert choose([replace(PLAIN, **{"inputs": inputs, **changes})]) is None  # type: ignore[arg-type]


def test_a_banner_above_a_login_is_no_captcha_and_the_same_between_its_fields_may_be_one() -> None:
    banner = replace(PLAIN, source="http://a.example/p", own="/p", inputs=(NEAR[FieldPurpose.UNKNOWN],))
    assert choose([replace(banner, fields_after=3)]) is None
    assert choose([replace(banner, fields_before=2, fields_after=1)]) is not None


def test_an_input_for_the_code_beside_it_makes_a_picture_likely() -> None:
    near = replace(PLAIN, source="http://a.example/p", inputs=(NEAR[FieldPurpose.CAPTCHA],))
    far = replace(near, inputs=(NearbyInput(FieldPurpose.CAPTCHA, 900.0),))
    assert judge(near).score >= CERTAIN_SCORE
    assert judge(far).score < POSSIBLE_SCORE


@given(st.sampled_from(list(FieldPurpose)), st.floats(0, 2000), st.floats(0, 2000))
def test_a_nearer_input_never_makes_a_captcha_less_likely(purpose: FieldPurpose, one: float, other: float) -> None:
    nearer, farther = sorted((one, other))
    scores = [judge(replace(PLAIN, inputs=(NearbyInput(purpose, far),))).score for far in (nearer, farther)]
    assert scores[0] >= scores[1]


@given(st.lists(st.tuples(st.sampled_from(["captcha", "logo", "x"]), st.integers(1, 600), st.integers(1, 300))))
def test_the_choice_is_the_best_of_all_and_always_explained(pictures: list[tuple[str, int, int]]) -> None:
    candidates = [
        replace(PLAIN, index=at, own=own, width=width, height=height)
        for at, (own, width, height) in enumerate(pictures)
    ]
    chosen, scores = choose(candidates), [judge(one).score for one in candidates if one.is_legible]
    assert (chosen is not None) == (max(scores, default=0) >= POSSIBLE_SCORE)
    if chosen is not None:
        assert chosen[1].score == max(scores)
        assert chosen[1].score == sum(points for _, points in chosen[1].grounds)


def test_the_likelier_one_is_chosen_and_the_first_of_equals() -> None:
    named = replace(PLAIN, index=1, own="captcha")
    chosen = choose([PLAIN, named, replace(named, index=2)])
    assert chosen is not None
    assert chosen[0] == named


@pytest.mark.parametrize(
    "unreadable",
    [
        replace(PLAIN, own="captcha", is_visible=False),
        replace(PLAIN, own="captcha", width=1, height=1),
        replace(PLAIN, own="captcha", height=8),
    ],
)
def test_what_nobody_could_read_is_never_chosen(unreadable: Candidate) -> None:
    assert choose([unreadable]) is None


def test_a_canvas_without_a_drawing_is_not_ready() -> None:
    assert not replace(PLAIN, kind="canvas", is_loaded=False).is_ready
    assert replace(PLAIN, kind="canvas").is_ready


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
        "link": "foreign",
        "near": [[1, 5, True], [7, 9, False]],
        "fields_before": 1,
        "fields_after": 0,
        "block": -1,
        "behavioural": None,
        "part_of": None,
        "kinship": 2,
        "is_at_aim": False,
        "row": -1,
        "is_pending": False,
    }
    candidate = read_candidate(Facts(facts), (FieldPurpose.OTHER, FieldPurpose.CAPTCHA), "#captcha")
    assert candidate.inputs == (NearbyInput(FieldPurpose.CAPTCHA, 5.0),)
    assert candidate.link == "foreign"
    assert (candidate.height, candidate.is_visible, candidate.selector) == (60, True, "#captcha")

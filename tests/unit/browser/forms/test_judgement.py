"""The judgement of an answer that no condition of its task judges."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.forms.answer_signs import FrameAftermath, read_aftermath
from captchad.browser.forms.judgement import (
    WEIGHTS,
    Signs,
    accepts_by_address,
    judge_signs,
    names_acceptance,
    names_refusal,
    names_signed_in,
    refuses_by_address,
)
from captchad.browser.scripts.bounds import LINES_LIMIT, NUMBER_LIMIT, TAMPERED, WORDS_LENGTH, Facts

NAMES = [one.name for one in fields(Signs)]
SIGNS = st.builds(Signs, **{name: st.booleans() for name in NAMES})


def test_every_sign_has_a_weight() -> None:
    assert set(WEIGHTS) == set(NAMES)
    assert 0 not in WEIGHTS.values()


@given(SIGNS, st.sampled_from(NAMES))
def test_a_sign_moves_the_judgement_its_own_way_alone(signs: Signs, name: str) -> None:
    without, with_it = (judge_signs(replace(signs, **{name: value})) for value in (False, True))
    assert 0 <= min(without, with_it) <= max(without, with_it) <= 1
    assert (with_it - without) * WEIGHTS[name] >= 0


@pytest.mark.parametrize("name", NAMES)
def test_no_sign_is_without_effect(name: str) -> None:
    assert judge_signs(replace(Signs(), **{name: True})) != judge_signs(Signs())


@pytest.mark.parametrize(
    "line",
    [
        "The code is incorrect",
        "Your answer could not be verified",
        "请输入正确的验证码",
        "驗證碼錯誤",
        "Код введён неверно",
        "Der Code ist ungültig",
        "Le code est erroné",
        "Código inválido",
        "O código não confere",
        "Codice errato",
        "コードが違います",
        "보안문자가 틀렸습니다",
        "Güvenlik kodu yanlış",
        "Błędny kod z obrazka",
        "Felaktig kod",
        "Virheellinen koodi",
        "Chybný kód",
        "Hibás kód",
        "Cod greșit",
        "Λάθος κωδικός",
        "رمز التحقق غير صحيح",
        "کد امنیتی اشتباه است",
        "קוד שגוי",
        "गलत कोड",
        "รหัสไม่ถูกต้อง",
        "Mã xác nhận không đúng",
        "Kode yang Anda masukkan salah",
        '{"success":false}',
    ],
)
def test_a_refusal_is_read_in_its_language(line: str) -> None:
    assert names_refusal(line)
    assert not names_acceptance(line)


@pytest.mark.parametrize(
    "line",
    [
        "Welcome back",
        "登录成功",
        "Добро пожаловать",
        "Erfolgreich angemeldet",
        "Merci !",
        "ありがとうございます",
        "감사합니다",
        "Başarıyla gönderildi",
        "مرحبا بك",
        "Cảm ơn bạn",
    ],
)
def test_an_acceptance_is_read_in_its_language(line: str) -> None:
    assert names_acceptance(line)
    assert not names_refusal(line)


def test_what_only_signed_in_people_see_is_read() -> None:
    assert names_signed_in("Log out")
    assert names_signed_in("Выйти")
    assert not names_signed_in("Log in")


def test_an_address_is_read_in_its_path_and_query() -> None:
    assert refuses_by_address("http://a.example/login?error=1")
    assert accepts_by_address("http://a.example/thank-you")
    assert not accepts_by_address("http://a.example/welcome?error=1")
    assert not refuses_by_address("http://error.example/")


FACTS: dict[str, object] = {
    "document": 1.5, "field": True, "empty": False, "invalid": False, "near": [], "lines": [], "bad": 0, "good": 0,
}  # fmt: skip


def test_what_a_page_says_is_cut_at_the_border() -> None:
    lines = [f"{number} {'x' * 5000}" for number in range(5000)]
    read = read_aftermath(Facts(FACTS | {"lines": lines, "near": [*lines, 7], "bad": 1e300}))
    assert max(len(read.lines), len(read.near)) <= LINES_LIMIT
    assert max(map(len, read.lines | read.near)) <= WORDS_LENGTH
    assert read.bad == NUMBER_LIMIT


@given(st.dictionaries(st.sampled_from([*FACTS, "other"]), st.none() | st.text() | st.floats() | st.lists(st.text())))
def test_an_answer_of_another_shape_is_read_or_refused(facts: dict[str, object]) -> None:
    try:
        read = read_aftermath(Facts(FACTS | facts))
    except TAMPERED:
        return
    assert isinstance(read, FrameAftermath)

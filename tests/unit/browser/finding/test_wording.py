"""The words of many languages' sites are understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.finding import vocabulary
from captchad.browser.finding.wording import (
    FieldPurpose,
    asks_contact,
    find_purpose,
    hints_captcha,
    names_captcha,
    names_control,
    names_decoy,
    names_stand_in,
    promises_captcha,
)
from captchad.browser.scripts.bounds import WORDS_LENGTH
from captchad.domain.folding import SHORT_LENGTH, UNFOLDING, fold

LABELS = {
    "English": "Enter the characters you see",
    "Chinese": "请输入验证码",
    "Chinese, traditional": "請輸入驗證碼",
    "Russian": "Введите код с картинки",
    "Ukrainian": "Введіть код із зображення",
    "Spanish": "Escriba el código de seguridad",
    "Portuguese": "Digite o código da imagem",
    "French": "Recopiez le code ci-dessous",
    "German": "Sicherheitscode eingeben",
    "Italian": "Inserisci il codice di sicurezza",
    "Japanese": "画像に表示されている文字を入力",
    "Korean": "자동입력방지 문자를 입력하세요",
    "Turkish": "Güvenlik Kodu",
    "Polish": "Przepisz kod z obrazka",
    "Dutch": "Neem de tekens in de afbeelding over",
    "Swedish": "Säkerhetskod",
    "Czech": "Opište kód z obrázku",
    "Hungarian": "Biztonsági kód",
    "Romanian": "Codul din imagine",
    "Greek": "Κωδικός ασφαλείας",
    "Arabic": "أدخل رمز التحقق",
    "Persian": "کد امنیتی را وارد کنید",
    "Hebrew": "הקלד את התווים שבתמונה",
    "Vietnamese": "Nhập mã xác nhận",
    "Indonesian": "Masukkan kode verifikasi",
    "Thai": "กรอกตัวอักษรในภาพ",
    "Hindi": "सुरक्षा कोड दर्ज करें",
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS.keys())
def test_a_label_in_any_language_asks_for_a_captcha(label: str) -> None:
    assert names_captcha(label)
    assert find_purpose("f3", label, "", can_send=False) is FieldPurpose.CAPTCHA
    assert find_purpose(f"f3 {label}", "", "", can_send=False) is FieldPurpose.CAPTCHA


@pytest.mark.parametrize("word", ["barcode", "zipcode", "encode", "recover", "decoder", "photo1.jpg", "unicode", ""])
def test_other_words_name_no_captcha(word: str) -> None:
    assert not names_captcha(word)


@pytest.mark.parametrize("spelling", ["CÓDIGO DE SEGURIDAD", "codigo de seguridad", "código  de\nseguridad"])
def test_case_accents_and_spaces_do_not_matter(spelling: str) -> None:
    assert names_captcha(spelling)


PURPOSES = [
    ("name=captcha", "", "", False, FieldPurpose.CAPTCHA),
    ("imgcode placeholder 图形验证码", "", "获取验证码", True, FieldPurpose.CAPTCHA),
    ("captcha", "", "Resend SMS", True, FieldPurpose.CAPTCHA),
    ("answer", "", "", False, FieldPurpose.CODE),
    ("f7", "Code:", "", False, FieldPurpose.CODE),
    ("f7", "", "", False, FieldPurpose.UNKNOWN),
    ("username", "", "", False, FieldPurpose.OTHER),
    ("q", "", "", False, FieldPurpose.OTHER),
    ("type=tel phone", "", "", False, FieldPurpose.OTHER),
    ("zip code", "", "", False, FieldPurpose.OTHER),
    ("coupon_code", "", "", False, FieldPurpose.OTHER),
    ("smsCode 验证码", "", "", False, FieldPurpose.OTHER),
    ("code one-time-code", "", "", False, FieldPurpose.OTHER),
    ("otp", "", "", False, FieldPurpose.OTHER),
    ("code 验证码", "", "获取验证码", True, FieldPurpose.OTHER),
    ("verification code", "We sent a code to your phone", "", False, FieldPurpose.OTHER),
    ("code", "", "Resend", False, FieldPurpose.OTHER),
]


@pytest.mark.parametrize(("words", "before", "after", "can_send", "purpose"), PURPOSES)
def test_fields_are_told_apart(words: str, before: str, after: str, can_send: bool, purpose: FieldPurpose) -> None:
    assert find_purpose(words, before, after, can_send=can_send) is purpose


PROMISES = [
    ("Show captcha", False, True),
    ("Click to load the captcha", False, True),
    ("点击显示验证码", False, True),
    ("获取验证码", False, True),
    ("获取验证码", True, False),
    ("点击显示验证码", True, True),
    ("Показать капчу с кодом с картинки", False, True),
    ("Mostrar código de seguridad", False, True),
    ("보안문자 보기", False, True),
    ("Show code", False, False),
    ("Get code", False, False),
    ("Show password", False, False),
    ("Submit captcha", False, False),
    ("Refresh captcha", False, False),
    ("换一张验证码", False, False),
    ("Play audio captcha", False, False),
    ("发送短信验证码", False, False),
    ("What is a captcha?", False, False),
    ("Pokaż captcha i kup", False, False),
    ("captcha", False, False),
    ("", False, False),
]


@pytest.mark.parametrize(("words", "can_send", "is_promise"), PROMISES)
def test_only_what_says_that_it_shows_a_captcha_is_clicked(words: str, can_send: bool, is_promise: bool) -> None:
    assert promises_captcha(words, can_send=can_send) is is_promise


@given(st.text(max_size=40), st.sampled_from(vocabulary.UNTOUCHABLE_TERMS), st.text(max_size=40), st.booleans())
def test_what_must_not_be_clicked_is_not_whatever_else_it_says(
    before: str, term: str, after: str, can_send: bool
) -> None:
    assert not promises_captcha(f"{before} show captcha {term} {after}", can_send=can_send)


@given(st.sampled_from(vocabulary.CAPTCHA_TERMS), st.sampled_from(["{}", "<{}>", "x {} y", "{}:"]))
def test_every_listed_term_is_known_in_any_case(term: str, frame: str) -> None:
    for spelling in (term, term.upper(), term.title()):
        assert names_captcha(frame.format(spelling)) or spelling.casefold() != term.casefold()


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for tell in (names_captcha, hints_captcha, names_decoy, names_control, names_stand_in, asks_contact):
        assert tell(text) in {True, False}


@given(st.text(max_size=300))
def test_a_folded_text_is_hardly_longer(text: str) -> None:
    assert len(fold(text + "\ufdfa" * 300)) <= UNFOLDING * (len(text) + 300) + SHORT_LENGTH


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS.keys())
def test_a_label_at_the_end_of_a_long_text_of_its_language_is_seen(label: str) -> None:
    assert names_captcha((label[:1] * 200 + " " + label)[:WORDS_LENGTH]) is names_captcha(label)

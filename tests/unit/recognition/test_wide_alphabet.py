from string import ascii_letters, ascii_lowercase, digits

import pytest

from captchad.domain.charsets import ARABIC_DIGITS, CYRILLIC, PERSIAN_DIGITS, find_unreadable, list_readable
from captchad.recognition.model import load_model
from captchad.recognition.wide_alphabet import (
    is_of_one_script,
    list_columns,
    map_arithmetic_columns,
    map_columns,
    settle_case,
    spell,
    to_columns,
)
from captchad.recognition.wide_engine import find_wide_model


def test_the_packaged_models_read_exactly_what_the_gateway_accepts() -> None:
    wide = load_model(find_wide_model()).symbols
    assert wide == list_columns()
    # Each symbol that the gateway accepts has a column, and the other way about.
    assert {to_columns(symbol) for symbol in list_readable()} - set("–−✕") <= set(wide)
    assert find_unreadable(wide) == ()
    assert find_unreadable(load_model().symbols) == ()


def test_no_column_stands_for_two_things() -> None:
    assert len(list_columns()) == len(set(list_columns()))
    for mapping in (map_columns(None, is_case_known=True), map_arithmetic_columns()):
        assert set(mapping) <= set(list_columns())


@pytest.mark.parametrize(
    ("columns", "charset", "text"),
    [
        ("KИT", None, "КИТ"),
        ("CAT", None, "CAT"),
        ("MOCKBA", None, "MOCKBA"),
        ("MOCKBA", CYRILLIC, "МОСКВА"),
        ("MOCKBA", ascii_letters, "MOCKBA"),
        ("CAШA", CYRILLIC + ascii_letters, "САША"),
        ("CAB", CYRILLIC + ascii_letters, "CAB"),
        ("۱۲۳", None, "۱۲۳"),
        ("۱٤۳", None, "١٤٣"),
        ("۱۲۳", ARABIC_DIGITS, "١٢٣"),
        ("۱۲۳", PERSIAN_DIGITS, "۱۲۳"),
        ("三A加", None, "三A加"),
    ],
)
def test_what_two_scripts_share_is_spelled_by_the_charset_or_the_neighbours(
    columns: str, charset: str | None, text: str
) -> None:
    assert spell(columns, charset) == text


@pytest.mark.parametrize("text", ["ABC12", "三A加5", "КОТ7", "۱۲۳", "٤٥١", "a@#"])
def test_scripts_that_captchas_mix_go_together(text: str) -> None:
    assert is_of_one_script(text)


@pytest.mark.parametrize("text", ["A۱", "1۲", "Zя", "三Я", "۴٤"])
def test_scripts_that_no_captcha_mixes_do_not(text: str) -> None:
    assert not is_of_one_script(text)


@pytest.mark.parametrize(
    ("text", "charset", "settled"),
    [
        ("щжДяБц", None, "ЩЖДЯБЦ"),
        ("щЖдя", None, "щждя"),
        ("БаЖ", None, "БаЖ"),
        ("щжДя7", None, "щждя7"),
        ("Aя", None, "Aя"),
        ("щЖ", "щЖ", "щЖ"),
    ],
)
def test_cyrillic_letters_are_of_one_case(text: str, charset: str | None, settled: str) -> None:
    assert settle_case(text, charset) == settled


def test_a_charset_chooses_its_columns_and_what_looks_like_them() -> None:
    mapping = map_columns("三еЗ?", is_case_known=True)
    assert {mapping["三"], mapping["e"], mapping["З"], mapping["?"]} == {"三", "e", "З", "?"}
    # Nothing else may be read, so these are meant where these are seen.
    assert (mapping["E"], mapping["3"], mapping["？"]) == ("e", "З", "?")
    assert map_columns("З3", is_case_known=True)["3"] == "3"


def test_without_case_only_lower_case_is_spelled() -> None:
    mapping = map_columns(ascii_letters + digits, is_case_known=False)
    assert set(mapping.values()) == set(ascii_lowercase + digits)
    assert mapping["A"] == "a"

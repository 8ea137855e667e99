import subprocess
import sys
from string import ascii_letters, digits, punctuation

import pytest

from captchad.domain.charsets import (
    ARABIC_DIGITS,
    CYRILLIC,
    PERSIAN_DIGITS,
    describe_unreadable,
    find_unreadable,
    list_chinese,
)


def test_the_chinese_characters_are_those_of_both_lists() -> None:
    characters = list_chinese()
    assert len(characters) == len(set(characters)) == 3873
    assert characters.startswith("啊阿埃挨")
    assert all("一" <= character <= "鿿" for character in characters)
    assert set("三加乘除减等于得几啰瞭匕") <= set(characters)


@pytest.mark.parametrize(
    "charset",
    [
        ascii_letters + digits,
        punctuation,
        "+-×÷=?",
        CYRILLIC,
        PERSIAN_DIGITS,
        ARABIC_DIGITS,
        list_chinese(),
        "＝？ＡＢ３",
        "ab \t",
    ],
)
def test_what_captchad_reads_is_accepted(charset: str) -> None:
    assert find_unreadable(charset) == ()


def test_each_symbol_that_nothing_reads_is_named_once_and_in_order() -> None:
    assert find_unreadable("aあ€bあ龘") == ("あ", "€", "龘")
    assert describe_unreadable(("あ", "€")) == "no engine reads あ €"


def test_no_model_is_loaded_to_know() -> None:
    code = (
        "import sys; from captchad.domain.charsets import find_unreadable; assert find_unreadable('龘中');"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'onnxruntime', 'numpy', 'PIL'})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""

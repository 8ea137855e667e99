"""What a page says of the characters it wants: one colour, a position, or something that is not understood."""

import pytest

from captchad.domain.instructions import find_instruction
from captchad.domain.recognition import Instruction, Position, Side

LAST_THREE = Position(Side.LAST, 3)


@pytest.mark.parametrize(
    ("words", "colour"),
    [
        ("Enter only the red letters", "red"),
        ("Please type the BLUE characters you see.", "blue"),
        ("enter the red characters (not case sensitive)", "red"),
        ("Type the characters in green", "green"),
        ("Enter the letters that are shown in the colour violet", "purple"),
        ("Only the black text counts", "black"),
        ("Enter the grey digits, ignore the others", "gray"),
        ("只输入红色字符", "red"),
        ("请输入图中蓝色的字母", "blue"),
        ("請輸入綠色數字", "green"),
        ("请填写颜色为黄色的字符", "yellow"),
        ("请输入红色字，不区分大小写", "red"),
        ("仅填写黑色验证码，看不清？换一张", "black"),
    ],
)
def test_one_colour_is_clear(words: str, colour: str) -> None:
    assert find_instruction(words) == Instruction(colour)


@pytest.mark.parametrize(
    ("words", "position"),
    [
        ("Enter the last three characters", LAST_THREE),
        ("enter only the last 3 letters of the code", LAST_THREE),
        ("Type the first four digits", Position(Side.FIRST, 4)),
        ("Enter only the last letter", Position(Side.LAST, 1)),
        ("请输入后三位", LAST_THREE),
        ("请输入验证码的最后3位", LAST_THREE),
        ("只填写前四个字符", Position(Side.FIRST, 4)),
        ("请输入前两位", Position(Side.FIRST, 2)),
    ],
)
def test_so_many_from_one_end_are_clear(words: str, position: Position) -> None:
    assert find_instruction(words) == Instruction(None, position)


def test_colour_and_position_go_together() -> None:
    assert find_instruction("Enter the last three red letters") == Instruction("red")
    assert find_instruction("Enter the red letters. Enter only the first 2 characters.") == Instruction(
        "red", Position(Side.FIRST, 2)
    )
    assert find_instruction("请输入红色字符的后三位") == Instruction("red", LAST_THREE)


@pytest.mark.parametrize(
    "words",
    [
        "Enter the red and blue letters",
        "Enter the letters that are not red",
        "Enter all letters except the red letters",
        "Enter every second letter",
        "Type the characters in reverse order",
        "Enter the letters from right to left",
        "Enter the second and fourth letters",
        "Enter the first two and the last two letters",
        "Type only the underlined characters",
        "请输入红色和蓝色的字符",
        "请输入除红色以外的字符",
        "请输入第二位和第四位",
        "请倒序输入验证码",
    ],
)
def test_what_is_more_than_that_is_noticed_but_not_clear(words: str) -> None:
    found = find_instruction(words)
    assert found is not None
    assert not found.is_clear


@pytest.mark.parametrize(
    "words",
    [
        "Enter the characters you see",
        "Enter the code shown in the image. Letters are not case sensitive.",
        "Type the letters, digits only",
        "Fields marked in red are required. Enter the characters:",
        "form red text enter the code",
        "Enter the characters blue-box",
        "Enter the last four digits of your card",
        "Red letters day",
        "请输入验证码",
        "请输入图片中的字符，看不清换一张",
        "红色星号为必填项 请输入验证码",
        "请输入手机号后四位",
        "enter the characters without spaces",
        "",
    ],
)
def test_ordinary_words_are_no_instruction(words: str) -> None:
    assert find_instruction(words) is None

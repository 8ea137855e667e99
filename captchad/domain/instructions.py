"""Finds what a page says of which characters of its captcha are wanted, in English and Chinese."""

import re
from functools import lru_cache

from captchad.domain.folding import REMEMBERED_TEXTS, fold
from captchad.domain.recognition import Instruction, Position, Side

# CSS's own brown is nearly red and its own pink nearly white, unlike what people call so.
_BROWN, _PINK = "saddlebrown", "hotpink"
_ENGLISH_COLOURS = {
    name: name for name in ("red", "blue", "green", "yellow", "orange", "purple", "black", "cyan", "magenta")
} | {"violet": "purple", "gray": "gray", "grey": "gray", "white": "white", "brown": _BROWN, "pink": _PINK}
_CHINESE_COLOURS = {
    letter: name
    for letters, name in (
        ("红紅", "red"),
        ("蓝藍", "blue"),
        ("绿綠", "green"),
        ("黄黃", "yellow"),
        ("橙橘", "orange"),
        ("紫", "purple"),
        ("粉", _PINK),
        ("黑", "black"),
        ("棕褐", _BROWN),
        ("灰", "gray"),
        ("青", "cyan"),
        ("白", "white"),
    )
    for letter in letters
}
_COLOURS = _ENGLISH_COLOURS | _CHINESE_COLOURS
_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS, 1)}
_NUMBERS |= {letter: number for number, letter in enumerate("一二三四五六七八九", 1)} | {"两": 2, "兩": 2}

_COLOUR = f"({'|'.join(_ENGLISH_COLOURS)})"
_NOUN = r"(?:letters?|characters?|chars?|digits?|numbers?|symbols?)"
_NUMBER = f"({'|'.join(word for word in _NUMBERS if word.isascii())}|[1-9])"
_HAN_COLOUR = f"([{''.join(_CHINESE_COLOURS)}])色?"
_HAN_NOUN = "(?:字符|字母|数字|數字|文字|汉字|漢字|字|验证码|驗證碼|部分)"
_HAN_NUMBER = f"([{''.join(word for word in _NUMBERS if not word.isascii())}1-9])"

_SENTENCE_ENDS = re.compile(r"[.!?;。！？；|]")
# It is no instruction of this kind, though it reads like a negation.
_IRRELEVANT = re.compile(
    r"\(?(not |non-?|is not )?case[- ]?(in)?sensitiv\w*\)?|不区分大小写|不區分大小寫|不分大小写"
    r"|(ignore|not|skip) (all )?(the )?(other|rest)\w*|(不要|忽略|无需|不用)(输入|填写)?其[他它余]"
)
_CUE = re.compile(r"\b(only|just|enter|type|input|fill|write|copy|retype)\b|[只仅僅]|输入|輸入|填写|填寫|填入|键入")
_NEGATION = re.compile(
    r"\b(not|don't|except|ignore|ignoring|without|other than|excluding|skip|omit)\b"
    r"|除|不要|不是|忽略|以外|之外|排除|跳过"
)
_COLOUR_PHRASES = (
    re.compile(rf"\b{_COLOUR}(?:[- ]colou?red)? {_NOUN}\b"),
    re.compile(rf"\b{_NOUN} (?:(?:that|which) )?(?:(?:are|is) )?(?:\w+ )?in (?:the colou?r )?{_COLOUR}\b"),
    re.compile(rf"\b{_NOUN} (?:(?:that|which) )?(?:are|is) (?:not )?{_COLOUR}\b"),
    re.compile(rf"\bonly (?:the )?{_COLOUR} (?:text|ones?|code|part)\b"),
    re.compile(rf"\bonly (?:the )?(?:text|code|part) (?:that is )?in {_COLOUR}\b"),
    re.compile(f"{_HAN_COLOUR}的?{_HAN_NOUN}"),
    re.compile(f"颜色[为是]?{_HAN_COLOUR}"),
    re.compile(f"除了?{_HAN_COLOUR}"),
    re.compile(f"[只仅僅]?(?:输入|輸入|填写|填寫){_HAN_COLOUR}"),
)
_ANY_COLOUR = re.compile(rf"\b{_COLOUR}\b|([{''.join(_CHINESE_COLOURS)}])色")
_POSITION_PHRASES = (
    re.compile(rf"\b(first|last|final) (?:{_NUMBER} )?{_NOUN}\b"),
    re.compile(f"(前|后|後|末)(?:面)?的?{_HAN_NUMBER}(?:位|个|個|字|数字|字母)"),
)
_SIDES = {"first": Side.FIRST, "前": Side.FIRST}
# Those of a card or of a telephone are no captcha's.
_ELSEWHERE = re.compile(
    r"\bof (your|my|the (card|phone|account))|手机|手機|电话|電話|银行卡|卡号|身份证|身份證|学号|尾号"
)
_UNCLEAR = re.compile(
    rf"\b(every|each) (second|third|other) {_NOUN}"
    r"|\b(second|third|fourth|fifth|sixth|middle|[2-9](nd|rd|th)|largest|biggest|smallest|bold|underlined|circled"
    rf"|crossed([- ]out)?|odd|even|italic|tilted|highlighted|hollow|outlined) (and \w+ )?(?:{_NUMBER} )?{_NOUN}"
    rf"|\b(first|last|final) (?:{_NUMBER} )?(and|or)\b.{{0,30}}{_NOUN}"
    r"|\b(in )?reversed? order\b|\bbackwards?\b|\bright to left\b|\balphabetical order\b"
    rf"|\b(except|ignore|excluding|omit)\b.{{0,30}}{_NOUN}"
    f"|第{_HAN_NUMBER}[个個位]|倒序|倒着|反序|逆序|[从從]右[到往]左|奇[数數]位|偶[数數]位|中[间間]的?{_HAN_NUMBER}"
    "|最大的|最小的"
)


@lru_cache(maxsize=REMEMBERED_TEXTS)
def find_instruction(words: str) -> Instruction | None:
    """Return what words around a captcha say of the characters that are wanted; None where they say nothing.

    It is clear where they name one colour, or so many characters from one end, or both; otherwise nothing is set.
    """
    colours: set[str] = set()
    positions: set[Position] = set()
    is_clear = True
    for sentence in _SENTENCE_ENDS.split(_IRRELEVANT.sub(" ", fold(words))):
        if not _CUE.search(sentence):
            continue
        named, counted = _find_colours(sentence), _find_positions(sentence)
        colours |= named
        positions |= counted
        is_negated = bool(named or counted) and _NEGATION.search(sentence) is not None
        is_clear &= not is_negated and _UNCLEAR.search(sentence) is None
    is_clear &= len(colours) <= 1 and len(positions) <= 1
    if not is_clear:
        return Instruction()
    if not colours and not positions:
        return None
    return Instruction(next(iter(colours), None), next(iter(positions), None))


def _find_colours(sentence: str) -> set[str]:
    """Return all colours of a sentence that says of characters that they have one."""
    if not any(phrase.search(sentence) for phrase in _COLOUR_PHRASES):
        return set()
    spoken = [match for phrase in (*_COLOUR_PHRASES, _ANY_COLOUR) for match in phrase.finditer(sentence)]
    return {_COLOURS[group] for match in spoken for group in match.groups() if group}


def _find_positions(sentence: str) -> set[Position]:
    if _ELSEWHERE.search(sentence):
        return set()
    found = [match.groups() for phrase in _POSITION_PHRASES for match in phrase.finditer(sentence)]
    return {Position(_SIDES.get(side, Side.LAST), _read_number(number)) for side, number in found}


def _read_number(word: str | None) -> int:
    if word is None:
        return 1
    return _NUMBERS.get(word) or int(word)

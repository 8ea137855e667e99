"""Which symbols captchad's own engines read, known without loading any of them.

The Chinese characters are the 3,755 of the first level of GB/T 2312-1980 but for an obsolete one (Python's codec has
them in the standard's order), and the 119 that the first level, 3,500 characters, of the List of Commonly Used Standard
Chinese Characters of 2013 has besides. Both are published by the Chinese state and free of copyright.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from string import ascii_letters, digits, punctuation

CYRILLIC = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя"
PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
OPERATOR_SIGNS = "×÷−–✕"

_FIRST_ROW, _LAST_ROW = 0xB0, 0xD7
_FIRST_CELL, _LAST_CELL, _LAST_CELL_OF_LAST_ROW = 0xA1, 0xFE, 0xF9
# The published weights that the engine began with do not know it.
_UNREAD_CHINESE = "硷"
_FURTHER_CHINESE = (
    "匕丐夭叽叩叨吆妃芙尬岖沐祀姊卦拗茉咄肴怡玷盹咧咪贻胧炫浏祠莺桦唠蚣蚪蚓唧悖冥捺聆匾蚯啰帷崛铐铛笙偎徙豚庵涮悴雳睐跛蜓掰筝皓猬渲"
    "愕愣禅鹉瑙榄尴嗦跷跤蜈馍禀缤榕蜻嘀箫魅潇橄嘹蝠蝌蝙鲫鲨憔翩缭薇噩橘霎踱蹂蟆螃鹦瘾缰檐瞭蟋蟀朦臊鳄鳍璧巅簸鬓馨躏黯"
)


@cache
def list_chinese() -> str:
    """Return the Chinese characters that are read, in the standard's order."""
    return "".join(_decode_first_level()).replace(_UNREAD_CHINESE, "") + _FURTHER_CHINESE


@cache
def list_readable() -> frozenset[str]:
    """Return every symbol that one of captchad's own engines reads."""
    return frozenset(
        ascii_letters + digits + punctuation + OPERATOR_SIGNS + CYRILLIC + PERSIAN_DIGITS + ARABIC_DIGITS
    ) | frozenset(list_chinese())


def find_unreadable(charset: str, readable: frozenset[str] | None = None) -> tuple[str, ...]:
    """Return a charset's symbols that are not readable, each once; white space and full-width forms never count."""
    known = list_readable() if readable is None else readable
    return tuple(
        symbol
        for symbol in dict.fromkeys(charset)
        if not symbol.isspace() and symbol not in known and to_plain_width(symbol) not in known
    )


def describe_unreadable(symbols: tuple[str, ...]) -> str:
    """Name symbols that are not read in one sentence."""
    return f"no engine reads {' '.join(symbols)}"


def to_plain_width(symbol: str) -> str:
    """Return the plain form of a full-width symbol (＝ is =), and any other symbol as it is."""
    return unicodedata.normalize("NFKC", symbol) if unicodedata.east_asian_width(symbol) == "F" else symbol


def _decode_first_level() -> Iterator[str]:
    for row in range(_FIRST_ROW, _LAST_ROW + 1):
        last = _LAST_CELL_OF_LAST_ROW if row == _LAST_ROW else _LAST_CELL
        yield bytes(byte for cell in range(_FIRST_CELL, last + 1) for byte in (row, cell)).decode("gb2312")

"""Characters that are no symbol of the model: letters and digits of other scripts, and pictograms.

Those that look like a Latin letter or a digit are left out: a picture of them alone can't tell.
"""

import random
import string
from collections.abc import Sequence

from captchad.training.alphabet import UNKNOWN
from captchad.training.pictures.texts import ShownText, draw_text


def _list_common_chinese() -> str:
    """Return the 3,755 characters of GB 2312's first level, in its order."""
    rows, cells = range(0xB0, 0xD8), range(0xA1, 0xFF)
    return bytes(byte for row in rows for cell in cells for byte in (row, cell)).decode("gb2312", "ignore")


def _list_range(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


SCRIPTS = {
    "БГДЖИЙЛПФЦЧШЩЫЭЮЯджйлфцчшщыэюя": 5,
    "ΓΔΘΛΞΠΣΦΨΩδζθλμξπσφψ": 2,
    "אבגדהזחטכלמנעפצקרש": 1,
    "აბგდევზთიკლმნპჟრსტუფქღყშჩცძწჭხჯჰ": 1,
    "ԱԲԳԴԵԶԷԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՉՊՋՌՎՏՐՓՔ": 1,
    "بتثجحخدذرزسشصضطظعغفقكلمنهي": 2,
    "۲۳۴۶۷۸۹": 1,
    "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศสหอ": 1,
    "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह": 1,
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれわを": 1,
    "アイウエオカキクケコサシスセソタチツテトナヌネヒフヘホマミムメモヤユヨラリルレワヲ": 1,
    _list_range("가", "깋"): 1,
    _list_common_chinese().removeprefix("啊")[:3500]: 6,
    "★☆♥♠♣♦♪♫☀☁☂☎✂✈✉✿❄■▲▼◆→←↑↓": 2,
    "ÄÖÜßÅÆØÇÑÉÈÊàäåæçéèêëñöøüß": 1,
    "€£¥§¶µ∞∑√≈≠≤≥©®": 1,
}
"""The characters of each script, with its weight."""

SAMPLE_CHARACTERS = 12
"""A font that has the first so many characters of a script is taken to have all."""

_WHOLE_CHANCE = 0.5


def find_script(text: str) -> str | None:
    """Return all characters of the script that a text has a character of; None where it has none."""
    return next((script for script in SCRIPTS for character in text if character in _SETS[script]), None)


def draw_foreign(source: random.Random, scripts: Sequence[str]) -> ShownText:
    """Draw a text of one of the scripts, or one of the model's symbols with a character or two of it between them."""
    [script] = source.choices(scripts, [SCRIPTS[script] for script in scripts])
    if source.random() < _WHOLE_CHANCE:
        drawn = "".join(source.choices(script, k=source.randint(2, 7)))
    else:
        known = draw_text(source, shortest=3, longest=7).drawn
        places = source.sample(range(len(known)), source.choice((1, 1, 2)))
        drawn = "".join(source.choice(script) if place in places else letter for place, letter in enumerate(known))
    return ShownText(drawn, "".join(UNKNOWN if character not in _KNOWN else character for character in drawn))


_SETS = {script: frozenset(script) for script in SCRIPTS}
_KNOWN = frozenset(string.ascii_letters + string.digits)

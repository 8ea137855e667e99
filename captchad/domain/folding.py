"""Spells text in one way, so that words can be looked for in it."""

import unicodedata
from functools import lru_cache

# The same texts come up at every scan of a page. Each is short, so that what is remembered is some megabytes at most.
REMEMBERED_TEXTS = 512
UNFOLDING = 3
"""How many times longer a text may become: Korean syllables treble it, but one letter (U+FDFA) can become eighteen."""

SHORT_LENGTH = 64
"""Texts as short as the vocabulary's terms are never cut."""


@lru_cache(maxsize=REMEMBERED_TEXTS)
def fold(text: str) -> str:
    """Return text without case, accents and width, so that one spelling of a word stands for all."""
    # Twice: case folding can leave characters that decompose further.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = decomposed[: UNFOLDING * len(text) + SHORT_LENGTH]
    plain = "".join(letter for letter in kept if not unicodedata.combining(letter))
    return " ".join(plain.replace("’", "'").replace("ı", "i").replace("ł", "l").split())

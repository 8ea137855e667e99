"""The pictures of a run: drawn once, and told to every engine alike."""

import random
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase, digits

from captchad.domain.recognition import CaptchaKind, Hints
from captchad.training.pictures.acceptance import find_answer, find_rule
from captchad.training.pictures.catalogue import CATALOGUE, load_families
from captchad.training.pictures.source import Family
from tests.benchmarks.recognition.labelled import LabelledPicture

EMPTY_FAMILY = "empty"
BEST_KNOWN = frozenset(
    {
        "captcha",
        "svg-captcha",
        "svg-captcha-sum",
        "django-simple-captcha",
        "django-simple-captcha-sum",
        "wheezy.captcha",
        "captchapng2",
        "trek-captcha",
        "ppfun-captcha",
        "Authen::Captcha",
        "GD::SecurityImage",
        "simple_captcha2",
    }
)
"""The generators that sites most likely have."""

_DRAWN_HERE = ("synthetic", "designs", "groups", "signs", "foreign", "wide", EMPTY_FAMILY)
_CLASSES = (digits, ascii_lowercase, ascii_uppercase)


def list_generators() -> tuple[str, ...]:
    """Name the families that a published generator draws."""
    return tuple(name for name in CATALOGUE if not name.startswith(_DRAWN_HERE))


def load_generators(names: Sequence[str]) -> tuple[list[Family], list[str]]:
    """Make the families, and name those that are not installed."""
    families = load_families(names)
    return families, sorted(set(names) - {family.name for family in families})


def draw_pictures(family: Family, count: int, seed: int, tick: Callable[[], None]) -> list[LabelledPicture]:
    """Draw a family's pictures; those of another seed, count or order of families don't change them."""
    samples = []
    for number in range(count):
        samples.append(family.draw(random.Random(f"bench:{seed}:{family.name}:{number}")))
        tick()
    charset = find_charset([sample.text for sample in samples if find_answer(sample.text) == sample.text])
    return [
        LabelledPicture(sample.picture, sample.text, family.name, make_hints(sample.text, family.name, charset))
        for sample in samples
    ]


def find_charset(texts: Sequence[str]) -> str:
    """Return every class of characters that the texts use: of a few texts, no more can be said to be left out."""
    used = set("".join(texts))
    whole = "".join(members for members in _CLASSES if used & set(members))
    return whole + "".join(sorted(used - set(whole)))


def make_hints(truth: str, family: str, charset: str) -> Hints:
    """Return alphabet, length and whether case counts; of arithmetic, that it is that."""
    if find_answer(truth) != truth:
        return Hints(kind=CaptchaKind.MATH)
    return Hints(charset, len(truth), len(truth), find_rule(family).counts_case, CaptchaKind.TEXT)

"""Draws with django-simple-captcha: python django_captchas.py FAMILY, packages found in CAPTCHAD_DJANGO_CAPTCHA_PATH.

Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.
"""

import os
import random
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

_DEFAULT_CHANCE = 0.6
_NOISES = ("captcha.helpers.noise_arcs", "captcha.helpers.noise_dots")
_LETTER_COLOURS = "captcha.helpers.random_letter_color_challenge"


class OneText:
    """Stands in for the package's database table; it holds the text to draw next."""

    DoesNotExist = LookupError

    def __init__(self) -> None:
        self.objects = self
        self.text = ""

    def get(self, hashkey: str) -> SimpleNamespace:
        """Find the text, whatever its key."""
        return SimpleNamespace(hashkey=hashkey, challenge=self.text)


def choose_settings(source: random.Random) -> dict[str, Any]:
    """Choose what sites change in the package's settings; most change nothing."""
    if source.random() < _DEFAULT_CHANCE or os.environ.get("CAPTCHAD_GENERATORS_ALWAYS_DEFAULT") == "1":
        return {}
    turn = source.choice((15, 25, 35, 45))
    return {
        "CAPTCHA_FONT_SIZE": source.choice((22, 24, 26, 30, 36)),
        "CAPTCHA_LETTER_ROTATION": source.choice((None, (-35, 35), (-turn, turn))),
        "CAPTCHA_FOREGROUND_COLOR": source.choice(("#001100", "#000000", "#202080", "#803010", "#106020")),
        "CAPTCHA_BACKGROUND_COLOR": source.choice(("#ffffff", "#ffffff", "#f0f0e0", "#d8e4f0")),
        "CAPTCHA_LETTER_COLOR_FUNCT": source.choice((None, None, _LETTER_COLOURS)),
        "CAPTCHA_NOISE_FUNCTIONS": source.choice((_NOISES, _NOISES[:1], _NOISES[1:], ())),
        "CAPTCHA_FILTER_FUNCTIONS": source.choice((("captcha.helpers.post_smooth",), ())),
    }


def main() -> None:
    """Answer lines until there are no more."""
    # A package of the same name is on PyPI; this one has to come first.
    sys.path.insert(0, os.environ["CAPTCHAD_DJANGO_CAPTCHA_PATH"])
    import_module("django.conf").settings.configure(INSTALLED_APPS=["captcha"], ALLOWED_HOSTS=["*"])
    import_module("django").setup()
    views, settings = import_module("captcha.views"), import_module("captcha.conf.settings")
    usual = {name: value for name, value in vars(settings).items() if name.startswith("CAPTCHA_")}
    store = OneText()
    vars(views)["CaptchaStore"] = store
    for line in sys.stdin:
        seed, store.text = line.rstrip("\n").split("\t")
        source = random.Random(int(seed))
        chosen = choose_settings(source)
        vars(settings).update({**usual, **chosen})
        # Pages ask for the double size where the screen is dense.
        scale = 2 if chosen and source.random() < 0.5 else 1
        picture = views.captcha_image(None, seed, scale).content
        sys.stdout.buffer.write(f"{len(picture)}\t{store.text}\n".encode() + picture)
        sys.stdout.flush()


if __name__ == "__main__":
    main()

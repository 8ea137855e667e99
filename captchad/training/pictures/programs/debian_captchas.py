"""Draws with scripts that Debian packages along with MediaWiki and ejabberd: python debian_captchas.py FAMILY FONT...

Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.
"""

import importlib.util
import io
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from PIL import ImageMath

CONFIRM_EDIT = Path("/usr/share/mediawiki/extensions-core/ConfirmEdit")
EJABBERD_SCRIPT = Path("/usr/share/ejabberd/captcha.sh")
_USUAL_FONT = "DejaVuSans.ttf"
_USUAL_SIZE_PIXELS = 40
# Smaller, what the scripts stir is as thick as the strokes of most fonts, and nobody can read it.
_SMALLEST_PIXELS, _LARGEST_PIXELS = 36, 48
_RANDOM_NUMBERS, _RANDOM_BOUND = 24, 65536


class FancyCaptcha:
    """MediaWiki's: letters stirred in scan lines; the older script stirs more, the newer lays blobs over them."""

    def __init__(self, script: str, fonts: list[str]) -> None:
        self._module = load_script(CONFIRM_EDIT / script)
        self._fonts = fonts

    def draw(self, text: str) -> bytes:
        """Draw with the usual size every second time; a site has to choose a font of its own."""
        size_pixels = _USUAL_SIZE_PIXELS if random.random() < 0.5 else random.randint(_SMALLEST_PIXELS, _LARGEST_PIXELS)
        usual = [font for font in self._fonts if font.endswith(_USUAL_FONT)]
        font = random.choice(usual if usual and random.random() < 0.3 else self._fonts)
        drawn = io.BytesIO()
        # The name of a file is all that tells the script the format.
        drawn.name = "captcha.png"
        self._module.gen_captcha(text, font, size_pixels, drawn)
        return drawn.getvalue()


class EjabberdCaptcha:
    """ejabberd's: outlined digits on a wave, with lines that wave too."""

    def __init__(self) -> None:
        if not EJABBERD_SCRIPT.is_file():
            raise FileNotFoundError(EJABBERD_SCRIPT)

    def draw(self, text: str) -> bytes:
        """Draw with random numbers that can be drawn again, in place of the system's."""
        numbers = " ".join(str(random.randrange(_RANDOM_BOUND)) for _ in range(_RANDOM_NUMBERS))
        environment = {**os.environ, "BASH_FUNC_od%%": f"() {{ echo {numbers}; }}"}
        command = ["bash", str(EJABBERD_SCRIPT), text]
        run = subprocess.run(command, capture_output=True, check=True, env=environment)  # noqa: S603 - the script is Debian's
        return run.stdout


def load_script(path: Path) -> ModuleType:
    """Load a script that is not on the path, and give it what later versions of Pillow call otherwise."""
    specification = importlib.util.spec_from_file_location("fancy_captcha", path)
    if specification is None or specification.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not hasattr(ImageMath, "eval"):
        vars(module)["ImageMath"] = SimpleNamespace(eval=ImageMath.unsafe_eval)
    return module


def main() -> None:
    """Answer lines until there are no more."""
    name, *fonts = sys.argv[1:]
    scripts = {"FancyCaptcha": "captcha.py", "FancyCaptcha-old": "captcha-old.py"}
    captcha = FancyCaptcha(scripts[name], fonts) if name in scripts else EjabberdCaptcha()
    for line in sys.stdin:
        seed, text = line.rstrip("\n").split("\t")
        random.seed(int(seed))
        picture = captcha.draw(text)
        sys.stdout.buffer.write(f"{len(picture)}\t{text}\n".encode() + picture)
        sys.stdout.flush()


if __name__ == "__main__":
    main()

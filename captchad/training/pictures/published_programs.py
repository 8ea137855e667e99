"""Families drawn by generators published on npm and in Debian, each in a process of its own language.

What is drawn upon, where it is installed:

- npm's svg-captcha, svg-captcha-fixed, ppfun-captcha, captchapng, captchapng2, captcha.gif, trek-captcha,
  captcha-canvas, captchagen, @haileybot/captcha-generator, react-client-captcha, react-simple-captcha,
  react-captcha-code, react-numeric-captcha, demos-react-captcha, apeman-react-captcha, vue-client-recaptcha,
  @binssoft/ngx-captcha, and to draw them @resvg/resvg-js and @napi-rs/canvas; installed with -g, or where NODE_PATH
  says, with --ignore-scripts and --legacy-peer-deps, since @napi-rs/canvas stands in for the canvases that some of
  them want to build, and none of the frameworks is needed.
- Debian's libauthen-captcha-perl, libgd-securityimage-perl, libimage-magick-perl, fonts-staypuft;
  ruby-simple-captcha2, imagemagick; php-cli, php-gd, php-gregwar-captcha, php-text-captcha, php-image-text; mediawiki
  and ejabberd, of which the scripts alone will do.
- PyPI's django-simple-captcha, which goes into a folder of its own, since PyPI's captcha has the same module name:
  `pip install --target FOLDER django-simple-captcha`, and CAPTCHAD_DJANGO_CAPTCHA_PATH names that folder.
"""

import io
import os
import random
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from PIL import Image, UnidentifiedImageError

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.fonts import list_fonts
from captchad.training.pictures.generators import make_sample
from captchad.training.pictures.source import FamilyUnavailable
from captchad.training.pictures.texts import UPPER_CHARSETS, ShownText, draw_arithmetic, draw_text
from captchad.training.sample import Sample

FOLDER = Path(__file__).parent / "programs"
_SEED_BITS = 31
_EXIT_SECONDS = 10
_HANDED_FONTS = 24
_ARITHMETIC_SIGNS = {"−": "-", "–": "-", "÷": "/", "X": "x", "×": "x"}

_COMPONENTS = (
    "react-client-captcha",
    "react-simple-captcha",
    "react-captcha-code",
    "react-numeric-captcha",
    "demos-react-captcha",
    "apeman-react-captcha",
    "vue-client-recaptcha",
    "@binssoft/ngx-captcha",
    "@binssoft/ngx-captcha-sum",
)


@dataclass(frozen=True, slots=True)
class Program:
    """How a family is drawn: the interpreter, the script, what it is called there, and the texts it is given."""

    interpreter: str
    script: str
    name: str
    draw_shown: Callable[[random.Random], ShownText]
    needs_fonts: bool = False


def _draw_default(source: random.Random) -> ShownText:
    return draw_text(source, shortest=4, longest=6)


def _draw_plain_arithmetic(source: random.Random) -> ShownText:
    if is_default(source):
        # What createMathExpr() makes: one of its own texts it tells the result of, and nothing else.
        text = f"{source.randint(1, 9)}{source.choice('++-')}{source.randint(1, 9)}"
        return ShownText(text, text)
    shown = draw_arithmetic(source)
    # The generator's own font has no more signs than these.
    drawn = "".join(
        _ARITHMETIC_SIGNS.get(character, character) for character in shown.drawn.replace(" ", "").rstrip("=?")
    )
    return ShownText(drawn.replace(":", "/"), shown.text.rstrip("=?").replace("÷", "/"))


def _draw_asked_arithmetic(source: random.Random) -> ShownText:
    shown = draw_arithmetic(source)
    # Its letters stand side by side, and not all of its fonts have signs that keyboards lack.
    drawn = "".join(_ARITHMETIC_SIGNS.get(character, character) for character in shown.drawn.replace(" ", ""))
    return ShownText(drawn.replace(":", "/"), shown.text.replace("÷", "/"))


def _draw_upper(source: random.Random) -> ShownText:
    return draw_text(source, UPPER_CHARSETS, shortest=4, longest=7)


def _draw_words(source: random.Random) -> ShownText:
    # Two words of four or five letters, put together; or random letters.
    return draw_text(source, {ascii_lowercase: 1}, shortest=source.choice((4, 8)), longest=10)


def _draw_digits(source: random.Random) -> ShownText:
    # Six, where nobody changes what the server does.
    return draw_text(source, {digits: 1}, shortest=source.choice((4, 6)), longest=6)


def _draw_django(source: random.Random) -> ShownText:
    # Its settings say four letters; some sites ask for more.
    return draw_text(source, {ascii_uppercase: 1}, shortest=4, longest=source.choice((4, 4, 6)))


def _draw_django_arithmetic(source: random.Random) -> ShownText:
    one, other = sorted((source.randint(1, 10) for _ in range(2)), reverse=True)
    operator = source.choice("+-*")
    if operator != "-" and source.random() < 0.5:
        one, other = other, one
    drawn = f"{one}{operator}{other}="
    return ShownText(drawn, drawn.replace("*", "×"))


PROGRAMS = {
    "svg-captcha": Program("node", "npm_captchas.cjs", "svg-captcha", _draw_default),
    "svg-captcha-sum": Program("node", "npm_captchas.cjs", "svg-captcha-sum", _draw_plain_arithmetic),
    "ppfun-captcha": Program("node", "npm_captchas.cjs", "ppfun-captcha", _draw_default),
    "captchapng2": Program("node", "npm_captchas.cjs", "captchapng2", _draw_default),
    "trek-captcha": Program("node", "npm_captchas.cjs", "trek-captcha", _draw_default),
    "captchapng": Program("node", "npm_captchas.cjs", "captchapng", _draw_default),
    "captcha.gif": Program("node", "npm_captchas.cjs", "captcha.gif", _draw_default),
    "svg-captcha-fixed": Program("node", "npm_captchas.cjs", "svg-captcha-fixed", _draw_default, needs_fonts=True),
    "svg-captcha-fixed-sum": Program(
        "node", "npm_captchas.cjs", "svg-captcha-fixed-sum", _draw_plain_arithmetic, needs_fonts=True
    ),
    "captcha-canvas": Program("node", "npm_canvas_captchas.cjs", "captcha-canvas", _draw_default, needs_fonts=True),
    "@haileybot/captcha-generator": Program(
        "node", "npm_canvas_captchas.cjs", "@haileybot/captcha-generator", _draw_default
    ),
    "captchagen": Program("node", "npm_canvas_captchas.cjs", "captchagen", _draw_default, needs_fonts=True),
    **{
        name: Program("node", "npm_component_captchas.cjs", name, _draw_default, needs_fonts=True)
        for name in _COMPONENTS
    },
    "Authen::Captcha": Program("perl", "perl_captchas.pl", "Authen::Captcha", _draw_default),
    "GD::SecurityImage": Program("perl", "perl_captchas.pl", "GD::SecurityImage", _draw_upper, needs_fonts=True),
    **{
        name: Program("perl", "perl_security_images.pl", name, _draw_default, needs_fonts=True)
        for name in (
            "GD::SecurityImage-demo",
            "GD::SecurityImage-magick",
            "GD::SecurityImage-users",
            "LemonLDAP::NG",
        )
    },
    "simple_captcha2": Program("ruby", "ruby_captchas.rb", "simple_captcha2", _draw_default),
    "gregwar/captcha": Program("php", "php_captchas.php", "gregwar/captcha", _draw_default, needs_fonts=True),
    "gregwar/captcha-sum": Program(
        "php", "php_captchas.php", "gregwar/captcha-sum", _draw_asked_arithmetic, needs_fonts=True
    ),
    "Text_CAPTCHA": Program("php", "php_captchas.php", "Text_CAPTCHA", _draw_default, needs_fonts=True),
    "FancyCaptcha": Program(sys.executable, "debian_captchas.py", "FancyCaptcha", _draw_words, needs_fonts=True),
    "FancyCaptcha-old": Program(
        sys.executable, "debian_captchas.py", "FancyCaptcha-old", _draw_words, needs_fonts=True
    ),
    "ejabberd": Program(sys.executable, "debian_captchas.py", "ejabberd", _draw_digits),
    "django-simple-captcha": Program(sys.executable, "django_captchas.py", "django-simple-captcha", _draw_django),
    "django-simple-captcha-sum": Program(
        sys.executable, "django_captchas.py", "django-simple-captcha-sum", _draw_django_arithmetic
    ),
}
"""The programs by the name of the family they draw."""


class ProgramFamily:
    """Asks a program for pictures; it runs until this is closed or thrown away."""

    def __init__(self, name: str, program: Program) -> None:
        self.name = name
        self._program = program
        self._process = _start(program)
        self.close = weakref.finalize(self, _end, self._process)
        self._try()

    def draw(self, source: random.Random) -> Sample:
        """Draw with the generator's usual settings."""
        shown = self._program.draw_shown(source)
        drawn, text = self._ask(source.getrandbits(_SEED_BITS), shown.drawn)
        return make_sample(drawn, shown.text if text == shown.drawn else text, self.name)

    def _try(self) -> None:
        try:
            self._ask(1, "1+2")
        except (OSError, ValueError, UnidentifiedImageError) as error:
            self.close()
            raise FamilyUnavailable(f"{self._program.interpreter} could not draw it: {error}") from error

    def _ask(self, seed: int, text: str) -> tuple[Image.Image, str]:
        reading, writing = self._process.stdout, self._process.stdin
        if reading is None or writing is None:
            raise ValueError("the program has no pipes")
        writing.write(f"{seed}\t{text}\n".encode())
        writing.flush()
        length, tab, shown = reading.readline().decode().rstrip("\n").partition("\t")
        if not tab:
            raise ValueError("the program gave no picture; a package may be missing")
        return Image.open(io.BytesIO(reading.read(int(length)))), shown


def _start(program: Program) -> subprocess.Popen[bytes]:
    interpreter = shutil.which(program.interpreter)
    if interpreter is None:
        raise FamilyUnavailable(f"{program.interpreter} is not installed")
    # Compressed fonts are not read by all of them.
    known = [str(font) for font in list_fonts() if font.suffix != ".woff2"]
    fonts = known[:: max(1, len(known) // _HANDED_FONTS)]
    command = [interpreter, str(FOLDER / program.script), program.name, *(fonts if program.needs_fonts else [])]
    environment = dict(os.environ)
    if program.interpreter == "node":
        environment["NODE_PATH"] = os.pathsep.join(filter(None, (os.environ.get("NODE_PATH"), _find_npm_folder())))
    return subprocess.Popen(  # noqa: S603 - the command is one of the scripts of this package
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    try:
        process.wait(_EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@cache
def _find_npm_folder() -> str:
    npm = shutil.which("npm")
    if npm is None:
        return ""
    answer = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    return answer.stdout.strip()

"""A family drawn by a captcha package of PyPI, told by a function that says how."""

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from captchad.training.pictures.generators import make_sample, seeded_globally, with_seeded_secrets
from captchad.training.pictures.source import FamilyUnavailable
from captchad.training.sample import Sample

_SEED_BITS = 32
_WRONG_VERSION = (AttributeError, KeyError, OSError, TypeError, ValueError)

Drawn = tuple[Image.Image, str]
"""A picture and the text as it is drawn; there may be spaces in it, and an asterisk for ×."""


@dataclass(frozen=True, slots=True)
class Package:
    """How a package draws: the module it is asked through, a function that asks it, and what it draws its luck from.

    Unneeded are modules that it imports for what it does besides drawing; where its own first module does no more than
    import them, that can be passed by.
    """

    module: str
    draw: Callable[[ModuleType, random.Random], Drawn]
    secrets_module: str | None = None
    is_for_old_pillow: bool = False
    unneeded: tuple[str, ...] = ()
    is_first_module_passed_by: bool = False


class PackageFamily:
    """Draws by a package; it is unavailable where that cannot be imported or no longer draws as known here."""

    def __init__(self, name: str, package: Package) -> None:
        self.name = name
        self._package = package
        try:
            self._module = _import_drawing(package)
            self._secrets_module = importlib.import_module(package.secrets_module or package.module)
            self.draw(random.Random(0))
        except _WRONG_VERSION as error:
            raise FamilyUnavailable(f"this version of {name} does not draw: {error}") from error

    def draw(self, source: random.Random) -> Sample:
        """Draw with the package's own settings about every second time."""
        with seeded_globally(source), seeded_numpy(source):
            if self._package.is_for_old_pillow:
                with old_pillow_names():
                    drawn, text = self._package.draw(self._module, source)
            elif self._package.secrets_module:
                with with_seeded_secrets(self._secrets_module, source):
                    drawn, text = self._package.draw(self._module, source)
            else:
                drawn, text = self._package.draw(self._module, source)
        return make_sample(drawn, "".join(text.split()).replace("*", "×"), self.name)


def _import_drawing(package: Package) -> ModuleType:
    absent = [name for name in package.unneeded if name not in sys.modules]
    sys.modules.update({name: _StandIn(name) for name in absent})
    try:
        if package.is_first_module_passed_by:
            _pass_by_first_module(package.module.partition(".")[0])
        return importlib.import_module(package.module)
    finally:
        for name in absent:
            del sys.modules[name]


def _pass_by_first_module(name: str) -> None:
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}")
    passed = ModuleType(name)
    passed.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[name] = passed


class _StandIn(ModuleType):
    """Has whatever is imported from it, and does nothing."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}", _Nothing)


class _Nothing:
    """Can be a base, and can be asked for items, which are nothing either."""

    def __class_getitem__(cls, _item: object) -> type["_Nothing"]:
        return cls


@contextmanager
def seeded_numpy(source: random.Random) -> Iterator[None]:
    """Seed numpy's global generator, which some packages draw from."""
    state = np.random.get_state()
    np.random.seed(source.getrandbits(_SEED_BITS))
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def old_pillow_names() -> Iterator[None]:
    """Return Pillow what it had before version 10, for packages that were not touched since.

    Methods measured texts, and boxes that end above their beginning were passed over.
    """
    kept = {name: getattr(ImageDraw.ImageDraw, name) for name in ("rectangle", "ellipse")}
    setattr(ImageFont.FreeTypeFont, "getsize", _measure_text)  # noqa: B010 - not known to its type
    setattr(ImageDraw.ImageDraw, "textsize", _measure_drawn_text)  # noqa: B010 - as above
    for name, draw in kept.items():
        setattr(ImageDraw.ImageDraw, name, _pass_over_upturned(draw))
    try:
        yield
    finally:
        delattr(ImageFont.FreeTypeFont, "getsize")
        delattr(ImageDraw.ImageDraw, "textsize")
        for name, draw in kept.items():
            setattr(ImageDraw.ImageDraw, name, draw)


def _pass_over_upturned(draw: Callable[..., None]) -> Callable[..., None]:
    def draw_box(drawing: ImageDraw.ImageDraw, box: Sequence[Any], *options: Any, **named: Any) -> None:
        left, top, right, bottom = np.ravel(box).tolist()
        if left <= right and top <= bottom:
            draw(drawing, box, *options, **named)

    return draw_box


def _measure_text(font: ImageFont.FreeTypeFont, text: str) -> tuple[int, int]:
    _, _, right, bottom = font.getbbox(text)
    return round(right), round(bottom)


def _measure_drawn_text(_drawing: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    return _measure_text(font, text)

import random
import secrets
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.training.pictures.catalogue import CATALOGUE
from captchad.training.pictures.pypi_package import Drawn, Package, PackageFamily
from captchad.training.pictures.source import FamilyUnavailable

DRAWING = """
import random
import secrets
import numpy as np

def draw():
    return random.randrange(200), np.random.randint(200), secrets.randbelow(200)
"""


@pytest.fixture
def package_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "drawn_by_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('this needs a server')", encoding="utf-8")
    (folder / "drawing.py").write_text(DRAWING, encoding="utf-8")
    (folder / "needy.py").write_text("from ciphers_of_a_test import Cipher\n" + DRAWING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    return "drawn_by_a_test"


def draw(module: ModuleType, _source: random.Random) -> Drawn:
    first, second, third = module.draw()
    return Image.new("RGB", (40, 20), (first, second, third)), f"{first} * {second}"


def make_package(name: str, **options: object) -> Package:
    return Package(f"{name}.drawing", draw, is_first_module_passed_by=True, **options)  # type: ignore[arg-type]


def test_all_that_a_package_draws_its_luck_from_is_seeded(package_name: str) -> None:
    family = PackageFamily("any", make_package(package_name, secrets_module=f"{package_name}.drawing"))
    one, other = (family.draw(random.Random(4)) for _ in range(2))
    assert one.text == other.text
    assert "×" in one.text
    assert np.array_equal(one.picture, other.picture)
    assert sys.modules[f"{package_name}.drawing"].__dict__["secrets"] is secrets


def test_drawing_leaves_the_global_generators_as_they_were(package_name: str) -> None:
    family = PackageFamily("any", make_package(package_name))
    random.seed(1)
    expected = random.random()
    random.seed(1)
    family.draw(random.Random(4))
    assert random.random() == expected


def test_a_package_that_is_not_there_cannot_be_imported() -> None:
    for is_passed_by in (False, True):
        with pytest.raises(ImportError):
            PackageFamily("any", Package("no_such_package.drawing", draw, is_first_module_passed_by=is_passed_by))


def test_a_package_that_draws_otherwise_is_unavailable(package_name: str) -> None:
    def ask_for_more(module: ModuleType, _source: random.Random) -> Drawn:
        drawn: Drawn = module.draw_faster()
        return drawn

    package = Package(f"{package_name}.drawing", ask_for_more, is_first_module_passed_by=True)
    with pytest.raises(FamilyUnavailable, match="this version of any does not draw"):
        PackageFamily("any", package)


def test_modules_that_drawing_does_not_need_are_stood_in_for(package_name: str) -> None:
    package = Package(f"{package_name}.needy", draw, unneeded=("ciphers_of_a_test",), is_first_module_passed_by=True)
    PackageFamily("any", package).draw(random.Random(1))
    assert "ciphers_of_a_test" not in sys.modules


def test_a_package_can_draw_two_families(package_name: str) -> None:
    families = [PackageFamily(name, make_package(package_name)) for name in ("any", "any-sum")]
    assert [family.draw(random.Random(4)).family for family in families] == ["any", "any-sum"]


def test_packages_for_an_old_pillow_measure_texts_as_then(package_name: str) -> None:
    def measure(_module: ModuleType, _source: random.Random) -> Drawn:
        font = ImageFont.load_default(20)
        assert isinstance(font, ImageFont.FreeTypeFont)
        size: tuple[int, int] = vars(ImageFont.FreeTypeFont)["getsize"](font, "abc")
        return Image.new("L", size), "abc"

    package = Package(f"{package_name}.drawing", measure, is_for_old_pillow=True, is_first_module_passed_by=True)
    height, width = PackageFamily("any", package).draw(random.Random(1)).picture.shape
    assert width > height > 10
    assert not hasattr(ImageFont.FreeTypeFont, "getsize")


def test_the_catalogue_lists_packages_whether_installed_or_not() -> None:
    assert {"claptcha", "easy-captcha-python-sum", "vfcode"} <= set(CATALOGUE)


def test_packages_for_an_old_pillow_may_draw_upturned_boxes(package_name: str) -> None:
    def draw_boxes(_module: ModuleType, _source: random.Random) -> Drawn:
        image = Image.new("L", (40, 20), 255)
        drawing = ImageDraw.Draw(image)
        drawing.ellipse((5, 15, 15, 5), fill=0)
        drawing.rectangle(((25, 15), (35, 5)), fill=0)
        drawing.rectangle((20, 10, 21, 11), fill=0)
        return image, "abc"

    package = Package(f"{package_name}.drawing", draw_boxes, is_for_old_pillow=True, is_first_module_passed_by=True)
    picture = PackageFamily("any", package).draw(random.Random(1)).picture
    assert (picture == 0).sum() == 4
    with pytest.raises(ValueError, match="must be greater"):
        draw_boxes(ModuleType("any"), random.Random(1))

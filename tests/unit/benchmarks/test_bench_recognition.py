"""The comparison of engines: what counts as right, what is hinted, and how figures are made."""

from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.training.pictures.acceptance import CASE_RULES, is_right
from captchad.training.pictures.catalogue import CATALOGUE
from tests.benchmarks.compare_models import COLOURED, DARK, KNOWN, GroupComparison, is_better
from tests.benchmarks.recognition import contenders
from tests.benchmarks.recognition.coloured import draw_coloured
from tests.benchmarks.recognition.contenders import CONTENDERS, join_columns
from tests.benchmarks.recognition.labelled import LabelledPicture
from tests.benchmarks.recognition.pictures import find_charset, list_generators, make_hints
from tests.benchmarks.recognition.plot import PlotRow, draw_comparison
from tests.benchmarks.recognition.summary import (
    FamilyScore,
    find_percentile,
    rate_sureness,
    score_families,
    score_group,
)

PIXELS = np.zeros((4, 8), dtype=np.uint8)


def label(family: str, truth: str) -> LabelledPicture:
    return LabelledPicture(PIXELS, truth, family, Hints())


@pytest.mark.parametrize(
    ("family", "truth", "read", "right"),
    [
        ("captcha", "aB3d", "aB3d", True),
        ("captcha", "aB3d", "ab3d", False),
        ("captcha", "aB3d", " aB 3d\n", True),
        ("captcha", "aB3d", "", False),
        ("svg-captcha", "Re28", "re28", False),
        ("wheezy.captcha", "JRQX", "jrqx", True),
        ("wheezy.captcha", "JRQ0", "JRQO", False),
        ("gregwar/captcha", "O1ab", "0LAB", True),
        ("Authen::Captcha", "w7v9", "W7V9", True),
    ],
)
def test_a_text_is_right_where_its_generator_would_take_it(family: str, truth: str, read: str, right: bool) -> None:
    assert is_right(family, truth, read) is right


@pytest.mark.parametrize("read", ["21", "17 + 4", "17+4=?", "17+4="])
def test_of_arithmetic_the_result_is_right_and_so_is_the_expression(read: str) -> None:
    assert is_right("captchakit-sum", "17+4=?", read)


def test_however_its_signs_are_written_arithmetic_is_worked_out() -> None:
    assert all(is_right("svg-captcha-sum", "5×16", f"5{sign}16") for sign in "x×X*")


@pytest.mark.parametrize("read", ["", "20", "17-4", "17"])
def test_wrong_arithmetic_is_wrong(read: str) -> None:
    assert not is_right("captchakit-sum", "17+4=?", read)


def test_every_rule_is_one_of_a_family_there_is_and_says_why() -> None:
    assert set(CASE_RULES) <= set(CATALOGUE)
    assert all(rule.reason for rule in CASE_RULES.values())


def test_only_published_generators_are_compared_on() -> None:
    assert {"captcha", "svg-captcha", "wheezy.captcha"} <= set(list_generators())
    assert not {"empty", "synthetic", "synthetic-sum", "designs", "designs-sum"} & set(list_generators())


def test_the_alphabet_is_hinted_by_whole_classes() -> None:
    assert find_charset(["12", "7"]) == "0123456789"
    assert find_charset(["b", "é"]) == "abcdefghijklmnopqrstuvwxyzé"
    assert find_charset([]) == ""


def test_of_arithmetic_only_its_kind_is_hinted() -> None:
    assert make_hints("5×16", "svg-captcha-sum", "") == Hints(kind=CaptchaKind.MATH)


def test_case_is_hinted_as_the_generator_compares() -> None:
    assert make_hints("AB", "wheezy.captcha", "AB") == Hints("AB", 2, 2, False, CaptchaKind.TEXT)
    assert make_hints("AB", "captcha", "AB") == Hints("AB", 2, 2, True, CaptchaKind.TEXT)


def test_runs_of_a_column_are_one_symbol_and_blanks_part_them() -> None:
    assert join_columns(np.array([0, 1, 1, 0, 1, 2, 2, 0]), ("", "a", "b")) == "aab"


def test_families_are_counted_apart_and_weigh_the_same() -> None:
    pictures = [label("captcha", "ab"), label("captcha", "cd"), label("captcha", "ef"), label("gvcode", "gh")]
    scores = score_families(pictures, ["ab", "cd", "xx", "xx"])
    assert scores == [FamilyScore("captcha", 2, 3), FamilyScore("gvcode", 0, 1)]
    group = score_group(scores)
    assert group is not None
    assert (group.families, group.worst_family) == (2, "gvcode")
    assert group.mean_share == pytest.approx(1 / 3)
    assert score_group([]) is None


def test_sureness_holds_what_is_said_of_nothing_apart() -> None:
    pictures = [label("captcha", "ab")] * 4
    sureness = rate_sureness(pictures, ["ab", "ab", "xx", "xx"], [1.0, 0.9, 0.9, 0.1], [0.0, 0.4])
    assert (sureness.sure_right, sureness.sure_pictures, sureness.sure_share) == (2, 3, 0.75)
    assert (sureness.empty_pictures, sureness.empty_greatest) == (2, 0.4)
    assert sureness.reliability.expected_error == pytest.approx((0.0 + 2 * 0.4 + 0.1) / 4)


def test_the_percentile_is_a_value_that_was_seen() -> None:
    assert find_percentile([n / 200 for n in range(200)]) == 197 / 200
    assert find_percentile([0.5]) == 0.5
    assert find_percentile([]) is None


def test_the_diagram_is_xml_that_names_engines_and_families() -> None:
    score = FamilyScore("A&B", 1, 2)
    drawn = draw_comparison([PlotRow("one <engine>", [score], []), PlotRow("other", [score], [score])], "title")
    texts = "".join(ElementTree.fromstring(drawn).itertext())
    assert "one <engine>" in texts
    assert texts.count("A&B: 1 of 2") == 3


@pytest.mark.parametrize(
    ("name", "package"), [("SVTRv2", "azcrawlerpy-recaptcha-text"), ("PP-OCRv6 small", "rapidocr")]
)
def test_an_engine_that_is_not_installed_says_what_it_needs(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contenders.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DependencyMissing, match=f"pip install --no-deps {package}"):
        CONTENDERS[name].load(None)


def test_svtr_sees_three_planes_of_the_size_it_chose() -> None:
    planes = contenders._prepare_for_svtr(Image.new("RGB", (160, 60), "white"), (40, 112))
    assert (planes.shape, planes.dtype) == ((1, 3, 40, 112), np.float32)
    assert planes.min() == planes.max() == 1.0


def compare(name: str, family: str, old: int, new: int) -> GroupComparison:
    return GroupComparison(name, [FamilyScore(family, old, 100)], [FamilyScore(family, new, 100)], 0, 0)


def test_a_model_replaces_another_that_reads_more_of_every_kind() -> None:
    assert is_better(
        [compare(KNOWN, "gvcode", 50, 51), compare(COLOURED, "pale", 50, 51), compare(DARK, "pale", 50, 40)]
    )
    assert not is_better([compare(KNOWN, "gvcode", 50, 51), compare(COLOURED, "pale", 50, 50)])


def test_a_model_that_reads_a_point_less_of_a_best_known_generator_replaces_none() -> None:
    known = [FamilyScore("captcha", 90, 100), FamilyScore("gvcode", 50, 100)]
    lost = [FamilyScore("captcha", 89, 100), FamilyScore("gvcode", 60, 100)]
    assert GroupComparison(KNOWN, known, lost, 10, 1).list_losses() == ["captcha"]
    assert not is_better([GroupComparison(KNOWN, known, lost, 10, 1)])


def test_coloured_pictures_are_as_bright_as_their_ground_and_dark_ones_show_the_same() -> None:
    for coloured, dark in zip(*draw_coloured(6, seed=1), strict=True):
        assert (coloured.truth, coloured.pixels.shape) == (dark.truth, dark.pixels.shape)
        is_ink = (dark.pixels == 0).all(axis=2)
        assert is_ink.any()
        # Black ink is as far from white as can be; what is painted there in colours is another colour than the ground.
        grounds = coloured.pixels[(dark.pixels == 255).all(axis=2)]
        assert (coloured.pixels[is_ink] != grounds[0]).any(axis=1).all()

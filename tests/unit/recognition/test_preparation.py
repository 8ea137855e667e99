"""Pictures made ready for the network."""

import numpy as np
import pytest

from captchad.recognition.flattening import to_colours
from captchad.recognition.preparation import (
    COLOUR_PLANES,
    GREY_PLANES,
    HEIGHT_PIXELS,
    WIDTH_LEAST_PIXELS,
    WIDTH_LIMIT_PIXELS,
    Pixels,
    normalise,
    prepare,
    prepare_distance,
    stack,
)
from captchad.training.augmentation import augment
from tests.unit.training.plain_pictures import draw_plainly


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(60, 160, 128), (24, 100, 200), (200, 40, WIDTH_LEAST_PIXELS), (1, 400, WIDTH_LIMIT_PIXELS)],
)
def test_every_size_gets_one_height_and_a_bounded_width(height: int, width: int, expected: int) -> None:
    assert prepare(np.full((height, width), 200, dtype=np.uint8)).shape == (1, HEIGHT_PIXELS, expected)


def test_light_on_dark_is_prepared_as_dark_on_light() -> None:
    pixels = draw_plainly("AB7").picture
    inverted: Pixels = (255 - pixels).astype(np.uint8)
    assert np.allclose(prepare(pixels), prepare(inverted), atol=0.02)


def test_low_contrast_is_raised() -> None:
    pixels = draw_plainly("AB7").picture
    faint = (pixels // 8 + 100).astype(np.uint8)
    assert normalise(faint).max() == pytest.approx(normalise(pixels).max(), abs=0.1)


def test_a_blank_picture_stays_blank() -> None:
    assert not prepare(np.full((30, 90), 17, dtype=np.uint8)).any()


def test_narrower_pictures_are_filled_up_with_ground() -> None:
    wide, narrow = (np.ones((1, HEIGHT_PIXELS, width), dtype=np.float32) for width in (101, 64))
    stacked = stack([wide, narrow])
    assert stacked.shape == (2, 1, HEIGHT_PIXELS, 104)
    assert not stacked[1, 0, :, 64:].any()


def test_the_same_generator_alters_a_picture_the_same_way() -> None:
    pixels = draw_plainly("AB7").picture
    first, second = (augment(pixels, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("shape", [(3, 300), (300, 3), (1, 1), (48, 48), (48, 48, 3), (1, 1, 3), (20, 3, 3)])
@pytest.mark.parametrize("planes", [GREY_PLANES, COLOUR_PLANES])
def test_pictures_of_odd_shapes_are_altered_without_failing(shape: tuple[int, ...], planes: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for seed in range(40):
        altered = augment(pixels, np.random.default_rng(seed), planes=planes)
        assert altered.shape[:2] == (planes, HEIGHT_PIXELS)
        assert np.isfinite(altered).all()


def paint(ground: tuple[int, ...], ink: tuple[int, ...]) -> Pixels:
    """A bar of ink on a ground, beside it a black dot that sets the scale of the brightness."""
    pixels = np.empty((HEIGHT_PIXELS, 120, 3), dtype=np.uint8)
    pixels[:], pixels[8:40, 20:40], pixels[8:16, 100:108] = ground, ink, (0, 0, 0)
    return pixels


INKS = {"yellow": (255, 255, 0), "cyan": (0, 255, 255), "lime": (0, 255, 0), "pink": (255, 105, 180)}


@pytest.mark.parametrize("ink", INKS.values(), ids=INKS)
def test_ink_as_bright_as_paper_shows_by_its_distance(ink: tuple[int, ...]) -> None:
    brightness, distance, *_ = prepare(paint((255, 255, 255), ink), planes=COLOUR_PLANES)[:, 24, 30]
    assert distance > 0.4
    assert distance > brightness + 0.05


def test_ink_and_ground_of_one_brightness_are_told_apart_and_hues_from_each_other() -> None:
    reddish, greenish = (
        prepare(paint((100, 130, 150), ink), planes=COLOUR_PLANES)[:, 24, 30] for ink in ((220, 90, 90), (60, 160, 60))
    )
    assert min(reddish[1], greenish[1]) > 0.4
    assert reddish[2] > 0.3 > -0.3 > greenish[2]


def test_colours_alone_are_prepared_as_the_plane_that_shows_the_distance() -> None:
    pixels = paint((255, 255, 255), INKS["yellow"])
    assert np.array_equal(prepare_distance(pixels, 1.5)[0], prepare(pixels, 1.5, planes=COLOUR_PLANES)[1])


def test_a_grey_picture_has_no_colours_and_its_brightness_is_the_one_plane_of_grey_models() -> None:
    pixels = draw_plainly("AB7").picture
    prepared = prepare(pixels, planes=COLOUR_PLANES)
    assert np.array_equal(prepared[0], prepare(pixels, planes=GREY_PLANES)[0])
    assert np.allclose(prepared, prepare(to_colours(pixels), planes=COLOUR_PLANES))
    assert np.abs(prepared[2:]).max() < 0.05
    assert np.corrcoef(prepared[0].ravel(), prepared[1].ravel())[0, 1] > 0.95


def test_another_number_of_planes_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or 4 planes, not 3"):
        prepare(draw_plainly("AB7").picture, planes=3)

"""Pictures made ready for the network."""

import numpy as np
import pytest

from captchad.recognition.preparation import (
    HEIGHT_PIXELS,
    WIDTH_LEAST_PIXELS,
    WIDTH_LIMIT_PIXELS,
    Pixels,
    normalise,
    prepare,
    stack,
)
from captchad.training.augmentation import augment
from tests.unit.training.plain_pictures import draw_plainly


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(60, 160, 128), (24, 100, 200), (200, 40, WIDTH_LEAST_PIXELS), (1, 400, WIDTH_LIMIT_PIXELS)],
)
def test_every_size_gets_one_height_and_a_bounded_width(height: int, width: int, expected: int) -> None:
    assert prepare(np.full((height, width), 200, dtype=np.uint8)).shape == (HEIGHT_PIXELS, expected)


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
    wide, narrow = np.ones((HEIGHT_PIXELS, 101), dtype=np.float32), np.ones((HEIGHT_PIXELS, 64), dtype=np.float32)
    stacked = stack([wide, narrow])
    assert stacked.shape == (2, 1, HEIGHT_PIXELS, 104)
    assert not stacked[1, 0, :, 64:].any()


def test_the_same_generator_alters_a_picture_the_same_way() -> None:
    pixels = draw_plainly("AB7").picture
    first, second = (augment(pixels, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("shape", [(3, 300), (300, 3), (1, 1), (48, 48)])
def test_pictures_of_odd_shapes_are_altered_without_failing(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for seed in range(40):
        assert augment(pixels, np.random.default_rng(seed)).shape[0] == HEIGHT_PIXELS

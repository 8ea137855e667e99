"""Of an animation one picture is made that shows all its letters."""

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from captchad.recognition.decoding import decode_picture
from captchad.recognition.essentials.essentials import FRAMES_LIMIT
from captchad.recognition.flattening import Pixels, to_grey
from tests.unit.recognition.pictures import draw, encode_animation

LETTERS_LEFT = (10, 40, 70, 100)


def show(letters: dict[int, int], shift: int = 0, ground: int = 255) -> Image.Image:
    """Letters by their number, each as dark as given; each is a bar with two arms."""
    image = Image.new("L", (130, 40), ground)
    pen = ImageDraw.Draw(image)
    for number, grey in letters.items():
        left = LETTERS_LEFT[number] + shift
        pen.rectangle((left, 8, left + 3, 31), fill=grey)
        pen.rectangle((left, 8, left + 14, 11), fill=grey)
        pen.rectangle((left, 28, left + 14, 31), fill=grey)
    return image


WHOLE = show(dict.fromkeys(range(4), 0))


def read(frames: list[Image.Image], picture_format: str = "GIF") -> Pixels:
    return to_grey(decode_picture(encode_animation(frames, picture_format)))


def assert_same(pixels: Pixels, wanted: Image.Image, inverted: bool = False) -> None:
    expected = np.asarray(wanted) if not inverted else 255 - np.asarray(wanted)
    assert np.mean(np.abs(pixels.astype(int) - expected) > 100) < 0.005


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "PNG"])
def test_text_in_one_frame_only_is_found(picture_format: str) -> None:
    empty = Image.new("L", (130, 40), 255)
    assert_same(read([empty, show({0: 200, 1: 200}), WHOLE, empty.copy()], picture_format), WHOLE)


def test_letters_that_come_one_by_one_and_stay_are_all_there() -> None:
    assert_same(read([show(dict.fromkeys(range(count), 0)) for count in range(5)]), WHOLE)


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "PNG"])
def test_letters_that_come_one_by_one_and_go_are_put_together(picture_format: str) -> None:
    assert_same(read([show({number: 0}) for number in range(4)], picture_format), WHOLE)


def test_letters_that_fade_in_turn_are_put_together() -> None:
    frames = [show({letter: 60 * ((letter + turn) % 4) for letter in range(4)}) for turn in range(4)]
    pixels = read(frames)
    assert all(pixels[20, left + 1] < 80 for left in LETTERS_LEFT)


def test_light_letters_on_a_dark_ground_are_put_together() -> None:
    frames = [Image.fromarray(255 - np.asarray(show({number: 0}))) for number in range(4)]
    assert_same(read(frames), WHOLE, inverted=True)


def test_text_that_moves_is_taken_from_one_frame() -> None:
    frames = [show(dict.fromkeys(range(4), 0), shift) for shift in (-6, -3, 0, 3, 6)]
    pixels = read(frames)
    assert any(np.mean(np.abs(pixels.astype(int) - np.asarray(frame)) > 100) < 0.005 for frame in frames)


def test_specks_that_come_and_go_over_still_text_are_gone() -> None:
    random = np.random.default_rng(3)
    frames = []
    for _ in range(6):
        pixels = np.asarray(WHOLE).copy()
        pixels[random.integers(0, 40, 60), random.integers(0, 130, 60)] = 0
        frames.append(Image.fromarray(pixels))
    assert_same(read(frames), WHOLE)


def test_a_block_that_covers_half_the_picture_is_not_the_best_frame() -> None:
    covered = WHOLE.copy()
    ImageDraw.Draw(covered).rectangle((0, 0, 70, 39), fill=0)
    assert_same(read([covered, WHOLE, covered.copy()]), WHOLE)


def test_frames_beyond_the_limit_are_not_decoded() -> None:
    frames = [draw(ink=(200, 200, 100 + number)) for number in range(FRAMES_LIMIT)]
    assert read([*frames, draw()])[15, 30] > 150


def test_letters_of_a_frame_each_keep_their_colours() -> None:
    colours = ("red", "blue", "green", "purple")
    frames = []
    for number, colour in enumerate(colours):
        frame = Image.new("RGB", (130, 40), "white")
        frame.paste(Image.new("RGB", frame.size, colour), mask=Image.eval(show({number: 0}), lambda grey: 255 - grey))
        frames.append(frame)
    pixels = decode_picture(encode_animation(frames, "PNG"))
    for left, colour in zip(LETTERS_LEFT, colours, strict=True):
        assert tuple(pixels[20, left + 1].tolist()) == ImageColor.getrgb(colour)

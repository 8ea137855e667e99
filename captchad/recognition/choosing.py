"""Reads only the characters that the hints ask for: those of one colour, or so many from one end."""

import math
from dataclasses import replace

from captchad.domain.colour import parse_colour
from captchad.domain.recognition import CaptchaKind, Hints, Position, Recognition, Side
from captchad.recognition.colour_choice import choose_letters
from captchad.recognition.decoding import Decoded
from captchad.recognition.separators import SEPARATORS

CERTAIN = 1.0


def choose_colour(picture: Decoded, hints: Hints) -> tuple[Decoded, float]:
    """Return the picture with the letters of the wanted colour alone, and how certain it is that these are they."""
    colour = None if hints.colour is None else parse_colour(hints.colour)
    if colour is None:
        return picture, CERTAIN
    compositions = [choose_letters(pixels, colour) for pixels in picture.compositions]
    frames = [choose_letters(pixels, colour) for pixels in picture.frames]
    chosen = Decoded(tuple(one.pixels for one in compositions), tuple(one.pixels for one in frames))
    return chosen, min(one.certainty for one in compositions)


def ask_for_all(hints: Hints) -> Hints:
    """Return the hints about the text of which a position is then taken."""
    if hints.position is None:
        return hints
    return replace(
        hints, min_length=max(hints.min_length or 0, hints.position.count), kind=CaptchaKind.TEXT, position=None
    )


def conclude(recognition: Recognition, hints: Hints, certainty: float) -> Recognition:
    """Return what was asked for of a reading, with what its choice leaves of the confidence."""
    if hints.wants_all or not recognition.text:
        return recognition
    taken = recognition if hints.position is None else _take(recognition, hints.position)
    return replace(taken, confidence=round(taken.confidence * certainty, 4), is_whole=False)


def _take(recognition: Recognition, position: Position) -> Recognition:
    letters = [at for at, letter in enumerate(recognition.text) if letter not in SEPARATORS]
    is_first = position.side is Side.FIRST
    places = letters[: position.count] if is_first else letters[-position.count :]
    text = "".join(recognition.text[at] for at in places)
    if len(recognition.characters) != len(recognition.text):
        return replace(recognition, text=text, characters=())
    characters = tuple(recognition.characters[at] for at in places)
    # Fewer characters are right at least as often as all of them.
    confidence = max(recognition.confidence, math.prod(one.confidence for one in characters))
    return replace(recognition, text=text, characters=characters, confidence=confidence)

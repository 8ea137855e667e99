"""Weighs a text against what the single frames of an animation show."""

from collections.abc import Sequence
from dataclasses import dataclass

from captchad.domain.recognition import Character, Recognition

_ALIKE = str.maketrans("0iI1", "olll")
# What a single frame shows may be its noise.
_ALONE = 0.8


@dataclass(frozen=True, slots=True)
class Testimony:
    """How far frames bear out a text, all 0..1.

    `agreement` is the share of the frames' symbols that the text has in the same order, `support` says of each
    symbol of the text how far frames show it.
    """

    agreement: float
    support: tuple[float, ...]

    @property
    def weight(self) -> float:
        """The probability that the text is right, if nothing but the frames could make it wrong."""
        return self.agreement * sum(self.support) / max(1, len(self.support))


def spell(recognition: Recognition) -> str:
    """Return what was read itself: of arithmetic not the result."""
    return "".join(character.text for character in recognition.characters) or recognition.text


def hear_witnesses(text: str, frames: Sequence[str]) -> Testimony:
    """Compare a text with what was read from each frame; a frame may lack letters, but show no others."""
    wanted = _fold(text)
    shown, agreed, seen = 0, 0, [0] * len(wanted)
    for frame in frames:
        found = _align(_fold(frame), wanted)
        shown, agreed = shown + len(frame), agreed + len(found)
        for place in found:
            seen[place] += 1
    support = tuple(0.0 if count == 0 else _ALONE if count == 1 else 1.0 for count in seen)
    return Testimony(agreed / max(1, shown), support)


def lower_confidence(recognition: Recognition, testimony: Testimony) -> Recognition:
    """Return a recognition as sure as the frames let it be."""
    confidence = recognition.confidence * testimony.weight
    characters = recognition.characters
    if len(characters) == len(testimony.support):
        characters = tuple(
            # If the whole text is right, so is each character.
            Character(character.text, round(max(character.confidence * support, confidence), 4))
            for character, support in zip(characters, testimony.support, strict=True)
        )
    return Recognition(
        text=recognition.text,
        confidence=round(confidence, 4),
        recogniser=recognition.recogniser,
        kind=recognition.kind,
        characters=characters,
        expression=recognition.expression,
    )


def _fold(text: str) -> str:
    """Fold cases and look-alikes: between frames, noise is enough to swap them."""
    return text.translate(_ALIKE).lower()


def _align(shown: str, wanted: str) -> list[int]:
    """Return the places of `wanted` that a longest common subsequence takes."""
    lengths = [[0] * (len(wanted) + 1) for _ in range(len(shown) + 1)]
    for row, symbol in enumerate(shown):
        for column, other in enumerate(wanted):
            longer = max(lengths[row][column + 1], lengths[row + 1][column])
            lengths[row + 1][column + 1] = lengths[row][column] + 1 if symbol == other else longer
    row, column, places = len(shown), len(wanted), []
    while row and column:
        if shown[row - 1] == wanted[column - 1]:
            row, column = row - 1, column - 1
            places.append(column)
        elif lengths[row - 1][column] >= lengths[row][column - 1]:
            row -= 1
        else:
            column -= 1
    return places

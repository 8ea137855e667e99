"""Has an engine read what was decoded: a still picture at once, an animation by its compositions and its frames."""

from collections.abc import Sequence
from dataclasses import replace

from captchad.domain.recognition import CaptchaKind, Hints, Recognition
from captchad.recognition.choosing import ask_for_all, choose_colour, conclude
from captchad.recognition.decoding import Decoded
from captchad.recognition.recognition_engine import RecognitionEngine
from captchad.recognition.witnesses import Testimony, hear_witnesses, lower_confidence, spell

# A letter that one composition lacks makes its reading no less sure: what the frames say counts for more.
_TESTIMONY_POWER = 4


def recognise_decoded(
    engine: RecognitionEngine, pictures: Sequence[Decoded], hints: Sequence[Hints]
) -> list[Recognition]:
    """Read each picture with its hints, as `RecognitionEngine.recognise` does, but only what these ask for."""
    chosen = [choose_colour(picture, hint) for picture, hint in zip(pictures, hints, strict=True)]
    asked = [ask_for_all(hint) for hint in hints]
    firsts = engine.recognise([picture.compositions[0] for picture, _ in chosen], asked)
    read = [
        _read_animation(engine, picture, hint, first) if picture.frames else first
        for (picture, _), hint, first in zip(chosen, asked, firsts, strict=True)
    ]
    return [
        conclude(recognition, hint, certainty)
        for recognition, hint, (_, certainty) in zip(read, hints, chosen, strict=True)
    ]


def _read_animation(engine: RecognitionEngine, picture: Decoded, hints: Hints, first: Recognition) -> Recognition:
    """Choose what the compositions say by what the frames bear out."""
    others = picture.compositions[1:]
    proposals = [one for one in (first, *engine.recognise(others, [hints] * len(others))) if one.text]
    # A frame may lack letters, and an operator.
    kind = None if hints.kind is CaptchaKind.MATH else hints.kind
    partial = replace(hints, min_length=None, kind=kind)
    frames = [spell(one) for one in engine.recognise(picture.frames, [partial] * len(picture.frames))]
    heard = [(proposal, hear_witnesses(spell(proposal), frames)) for proposal in proposals]
    if not heard:
        return first
    return lower_confidence(*max(heard, key=_rate))


def _rate(heard: tuple[Recognition, Testimony]) -> float:
    proposal, testimony = heard
    return proposal.confidence * testimony.weight**_TESTIMONY_POWER

"""Reads pictures with an engine as a worker does that knows nothing of them."""

from collections.abc import Sequence

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.captchad_engine import CaptchadEngine
from captchad.recognition.decoding import Pixels
from captchad.training.alphabet import spell_plainly


def read_pictures(engine: CaptchadEngine, pictures: Sequence[Pixels]) -> list[Recognition]:
    """Return what an engine makes of each picture."""
    found: list[Recognition] = []
    for start in range(0, len(pictures), engine.largest_batch):
        batch = pictures[start : start + engine.largest_batch]
        found += engine.recognise(batch, [Hints()] * len(batch))
    return found


def spell_reading(recognition: Recognition) -> str:
    """Return what was read as samples spell it: what is drawn, in plain signs."""
    return spell_plainly(recognition.drawn_text)

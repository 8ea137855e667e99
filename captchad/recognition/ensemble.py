"""Several engines as one: all read every picture, and the most confident reading wins."""

from collections.abc import Sequence
from dataclasses import replace

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Pixels
from captchad.recognition.recognition_engine import RecognitionEngine


class EnsembleEngine:
    """Reads with every member; at equal confidence an earlier member's text is taken.

    Results name the member whose text they hold.
    """

    def __init__(self, members: Sequence[RecognitionEngine]) -> None:
        if not members:
            raise ValueError("an ensemble needs a member")
        self._members = tuple(members)

    @property
    def name(self) -> str:
        """All members' names, joined by `+`."""
        return "+".join(member.name for member in self._members)

    @property
    def largest_batch(self) -> int:
        """The largest batch of any member."""
        return max(member.largest_batch for member in self._members)

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text says that no member could read anything."""
        readings = [member.recognise(pictures, hints) for member in self._members]
        return [
            choose_recognition(of_one, hint) for of_one, hint in zip(zip(*readings, strict=True), hints, strict=True)
        ]


def choose_recognition(readings: Sequence[Recognition], hints: Hints) -> Recognition:
    """Take the most confident reading, any text before none.

    Different texts can't both be right, so where their confidences add up to more than 1, the chosen one's is divided
    by their sum.
    """
    best = max(readings, key=lambda reading: (bool(reading.text), reading.confidence))
    claims: dict[str, float] = {}
    for reading in readings:
        if reading.text:
            text = reading.text.casefold() if hints.case_sensitive is False else reading.text
            claims[text] = max(claims.get(text, 0.0), reading.confidence)
    total = sum(claims.values())
    return best if total <= 1 else replace(best, confidence=round(best.confidence / total, 4))

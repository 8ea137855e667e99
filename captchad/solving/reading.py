"""Reads pictures, and refuses readings whose confidence is too low."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.recognition import Hints, Instruction, Recognition
from captchad.solving.attempt import Attempt

Recognise = Callable[[bytes, Hints, str], Awaitable[Recognition]]
"""Reads a picture with the hints about its text, for the target declared as this host."""


UNCLEAR_CONFIDENCE = 0.3
"""The most that an answer is worth where the page asks for something that was not understood."""


class PictureReader:
    """Reads with the minimum confidence of the target, or else of the worker."""

    def __init__(self, recognise: Recognise, minimum_confidence: Callable[[], float]) -> None:
        self._recognise = recognise
        self._minimum_confidence = minimum_confidence

    async def read(self, picture: bytes, attempt: Attempt, instruction: Instruction | None = None) -> Recognition:
        """Return the text; AttemptFailed (captcha_unreadable) where the confidence is too low.

        What the page says of the characters it wants counts where the task's hints say nothing of them.
        """
        target, hints = attempt.target, attempt.delivery.request.hints
        if instruction is None or not hints.wants_all:
            recognition = await self._recognise(picture, hints, target.host)
        else:
            recognition = await self._follow(instruction, picture, hints, target.host)
        attempt.note_reading(picture, recognition)
        return self._check(recognition, attempt)

    def accept(self, reading: Recognition, attempt: Attempt) -> Recognition:
        """Return what the page says itself; AttemptFailed where that does not fit the hints, or is too doubtful."""
        if not attempt.delivery.request.hints.allow(reading.text):
            message = f"the page's text gives {reading.text!r}, which does not fit the hints"
            raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, message)
        return self._check(reading, attempt)

    def _check(self, recognition: Recognition, attempt: Attempt) -> Recognition:
        target = attempt.target
        minimum = self._minimum_confidence() if target.minimum_confidence is None else target.minimum_confidence
        if recognition.confidence < minimum:
            message = f"read with a confidence of {recognition.confidence:.2f}, below the minimum of {minimum:.2f}"
            raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, message)
        return recognition

    async def _follow(self, instruction: Instruction, picture: bytes, hints: Hints, host: str) -> Recognition:
        """Read what the page asks for; all of the picture, with little confidence, where that makes no sense of it."""
        if instruction.is_clear:
            asked = replace(hints, colour=instruction.colour, position=instruction.position)
            with contextlib.suppress(AttemptFailed):
                return await self._recognise(picture, asked, host)
        recognition = await self._recognise(picture, hints, host)
        return replace(recognition, confidence=min(recognition.confidence, UNCLEAR_CONFIDENCE))

"""The interface of every recognition engine."""

from collections.abc import Sequence
from typing import Protocol

from captchad.domain.recognition import Hints, Recognition
from captchad.recognition.decoding import Pixels


class RecognitionEngine(Protocol):
    """Reads decoded pictures; called from one thread at a time."""

    @property
    def name(self) -> str:
        """The engine and the version of its model, as results name it."""
        ...

    @property
    def largest_batch(self) -> int:
        """How many pictures are read faster together than one after another."""
        ...

    def recognise(self, pictures: Sequence[Pixels], hints: Sequence[Hints]) -> list[Recognition]:
        """Read each picture with its hints; an empty text says that nothing could be read."""
        ...

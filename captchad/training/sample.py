"""A picture to learn from."""

from dataclasses import dataclass

from captchad.recognition.decoding import Pixels


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture, its text as the model is to read it (no spaces, each sign in its one spelling), and its family."""

    picture: Pixels
    text: str
    family: str

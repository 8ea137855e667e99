"""What became of one labelled picture, and what counts as right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluatedPicture:
    """One picture's true text, what was read and at what cost; `problem` says why it could not be decoded."""

    file: str
    truth: str
    text: str
    confidence: float
    cpu_ms: float
    wall_ms: float
    problem: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"the engine gave the confidence {self.confidence} for {self.file}; it must be in 0..1")


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether a text differs from the truth where only the case of letters does."""

    is_case_ignored: bool

    def fold(self, text: str) -> str:
        """Return the text as it is compared."""
        return text.casefold() if self.is_case_ignored else text

    def is_right(self, outcome: EvaluatedPicture) -> bool:
        """Whether all of the text is right."""
        return self.fold(outcome.text) == self.fold(outcome.truth)


CASE_COUNTS = Rule(is_case_ignored=False)
CASE_IGNORED = Rule(is_case_ignored=True)

"""What one attempt has found so far, kept also when it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from captchad.broker.consumer import Delivery
from captchad.domain.captcha_drift import CaptchaObservation
from captchad.domain.errors import PictureRefused
from captchad.domain.label import (
    LABEL_PICTURE_LIMIT_BYTES,
    LABEL_TEXT_LIMIT_CHARACTERS,
    CollectedAnswers,
    JudgedAnswer,
    Verdict,
)
from captchad.domain.page import Evidence, SessionState
from captchad.domain.picture import read_picture_header
from captchad.domain.recognition import Recognition
from captchad.domain.target import Target
from captchad.domain.task import TaskResult
from captchad.runtime.clock import Clock, Stopwatch
from captchad.runtime.deadline import Deadline

STAGES = ("open", "locate", "capture", "recognise", "verify")


class StageTimes:
    """Milliseconds by stage; a repeated stage adds up."""

    def __init__(self, queue_ms: float, clock: Clock) -> None:
        self._watch = Stopwatch(clock)
        self._stages_ms = {"queue": queue_ms, **dict.fromkeys(STAGES, 0.0)}

    def restart(self) -> None:
        """Start timing a stage now."""
        self._watch.lap_ms()

    def end(self, stage: str) -> None:
        """Add the time since the last start or end to a stage."""
        self.add({stage: self._watch.lap_ms()})

    def add(self, stages_ms: Mapping[str, float]) -> None:
        """Add times that were measured elsewhere."""
        for stage, milliseconds in stages_ms.items():
            self._stages_ms[stage] = round(self._stages_ms[stage] + milliseconds, 2)

    def total(self) -> dict[str, float]:
        """Return the time of each stage, and in total."""
        return {**self._stages_ms, "total": self._watch.total_ms()}


@dataclass(slots=True)
class Attempt:
    """One attempt under way; `sent_answers` it has sent itself.

    `tries` is how many pictures it may read: its own and one for each retry left. `collects_labels` says whether what
    the site says of its answers is kept with their pictures.
    """

    delivery: Delivery
    target: Target
    deadline: Deadline
    times: StageTimes
    collects_labels: bool = False
    evidence: Evidence | None = None
    sent_answers: int = 0
    # Of the last answer sent nobody has seen yet what became of it.
    is_answer_open: bool = False
    has_reserved: bool = False
    wrong_answers: int = 0
    pictures_read: int = 0
    observation: CaptchaObservation | None = None
    # None where the page shows neither success nor failure, or no form was filled.
    verified: bool | None = None
    left_scope_to: str | None = None
    session: SessionState | None = field(default=None, repr=False)
    _judged: list[JudgedAnswer] = field(default_factory=list, repr=False)
    _unjudged_picture: bytes = field(default=b"", repr=False)

    @property
    def tries(self) -> int:
        """How many pictures may be read; failed attempts have used up retries already."""
        return 1 + max(0, self.delivery.request.retry_count - (self.delivery.attempt - 1))

    @property
    def answers_left(self) -> int:
        """How many answers the task may still send: one, and one for each retry, over all its attempts."""
        return 1 + self.delivery.request.retry_count - self.delivery.answers - self.sent_answers

    @property
    def may_be_rejected(self) -> bool:
        """Whether the site may reject what is typed besides the answer."""
        request = self.delivery.request
        return request.fill is not None and (request.fill.rejected is not None or bool(request.typed_values))

    def note_sent(self) -> None:
        """Take note that an answer is about to be sent."""
        self.sent_answers += 1
        self.is_answer_open = True

    def keep(self, picture: bytes, screenshot: bytes | None = None, choice: str = "") -> None:
        """Keep evidence of how the captcha was read, where that was requested."""
        if self.delivery.request.evidence:
            self.evidence = Evidence(picture, screenshot, choice)

    def judge(self, picture: bytes, recognition: Recognition, verified: bool | None) -> None:
        """Take note of what the site says of an answer: right, wrong, or nothing (None)."""
        text = recognition.drawn_text
        # Beyond the limits it is no captcha worth learning from, and all of them pass through Redis.
        is_fit = len(picture) <= LABEL_PICTURE_LIMIT_BYTES and 0 < len(text) <= LABEL_TEXT_LIMIT_CHARACTERS
        # A label says all that its picture shows.
        is_fit &= recognition.is_whole
        self._unjudged_picture = b""
        if not self.collects_labels or not is_fit:
            return
        if verified is None:
            self._unjudged_picture = picture
        else:
            self._judged.append(JudgedAnswer(text, Verdict.RIGHT if verified else Verdict.WRONG, picture))

    @property
    def answers(self) -> CollectedAnswers | None:
        """What was found out for the labels of the target; None where none are collected."""
        if not self.collects_labels:
            return None
        return CollectedAnswers(self.target.host, tuple(self._judged), self._unjudged_picture)

    def note_reading(self, picture: bytes, recognition: Recognition) -> None:
        """Observe the first picture; how many others a visit reads depends on the answers, which would bias them."""
        self.pictures_read += 1
        if self.pictures_read > 1:
            return
        try:
            header = read_picture_header(picture)
        except PictureRefused:
            return  # an engine of another package may read what this release can't measure
        self.observation = CaptchaObservation(
            self.target.host, header.width, header.height, recognition.confidence, recognition.recogniser
        )

    def note_verdict(self, verified: bool | None, judgement: float | None = None) -> None:
        """Take note of what the page said to the answer, and of how that was judged where it said nothing."""
        if self.evidence is not None:
            self.evidence = replace(self.evidence, judgement=judgement)
        self.verified, self.is_answer_open = verified, False
        self.wrong_answers += verified is False
        if self.pictures_read == 1 and self.observation is not None:
            self.observation = replace(self.observation, verified=verified)

    def conclude(self, recognition: Recognition) -> TaskResult:
        """Return the result."""
        return TaskResult(
            captcha_text=recognition.text,
            confidence=recognition.confidence,
            kind=recognition.kind,
            recogniser=recognition.recogniser,
            characters=recognition.characters,
            verified=self.verified,
            expression=recognition.expression,
            timings_ms=self.times.total(),
            session=self.session,
            left_scope_to=self.left_scope_to,
        )
